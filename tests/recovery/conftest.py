"""A bot that trades through the Bybit adapter at a sandbox in this process, whose market and faults a test moves."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from attrs import Factory, define, field
from traderagent_bybit.adapter.bybit import BybitAdapter
from traderagent_bybit.adapter.config import BybitConfig
from traderagent_bybit.sandbox.app import serving
from traderagent_bybit.sandbox.desk import Desk
from traderagent_bybit.sandbox.session import Session as Sandbox
from traderagent_bybit.sandbox.session import Settings
from traderagent_bybit.sandbox.world import AccountSpec
from traderagent_core import Candles, Surroundings, load_config
from traderagent_core.account.account import Account
from traderagent_core.adapters.clocks import SystemClock
from traderagent_core.live.driver import Driver
from traderagent_core.live.running import Keeper, keep_reconciled, keep_time
from traderagent_core.live.session import Session, trade
from traderagent_core.model.instrument import Market
from traderagent_core.model.position import money_context
from traderagent_core.persistence.journal.entry import EntryKind
from traderagent_core.persistence.journal.reading import read_entries
from traderagent_core.persistence.payloads import records_of
from traderagent_core.testing.postgres import databases

SYMBOL, THEIRS = "BTC/USDT", "BTCUSDT"
KEYS = {"key": "kit", "secret": "hush"}
PATIENCE_SECONDS = 60.0
SERVER = ("127.0.0.1", 5432)
GRID = {"upper_price": 112, "lower_price": 88, "grid_levels": 13, "amount_per_grid": 100}
RISK = {"stop_loss_percentage": "0.2"}


def still_market(rows: int = 400) -> Candles:
    """Minutes in which nothing moves, at 100."""
    columns = [np.full(rows, 100.0) for _ in range(4)]
    times = 1_704_067_200_000 + 60_000 * np.arange(rows, dtype=np.int64)
    return Candles(SYMBOL, "1m", times, *columns, np.ones(rows))


class MarketClock(SystemClock):
    """The machine's clock, as far ahead as the market has been moved."""

    ahead_ms = 0

    def now_ms(self) -> int:
        return super().now_ms() + self.ahead_ms


