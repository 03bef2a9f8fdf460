"""Recorded candles played by a clock: the same orders at the same times fill as in the simulator's own walk."""

import asyncio
from collections.abc import Callable, Coroutine
from decimal import Decimal
from typing import Any

import numpy as np
from attrs import astuple
from hypothesis import given, settings
from hypothesis import strategies as st
from traderagent_core.adapters.clocks import ManualClock
from traderagent_core.adapters.simulated import OVER, SimulatedAdapter
from traderagent_core.config.schema import SimulationConfig
from traderagent_core.contract.exchange_adapter import Surroundings
from traderagent_core.contract.outcome import OutcomeKind
from traderagent_core.contract.venue_facts import CandleClosed, LinkDown, Price
from traderagent_core.data.funding import FundingRates
from traderagent_core.model.event import FundingPaid, OrderFilled
from traderagent_core.model.instrument import Instrument, Market
from traderagent_core.model.order import OrderRequest, OrderType, Side
from traderagent_core.model.position import money_context
from traderagent_core.simulator.cursor import Cursor
from traderagent_core.simulator.scan import BlockScan
from traderagent_core.testing import market
from traderagent_core.venue.path import PathPolicy
from traderagent_core.venue.simulated import simulated_exchange

SYMBOL = "BTC/USDT"
LINEAR = Instrument(SYMBOL, Market.LINEAR, lot_size=Decimal("0.001"), max_leverage=Decimal(10))
CANDLES = market("ranging", symbol=SYMBOL, timeframe="5m", rows=120)
START_MS = int(CANDLES.open_time[0])
END_MS = int(CANDLES.open_time[-1]) + CANDLES.duration_ms


def make(**options: Any) -> tuple[SimulatedAdapter, ManualClock]:
    simulation = SimulationConfig(**options.pop("simulation", {}))
    clock = ManualClock(options.pop("now_ms", START_MS))
    surroundings = Surroundings(clock, {SYMBOL: LINEAR.market}, simulation=simulation)
    return SimulatedAdapter(None, surroundings, [LINEAR], {SYMBOL: CANDLES}, **options), clock


def play(
    scenario: Callable[[SimulatedAdapter, ManualClock], Coroutine[Any, Any, Any]], **options: Any
) -> Any:
    async def run() -> Any:
        adapter, clock = make(**options)
        try:
            return await scenario(adapter, clock)
        finally:
            await adapter.close()

    return asyncio.run(run())


def simulated(requests: list[tuple[int, OrderRequest]], policy: str) -> list[OrderFilled]:
    """Fills of the same orders by the simulator's cursor."""
    exchange = simulated_exchange(SimulationConfig(path=policy), [LINEAR])
    cursor = Cursor(exchange.markets[SYMBOL], exchange, CANDLES, PathPolicy(policy), BlockScan(CANDLES))
    with money_context():
        for time_ms, request in requests:
            while (hit := cursor.peek()) is not None and hit[0] <= time_ms:
                cursor.take()
            cursor.seek(time_ms)
            exchange.submit(request, time_ms)
        while (hit := cursor.peek()) is not None and hit[0] <= END_MS:
            cursor.take()
    return [event for event in exchange.events if isinstance(event, OrderFilled)]


@st.composite
def orders(draw: Any) -> list[tuple[int, OrderRequest]]:
    times = sorted(draw(st.lists(st.integers(START_MS + 1, END_MS - 1), min_size=1, max_size=6)))
    found = []
    for number, time_ms in enumerate(times):
        kind = draw(st.sampled_from([OrderType.LIMIT, OrderType.MARKET, OrderType.STOP]))
        side = draw(st.sampled_from(list(Side)))
        price = None if kind is OrderType.MARKET else Decimal(draw(st.integers(9400, 10600))) / 100
        found.append((time_ms, OrderRequest(f"o{number}", SYMBOL, side, kind, Decimal("0.5"), price)))
    return found


@settings(max_examples=40, deadline=None)
@given(orders(), st.sampled_from(["default", "pessimistic", "optimistic"]))
def test_fills_are_those_of_the_simulator(requests: list[tuple[int, OrderRequest]], policy: str) -> None:
    async def scenario(adapter: SimulatedAdapter, clock: ManualClock) -> Any:
        await adapter.connect()
        for time_ms, request in requests:
            await clock.advance_to(time_ms)
            await adapter.submit(request)
        await clock.advance_to(END_MS)
        return await adapter.executions(0)

    found = play(scenario, simulation={"path": policy})
    assert [astuple(fill) for fill in found] == [astuple(fill) for fill in simulated(requests, policy)]


def test_prices_turn_where_candles_turn() -> None:
    async def scenario(adapter: SimulatedAdapter, clock: ManualClock) -> list[Price]:
        stream = adapter.prices([SYMBOL])
        await adapter.connect()
        await clock.advance_to(START_MS + 3 * CANDLES.duration_ms)
        await adapter.close()
        return [fact async for fact in stream if isinstance(fact, Price)]

    told = play(scenario)
    assert [fact.time_ms for fact in told] == sorted(fact.time_ms for fact in told)
    for row in range(3):
        own = told[row * 4 : row * 4 + 4]
        candle = CANDLES.candle(row)
        assert own[0].last == Decimal(repr(candle.open))
        assert own[3].last == Decimal(repr(candle.close))
        assert {float(each.last) for each in own} == {candle.open, candle.high, candle.low, candle.close}


