"""A grid at work: what it sends, what it makes, and that the money adds up."""

from collections.abc import Callable
from decimal import Decimal as D
from itertools import pairwise
from typing import Any

import pytest
from traderagent_core import Candles, Instrument
from traderagent_core.engine.setup import Limits
from traderagent_core.model.command import Cancel
from traderagent_core.venue.path import PathPolicy
from traderagent_grid.config import GridConfig
from traderagent_grid.layout import lay_out
from traderagent_grid.ranges import Range
from traderagent_grid.state import Phase

Make = Callable[..., GridConfig]
Run = Callable[..., Any]
Walk = Callable[..., Candles]

KINDS = [
    ("spot", "neutral"),
    ("spot", "long"),
    ("linear", "neutral"),
    ("linear", "long"),
    ("linear", "short"),
]


def test_the_orders_of_the_waiting_line_rest_at_the_venue(
    bench: Run, config: Make, instrument: Instrument, path: Walk
) -> None:
    keys = config(lower_price=6200, upper_price=7800, grid_levels=9)
    orders = bench(keys, instrument, path([7000, 7000])).run().orders
    assert [(side, price) for side, price, _ in orders] == [
        *(("BUY", D(price)) for price in (6200, 6400, 6600, 6800)),
        *(("SELL", D(price)) for price in (7200, 7400, 7600, 7800)),
    ]


def test_a_filled_level_lays_its_counter_at_the_next_and_is_laid_again(
    bench: Run, config: Make, instrument: Instrument, path: Walk
) -> None:
    run = bench(config(), instrument, path([100, 97.5, 100.5, 97.5]))
    quantity = D("1.0204")
    run.run(2)
    assert ("SELL", D(100), quantity) in run.orders
    assert run.ledger.cycles == 0
    run.run(3)
    assert ("BUY", D(98), quantity) in run.orders
    assert (run.ledger.cycles, run.ledger.cycle_profit) == (1, quantity * 2)
    run.run(4)
    assert ("SELL", D(100), quantity) in run.orders
    assert run.fills()[1:] == [("BUY", 98, quantity), ("SELL", 100, quantity), ("BUY", 98, quantity)]


def test_a_counter_at_a_profit_per_grid(bench: Run, config: Make, instrument: Instrument, path: Walk) -> None:
    run = bench(config(profit_per_grid="0.012"), instrument, path([100, 97.5, 99.2, 103, 100])).run(2)
    assert ("SELL", D("99.18"), D("1.0204")) in run.orders
    run.run()
    assert run.fills()[1:] == [
        ("BUY", 98, D("1.0204")),
        ("SELL", D("99.18"), D("1.0204")),
        ("SELL", 102, D("1.0000")),
        ("BUY", D("100.77"), D("1.0000")),
    ]
    assert run.ledger.cycles == 2
    assert run.ledger.cycle_profit == D("1.0204") * D("1.18") + D("1.23")


@pytest.mark.parametrize("spacing", ["arithmetic", "geometric"])
@pytest.mark.parametrize(("market", "direction"), KINDS)
def test_the_money_of_every_kind_of_grid_adds_up_to_the_last_digit(
    bench: Run, config: Make, instrument: Instrument, linear: Instrument, wander: Walk,
    market: str, direction: str, spacing: str,
) -> None:  # fmt: skip
    chosen = linear if market == "linear" else instrument
    keys = config(direction=direction, spacing=spacing)
    run = bench(keys, chosen, wander(4000, seed=7)).run()
    ledger, exchange = run.ledger, run.exchange
    assert ledger.cycles > 50
    assert len(run.orders) == 10
    assert D(10_000) + ledger.flow == exchange.flow
    assert ledger.quantity == exchange.markets["BTC/USDT"].position.quantity
    price = run.view.price("BTC/USDT")
    trend = ledger.profit(price) + ledger.fees - ledger.cycle_profit
    assert ledger.cycle_profit + trend - ledger.fees == exchange.equity() - 10_000
    money = sum((-quantity if side == "BUY" else quantity) * at for side, at, quantity in run.fills())
    assert money - ledger.fees == ledger.flow


@pytest.mark.parametrize(("market", "direction"), KINDS)
def test_limit_orders_fill_at_level_prices_only(
    bench: Run, config: Make, instrument: Instrument, linear: Instrument, wander: Walk, market: str, direction: str
) -> None:  # fmt: skip
    chosen = linear if market == "linear" else instrument
    run = bench(config(direction=direction), chosen, wander(4000, seed=11)).run()
    levels = set(lay_out(config(), chosen, Range(D(90), D(110)), D(100)).levels)
    has_inventory = (market, direction) != ("linear", "neutral")
    fills = run.fills()[has_inventory:]
    assert len(fills) > 100
    assert {price for _, price, _ in fills} <= levels


def test_cycle_profit_after_fees_is_the_profit_per_cycle_that_was_promised(
    bench: Run, config: Make, instrument: Instrument, path: Walk
) -> None:
    run = bench(config(), instrument, path([100, 97, 101, 97, 101, 97, 101])).run()
    (plan,) = (record[4] for record in run.of("plan_granted"))
    promised = D(plan.evidence["profit_per_cycle"]["grid:04"])
    fees = [record[6] for record in run.of("filled")][1:]
    assert run.ledger.cycles == 3
    assert run.ledger.cycle_profit - sum(fees) == 3 * promised


