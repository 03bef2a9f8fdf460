"""The simulated exchange by itself: what it takes, refuses, trades at which price, and what it costs."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve
from traderagent_core.model import command as cmd
from traderagent_core.model import event as ev
from traderagent_core.model.instrument import Instrument, Market
from traderagent_core.model.order import Amendment, AttachedStop, Liquidity, OrderRequest, OrderType, Side
from traderagent_core.venue.exchange import SimulatedExchange
from traderagent_core.venue.path import PathPolicy, path_points

D = Decimal
SYMBOL = "AAA/USDT"
BUY, SELL = Side.BUY, Side.SELL
LIMIT, MARKET, STOP = OrderType.LIMIT, OrderType.MARKET, OrderType.STOP


class Bench:
    """An exchange with one market whose price a test moves straight from level to level."""

    def __init__(self, *, is_linear: bool = False, balance: Any = 1000, **options: Any) -> None:
        market = Market.LINEAR if is_linear else Market.SPOT
        instrument = Instrument(
            SYMBOL,
            market,
            tick_size=D("0.5"),
            lot_size=D("0.1"),
            min_notional=D(5),
            maker_fee_ratio=D("0.001"),
            taker_fee_ratio=D("0.002"),
            max_leverage=D(10),
        )
        self.exchange = SimulatedExchange([instrument], balance=D(balance), **options)
        self.market = self.exchange.markets[SYMBOL]
        self.market.price = 100.0
        self.ids = 0

    def send(
        self, side: Side, quantity: Any, price: Any = None, kind: OrderType | None = None, **more: Any
    ) -> list[Any]:
        self.ids += 1
        number = None if price is None else D(price)
        kind = kind or (MARKET if price is None else LIMIT)
        request = OrderRequest(f"o{self.ids}", SYMBOL, side, kind, D(quantity), number, **more)
        return self.do(lambda: self.exchange.submit(request, 1))

    def do(self, action: Callable[[], None]) -> list[Any]:
        action()
        events = list(self.exchange.events)
        self.exchange.events.clear()
        return events

    def move(self, *prices: float) -> list[Any]:
        """Jump from price to price; what has been passed trades there, as at an open."""
        events = []
        for price in prices:
            self.market.price = price
            while True:
                above, below = self.market.book.above, self.market.book.below
                if above and above[0][0] <= price:
                    events += self.fire(above[0], is_above=True)
                elif below and -below[0][0] >= price:
                    events += self.fire(below[0], is_above=False)
                else:
                    break
        return events

    def fire(self, entry: Any, *, is_above: bool) -> list[Any]:
        return self.do(lambda: self.exchange.fire(self.market, entry, 1, is_above=is_above))


def fills(events: list[Any]) -> list[tuple[Decimal, Decimal, Liquidity]]:
    return [(own.price, own.quantity, own.liquidity) for own in events if isinstance(own, ev.OrderFilled)]


def refusal(events: list[Any]) -> str | None:
    return next((own.code for own in events if isinstance(own, ev.OrderRejected)), None)


# -- prices -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("side", "kind", "price", "to", "expected"),
    [
        (BUY, LIMIT, 95, 95, (95, Liquidity.MAKER)),
        (BUY, LIMIT, 95, 90, (90, Liquidity.MAKER)),
        (BUY, STOP, 105, 105, (105, Liquidity.TAKER)),
        (BUY, STOP, 105, 110, (110, Liquidity.TAKER)),
    ],
)
def test_a_gap_is_better_for_limits_and_worse_for_stops(
    side: Side, kind: OrderType, price: int, to: int, expected: Any
) -> None:
    bench = Bench()
    assert isinstance(bench.send(side, 1, price, kind)[0], ev.OrderAccepted)
    assert fills(bench.move(float(to))) == [(D(expected[0]), D(1), expected[1])]


def test_a_crossing_limit_trades_at_once_as_a_taker() -> None:
    assert fills(Bench().send(BUY, 1, 105)) == [(D(100), D(1), Liquidity.TAKER)]


def test_slippage_hurts_takers_and_stops_at_their_limit() -> None:
    bench = Bench(slippage_ratio=D("0.01"))
    assert fills(bench.send(BUY, 1))[0][0] == 101
    assert fills(bench.send(BUY, 1, "100.5"))[0][0] == D("100.5")
    assert fills(bench.send(SELL, 1))[0][0] == 99


def test_orders_at_one_level_trade_in_the_order_of_arrival_and_before_watches() -> None:
    bench = Bench()
    bench.do(lambda: bench.exchange.execute(cmd.Watch("bot", "w", SYMBOL, D(95), False), 1))
    bench.send(BUY, 1, 95)
    bench.send(BUY, 2, 95)
    told = bench.move(95.0)
    assert [type(own).__name__ for own in told] == ["OrderFilled", "OrderFilled", "WatchCrossed"]
    assert [own.quantity for own in told[:2]] == [1, 2]


def test_a_watch_fires_once_and_at_once_when_its_level_is_reached_already() -> None:
    bench = Bench()
    watch = cmd.Watch("bot", "w", SYMBOL, D(100), True)
    assert isinstance(bench.do(lambda: bench.exchange.execute(watch, 1))[0], ev.WatchCrossed)
    assert not bench.move(101.0)
    bench.do(lambda: bench.exchange.execute(cmd.Watch("bot", "w", SYMBOL, D(105), True), 1))
    bench.do(lambda: bench.exchange.execute(cmd.Watch("bot", "w", SYMBOL, D(110), True), 1))
    assert not bench.move(106.0)
    bench.do(lambda: bench.exchange.execute(cmd.Unwatch("bot", "w", SYMBOL), 1))
    assert not bench.move(111.0)


# -- refusals -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("order", "code"),
    [
        ((BUY, 1, "95.3"), "price_not_on_tick"),
        ((BUY, "1.05", 95), "quantity_not_on_lot"),
        ((BUY, "0.1", "40"), "order_too_small"),
        ((BUY, 11, 95), "insufficient_quote"),
        ((SELL, 1, 105), "insufficient_base"),
        ((BUY, 1, 100, STOP), "would_trigger"),
    ],
)
def test_what_a_spot_market_refuses(order: Any, code: str) -> None:
    assert refusal(Bench().send(*order)) == code


def test_post_only_refuses_to_cross() -> None:
    assert refusal(Bench().send(BUY, 1, 100, post_only=True)) == "post_only_would_cross"
    assert refusal(Bench().send(BUY, 1, 99, post_only=True)) is None


def test_reduce_only_needs_a_position_and_never_turns_it() -> None:
    bench = Bench(is_linear=True)
    assert refusal(bench.send(SELL, 1, 105, reduce_only=True)) == "reduce_only_without_position"
    bench.send(BUY, 2)
    told = bench.send(SELL, 5, reduce_only=True)
    assert fills(told) == [(D(100), D(2), Liquidity.TAKER)]
    assert (told[-1].filled, told[-1].code) == (2, "reduce_only_without_position")
    assert bench.market.position.quantity == 0


def test_an_id_counts_once() -> None:
    bench = Bench()
    request = OrderRequest("same", SYMBOL, BUY, LIMIT, D(1), D(95))
    for _ in range(2):
        (told,) = bench.do(lambda: bench.exchange.submit(request, 1))
        assert isinstance(told, ev.OrderAccepted)
    assert len(fills(bench.move(95.0))) == 1


# -- money --------------------------------------------------------------------------------------------------


def test_spot_ties_up_quote_with_its_fee_and_gives_it_back() -> None:
    bench = Bench()
    bench.send(BUY, 5, 95)
    assert bench.exchange.available == 1000 - 5 * 95 * D("1.002")
    assert refusal(bench.send(BUY, 6, 95)) == "insufficient_quote"
    bench.do(lambda: bench.exchange.execute(cmd.Cancel("o1", SYMBOL), 1))
    assert bench.exchange.available == 1000
    bench.send(BUY, 5, 95)
    bench.move(95.0)
    assert bench.exchange.available == bench.exchange.flow == 1000 - 475 * D("1.001")
    assert bench.exchange.equity() == bench.exchange.flow + 475


def test_spot_ties_up_coins_of_open_sales() -> None:
    bench = Bench()
    bench.send(BUY, 2)
    bench.send(SELL, "1.5", 105)
    assert refusal(bench.send(SELL, 1, 106)) == "insufficient_base"
    assert refusal(bench.send(SELL, "0.5", 106)) is None
    assert len(fills(bench.move(106.0))) == 2
    assert bench.market.position.quantity == bench.market.open_sells == 0


def test_linear_margin_is_that_of_the_worse_side_over_leverage() -> None:
    bench = Bench(is_linear=True)
    bench.do(lambda: bench.exchange.execute(cmd.SetLeverage(SYMBOL, D(5)), 1))
    bench.send(BUY, 10, 90)
    bench.send(SELL, 8, 110)
    assert bench.exchange.margin == D(900) / 5
    assert refusal(bench.send(BUY, 46, 90)) == "insufficient_margin"
    bench.move(90.0)
    assert bench.exchange.margin == D(900) / 5
    assert refusal(bench.send(SELL, 10, 105)) is None


def test_funding_is_paid_by_longs_at_a_positive_rate() -> None:
    bench = Bench(is_linear=True)
    bench.send(BUY, 2)
    before = bench.exchange.flow
    (told,) = bench.do(lambda: bench.exchange.settle_funding(SYMBOL, D("0.001"), 1))
    assert told.amount == D("-0.2")
    assert bench.exchange.flow == before + told.amount


def test_liquidation_cancels_orders_and_loses_the_margin() -> None:
    bench = Bench(is_linear=True)
    bench.do(lambda: bench.exchange.execute(cmd.SetLeverage(SYMBOL, D(10)), 1))
    bench.send(BUY, 10)
    bench.send(BUY, 1, 80)
    told = bench.move(91.0, 90.5)
    assert [type(own).__name__ for own in told] == ["OrderCanceled", "OrderFilled"]
    assert told[0].code == "liquidation"
    assert (told[1].client_order_id, told[1].price, told[1].quantity) == ("", D(90), D(10))
    assert bench.exchange.equity() == 1000 - 10 * 100 * D("0.002") - 100
    assert bench.exchange.margin == 0


# -- stops and changes --------------------------------------------------------------------------------------


def test_an_attached_stop_comes_to_life_with_the_fill_and_closes_everything() -> None:
    bench = Bench(is_linear=True)
    bench.send(BUY, 2, 95, attached_stop=AttachedStop("s", D(90)))
    assert "s" not in bench.market.orders
    told = bench.move(95.0)
    assert [type(own).__name__ for own in told] == ["OrderFilled", "OrderAccepted"]
    bench.send(BUY, 3)
    told = bench.move(90.0)
    assert fills(told) == [(D(90), D(5), Liquidity.TAKER)]
    assert bench.market.position.quantity == 0


def test_each_order_that_carries_a_stop_moves_that_of_the_position_to_its_price() -> None:
    bench = Bench(is_linear=True)
    for price in (95, 92):
        bench.send(BUY, 2, price, attached_stop=AttachedStop("s", D(85)))
    bench.move(95.0)
    bench.do(lambda: bench.exchange.execute(cmd.Amend(Amendment("s", D(90), D(2)), SYMBOL), 1))
    filled, amended = bench.move(92.0)
    assert (filled.client_order_id, amended.client_order_id) == ("o2", "s")
    assert (amended.price, amended.quantity) == (85, 4)
    assert not fills(bench.move(90.0))
    assert fills(bench.move(85.0)) == [(D(85), D(4), Liquidity.TAKER)]


@pytest.mark.parametrize("moved_to", [None, 88])
def test_a_stop_that_a_gap_has_passed_trades_at_once(moved_to: int | None) -> None:
    """Whether it comes to life in the gap, or an order brings that of the position back to the other side of it."""
    bench = Bench(is_linear=True)
    if moved_to is not None:
        bench.send(BUY, 1, 96, attached_stop=AttachedStop("s", D(90)))
        bench.move(96.0)
        bench.do(lambda: bench.exchange.execute(cmd.Amend(Amendment("s", D(moved_to), D(1)), SYMBOL), 1))
    bench.send(BUY, 2, 95, attached_stop=AttachedStop("s", D(90)))
    told = bench.move(89.0)
    assert [own.client_order_id for own in told if isinstance(own, ev.OrderFilled)] == [f"o{bench.ids}", "s"]
    assert refusal(told) is None
    assert bench.market.position.quantity == 0


@pytest.mark.parametrize(
    ("side", "price", "stop", "is_taken"),
    [
        (BUY, 95, 94.5, True),
        (BUY, 95, 95, False),
        (BUY, 105, 99.5, True),
        (BUY, 105, 100, False),
        (BUY, None, 100, False),
        (SELL, 105, 105.5, True),
        (SELL, 105, 105, False),
        (SELL, 95, 100, False),
        (SELL, None, 100.5, True),
    ],
)
def test_an_order_beyond_the_stop_that_it_carries_is_refused(
    side: Side, price: Any, stop: Any, is_taken: bool
) -> None:
    bench = Bench(is_linear=True)
    told = bench.send(side, 2, price, attached_stop=AttachedStop("s", D(str(stop))))
    assert refusal(told) == (None if is_taken else "would_trigger")


@pytest.mark.parametrize(
    ("price", "kind", "quantity", "is_taken"),
    [
        (95, LIMIT, 3, True),
        (95, LIMIT, "3.1", False),
        (None, MARKET, 2, True),
        (None, MARKET, "2.1", False),
        (105, STOP, "2.1", False),
    ],
)
def test_an_order_above_the_largest_of_its_type_is_refused(
    price: Any, kind: OrderType, quantity: Any, is_taken: bool
) -> None:
    bench = Bench(is_linear=True)
    limits = {"max_quantity": D(3), "max_market_quantity": D(2)}
    bench.market.instrument = evolve(bench.market.instrument, **limits)
    told = bench.send(BUY, quantity, price, kind)
    assert refusal(told) == (None if is_taken else "order_too_large")


def test_a_stop_that_closes_the_position_is_as_large_as_that_is() -> None:
    bench = Bench(is_linear=True)
    bench.send(BUY, 5)
    bench.market.instrument = evolve(bench.market.instrument, max_market_quantity=D(2))
    assert refusal(bench.send(SELL, 5, 90, STOP, reduce_only=True, closes_position=True)) is None
    assert fills(bench.move(90.0)) == [(D(90), D(5), Liquidity.TAKER)]


def test_an_amendment_moves_an_order_in_place() -> None:
    bench = Bench()
    bench.send(BUY, 1, 95)
    change = cmd.Amend(Amendment("o1", D(97), D(2)), SYMBOL)
    (told,) = bench.do(lambda: bench.exchange.execute(change, 1))
    assert (told.price, told.quantity) == (97, 2)
    assert bench.exchange.reserved == 2 * 97 * D("1.002")
    assert fills(bench.move(97.0)) == [(D(97), D(2), Liquidity.MAKER)]


def test_amendments_that_cannot_be_are_refused() -> None:
    bench = Bench(is_linear=True)
    bench.send(BUY, 2)
    bench.send(SELL, 2, 90, STOP, reduce_only=True)
    for change, code in [
        (Amendment("o2", D(101), None), "would_trigger"),
        (Amendment("o2", None, D(0)), "quantity_already_filled"),
        (Amendment("none", D(95), None), "order_not_open"),
    ]:
        (told,) = bench.do(lambda change=change: bench.exchange.execute(cmd.Amend(change, SYMBOL), 1))  # type: ignore[misc]
        assert told.code == code


def test_a_cancel_of_what_is_gone_is_refused() -> None:
    bench = Bench()
    bench.send(BUY, 1, 95)
    bench.move(95.0)
    (told,) = bench.do(lambda: bench.exchange.execute(cmd.Cancel("o1", SYMBOL), 1))
    assert isinstance(told, ev.CancelRejected)


def test_deferred_orders_are_accepted_now_and_trade_from_the_next_open() -> None:
    bench = Bench(defers_orders=True)
    assert [type(own).__name__ for own in bench.send(BUY, 1)] == ["OrderAccepted"]
    bench.market.price = 103.0
    told = bench.do(lambda: bench.exchange.admit_pending(bench.market, 2))
    assert fills(told) == [(D(103), D(1), Liquidity.TAKER)]


def test_a_deferred_order_that_is_cancelled_never_trades() -> None:
    bench = Bench(defers_orders=True)
    bench.send(BUY, 1)
    bench.do(lambda: bench.exchange.execute(cmd.Cancel("o1", SYMBOL), 1))
    assert not bench.do(lambda: bench.exchange.admit_pending(bench.market, 2))
    assert bench.exchange.available == 1000


# -- paths --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "sign", "high_first"),
    [
        (PathPolicy.DEFAULT, 1, True),
        (PathPolicy.NEXT_CANDLE, -1, True),
        (PathPolicy.PESSIMISTIC, 1, False),
        (PathPolicy.PESSIMISTIC, -1, True),
        (PathPolicy.PESSIMISTIC, 0, True),
        (PathPolicy.OPTIMISTIC, 1, True),
        (PathPolicy.OPTIMISTIC, -1, False),
    ],
)
def test_the_extreme_that_comes_first(policy: PathPolicy, sign: int, high_first: bool) -> None:
    points, length = path_points(policy, (100.0, 101.0, 97.0, 99.0), sign)
    assert length == (7.0 if high_first else 9.0)
    assert points == ((100.0, 101.0, 97.0, 99.0) if high_first else (100.0, 97.0, 101.0, 99.0))


def test_a_tie_of_the_extremes_goes_up_first() -> None:
    points, _ = path_points(PathPolicy.DEFAULT, (100.0, 102.0, 98.0, 100.0), 0)
    assert points[1] == 102.0
