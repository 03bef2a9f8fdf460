"""docs/reference/commands.md names every command, argument and option, as `--help` does."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import click
from traderagent_core.cli.lazy import LazyGroup
from traderagent_core.cli.main import traderagent

PAGE = "docs/reference/commands.md"


def walk(command: click.Command, context: click.Context) -> Iterator[tuple[click.Command, click.Context]]:
    """A command and all below it; those of plugins come last."""
    yield command, context
    if isinstance(command, click.Group):
        more = command.more() if isinstance(command, LazyGroup) else ()
        for name in [*command.list_commands(context), *more]:
            inner = command.get_command(context, name)
            assert inner is not None
            yield from walk(inner, click.Context(inner, info_name=name, parent=context))


def commands() -> list[tuple[click.Command, click.Context]]:
    return list(
        walk(traderagent, click.Context(traderagent, info_name="traderagent", max_content_width=1000))
    )


def usage(context: click.Context) -> str:
    return " ".join([context.command_path, *context.command.collect_usage_pieces(context)])


def option_rows(command: click.Command, context: click.Context, row: Callable[..., str]) -> list[str]:
    """Options but `--help`, which every command has."""
    records = [
        parameter.get_help_record(context)
        for parameter in command.get_params(context)
        if isinstance(parameter, click.Option) and "--help" not in parameter.opts
    ]
    return [row(f"`{record[0]}`", " ".join(record[1].split())) for record in records if record is not None]


def test_every_command_has_its_section_usage_and_options(
    page: Callable[[str], Any], tables: Mapping[str, Callable[..., Any]]
) -> None:
    reference = page(PAGE)
    for command, context in commands():
        heading = f"`{context.command_path}`"
        section = " ".join(reference.section(heading).split())
        assert usage(context) in section, f"{heading} lacks its usage: {usage(context)}"
        help_line = " ".join((command.help or "").partition("\n\n")[0].split())
        assert help_line in section, f"{heading} lacks what it does: {help_line}"
        reference.check_table(heading, option_rows(command, context, tables["row"]))


def test_no_section_is_about_a_command_that_is_gone(page: Callable[[str], Any]) -> None:
    known = {f"`{context.command_path}`" for _, context in commands()}
    assert {heading for heading in page(PAGE).headings() if heading.startswith("`")} == known


def test_every_option_and_command_has_help() -> None:
    lacking = []
    for command, context in commands():
        lacking += [] if command.help else [context.command_path]
        lacking += [
            f"{context.command_path} {parameter.opts[0]}"
            for parameter in command.params
            if isinstance(parameter, click.Option) and not parameter.help
        ]
    assert lacking == []
