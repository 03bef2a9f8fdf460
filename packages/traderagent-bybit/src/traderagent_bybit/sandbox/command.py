"""`traderagent bybit-sandbox`: the sandbox from the command line."""

import asyncio
import signal
import time
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path

import click

from traderagent_bybit.sandbox.app import HOST, serving
from traderagent_bybit.sandbox.market import MarketData, load_market
from traderagent_bybit.sandbox.session import Session, Settings
from traderagent_bybit.sandbox.world import AccountSpec

DEFAULT_PORT = 8899
DEFAULT_KEY = "sandbox"


@click.command("bybit-sandbox")
@click.option("--data", type=click.Path(path_type=Path), help="File, folder or catalogue [default: made up].")
@click.option("--symbol", "symbols", multiple=True, help="Symbol; may be repeated [default: BTC/USDT].")
@click.option(
    "--speed",
    type=click.FloatRange(min=0),
    default=1.0,
    show_default=True,
    help="Market time over wall time; 0: lockstep.",
)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=DEFAULT_PORT, show_default=True, help="0: any free one."
)
@click.option("--from", "start", help="Where in the data the market begins (UTC) [default: after a tenth].")
@click.option("--keep-dates", is_flag=True, help="Keep the dates of the data, rather than move them to now.")
@click.option(
    "--seed", type=click.IntRange(min=0), default=7, show_default=True, help="Of the made-up market and ids."
)
@click.option(
    "--account",
    "accounts",
    multiple=True,
    help="KEY:SECRET[:BALANCE]; may be repeated [default: sandbox:sandbox].",
)
@click.option(
    "--state", type=click.Path(path_type=Path), help="File that keeps orders and positions over restarts."
)
@click.option("--no-limits", is_flag=True, help="No rate limits.")
def bybit_sandbox(
    *,
    data: Path | None,
    symbols: tuple[str, ...],
    speed: float,
    port: int,
    start: str | None,
    keep_dates: bool,
    seed: int,
    accounts: tuple[str, ...],
    state: Path | None,
    no_limits: bool,
) -> None:
    """Run a local Bybit V5 server over the simulated exchange."""
    settings = Settings(
        [_account(text) for text in accounts or (f"{DEFAULT_KEY}:{DEFAULT_KEY}",)],
        start_ms=_time_ms(start),
        speed=speed,
        keeps_dates=keep_dates,
        seed=seed,
        state=state,
        has_rate_limits=not no_limits,
    )
    market = load_market(data, symbols or ("BTC/USDT",), seed, settings.start_ms)
    session = Session(settings, market.candles.values(), _wall_ms, funding=market.funding)
    try:
        asyncio.run(_serve(session, market, port))
    except OSError as error:
        raise click.ClickException(
            f"cannot listen on {HOST}:{port}: {error.strerror}; choose another --port"
        ) from error


def _account(text: str) -> AccountSpec:
    key, _, rest = text.partition(":")
    secret, _, balance = rest.partition(":")
    try:
        money = Decimal(balance or 100_000)
    except InvalidOperation:
        raise click.UsageError(f"--account: {balance!r} is no balance; expected a number of USDT") from None
    if not key or not secret or not money.is_finite():
        raise click.UsageError("--account: expected KEY:SECRET or KEY:SECRET:BALANCE")
    return AccountSpec(key, key, secret, money)


def _time_ms(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise click.UsageError(
            f"--from: {text!r} is no time; expected 2024-01-31 or 2024-01-31T12:00"
        ) from None
    return int((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() * 1000)


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000


async def _serve(session: Session, market: MarketData, port: int) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    async with serving(session, port=port) as (_, url):
        for note in market.notes:
            click.echo(f"note: {note}")
        click.echo(
            f"Bybit sandbox: REST {url}, sockets {url.replace('http', 'ws', 1)}/v5/…, control {url}/sandbox"
        )
        click.echo(f"symbols: {', '.join(session.world.tapes)}; keys: {', '.join(session.world.accounts)}")
        await stopped.wait()
