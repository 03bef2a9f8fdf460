"""`traderagent start`, `pause`, `resume`, `stop`, `ack`, `reset`: an operator's words to a run that is up."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from traderagent_core.cli.found_run import REASON, RUN_DIR, bots_of_run, find_run
from traderagent_core.errors import TraderAgentError

LOOK_SECONDS = 0.3
ALL = click.option("--all", "is_all", is_flag=True, help="All bots of the run.")


def _options(command: Callable[..., None]) -> Callable[..., None]:
    return click.argument("bot", required=False)(ALL(REASON(RUN_DIR(command))))


@click.command()
@_options
def start(**options: Any) -> None:
    """Start a bot that is STOPPED."""
    _say("start", **options)


@click.command()
@_options
def pause(**options: Any) -> None:
    """Pause a bot: it adds no exposure any more.

    Its strategy is not called; its orders, exits and stop stay.
    """
    _say("pause", **options)


@click.command()
@_options
def resume(**options: Any) -> None:
    """Let a bot that is PAUSED go on."""
    _say("resume", **options)


@click.command()
@_options
def stop(*, bot: str | None, is_all: bool, reason: str, run_dir: Path | None) -> None:
    """Stop one bot, or without BOT the whole run.

    It waits until that is done. A strategy is asked what to do with its position: it keeps it, with its stop, or
    winds it down. All its other orders are canceled. When the whole run is stopped, its process ends after the last
    bot. Stopped bots stay stopped, also when the run is started again, until `traderagent start`.
    """
    _refuse_both(bot, is_all=is_all)
    from traderagent_core.live.control.client import ask

    folder = find_run(run_dir, bot)
    lives = ask(folder, "end" if bot is None else "stop", bot, reason)
    _follow(folder, lives)


@click.command()
@REASON
@RUN_DIR
def ack(*, reason: str, run_dir: Path | None) -> None:
    """Acknowledge an emergency that is over.

    Its bots are STOPPED then.
    """
    from traderagent_core.live.control.client import ask

    _tell(ask(find_run(run_dir, None), "ack", None, reason))


@click.command()
@click.argument("bot")
@REASON
@RUN_DIR
def reset(*, bot: str, reason: str, run_dir: Path | None) -> None:
    """Bring a bot from EMERGENCY or quarantine to STOPPED.

    Nothing of it may be held or open.
    """
    from traderagent_core.live.control.client import ask

    _tell(ask(find_run(run_dir, bot), "reset", bot, reason))


def _say(word: str, *, bot: str | None, is_all: bool, reason: str, run_dir: Path | None) -> None:
    from traderagent_core.live.control.client import ask

    _refuse_both(bot, is_all=is_all)
    folder = find_run(run_dir, bot)
    if bot is None and not is_all:
        bot = _only_bot(folder)
    _tell(ask(folder, word, bot, reason))


def _refuse_both(bot: str | None, *, is_all: bool) -> None:
    if bot is not None and is_all:
        raise click.UsageError("name a bot or write --all, not both")


def _only_bot(folder: Path) -> str:
    bots = bots_of_run(folder)
    if len(bots) != 1:
        raise click.UsageError(f"name a bot, or write --all; this run has {', '.join(bots) or 'none'}")
    return bots[0]


def _tell(lives: Mapping[str, str]) -> None:
    for name, life in lives.items():
        click.echo(f"{name}: {life}")


def _follow(folder: Path, lives: Mapping[str, str]) -> None:
    """Tell each change until all have stopped, or the process has ended because they have."""
    from traderagent_core.live.control.client import NotListeningError, ask

    told: dict[str, str] = {}
    while True:
        _tell({name: life for name, life in lives.items() if told.get(name) != life})
        told |= lives
        if all(life == "STOPPED" for life in told.values()):
            return
        time.sleep(LOOK_SECONDS)
        try:
            found = ask(folder, "status")["bots"]
        except NotListeningError:
            lives = _left(folder, told)
        else:
            lives = {bot["name"]: bot["life_cycle"] for bot in found if bot["name"] in told}


def _left(folder: Path, told: Mapping[str, str]) -> dict[str, str]:
    """Where the bots were when the process ended; raises when that was not where they were to go."""
    from traderagent_core.live.control.left import describe_left

    lives = {bot["name"]: bot["life_cycle"] for bot in describe_left(folder)["bots"] if bot["name"] in told}
    if any(life != "STOPPED" for life in lives.values()):
        raise TraderAgentError(
            "the process ended before all bots had stopped; start the run again, then `traderagent stop`"
        )
    return lives