def test_a_linear_grid_is_long_below_and_short_above_its_start(
    bench: Run, config: Make, linear: Instrument, path: Walk
) -> None:
    run = bench(config(), linear, path([100, 93, 107, 100]))
    assert run.run(1).ledger.quantity == 0
    assert run.run(2).ledger.quantity == D("1.0204") + D("1.0416") + D("1.0638")
    assert run.run(3).ledger.quantity == -(D("0.9803") + D("0.9615") + D("0.9433"))
    assert run.run(4).ledger.quantity == 0
    assert run.ledger.cycles == 6
    assert run.ledger.realized_pnl == run.ledger.cycle_profit


def test_a_short_grid_is_never_long(bench: Run, config: Make, linear: Instrument, wander: Walk) -> None:
    run = bench(config(direction="short"), linear, wander(3000, seed=5)).run()
    held, largest = D(0), D(-10)
    for side, _, quantity in run.fills():
        held += quantity if side == "BUY" else -quantity
        largest = max(largest, held)
    assert largest <= 0
    assert run.ledger.cycles > 20


@pytest.mark.parametrize("policy", list(PathPolicy))
def test_every_path_keeps_the_books(
    bench: Run, config: Make, instrument: Instrument, wander: Walk, policy: PathPolicy
) -> None:
    run = bench(config(), instrument, wander(2000, seed=3), policy=policy, latency_ms=250).run()
    assert D(10_000) + run.ledger.flow == run.exchange.flow
    assert run.ledger.cycles > 20


def test_no_fill_and_no_quiet_candle_calls_the_strategy(
    bench: Run, config: Make, instrument: Instrument, wander: Walk, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = bench(config(), instrument, wander(3000, seed=9))
    calls: list[str] = []
    whole = run.engine.caller.later

    def listen(member: Any, callback: str, *rest: Any, **named: Any) -> None:
        calls.append(callback)
        whole(member, callback, *rest, **named)

    monkeypatch.setattr(run.engine.caller, "later", listen)
    run.run()
    assert len(run.fills()) > 100
    assert calls == ["on_start", "on_verdict"]


def test_a_cancelled_order_is_not_taken_for_a_filled_one_and_comes_again(
    bench: Run, config: Make, instrument: Instrument, path: Walk
) -> None:
    run = bench(config(), instrument, path([100, 99.5, 99.5, 97.5])).run(2)
    before = run.orders
    order_id = next(key for key, order in run.engine.account.orders.items() if order.price == 98)
    run.deliver([Cancel(order_id, "BTC/USDT")])
    assert [row for row in before if row not in run.orders] == [("BUY", D(98), D("1.0204"))]
    assert (run.ledger.cycles, len(run.fills())) == (0, 1)
    assert run.run(3).orders == before
    assert run.run().fills()[1:] == [("BUY", 98, D("1.0204"))]


def test_a_refused_plan_is_asked_for_again_later_and_later_and_said_once(
    bench: Run, config: Make, instrument: Instrument, path: Walk
) -> None:
    limits = Limits(max_position_size=D(600))
    run = bench(config(), instrument, path([100] * 40), limits=limits).run()
    hours = [(record[1] - run.candles.open_time[0]) // 3_600_000 for record in run.of("plan_rejected")]
    assert hours == [1, 2, 4, 8, 16, 32]
    assert run.notes().count("max_position_size") == 1
    assert run.state.phase is Phase.WAITING
    assert (run.state.reason, run.orders) == ("max_position_size", [])


def test_a_plan_refused_for_a_time_starts_when_it_may(
    bench: Run, config: Make, instrument: Instrument, path: Walk
) -> None:
    run = bench(config(max_position=975), instrument, path([100, 100, 99, 99, 99, 97, 97, 97, 97])).run(2)
    assert (run.state.phase, run.state.reason) == (Phase.WAITING, "max_position")
    run.run()
    assert (run.state.phase, run.state.reason, run.state.attempts) == (Phase.RUNNING, "", 0)
    assert len(run.orders) == 10


def test_the_grid_never_holds_more_than_max_position(
    bench: Run, config: Make, instrument: Instrument, wander: Walk
) -> None:
    run = bench(config(max_position=1000), instrument, wander(3000, seed=2)).run()
    held = D(0)
    for side, price, quantity in run.fills():
        held += quantity if side == "BUY" else -quantity
        assert held * price <= 1000


def test_the_same_run_leaves_the_same_records(
    bench: Run, config: Make, instrument: Instrument, wander: Walk
) -> None:
    keys = config(trailing_enabled=True, trend_guard_enabled=True)
    one, two = (bench(keys, instrument, wander(1500, seed=4)).run().records for _ in range(2))
    assert repr(one) == repr(two)


def test_ranges_and_levels_never_cross(
    bench: Run, config: Make, instrument: Instrument, wander: Walk
) -> None:
    run = bench(config(), instrument, wander(500, seed=4))
    for candles in range(1, 500, 50):
        orders = run.run(candles).orders
        buys = [price for side, price, _ in orders if side == "BUY"]
        sells = [price for side, price, _ in orders if side == "SELL"]
        assert all(low < high for low, high in pairwise(buys))
        assert not buys or not sells or buys[-1] < sells[0]
