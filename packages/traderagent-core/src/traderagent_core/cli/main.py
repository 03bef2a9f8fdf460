"""The entry point `traderagent`: commands, exit codes, and errors without tracebacks.

Exit codes: 0 done; 1 ran and failed; 2 the user can mend it; 3 another instance holds the account; 4 a plugin hung
and the run cannot go on; 130 interrupted; 141 the reader of a pipe went away.
"""

import gc
import os
import sys
from collections.abc import Mapping, Sequence

import click

from traderagent_core.cli.lazy import LazyCommand, LazyGroup, Loadable
from traderagent_core.errors import TraderAgentError

PROGRAM = "traderagent"
COMPLETION = "_TRADERAGENT_COMPLETE"
OK, MENDABLE, INTERRUPTED, PIPE_CLOSED = 0, 2, 130, 141

COMMANDS = {
    "demo": LazyCommand(
        "traderagent_core.cli.demo", "demo", "Back-test a grid on a generated market, offline."
    ),
    "new": LazyCommand("traderagent_core.cli.new", "new", "Write a package for a plugin of your own."),
    "plugins": LazyCommand(
        "traderagent_core.cli.plugins", "plugins", "Show which plugins are installed, enabled or broken."
    ),
    "config": LazyCommand(
        "traderagent_core.cli.config", "config", "Check a configuration; show it; print its schema."
    ),
    "data": LazyCommand(
        "traderagent_core.cli.data", "data", "Import, download, generate, list and check candles."
    ),
    "preview": LazyCommand(
        "traderagent_core.cli.preview", "preview", "Show every order that a configuration would place."
    ),
    "backtest": LazyCommand(
        "traderagent_core.cli.backtest", "backtest", "Simulate a configuration on past candles."
    ),
    "why": LazyCommand("traderagent_core.cli.why", "why", "Explain what the back-test in RUN_DIR decided."),
    "faults": LazyCommand(
        "traderagent_core.testing.faults.command",
        "faults",
        "Run the live driver in a world in which things go wrong.",
    ),
    "run": LazyCommand(
        "traderagent_core.cli.run", "run", "Trade live or on paper, as the configuration says."
    ),
    "status": LazyCommand(
        "traderagent_core.cli.status",
        "status",
        "Show how a run stands: bots, positions, orders, profit.",
    ),
    "events": LazyCommand(
        "traderagent_core.cli.events", "events", "Tell what happens in a run, as it happens."
    ),
    "reload": LazyCommand(
        "traderagent_core.cli.reload", "reload", "Have a run take its configuration as the file is now."
    ),
    "start": LazyCommand("traderagent_core.cli.operate", "start", "Start a bot that is STOPPED."),
    "pause": LazyCommand(
        "traderagent_core.cli.operate",
        "pause",
        "Pause a bot: it adds no exposure any more.",
    ),
    "resume": LazyCommand("traderagent_core.cli.operate", "resume", "Let a bot that is PAUSED go on."),
    "stop": LazyCommand(
        "traderagent_core.cli.operate",
        "stop",
        "Stop one bot, or without BOT the whole run.",
    ),
    "panic": LazyCommand(
        "traderagent_core.cli.panic",
        "panic",
        "Cancel and close everything at the market.",
    ),
    "ack": LazyCommand(
        "traderagent_core.cli.operate",
        "ack",
        "Acknowledge an emergency that is over.",
    ),
    "reset": LazyCommand(
        "traderagent_core.cli.operate",
        "reset",
        "Bring a bot from EMERGENCY or quarantine to STOPPED.",
    ),
    "doctor": LazyCommand(
        "traderagent_core.cli.doctor",
        "doctor",
        "Check all that a launch needs.",
    ),
    "replay": LazyCommand(
        "traderagent_core.cli.run",
        "replay",
        "Retrace the run in RUN_DIR and name the first difference.",
    ),
    "credentials": LazyCommand(
        "traderagent_core.cli.credentials", "credentials", "Store keys of exchanges, encrypted."
    ),
    "backup": LazyCommand(
        "traderagent_core.cli.backup", "backup", "Write journals, snapshots and database to one file."
    ),
    "restore": LazyCommand(
        "traderagent_core.cli.backup", "restore", "Restore journals, snapshots and database from FILE."
    ),
}


def _of_plugins() -> Mapping[str, Loadable]:
    from traderagent_core.cli.plugin_commands import find_plugin_commands

    return find_plugin_commands()


def _package_of(command: str) -> str | None:
    from traderagent_core.host.known import package_offering

    return package_offering("command", command)


@click.group(
    cls=LazyGroup,
    table=COMMANDS,
    more=_of_plugins,
    package_of=_package_of,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="traderagent-core", prog_name=PROGRAM)
def traderagent() -> None:
    """Autonomous multi-strategy crypto trading: plugins, simulator, back-tests.

    Plugins may add commands of their own; `traderagent plugins list` tells them.
    """


def main() -> None:
    """Run the command line and leave with its exit code."""
    code = run(sys.argv[1:])
    gc.freeze()  # What is left goes with the process: looking through it for garbage takes seconds after a long run.
    sys.exit(code)


def run(args: Sequence[str]) -> int:
    """Run one command and return its exit code; only a defect of ours raises."""
    try:
        code = _invoke(args)
        sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        return MENDABLE
    except TraderAgentError as error:
        click.echo(f"Error: {error}", err=True)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        return INTERRUPTED
    except BrokenPipeError:
        _silence_stdout()
        return PIPE_CLOSED
    return code


def _invoke(args: Sequence[str]) -> int:
    """What click's own `main` does, less its handling of errors: that would turn a closed pipe into code 1."""
    if COMPLETION in os.environ:
        traderagent.main(list(args), prog_name=PROGRAM)
    try:
        with traderagent.make_context(PROGRAM, list(args), obj=tuple(args)) as context:
            traderagent.invoke(context)
    except click.exceptions.Exit as left:
        return left.exit_code
    return OK


def _silence_stdout() -> None:
    """What is still buffered has no reader; without this the interpreter complains while it shuts down."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
