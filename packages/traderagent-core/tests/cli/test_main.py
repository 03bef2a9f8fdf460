"""The command line as a whole: lazy commands, exit codes, messages without tracebacks."""

import os
import subprocess
import sys

import click
import pytest
from traderagent_core.cli import main as cli
from traderagent_core.cli.lazy import LazyCommand, LazyGroup
from traderagent_core.errors import ConfigError, PluginError

START = [sys.executable, "-c", "from traderagent_core.cli.main import main; main()"]
HEAVY = {"pandas", "sqlalchemy", "numba", "ccxt", "pyarrow", "fastapi", "telegram", "optuna", "asyncpg"}


def start(*args, folder=None, stdout=subprocess.PIPE, python=()):
    environment = {**os.environ, "PYTHONPATH": str(folder or "")}
    command = [START[0], *python, *START[1:], *args]
    return subprocess.run(
        command, stdout=stdout, stderr=subprocess.PIPE, text=True, env=environment, check=False
    )


def plugin(folder, code):
    """A distribution whose plugin runs this code when imported."""
    (folder / "ta_cli_plugin.py").write_text(code)
    info = folder / "ta_cli-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: ta-cli\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[traderagent]\nta-cli = ta_cli_plugin\n")
    return folder


@pytest.fixture
def command(monkeypatch):
    """Puts a command that calls the given function into the table."""

    def put(function):
        loaded = click.command("probe")(function)
        probe = LazyCommand("traderagent_core.cli.main", "probe", "Probe.")
        monkeypatch.setattr(cli, "probe", loaded, raising=False)
        monkeypatch.setattr(cli.traderagent, "table", {**cli.COMMANDS, "probe": probe})

    return put


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_help_of_the_table_is_the_help_of_the_command(name):
    entry = cli.COMMANDS[name]
    command = entry.load()
    assert command.name == name
    assert command.get_short_help_str(limit=200) == entry.short_help


def test_help_lists_every_command_on_one_line_each(capsys):
    assert cli.run(["--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    listed = lines[lines.index("Commands:") + 1 :]
    assert [line.split()[0] for line in listed] == list(cli.COMMANDS)


def test_version_is_that_of_the_distribution(capsys):
    from importlib.metadata import version

    assert cli.run(["--version"]) == 0
    assert capsys.readouterr().out == f"traderagent, version {version('traderagent-core')}\n"


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["plugin"], "No such command 'plugin'. Did you mean 'plugins'?"),
        (["xyzzy"], "No such command 'xyzzy'.\n"),
        (["--frobnicate"], "No such option"),
        (["plugins", "show"], "Missing argument 'NAME'"),
    ],
)
def test_wrong_usage_is_code_two(capsys, args, message):
    assert cli.run(args) == 2
    out, err = capsys.readouterr()
    assert (out, message in err) == ("", True)


def test_known_commands_are_not_imported_for_a_wrong_one(capsys):
    table = {"other": LazyCommand("ta_no_such_module", "other", "Not there.")}
    group = LazyGroup("probe", table=table)
    with (
        pytest.raises(click.UsageError, match="Did you mean 'other'"),
        group.make_context("probe", ["othr"]) as ctx,
    ):
        group.invoke(ctx)


COMMAND_PLUGIN = """
import click
from traderagent_core import CommandSpec, hookimpl

@click.command("ta-hello")
@click.argument("who")
def hello(who):
    "Greet."
    click.echo(f"hello {who}")

@hookimpl
def traderagent_commands():
    yield CommandSpec("ta-hello", "Greet.", lambda: hello)
    yield CommandSpec("ta-wrong", "Not a command.", lambda: print)
"""


def test_command_of_a_plugin_runs_with_its_arguments(tmp_path):
    done = start("ta-hello", "you", folder=plugin(tmp_path, COMMAND_PLUGIN))
    assert (done.returncode, done.stdout, done.stderr) == (0, "hello you\n", "")


