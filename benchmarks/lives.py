"""Processes that trade at a sandbox and can be killed at any moment, and what exchange and journal say of them.

Both sides live by one fast clock, so that the waits of recovery cost little; the market moves only when it is told.
"""

import asyncio
import os
import time
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import numpy as np
from attrs import define, field, frozen
from traderagent_bybit.adapter.bybit import BybitAdapter
from traderagent_bybit.adapter.config import BybitConfig
from traderagent_bybit.sandbox.desk import Desk
from traderagent_bybit.sandbox.session import Session as Sandbox
from traderagent_bybit.sandbox.session import Settings
from traderagent_bybit.sandbox.world import AccountSpec
from traderagent_core import Candles, Surroundings, load_config
from traderagent_core.account.account import Account
from traderagent_core.account.state import Order
from traderagent_core.live.driver import Driver
from traderagent_core.live.mirroring import Mirroring
from traderagent_core.live.running import keep_reconciled, keep_time
from traderagent_core.live.session import Session, keep_snapshots, trade, until_told
from traderagent_core.model.instrument import Instrument, Market
from traderagent_core.model.order import OrderStatus
from traderagent_core.model.position import money_context
from traderagent_core.persistence.journal.entry import EntryKind
from traderagent_core.persistence.journal.reading import Cursor
from traderagent_core.persistence.payloads import records_of

KEYS = {"key": "kit", "secret": "hush"}
ACCOUNT, RUN_ID = "bybit-kills", "kills"
SPEED = 10.0
"""How much faster than the machine's the common clock runs: thirty-five seconds of grace take less than four."""

MINUTE_MS = 60_000
LOOK_SECONDS = 0.05
"""How long a sleeper may not notice that the clock was put ahead."""

HERE = str(Path(__file__).parent)
PATIENCE_SECONDS = 120.0
QUIET_SECONDS = 0.05
"""How long nothing may change until the market moves on."""

LONGEST_LEAD_SECONDS = 5.0
"""How long the clock may stay behind a market that has moved quickly."""

PROCESSES = get_context("forkserver")
GRID = {"upper_price": 112, "lower_price": 88, "grid_levels": 13, "amount_per_grid": 100}
DCA = {
    "start": "immediate",
    "amount_per_step": 150,
    "price_deviation": "0.015",
    "take_profit_percentage": "0.012",
}
BOTS = {
    "BTC/USDT": ("grid", GRID),
    "ETH/USDT": ("grid", {**GRID, "grid_levels": 25, "amount_per_grid": 60}),
    "SOL/USDT": ("dca", DCA),
}


@frozen
class FastClock:
    """Runs `speed` times as fast as the machine's, the same in all processes, and can be put ahead."""

    start_ms: int
    since: float
    speed: float = SPEED
    _ahead_ms: Any = field(factory=lambda: PROCESSES.RawValue("q", 0))

    def now_ms(self) -> int:
        """Its time, ms UTC."""
        ahead_ms: int = self._ahead_ms.value
        return self.start_ms + int((time.monotonic() - self.since) * 1000 * self.speed) + ahead_ms

    def reach(self, time_ms: int) -> None:
        """Let it be so late at least, in all processes."""
        self._ahead_ms.value += max(time_ms - self.now_ms(), 0)

    def monotonic_ms(self) -> int:
        """Its time: nobody sets it."""
        return self.now_ms()

    async def sleep_until(self, time_ms: int) -> None:
        """Return once that time has come."""
        await asyncio.sleep(0)
        while (left := time_ms - self.now_ms()) > 0:
            await asyncio.sleep(min(left / 1000 / self.speed, LOOK_SECONDS))


def configuration() -> Any:
    """Two grids and one bot that averages down, each with a stop."""
    return load_config(
        {
            "bots": [
                {
                    "name": strategy + symbol[:3].lower(),
                    "symbol": symbol,
                    "strategy": strategy,
                    "market": "linear",
                    "timeframe": "1m",
                    "risk_management": {"stop_loss_percentage": "0.3"},
                    strategy: section,
                }
                for symbol, (strategy, section) in BOTS.items()
            ]
        }
    )