def test_an_order_placed_between_two_prices_fills_at_its_own_moment() -> None:
    async def scenario(adapter: SimulatedAdapter, clock: ManualClock) -> list[OrderFilled]:
        await adapter.connect()
        await clock.advance_to(START_MS + 1000)
        price = LINEAR.limit_price(Side.BUY, Decimal(repr(CANDLES.candle(0).open))) - Decimal("0.05")
        await adapter.submit(OrderRequest("a", SYMBOL, Side.BUY, OrderType.LIMIT, Decimal(1), price))
        await clock.advance_to(END_MS)
        return list(await adapter.executions(0))

    (fill,) = play(scenario)
    assert (fill.time_ms - START_MS) % CANDLES.duration_ms not in (0, 1000)


def test_latency_is_time_on_the_clock() -> None:
    async def scenario(adapter: SimulatedAdapter, clock: ManualClock) -> Any:
        await adapter.connect()
        await clock.advance_to(START_MS + 1000)
        order = OrderRequest("a", SYMBOL, Side.BUY, OrderType.MARKET, Decimal(1), None)
        sending = asyncio.create_task(adapter.submit(order))
        await clock.advance_to(START_MS + 1249)
        assert not sending.done()
        await clock.advance_to(START_MS + 1250)
        assert (await sending).kind is OutcomeKind.ACCEPTED
        return list(await adapter.executions(0))

    (fill,) = play(scenario, simulation={"latency_ms": 250})
    assert fill.time_ms == START_MS + 1250


def test_candles_are_served_when_they_have_closed_and_streamed_once() -> None:
    async def scenario(adapter: SimulatedAdapter, clock: ManualClock) -> Any:
        await adapter.connect()
        heard: list[CandleClosed] = []

        async def listen() -> None:
            async for fact in adapter.closed_candles([SYMBOL], "15m"):
                heard.extend([fact] if isinstance(fact, CandleClosed) else [])

        listener = asyncio.create_task(listen())
        await clock.advance_to(START_MS + 3_600_000 - 1)
        early = await adapter.candles(SYMBOL, "15m", START_MS, 10)
        await clock.advance_to(START_MS + 3_600_000)
        late = await adapter.candles(SYMBOL, "15m", START_MS, 10)
        listener.cancel()
        return early, late, heard

    early, late, heard = play(scenario)
    assert (len(early), len(late)) == (3, 4)
    assert [each.candle for each in heard] == [late.candle(index) for index in range(4)]
    assert late.high[0] == CANDLES.high[:3].max()


def test_the_past_before_the_start_is_history_and_is_not_traded() -> None:
    start_ms = int(CANDLES.open_time[100])

    async def scenario(adapter: SimulatedAdapter, clock: ManualClock) -> Any:
        await adapter.connect()
        await clock.advance_to(start_ms + 1)
        history = await adapter.candles(SYMBOL, "5m", START_MS, 1000)
        stream = adapter.prices([SYMBOL])
        await anext(stream)
        return len(history), await anext(stream)

    rows, price = play(scenario, start_ms=start_ms, now_ms=start_ms)
    assert rows == 100
    assert (price.time_ms, float(price.last)) == (start_ms, CANDLES.open[100])


def test_funding_is_charged_at_its_time_on_what_is_held() -> None:
    times = np.array([START_MS + 3_600_000, START_MS + 7_200_000])
    rates = FundingRates(SYMBOL, times, np.array([0.001, -0.002]))

    async def scenario(adapter: SimulatedAdapter, clock: ManualClock) -> Any:
        await adapter.connect()
        events = adapter.events()
        await clock.advance_to(START_MS + 4_000_000)
        await adapter.submit(OrderRequest("a", SYMBOL, Side.BUY, OrderType.MARKET, Decimal(2), None))
        await clock.advance_to(START_MS + 7_300_000)
        known = await adapter.funding_rates(SYMBOL, 0)
        paid = await adapter.funding_paid(0)
        await adapter.close()
        return known, paid, [fact async for fact in events if isinstance(fact, FundingPaid)]

    known, paid, told = play(scenario, funding=[rates])
    assert [rate.rate for rate in known] == [Decimal("0.001"), Decimal("-0.002")]
    assert [each.time_ms for each in paid] == [START_MS + 7_200_000]
    assert told == list(paid)
    assert paid[0].amount > 0


def test_the_end_of_the_recording_is_told() -> None:
    async def scenario(adapter: SimulatedAdapter, clock: ManualClock) -> Any:
        events = adapter.events()
        await adapter.connect()
        await clock.advance_to(END_MS + 1)
        await adapter.close()
        return [fact async for fact in events if isinstance(fact, LinkDown)]

    (down,) = play(scenario)
    assert down.cause == OVER


def test_before_the_first_price_an_order_is_not_processed() -> None:
    async def scenario(adapter: SimulatedAdapter, _: ManualClock) -> Any:
        order = OrderRequest("a", SYMBOL, Side.BUY, OrderType.MARKET, Decimal(1), None)
        return await adapter.submit(order)

    outcome = play(scenario, now_ms=START_MS - 1)
    assert (outcome.kind, outcome.retry_after_ms) == (OutcomeKind.NOT_PROCESSED, 1000)