@define(eq=False)
class Floor:
    """The sandbox with its market, and the runs that trade there one after the other."""

    desk: Desk
    url: str
    folder: Path
    clock: MarketClock
    strategy: str = "grid"
    section: dict[str, Any] = Factory(lambda: dict(GRID))
    adapter_settings: dict[str, Any] = Factory(dict)
    told: list[tuple[str, dict[str, Any]]] = Factory(list)
    driver: Driver = field(init=False)

    # -- the market -----------------------------------------------------------------------------------------

    def move(self, *prices: float) -> None:
        """Let the market go from price to price, a minute each."""
        for price in prices:
            self.desk.session.trade(THEIRS, price)
            self.clock.ahead_ms += 60_000
        self.desk.hub.flush()

    async def walk(self, *prices: float) -> None:
        """As `move`; each step waits until run and exchange agree."""
        await self.until("orders rest", self.live_at_venue)
        await self.agreed()
        for price in prices:
            self.move(price)
            await self.agreed()

    def faults(self, *rules: dict[str, Any], seed: int = 0) -> None:
        """Put faults in force instead of those of before."""
        self.desk.faults.replace(rules, seed)

    def cut(self) -> None:
        """Cut every socket."""
        for connection in list(self.desk.hub.connections):
            connection.cut()

    @property
    def account(self) -> Any:
        """The account as the exchange has it."""
        return self.desk.session.world.accounts["kit"]

    def live_at_venue(self) -> dict[str, Any]:
        """Live orders of the exchange by client order id, which the stop-loss of the position gets from the run."""
        found = {order.link_id: order for order in self.account.open_orders.values()}
        stop = found.pop("", None)
        attached = (
            own.client_order_id
            for own in self.driver.engine.account.orders.values()
            if own.closes_position and own.client_order_id not in found
        )
        return found if stop is None else {**found, next(attached, "a stop of nobody"): stop}

    def has_canceling(self) -> bool:
        """Whether the run waits for the end of an order that it has canceled."""
        return any(order.is_canceling for order in self.driver.engine.account.orders.values())

    # -- runs -----------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def trading(self, *keepers: Keeper, **options: Any) -> AsyncIterator[Driver]:
        """A run in the folder, going on where the last one ended; it stops as by Ctrl-C."""
        over, begun = asyncio.Event(), asyncio.Event()

        async def told(driver: Driver) -> None:
            self.driver = driver
            begun.set()
            await over.wait()

        session = self._session(**options)
        running = asyncio.create_task(trade(session, keep_time, keep_reconciled, told, *keepers))
        waiting = asyncio.create_task(begun.wait())
        await asyncio.wait([running, waiting], return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if not begun.is_set():
            await running
        try:
            yield self.driver
        finally:
            over.set()
            await running

    def _session(self, **options: Any) -> Session:
        bot = {"name": "bot", "symbol": SYMBOL, "strategy": self.strategy, "market": "linear"}
        content = {**bot, "timeframe": "1m", "risk_management": RISK, self.strategy: self.section}
        common = {"run_id": "kit", "history_ms": 3_600_000}
        return Session(
            load_config({"bots": [content]}),
            self.adapter(),
            self.folder,
            "bybit-kit",
            "1m",
            self._tell,
            {"configuration": {}},
            **{**common, **options},
        )

    def adapter(self) -> BybitAdapter:
        """Another adapter of the account."""
        sockets = f"{self.url.replace('http', 'ws', 1)}/v5"
        config = BybitConfig(
            rest_url=self.url,
            private_url=f"{sockets}/private",
            public_url=f"{sockets}/public/linear",
            **{"reconnect_seconds": 0.02, **self.adapter_settings},
        )
        return BybitAdapter(config, Surroundings(self.clock, {SYMBOL: Market.LINEAR}, "demo", KEYS))

    def _tell(self, what: str, **values: Any) -> None:
        self.told.append((what, values))

    def has_told(self, what: str) -> bool:
        """Whether the log has an event."""
        return any(name == what for name, _ in self.told)

    # -- agreement ------------------------------------------------------------------------------------------

    async def until(self, what: str, is_so: Callable[[], Any]) -> None:
        """Return once something is so; a test that waits for ever fails."""
        for _ in range(int(PATIENCE_SECONDS / 0.01)):
            if is_so():
                return
            await asyncio.sleep(0.01)
        raise AssertionError(f"waited for ever until {what}")

    def kept(self) -> Account:
        """The account by the records of the journal."""
        account = Account()
        with money_context():
            for entry in read_entries(self.folder, 0):
                if entry.kind is EntryKind.RECORDS:
                    account.fold(records_of(entry.value))
        return account

    def is_agreed(self) -> bool:
        """Whether the run and the exchange have the same orders, executions and position."""
        account = self.driver.engine.account
        trades = {each.exec_id for each in self.account.executions if each.kind == "Trade"}
        return (
            set(account.orders) == set(self.live_at_venue())
            and set(account.seen_trades) == trades
            and account.net_quantity(SYMBOL) == self.position
        )

    @property
    def position(self) -> Decimal:
        """The position of the exchange."""
        return self.account.symbols[THEIRS].active_legs()[0].quantity  # type: ignore[no-any-return]

    async def agreed(self) -> None:
        """Wait until both sides say the same."""
        await self.until("both sides agree", self.is_agreed)


@pytest.fixture
def floor(tmp_path: Path) -> Callable[..., Any]:
    """Opens a floor: `async with floor() as floor`."""

    @asynccontextmanager
    async def open_it(*, has_limits: bool = False, **options: Any) -> AsyncIterator[Floor]:
        series = still_market()
        settings = Settings(
            [AccountSpec("kit", KEYS["key"], KEYS["secret"], Decimal(50_000))],
            speed=0.0,
            has_rate_limits=has_limits,
            start_ms=int(series.open_time[-1]),
        )
        clock = MarketClock()
        sandbox = Sandbox(settings, [series], clock.now_ms)
        async with serving(sandbox) as (desk, url):
            yield Floor(desk, url, tmp_path / "run", clock, **options)

    return open_it


# -- a database that comes and goes -------------------------------------------------------------------------


class Wire:
    """A way to PostgreSQL that can be cut (nobody answers) or blocked (nothing comes back)."""

    def __init__(self) -> None:
        self.port = 0
        self.is_blocked = False
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def mend(self) -> None:
        """Listen, at the same port as before."""
        self.is_blocked = False
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """End all connections and refuse new ones."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
        for writer in list(self._writers):
            writer.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(*SERVER)
        self._writers |= {writer, back}
        try:
            await asyncio.gather(self._pump(reader, back), self._pump(there, writer))
        except OSError:
            pass
        finally:
            for each in (writer, back):
                self._writers.discard(each)
                each.close()

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(65_536):
            while self.is_blocked:
                await asyncio.sleep(0.01)
            sink.write(data)
            await sink.drain()
        sink.close()


@pytest.fixture
def wire() -> Wire:
    """A way to the local PostgreSQL; not open yet."""
    return Wire()


@pytest.fixture
def postgres() -> Iterator[str]:
    """The name of an empty database on the local PostgreSQL; skips where no server answers."""
    pytest.importorskip("asyncpg", reason="PostgreSQL needs the extra: traderagent-core[postgres]")
    with databases() as there:
        try:
            name = there.make().rpartition("/")[2]
        except (OSError, TimeoutError) as error:
            pytest.skip(f"no PostgreSQL answers: {error}")
        yield name
