"""Time: where one stops on the way changes nothing, and the simulator sees the same market."""

import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from traderagent_bybit.sandbox.contracts import contract_of
from traderagent_bybit.sandbox.market import load_market
from traderagent_bybit.sandbox.session import Session, Settings
from traderagent_bybit.sandbox.tape import Tape
from traderagent_bybit.sandbox.world import AccountSpec, Listing, World
from traderagent_core import generate_candles
from traderagent_core.model import command as cmd
from traderagent_core.simulator.cursor import Cursor
from traderagent_core.simulator.scan import BlockScan
from traderagent_core.venue.exchange import SimulatedExchange
from traderagent_core.venue.path import PathPolicy

START_MS = 1_704_067_200_000
MINUTE_MS = 60_000
ROWS = 400
CANDLES = generate_candles(symbol="BTC/USDT", timeframe="1m", rows=ROWS, seed=11, start_ms=START_MS)
CONTRACT = contract_of(CANDLES)
BEGIN_MS = START_MS + 10 * MINUTE_MS
LINEAR = {"category": "linear", "symbol": "BTCUSDT"}


def world() -> World:
    return World([Listing(CONTRACT, CANDLES)], [AccountSpec("me", "k", "s")], start_ms=BEGIN_MS)


def ladder(made: World) -> None:
    """Orders of many kinds around the first price."""
    price = Tape(CANDLES, CONTRACT.instrument).price_at(BEGIN_MS)
    for step in range(1, 9):
        for side, sign in (("Buy", -1), ("Sell", 1)):
            at = str(round(price * (1 + sign * step * 0.0008), 1))
            made.apply(
                "me", "create", {**LINEAR, "side": side, "orderType": "Limit", "qty": "0.01", "price": at}
            )
    entry = {**LINEAR, "side": "Buy", "orderType": "Market", "qty": "0.05"}
    made.apply("me", "create", {**entry, "stopLoss": str(round(price * 0.99, 1))})
    made.apply("me", "trading-stop", {**LINEAR, "positionIdx": 0, "trailingStop": "120"})
    rising = {"triggerPrice": str(round(price * 1.004, 1)), "triggerDirection": 1}
    made.apply("me", "create", {**entry, **rising})


def fills(made: World) -> list[Any]:
    return [execution.row() for execution in made.accounts["me"].executions]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 390 * MINUTE_MS), max_size=60))
def test_stops_on_the_way_change_nothing(stops: list[int]) -> None:
    straight, stopping = world(), world()
    for made in (straight, stopping):
        ladder(made)
    for stop in sorted(set(stops)):
        stopping.advance(BEGIN_MS + stop)
    for made in (straight, stopping):
        made.advance(BEGIN_MS + 390 * MINUTE_MS)
    assert fills(straight) == fills(stopping)
    assert len(fills(straight)) > 5
    rows = [[order.row() for order in made.accounts["me"].orders.values()] for made in (straight, stopping)]
    assert rows[0] == rows[1]


def test_stopping_at_each_event_reaches_the_same_end() -> None:
    straight, stopping = world(), world()
    for made in (straight, stopping):
        ladder(made)
    end = BEGIN_MS + 390 * MINUTE_MS
    straight.advance(end)
    times = []
    while stopping.advance(end, stops_at_events=True):
        times.append(stopping.now_ms)
    assert fills(straight) == fills(stopping)
    assert set(times) >= {int(row["execTime"]) for row in fills(stopping)} - {BEGIN_MS}
    assert stopping.now_ms == end


def test_the_simulator_s_cursor_fills_the_same_orders_at_the_same_times() -> None:
    made = world()
    exchange = SimulatedExchange([CONTRACT.instrument], balance=Decimal(100_000))
    symbol = CONTRACT.instrument.symbol
    market = exchange.markets[symbol]
    market.leverage = Decimal(10)
    cursor = Cursor(market, exchange, CANDLES, PathPolicy.DEFAULT, BlockScan(CANDLES))
    cursor.seek(BEGIN_MS)
    ours = made.accounts["me"].symbols["BTCUSDT"].active_legs()[0].market
    assert ours.price == market.price
    from traderagent_core.model.order import OrderRequest, OrderType, Side

    for step in range(1, 12):
        for side, sign in ((Side.BUY, -1), (Side.SELL, 1)):
            at = Decimal(str(round(market.price * (1 + sign * step * 0.0006), 1)))
            exchange.submit(
                OrderRequest(f"{side}{step}", symbol, side, OrderType.LIMIT, Decimal("0.01"), at), BEGIN_MS
            )
            name = "Buy" if side is Side.BUY else "Sell"
            body = {**LINEAR, "side": name, "orderType": "Limit", "qty": "0.01", "price": str(at)}
            made.apply("me", "create", body)
    while (moment := cursor.peek()) is not None and moment[0] <= BEGIN_MS + 380 * MINUTE_MS:
        cursor.take()
    made.advance(BEGIN_MS + 380 * MINUTE_MS)
    simulated = [
        (e.time_ms, e.side.value, e.price, e.fee)
        for e in exchange.events
        if type(e).__name__ == "OrderFilled"
    ]
    served = [(e.time_ms, e.side.upper(), e.price, e.fee) for e in made.accounts["me"].executions]
    assert len(served) >= 5
    assert [each[1:] for each in simulated] == [each[1:] for each in served]
    assert all(abs(a[0] - b[0]) <= 1 for a, b in zip(simulated, served, strict=True))


