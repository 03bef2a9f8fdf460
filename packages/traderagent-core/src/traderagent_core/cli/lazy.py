"""A click group that imports a command when it is called, so that `--help` stays quick."""

import difflib
import importlib
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

import click

Hint = Callable[[str], str | None]


class Loadable(Protocol):
    """A command that is not imported yet."""

    def load(self) -> click.Command:
        """Import the command."""
        ...


class LazyCommand(NamedTuple):
    """Where a command is found, and the first line of its help."""

    module: str
    attribute: str
    short_help: str

    def load(self) -> click.Command:
        """Import the command."""
        command: click.Command = getattr(importlib.import_module(self.module), self.attribute)
        return command


class LazyGroup(click.Group):
    """Lists its commands from a table; a test keeps the table equal to the commands' own help.

    `more` finds commands that are not in the table; since that costs time, it is asked only for a name that the table
    does not have. `package_of` names the package to install for a command that nobody has.
    """

    def __init__(
        self,
        *args: Any,
        table: Mapping[str, LazyCommand],
        more: Callable[[], Mapping[str, Loadable]] = dict,
        package_of: Hint = lambda _: None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.table = table
        self.more = more
        self.package_of = package_of

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Names in the order of the table."""
        return list(self.table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import and return one command."""
        found: Loadable | None = self.table.get(cmd_name) or self.more().get(cmd_name)
        return None if found is None else found.load()

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the first argument names; the message for a wrong one offers the nearest."""
        name = args[0]
        if name in self.table or name.startswith("-"):
            return super().resolve_command(ctx, args)
        more = self.more()
        if name not in more:
            ctx.fail(f"No such command {name!r}.{self._hint(name, more)}")
        return name, more[name].load(), args[1:]

    def _hint(self, name: str, more: Mapping[str, Loadable]) -> str:
        package = self.package_of(name)
        if package:
            return f" To get it: pip install {package}"
        near = difflib.get_close_matches(name, [*self.table, *more], n=1)
        return f" Did you mean {near[0]!r}?" if near else ""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.short_help) for name, command in self.table.items()])