@frozen
class Place:
    """Where a process trades."""

    url: str
    folder: Path
    database_url: str
    clock: FastClock

    def mark(self, process_id: int | None) -> Path:
        """The file by which a process tells that it has recovered."""
        return self.folder.with_name(f"up-{process_id}")

    def tell(self, what: str, **values: Any) -> None:
        """Write down what a process has to say, for people."""
        with self.folder.with_name("told.log").open("a", encoding="utf-8") as log:
            log.write(f"{self.clock.now_ms()} {os.getpid()} {what} {values}\n")

    def adapter(self) -> BybitAdapter:
        """An adapter of the account."""
        sockets = f"{self.url.replace('http', 'ws', 1)}/v5"
        config = BybitConfig(
            rest_url=self.url,
            private_url=f"{sockets}/private",
            public_url=f"{sockets}/public/linear",
            reconnect_seconds=0.05,
            recv_window_ms=20_000,
        )
        markets = dict.fromkeys(BOTS, Market.LINEAR)
        return BybitAdapter(config, Surroundings(self.clock, markets, "demo", KEYS))


def live(place: Place) -> None:
    """What a process does until it is killed, or told to stop."""
    asyncio.run(_live(place))


async def _live(place: Place) -> None:
    mirroring = Mirroring(place.database_url, ACCOUNT, place.folder)

    async def told_up(_: Driver) -> None:
        place.mark(os.getpid()).touch()
        await asyncio.Event().wait()

    keepers = keep_time, keep_reconciled, keep_snapshots, until_told, mirroring.keep, told_up
    session = Session(
        configuration(),
        place.adapter(),
        place.folder,
        ACCOUNT,
        "1m",
        place.tell,
        {"configuration": {}},
        run_id=RUN_ID,
        history_ms=600_000,
    )
    try:
        await trade(session, *keepers)
    finally:
        await mirroring.finish()


def start(place: Place) -> ForkServerProcess:
    """A process that trades; it is forked from one that has everything imported."""
    PROCESSES.set_forkserver_preload(["warm"])
    if HERE not in (path := os.environ.get("PYTHONPATH", "").split(os.pathsep)):
        # The server knows no other way here.
        os.environ["PYTHONPATH"] = os.pathsep.join([HERE, *filter(None, path)])
    process = PROCESSES.Process(target=live, args=(place,), daemon=True)
    process.start()
    return process


# -- the exchange and the journal -----------------------------------------------------------------------------


def make_sandbox(clock: FastClock, *, has_limits: bool = False) -> Sandbox:
    """Markets that stand still at 100 until they are told where to go.

    A step of averaging down is one lot at any price: which socket tells first, of a fill or of a price, is chance.
    """
    flat = np.full(400, 100.0)
    times = 1_704_067_200_000 + MINUTE_MS * np.arange(400, dtype=np.int64)
    series = [Candles(symbol, "1m", times, flat, flat, flat, flat, np.ones(400)) for symbol in BOTS]
    settings = Settings(
        [AccountSpec("kit", KEYS["key"], KEYS["secret"], Decimal(100_000))],
        speed=0.0,
        has_rate_limits=has_limits,
        start_ms=int(times[-1]),
        funding_rate=Decimal(0),
        instruments={"SOL/USDT": Instrument("SOL/USDT", Market.LINEAR, lot_size=Decimal(1))},
    )
    return Sandbox(settings, series, clock.now_ms)


def _is_under_way(order: Order) -> bool:
    """Whether an order is being placed, canceled or amended."""
    wanted = order.want.quantity - order.want.filled + order.filled
    is_right = order.closes_position or order.quantity == wanted
    is_there = order.status is not OrderStatus.SUBMITTED and not order.is_canceling
    return not (is_there and is_right and order.price == order.want.price)