@settings(deadline=None)
@given(st.lists(st.integers(1, ROWS * MINUTE_MS), min_size=1, max_size=30, unique=True))
def test_the_simulator_s_cursor_quotes_the_same_prices(stops: list[int]) -> None:
    """A level off the tick, passed between prices, is met no earlier than now, but for the millisecond cut off."""
    exchange = SimulatedExchange([CONTRACT.instrument], balance=Decimal(100_000))
    symbol = CONTRACT.instrument.symbol
    cursor = Cursor(exchange.markets[symbol], exchange, CANDLES, PathPolicy.DEFAULT, BlockScan(CANDLES))
    tape = Tape(CANDLES, CONTRACT.instrument)
    for stop in sorted(stops):
        cursor.seek(START_MS + stop)
        price = tape.price_at(START_MS + stop)
        assert cursor.market.price == price
        for number, share in enumerate(("0.3", "-0.3")):
            level = Decimal(repr(price)) + CONTRACT.tick * Decimal(share)
            name = f"{stop}{number}"
            exchange.execute(cmd.Watch(name, "w", symbol, level, number == 0), START_MS + stop)
        met = cursor.peek()
        assert met is None or met[0] >= START_MS + stop - 1
        for number in range(2):
            exchange.execute(cmd.Unwatch(f"{stop}{number}", "w", symbol), START_MS + stop)


@given(st.integers(0, ROWS * MINUTE_MS), st.integers(0, ROWS * MINUTE_MS))
def test_bars_of_any_stretch_hold_all_prices_in_it(first: int, second: int) -> None:
    tape = Tape(CANDLES, CONTRACT.instrument)
    start, end = sorted((START_MS + 1 + first, START_MS + 1 + second))
    end = min(end, tape.end_ms)
    bar = tape.bar(start, end)
    if bar is None or start >= end:
        return
    assert bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high
    middle = tape.price_at((start + end) // 2)
    assert bar.low <= middle <= bar.high


def test_whole_candles_come_back_as_they_are() -> None:
    tape = Tape(CANDLES, CONTRACT.instrument)
    for index in (0, 7, 399):
        bar = tape.bar(tape.open_ms(index), tape.open_ms(index) + MINUTE_MS)
        candle = CANDLES.candle(index)
        assert bar is not None
        assert tuple(bar) == pytest.approx(
            (candle.open, candle.high, candle.low, candle.close, candle.volume)
        )


@given(st.integers(0, ROWS * MINUTE_MS), st.integers(0, ROWS * MINUTE_MS))
def test_every_price_is_on_the_tick_and_depends_on_the_time_alone(first: int, second: int) -> None:
    tape, other = (Tape(CANDLES, CONTRACT.instrument) for _ in range(2))
    other.price_at(START_MS + 1 + second)
    price = tape.price_at(START_MS + 1 + first)
    assert price == other.price_at(START_MS + 1 + first)
    assert not Decimal(repr(price)) % CONTRACT.tick


@pytest.mark.data
def test_real_series_begin_together_with_their_funding() -> None:
    folder = os.environ.get("TRADERAGENT_DATA")
    if not folder:
        pytest.skip("TRADERAGENT_DATA is not set")
    start_ms = 1_709_251_200_000
    market = load_market(Path(folder), ("BTC/USDT", "ETH/USDT"), 0, start_ms)
    assert set(market.candles) == set(market.funding) == {"BTC/USDT", "ETH/USDT"}
    kept = Settings([AccountSpec("me", "k", "s")], start_ms=start_ms, speed=0.0, keeps_dates=True)
    session = Session(kept, market.candles.values(), lambda: 0, funding=market.funding)
    body = {**LINEAR, "side": "Buy", "orderType": "Market", "qty": "0.1"}
    session.apply("me", "create", body)
    session.advance(start_ms + 24 * 60 * MINUTE_MS)
    paid = [row for row in session.world.accounts["me"].executions if row.kind == "Funding"]
    assert len(paid) == 3
    assert len({row.fee_rate for row in paid}) > 1


@pytest.mark.parametrize("into_minute_ms", [0, 1, 59_999])
def test_in_real_time_the_market_is_where_the_wall_clock_is(into_minute_ms: int) -> None:
    wall = [1_795_261_200_000 + into_minute_ms]
    session = Session(Settings([AccountSpec("me", "k", "s")]), [CANDLES], lambda: wall[0])
    for _ in range(2):
        session.tick()
        assert session.world.now_ms == wall[0]
        wall[0] += 1_500
