"""kill -9, again and again, of a process that trades through the Bybit adapter at the sandbox."""

import asyncio
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from traderagent_bybit.adapter.bybit import BybitAdapter
from traderagent_bybit.adapter.config import BybitConfig
from traderagent_bybit.sandbox.app import serving
from traderagent_bybit.sandbox.session import Session, Settings
from traderagent_bybit.sandbox.world import AccountSpec
from traderagent_core import Candles, Surroundings
from traderagent_core.account.account import Account
from traderagent_core.adapters.clocks import SystemClock
from traderagent_core.model.instrument import Market
from traderagent_core.model.order import AttachedStop
from traderagent_core.model.position import money_context
from traderagent_core.persistence.journal.entry import EntryKind
from traderagent_core.persistence.journal.reading import read_entries
from traderagent_core.persistence.payloads import records_of
from traderagent_core.replay import replay

SYMBOL = "BTC/USDT"
KEYS = {"key": "kit", "secret": "hush"}
KILLS = 4
PATIENCE_SECONDS = 90.0
CHILD = f"""
import sys
from pathlib import Path
from traderagent_core import load_config
from traderagent_core.live_run import run_live
run_live(load_config(Path(sys.argv[1])), Path(sys.argv[2]), {KEYS!r}, lambda *_, **__: None)
"""


def wild_market(rows: int = 600) -> Candles:
    """Minutes that swing by a tenth and more, so that a grid trades every few seconds."""
    close = np.round(100 + 6 * np.sin(np.arange(rows) * 2.1), 1)
    opens = np.concatenate(([100.0], close[:-1]))
    high = np.round(np.maximum(opens, close) + 4, 1)
    low = np.round(np.minimum(opens, close) - 4, 1)
    times = 1_704_067_200_000 + 60_000 * np.arange(rows, dtype=np.int64)
    return Candles(SYMBOL, "1m", times, opens, high, low, close, np.ones(rows))


def configuration(url: str, directions: Mapping[str, str]) -> str:
    return "\nbots:" + "".join(bot(url, symbol, direction) for symbol, direction in directions.items())


def bot(url: str, symbol: str, direction: str) -> str:
    sockets = f"{url.replace('http', 'ws', 1)}/v5"
    return f"""
  - name: {direction}
    symbol: {symbol}
    strategy: grid
    market: linear
    timeframe: 1m
    dry_run: false
    exchange:
      exchange_id: bybit
      sandbox: true
      rest_url: {url}
      private_url: {sockets}/private
      public_url: {sockets}/public/linear
    risk_management: {{stop_loss_percentage: "0.2"}}
    grid: {{direction: {direction}, upper_price: "112", lower_price: "88", grid_levels: 40, amount_per_grid: "50"}}"""


def kept(folder: Path) -> Account:
    """The account by the records of the journal."""
    account = Account()
    with money_context():
        for entry in read_entries(folder, 0):
            if entry.kind is EntryKind.RECORDS:
                account.fold(records_of(entry.value))
    return account


async def told(adapter: BybitAdapter, account: Account) -> tuple[set[str], list[str], dict[str, Decimal]]:
    """Live orders, executions and positions by the exchange."""
    for order in account.orders.values():
        if order.closes_position and order.price is not None:
            stop = AttachedStop(order.client_order_id, order.price)
            adapter.recall(order.symbol, stop, order.venue_order_id)
    orders = {report.client_order_id for report in await adapter.open_orders()}
    trades = [fill.trade_id for fill in await adapter.executions(0)]
    return orders, trades, {each.symbol: each.quantity for each in await adapter.positions()}


async def start(config: Path, folder: Path) -> Any:
    return await asyncio.create_subprocess_exec(sys.executable, "-c", CHILD, str(config), str(folder))


async def scenario(tmp_path: Path, directions: Mapping[str, str]) -> None:
    series = wild_market()
    settings = Settings(
        [AccountSpec("kit", KEYS["key"], KEYS["secret"], Decimal(20_000))],
        speed=1.0,
        has_rate_limits=False,
        start_ms=int(series.open_time[300]),
    )
    config, folder, random = tmp_path / "bot.yaml", tmp_path / "run", Random(7)
    session = Session(settings, [series], lambda: time.time_ns() // 1_000_000)
    if SYMBOL not in directions:
        session.apply("kit", "switch-mode", {"category": "linear", "symbol": "BTCUSDT", "mode": 3})
    async with serving(session) as (_, url):
        config.write_text(configuration(url, directions))
        for _ in range(KILLS):
            process = await start(config, folder)
            await asyncio.sleep(2 + 3 * random.random())
            assert process.returncode is None, "it ended by itself"
            process.kill()
            await process.wait()
        process = await start(config, folder)
        try:
            await agreement(folder, url, directions)
        finally:
            process.terminate()
            await process.wait()
    assert process.returncode == 0
    assert replay(folder).difference is None


async def agreement(folder: Path, url: str, symbols: Iterable[str]) -> None:
    """Return once journal and exchange say the same; orders that never arrived take their time to be proved so."""
    sockets = f"{url.replace('http', 'ws', 1)}/v5"
    own = BybitConfig(rest_url=url, private_url=f"{sockets}/private", public_url=f"{sockets}/public/linear")
    adapter = BybitAdapter(
        own, Surroundings(SystemClock(), dict.fromkeys(symbols, Market.LINEAR), "demo", KEYS)
    )
    await adapter.connect()
    try:
        end = time.monotonic() + PATIENCE_SECONDS
        while True:
            orders, trades, positions = await told(adapter, kept(folder))
            account = kept(folder)
            slots = Counter((order.want.plan.bot, order.want.slot.name) for order in account.orders.values())
            assert max(slots.values(), default=0) <= 1
            held = {symbol: net for symbol, net in account.net.items() if net}
            is_same = (set(account.orders), set(account.seen_trades)) == (orders, set(trades))
            if is_same and held == positions and len(trades) > 5:
                assert len(trades) == len(set(trades))
                return
            assert time.monotonic() < end, (orders ^ set(account.orders), positions)
            await asyncio.sleep(0.5)
    finally:
        await adapter.close()


@pytest.mark.parametrize(
    "directions",
    [{SYMBOL: "neutral"}, {f"{SYMBOL}:long": "long", f"{SYMBOL}:short": "short"}],
    ids=["one-way", "hedge"],
)
def test_nothing_is_lost_and_nothing_doubled(directions: Mapping[str, str], tmp_path: Path) -> None:
    asyncio.run(scenario(tmp_path, directions))