@define(eq=False)
class Referee:
    """Compares what the journal tells with what the exchange has."""

    desk: Desk
    folder: Path
    clock: FastClock
    _prices: dict[str, float] = field(factory=lambda: dict.fromkeys(BOTS, 100.0))
    _kept: Account = field(factory=Account)
    _cursor: Cursor = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._cursor = Cursor(self.folder)

    @property
    def venue(self) -> Any:
        """The account as the exchange has it."""
        return self.desk.session.world.accounts["kit"]

    def kept(self) -> Account:
        """The account by all records of the journal so far."""
        with money_context():
            for entry in self._cursor.read():
                if entry.kind is EntryKind.RECORDS:
                    self._kept.fold(records_of(entry.value))
        return self._kept

    def is_settled(self) -> bool:
        """Whether both sides say the same, every bot is at work, and nothing is under way."""
        if not self.folder.is_dir():
            return False
        account = self.kept()
        orders = account.orders.values()
        if {order.symbol for order in orders} != set(BOTS):
            return False  # The next deal begins at a close; the market waits for it.
        if any(map(_is_under_way, orders)):
            return False
        ours = {order.client_order_id: (order.price, order.filled) for order in orders}
        return (
            ours == self.live_orders()
            and set(account.seen_trades) == {each.exec_id for each in self.trades()}
            and all(account.net_quantity(symbol) == held for symbol, held in self.positions().items())
        )

    async def settled(self, mark: Path) -> None:
        """Wait until the process of a mark is up, and both sides say the same, and still do so a little later."""
        begun, since = time.monotonic(), 0.0
        while not (since and time.monotonic() > since + QUIET_SECONDS):
            if (waited := time.monotonic() - begun) > PATIENCE_SECONDS:
                found = {"is up": mark.exists(), **self.differences()}
                raise TimeoutError(f"journal and exchange do not agree: {found}")
            market_ms = self.desk.session.world.now_ms
            if waited > LONGEST_LEAD_SECONDS:  # What waits for a time of the market.
                self.clock.reach(market_ms - MINUTE_MS)
            if self.clock.now_ms() >= market_ms:
                self.move(
                    self._prices
                )  # A minute in which nothing moves; else its candle would come too late.
            await asyncio.sleep(0.005)
            since = (since or time.monotonic()) if mark.exists() and self.is_settled() else 0.0

    def differences(self) -> Mapping[str, object]:
        """What does not agree or is not at rest, for people, and what was told last."""
        kept = self.kept()
        ours = {order.client_order_id: (order.price, order.filled) for order in kept.orders.values()}
        log = self.folder.with_name("told.log")
        return {
            "orders": sorted(set(ours.items()) ^ set(self.live_orders().items())),
            "trades": set(kept.seen_trades) ^ {each.exec_id for each in self.trades()},
            "positions": self.positions(),
            "ledgers": {symbol: kept.net_quantity(symbol) for symbol in BOTS},
            "without orders": set(BOTS) - {order.symbol for order in kept.orders.values()},
            "under way": list(filter(_is_under_way, kept.orders.values())),
            "times": (self.clock.now_ms(), self.desk.session.world.now_ms),
            "told": log.read_text(encoding="utf-8").splitlines()[-20:] if log.exists() else [],
        }

    # -- the exchange ---------------------------------------------------------------------------------------

    def move(self, prices: Mapping[str, float]) -> None:
        """Let the markets go where they are told within a minute."""
        world, self._prices = self.desk.session.world, dict(prices)
        ends = [
            world.tapes[name.replace("/", "")][1].trade(world.now_ms, price) for name, price in prices.items()
        ]
        world.advance(ends[0])
        self.desk.hub.flush()

    def trades(self) -> list[Any]:
        """All executions but those of funding."""
        return [each for each in self.venue.executions if each.kind == "Trade"]

    def live_orders(self) -> dict[str, tuple[Decimal | None, Decimal]]:
        """Price or trigger and fills of each live order, by client order id.

        The stop-loss of a position has none: it gets that of the stop which the journal has beyond those listed.
        """
        orders = self.venue.open_orders.values()
        names = {order.link_id for order in orders}
        attached = {
            own.symbol.replace("/", ""): own.client_order_id
            for own in self.kept().orders.values()
            if own.closes_position and own.client_order_id not in names
        }
        return {
            order.link_id or attached.get(order.contract.symbol, f"{order.contract.symbol}-nobody's"): (
                order.trigger_price or order.price,
                order.filled,
            )
            for order in orders
        }

    def positions(self) -> dict[str, Decimal]:
        """Position of each symbol."""
        return {
            symbol: self.venue.symbols[symbol.replace("/", "")].active_legs()[0].quantity for symbol in BOTS
        }

    def doubles(self) -> int:
        """Live orders beyond the first of each slot."""
        slots = Counter(name.rpartition("-")[0] for name in self.live_orders())
        return sum(count - 1 for count in slots.values())

    def orphans(self) -> int:
        """Live orders that the journal does not know."""
        return len(self.live_orders().keys() - self.kept().orders.keys())

    def naked(self) -> int:
        """Positions without a stop at the exchange."""
        stops = {order.contract.symbol for order in self.venue.open_orders.values() if order.trigger_price}
        return sum(
            1 for symbol, held in self.positions().items() if held and symbol.replace("/", "") not in stops
        )

    def final(self) -> dict[str, Any]:
        """Orders, positions and ledgers, to compare runs by."""
        ledgers = {
            name: (own.quantity, own.position.average_price, own.realized_pnl, own.fees, own.cycles)
            for name, own in self.kept().ledgers.items()
        }
        return {
            "orders": self.live_orders(),
            "positions": self.positions(),
            "ledgers": ledgers,
            "cash": self.venue.wallet_balance,
            "fills": Counter((each.link_id, each.price, each.quantity) for each in self.trades()),
        }
