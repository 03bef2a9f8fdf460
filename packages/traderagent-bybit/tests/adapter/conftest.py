"""A sandbox in lockstep as the exchange behind the adapter, in the hands of the conformance kit."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from decimal import Decimal
from typing import Any, Self

import numpy as np
import pytest
from attrs import evolve
from traderagent_bybit.adapter.bybit import BybitAdapter
from traderagent_bybit.adapter.config import BybitConfig
from traderagent_bybit.adapter.symbols import index_of, theirs
from traderagent_bybit.sandbox.app import serving
from traderagent_bybit.sandbox.session import Session, Settings
from traderagent_bybit.sandbox.world import AccountSpec
from traderagent_core import Candles, Instrument, Side, Surroundings
from traderagent_core.adapters.clocks import SystemClock
from traderagent_core.model.position_side import pair_of
from traderagent_core.testing import ExchangeRig

KEY, SECRET = "a-key", "a-secret"
ROWS = 3_000
MINUTE_MS = 60_000


def still_market(symbol: str, price: float) -> Candles:
    """Minutes in which nothing moves."""
    columns = [np.full(ROWS, price) for _ in range(4)]
    times = 1_704_067_200_000 + MINUTE_MS * np.arange(ROWS, dtype=np.int64)
    return Candles(symbol, "1m", times, *columns, np.ones(ROWS))


class SandboxRig(ExchangeRig):
    """One account with 20,000 USDT, in hedge mode where the symbol names one of its positions."""

    def __init__(self, instrument: Instrument, config: BybitConfig) -> None:
        self.instrument = instrument
        self.config = config
        self.clock = SystemClock()
        self.traded: Sequence[str] = (instrument.symbol,)
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        pair = pair_of(self.instrument.symbol)
        series = still_market(pair, float(self.price))
        settings = Settings(
            [AccountSpec("kit", KEY, SECRET, Decimal(20_000))],
            speed=0.0,
            has_rate_limits=False,
            start_ms=int(series.open_time[-2]),
            instruments={pair: evolve(self.instrument, symbol=pair)},
        )
        self.session = Session(settings, [series], self.clock.now_ms)
        if self.instrument.side is not None:
            body = {"category": "linear", "symbol": theirs(pair), "mode": 3}
            self.session.apply("kit", "switch-mode", body)
        self.desk, self.url = await self._stack.enter_async_context(serving(self.session))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def adapter(self) -> BybitAdapter:
        sockets = self.url.replace("http", "ws", 1)
        config = self.config.model_copy(
            update={
                "rest_url": self.url,
                "private_url": f"{sockets}/v5/private",
                "public_url": f"{sockets}/v5/public/linear",
                "reconnect_seconds": min(self.config.reconnect_seconds, 0.02),
            }
        )
        markets = dict.fromkeys(self.traded, self.instrument.market)
        surroundings = Surroundings(self.clock, markets, "demo", {"key": KEY, "secret": SECRET})
        return BybitAdapter(config, surroundings)

    async def settle(self) -> None:
        self.desk.hub.flush()
        await asyncio.sleep(0.03)

    async def move_price(self, price: Decimal) -> None:
        self.session.trade(theirs(self.instrument.symbol), float(price))
        self.desk.hub.flush()

    async def split_fills(self, parts: int) -> None:
        self.session.split_fills(parts)

    def _add_fault(self, **rule: Any) -> None:
        rows = [each for each in self.desk.faults.rules if each.count is None or each.applied < each.count]
        kept = [{"kind": each.kind, "match": each.match, "count": each.count} for each in rows]
        self.desk.faults.replace([*kept, rule], 0)

    async def lose_next_request(self) -> None:
        self._add_fault(kind="lose_request", match="/v5/order/create", count=1)

    async def lose_next_reply(self) -> None:
        self._add_fault(kind="lose_reply", match="/v5/order/create", count=1)

    async def answer_next_write(self, code: str, text: str) -> None:
        self._add_fault(kind="ret_code", match="/v5/order/c*", count=1, code=int(code), message=text)

    async def fail_next_read(self) -> None:
        self._add_fault(kind="http_status", status=503, count=1)

    async def break_links(self) -> None:
        self._add_fault(kind="refuse", match="/v5/p*")
        for connection in list(self.desk.hub.connections):
            connection.cut()

    async def mend_links(self) -> None:
        self.desk.faults.replace([], 0)

    async def place_foreign(self, side: Side, quantity: Decimal, price: Decimal) -> None:
        body = {
            "category": "linear",
            "symbol": theirs(self.instrument.symbol),
            "positionIdx": index_of(self.instrument.symbol),
            "side": "Buy" if side is Side.BUY else "Sell",
            "orderType": "Limit",
            "qty": f"{quantity:f}",
            "price": f"{price:f}",
        }
        self.session.apply("kit", "create", body)
        self.desk.hub.flush()


@pytest.fixture
def rig() -> Callable[..., SandboxRig]:
    """Makes exchanges to trade at."""
    return SandboxRig


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """The kit needs the class, and cannot import it from here."""
    if metafunc.cls is not None and getattr(metafunc.cls, "is_on_sandbox", False):
        metafunc.cls.rig = lambda _, subject: SandboxRig(subject.instrument, subject.config)
