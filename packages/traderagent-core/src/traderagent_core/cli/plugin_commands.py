"""Commands that plugins add: found when a command is asked for that is not built in."""

from collections.abc import Mapping

import click
from attrs import frozen

from traderagent_core.errors import PluginError
from traderagent_core.host import PluginHost
from traderagent_core.specs import CommandSpec


@frozen
class PluginCommand:
    """A command as a plugin registers it."""

    spec: CommandSpec
    origin: str

    def load(self) -> click.Command:
        """Let the plugin build it; raises PluginError for what is no click command of that name."""
        command = self.spec.factory()
        if not isinstance(command, click.Command) or command.name != self.spec.name:
            raise PluginError(
                f"{self.origin}: the factory of command {self.spec.name!r} must give a click command of that name,"
                f" not {command!r}",
                plugin=self.spec.name,
            )
        return command


def find_plugin_commands() -> Mapping[str, PluginCommand]:
    """By name; a plugin that is broken adds none (`traderagent plugins doctor` tells why)."""
    host = PluginHost.discover(None)
    return {name: PluginCommand(spec, host.origin(spec).label) for name, spec in host.commands.items()}
