"""`traderagent status`: how a run stands, live or by what it has left in its folder."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import click

from traderagent_core.cli.found_run import RUN_DIR, find_run
from traderagent_core.errors import DataError

MOST_ERRORS = 5


@click.command()
@click.argument("bot", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the whole as JSON.")
@RUN_DIR
def status(*, bot: str | None, as_json: bool, run_dir: Path | None) -> None:
    """Show how a run stands: bots, positions, orders, profit.

    A run whose process is gone, or does not answer, is shown by its journal, which knows nothing of what has happened
    at the exchange since.
    """
    found = look(find_run(run_dir, bot))
    if bot is not None:
        found["bots"] = [each for each in found["bots"] if each["name"] == bot]
        if not found["bots"]:
            raise DataError(f"this run has no bot {bot!r}")
    click.echo(json.dumps(found, indent=2) if as_json else "\n".join(_lines(found)))


def look(folder: Path) -> dict[str, Any]:
    """The document of a run: by its process when that answers, else by its folder."""
    from traderagent_core.live.control.client import NotListeningError, ask
    from traderagent_core.live.control.left import describe_left, find_process

    process = find_process(folder)
    run: dict[str, Any] = {"folder": str(folder), "process": None, "state": "down"}
    if process is not None:
        run["process"] = {"id": process.process_id, "host": process.host, "since_ms": process.since_ms}
    try:
        found = ask(folder, "status")
        run["waits_for"] = found.pop("waits_for", None)
        is_ending = found.pop("is_ending")
        run["state"] = "recovering" if run["waits_for"] else "stopping" if is_ending else "up"
    except NotListeningError:
        found = describe_left(folder)
        if process is not None and process.is_alive:
            run["state"] = "not answering"
    return {"run": run, **found}


# -- for people ---------------------------------------------------------------------------------------------


def _lines(found: Mapping[str, Any]) -> Iterator[str]:
    yield from _head(found)
    for bot in found["bots"]:
        yield ""
        yield from _bot(bot)
    yield ""
    for each in found["house"]:
        yield f"house       {each['quantity']} of {each['symbol']}, realised {_short(each['realized'])}"
    yield f"unconfirmed {', '.join(found['unconfirmed']) or 'no order'}"
    if "links" in found:
        yield from _health(found)


def _head(found: Mapping[str, Any]) -> Iterator[str]:
    run, process = found["run"], found["run"]["process"]
    who = (
        ""
        if process is None
        else f", process {process['id']} on {process['host']} since {_time(process['since_ms'])}"
    )
    yield f"run         {run['state']}{who if run['state'] != 'down' else ''}"
    if run.get("waits_for"):
        yield f"            waits for {run['waits_for']}"
    if run["state"] in ("recovering", "down", "not answering") and found["now_ms"]:
        yield f"            what follows is of {_time(found['now_ms'])}, by the journal"
    yield f"folder      {run['folder']}"
    halt = found["halt"]
    if halt is not None:
        yield f"halt        {halt['stage']} since {_time(halt['since_ms'])}: {halt['reason']}"
    for bar in found.get("barred", ()):
        yield f"barred      entries at {bar['symbol'] or 'all'}: {bar['reason']}: {bar['detail']}"
    account = found.get("account")
    if account is not None:
        balance = account["balance"]
        modes = ", ".join(account["modes"]) or "none"
        yield (
            f"account     equity {_short(balance['current'])}, peak {_short(balance['peak'])}, "
            f"loss of the day {_short(account['daily_loss'])}, risk modes: {modes}"
        )


def _bot(bot: Mapping[str, Any]) -> Iterator[str]:
    why = f" ({bot['why']})" if bot["why"] else ""
    yield f"{bot['name']}: {bot['life_cycle']}{why}, {bot['strategy']} on {bot['symbol']} at {bot['price'] or '?'}"
    position, shield, profit = bot["position"], bot["protection"], bot["pnl"]
    if Decimal(position["quantity"]):
        yield f"  position  {position['quantity']} at {_short(position['average_price'])}"
        yield f"  stop      {_protection(shield)}"
    else:
        yield "  position  none"
    yield (
        f"  profit    {_short(profit['total'])}: realised {_short(profit['realized'])}, open "
        f"{_short(profit['unrealized'])}, fees {_short(profit['fees'])}, funding {_short(profit['funding'])}; "
        f"{profit['cycles']} cycles"
    )
    if bot["regime"] is not None:
        yield f"  regime    {bot['regime']}, trades by {bot['owner'] or 'nobody'}"
    yield f"  orders    {_orders(bot['orders'])}"


def _protection(shield: Mapping[str, Any]) -> str:
    if shield["stop_price"] is None:
        return "none"
    order = "" if shield["order"] is None else f", order {shield['order']} {shield['status']}"
    return f"{shield['stop_price']}, held by the {shield['held_by']}{order}"


def _orders(orders: list[Mapping[str, Any]]) -> str:
    """Without the stop, which has a line of its own."""
    parts = []
    for side in ("BUY", "SELL"):
        of_side = [each for each in orders if each["side"] == side and each["slot"] != "stop"]
        prices, count = [Decimal(each["price"]) for each in of_side if each["price"]], len(of_side)
        if count:
            span = f" from {min(prices):f} to {max(prices):f}" if prices else ""
            parts.append(f"{count} {side}{span}")
    return ", ".join(parts) or "none"


def _health(found: Mapping[str, Any]) -> Iterator[str]:
    links = (
        f"{name} {'up' if link['is_up'] else 'DOWN'} since {_time(link['since_ms'])}"
        for name, link in found["links"].items()
    )
    yield f"links       {', '.join(links) or 'none'}"
    latency = found["latency_ms"]
    if latency is not None:
        yield (
            f"answers     median {latency['median']} ms, longest {latency['longest']} ms of the last "
            f"{latency['answers']}; {found['in_flight']} under way"
        )
    for symbol, candle in found["last_candles"].items():
        told = "none yet" if candle is None else f"{candle['timeframe']} of {_time(candle['open_time'])}"
        yield f"candles     {symbol}: {told}"
    slow = found["slow_calls"]
    if slow["count"]:
        worst = slow["slowest"]
        told = f"{worst['callback']} of {worst['bot']}, {worst['took_ms']} ms"
        yield f"slow calls  {slow['count']}; the slowest: {told}"
    for sink in found["sinks"]:
        yield f"sink        {sink['name']}: {_sink(sink)}"
    errors = found["errors"]
    yield f"errors      {errors['count']}"
    for error in errors["last"][-MOST_ERRORS:]:
        yield f"            {_time(error['time_ms'])} {error['what']}: {error['cause']}"


def _sink(sink: Mapping[str, Any]) -> str:
    counts = f"{sink['taken']} events told, {sink['dropped']} dropped, {sink['failures']} failed"
    return f"{sink['state']}, {counts}" + (f", last {sink['last_error']}" if sink["last_error"] else "")


def _short(amount: str | None) -> str:
    return (
        "?"
        if amount is None
        else f"{Decimal(amount):.8g}"
        if abs(Decimal(amount)) < 1
        else f"{Decimal(amount):.2f}"
    )


def _time(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