def test_command_of_a_plugin_is_offered_for_a_near_name(tmp_path):
    done = start("ta-helo", folder=plugin(tmp_path, COMMAND_PLUGIN))
    assert done.returncode == 2
    assert "No such command 'ta-helo'. Did you mean 'ta-hello'?" in done.stderr


def test_factory_that_gives_no_command_is_the_plugin_s_fault(tmp_path):
    done = start("ta-wrong", folder=plugin(tmp_path, COMMAND_PLUGIN))
    assert done.returncode == 2
    assert "plugin 'ta-cli' (ta-cli 1.0): the factory of command 'ta-wrong'" in done.stderr


def test_plugins_list_shows_commands_and_show_says_how_to_ask_them(tmp_path):
    folder = plugin(tmp_path, COMMAND_PLUGIN)
    assert "command ta-hello, command ta-wrong" in start("plugins", "list", folder=folder).stdout
    shown = start("plugins", "show", "ta-cli", folder=folder)
    assert "command ta-hello: Greet.\n  traderagent ta-hello --help" in shown.stdout
    assert '"config_schema": null' in start("plugins", "show", "ta-cli", "--json", folder=folder).stdout


def test_command_of_a_package_that_is_not_installed_names_the_package(capsys):
    group = LazyGroup("probe", table={}, package_of={"lab": "traderagent-lab"}.get)
    with pytest.raises(click.UsageError, match="pip install traderagent-lab"):
        group.resolve_command(click.Context(group), ["lab"])


def test_built_in_command_does_not_look_for_plugins(monkeypatch, capsys):
    monkeypatch.setattr(cli.traderagent, "more", lambda: pytest.fail("looked"))
    assert cli.run(["plugins", "--help"]) == 0


@pytest.mark.parametrize(
    "error", [PluginError("no such thing\n  To mend it: look"), ConfigError("no such thing")]
)
def test_error_that_the_user_can_mend_is_a_message_and_code_two(capsys, command, error):
    def fail():
        raise error

    command(fail)
    assert cli.run(["probe"]) == 2
    assert capsys.readouterr() == ("", f"Error: {error}\n")


def test_command_that_ran_and_failed_gives_its_own_code(command):
    command(lambda: click.get_current_context().exit(1))
    assert cli.run(["probe"]) == 1


def test_defect_of_ours_keeps_its_traceback(command):
    command(lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        cli.run(["probe"])


def test_interrupt_is_one_line_and_code_130(tmp_path):
    done = start("plugins", "list", folder=plugin(tmp_path, "raise KeyboardInterrupt"))
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "Interrupted.\n")


@pytest.mark.parametrize("args", [["--help"], ["plugins", "list"], ["plugins", "list", "--json"]])
def test_reader_that_went_away_is_met_quietly(args):
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = start(*args, stdout=writing)
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")


def test_mendable_error_of_a_process_is_code_two_without_traceback():
    done = start("plugins", "show", "no-such-plugin")
    assert done.returncode == 2
    assert done.stderr.startswith("Error: unknown plugin 'no-such-plugin'")
    assert "Traceback" not in done.stderr


def imported(args):
    """Top-level packages that a command imports."""
    report = start(*args, python=["-X", "importtime"]).stderr
    lines = [line for line in report.splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}


@pytest.mark.parametrize("args", [["--help"], ["--version"], ["plugins", "list"], ["plugins", "doctor"]])
def test_quick_commands_import_nothing_heavy(args):
    assert imported(args) & HEAVY == set()


def test_help_imports_neither_numpy_nor_pydantic_nor_the_host():
    assert imported(["--help"]) & {"numpy", "pydantic", "pluggy", "rich", "structlog", "attrs"} == set()


def test_shell_completion_knows_the_commands(monkeypatch):
    monkeypatch.setenv("_TRADERAGENT_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "traderagent plu")
    monkeypatch.setenv("COMP_CWORD", "1")
    assert start().stdout == "plain,plugins\n"
