"""`traderagent panic`: cancel everything and close everything, with or without a running process."""

import os
import signal
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from traderagent_core.cli.found_run import REASON, RUN_DIR, find_run
from traderagent_core.errors import AccountHeldError, TraderAgentError

LOOK_SECONDS = 0.3
GONE_SECONDS = 10.0


@click.command()
@click.argument("bot", required=False)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="The configuration, where the process is gone [default: the one that the run began with].",
)
@REASON
@RUN_DIR
@click.pass_context
def panic(
    context: click.Context,
    *,
    bot: str | None,
    yes: bool,
    config: Path | None,
    reason: str,
    run_dir: Path | None,
) -> None:
    """Cancel and close everything at the market.

    Of BOT, or of the whole account. It shows first what that means, and asks. Needs neither database nor chat nor
    dashboard. Where the process of the run is gone, this command takes the account over and does it itself; one
    that does not answer is killed first. For the whole account this is the emergency halt: nothing trades until
    `traderagent ack`.
    """
    from traderagent_core.live.control.client import NotListeningError, ask
    from traderagent_core.live.control.left import plan_left

    folder = find_run(run_dir, bot)
    try:
        plan = ask(folder, "panic_plan", bot)
        is_up = True
    except NotListeningError:
        plan, is_up = plan_left(folder, bot), False
    for line in _shown(plan):
        click.echo(line)
    if not is_up:
        click.echo(
            "No process answers: this is what the journal knows; this command will take the account over."
        )
    if not yes and not click.confirm("Go on?"):
        context.exit(1)
    if is_up:
        ask(folder, "panic", bot, reason)
        _wait(folder, bot)
    else:
        _take_over(folder, bot, config)
    click.echo("everything is closed" + ("; `traderagent ack` when you have seen why" if bot is None else ""))


# -- the plan -----------------------------------------------------------------------------------------------


def _shown(plan: Mapping[str, Any]) -> Iterator[str]:
    yield f"cancels {len(plan['orders'])} orders:"
    for order in plan["orders"]:
        price = "the market" if order["price"] is None else order["price"]
        what = f"{order['side']} {order['quantity']} {order['symbol']} at {price}"
        yield f"  {order['bot']}: {what} ({order['purpose']})"
    yield f"closes {len(plan['positions'])} positions at the market:"
    for each in plan["positions"]:
        worth = "" if each["notional"] is None else f", worth {float(each['notional']):.2f}"
        yield f"  {each['bot']}: {each['quantity']} {each['symbol']}{worth}"


# -- with a process -----------------------------------------------------------------------------------------


def _wait(folder: Path, bot: str | None) -> None:
    """Until all is closed by the exchange's word, telling how far it is."""
    from traderagent_core.live.control.client import ask

    told = ""
    while True:
        found = ask(folder, "status")
        bots = [each for each in found["bots"] if bot in (None, each["name"])]
        orders = sum(len(each["orders"]) for each in bots)
        held = sum(bool(float(each["position"]["quantity"])) for each in bots)
        line = f"{orders} orders and {held} positions left"
        if line != told:
            click.echo(line)
            told = line
        if ask(folder, "is_closed", bot):
            return
        time.sleep(LOOK_SECONDS)


# -- without one --------------------------------------------------------------------------------------------


def _take_over(folder: Path, bot: str | None, config: Path | None) -> None:
    from traderagent_core.cli.run import credentials_of, secrets_of
    from traderagent_core.live_run import run_panic, started_with
    from traderagent_core.observability.run_log import run_log

    loaded = started_with(folder, config)
    keys = credentials_of(loaded)
    with run_log(folder, loaded.log_level, secrets_of(loaded, keys, "")) as tell:
        try:
            run_panic(loaded, folder, keys, tell, bot)
        except AccountHeldError:
            _kill_holder(folder)
            run_panic(loaded, folder, keys, tell, bot)


def _kill_holder(folder: Path) -> None:
    """End the process that holds the account and does not answer; what it knew is in the journal."""
    from traderagent_core.live.control.left import find_process

    process = find_process(folder)
    if process is None or not process.is_alive:
        raise TraderAgentError(f"the account of {folder} is held by a process that is not on this machine")
    click.echo(f"process {process.process_id} holds the account and does not answer: it is killed")
    os.kill(process.process_id, signal.SIGKILL)
    end = time.monotonic() + GONE_SECONDS
    while time.monotonic() < end and _is_there(process.process_id):
        time.sleep(LOOK_SECONDS)


def _is_there(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    return True
