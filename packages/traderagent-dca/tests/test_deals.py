"""Deals from beginning to end: what is traded, when, at which prices, and what is remembered."""

from collections.abc import Callable
from decimal import Decimal as D
from typing import Any

import pytest
from attrs import evolve
from traderagent_core import Candles, Instrument
from traderagent_dca.config import DcaConfig
from traderagent_dca.state import REMEMBERED_DEALS, Phase
from traderagent_dca.strategy import DcaStrategy

Make = Callable[..., DcaConfig]
Bench = Callable[..., Any]
Path = Callable[..., Candles]


# -- ladder and take profit ---------------------------------------------------------------------------------


def test_the_base_order_places_ladder_and_take_profit(
    bench: Bench, config: Make, instrument: Instrument, path: Path
) -> None:
    run = bench(config(price_deviation="0.02", max_steps=4), instrument, path([100, 100])).run()
    assert run.fills() == [("base", 100, 1)]
    assert run.orders == [
        ("so:03", 94, D("1.0638")),
        ("so:02", 96, D("1.0416")),
        ("so:01", 98, D("1.0204")),
        ("tp", 102, 1),
    ]


def test_every_safety_fill_moves_the_take_profit(
    bench: Bench, config: Make, instrument: Instrument, path: Path
) -> None:
    run = bench(config(price_deviation="0.02", max_steps=4), instrument, path([100, 97, 95.5, 95.5])).run()
    assert [slot for slot, _, _ in run.fills()] == ["base", "so:01", "so:02"]
    held = 1 + D("1.0204") + D("1.0416")
    average = (100 + 98 * D("1.0204") + 96 * D("1.0416")) / held
    assert run.ledger.quantity == held
    # Up to the tick: never worse than asked.
    target = instrument.limit_price(run.strategy._side.opposite, average * D("1.02"))
    assert run.orders[-1] == ("tp", target, held)
    assert run.state.phase is Phase.IN_DEAL
    assert run.state.deals == 0


def test_only_so_many_safety_orders_are_active(
    bench: Bench, config: Make, instrument: Instrument, path: Path
) -> None:
    keys = {"price_deviation": "0.02", "max_steps": 6, "max_active_safety_orders": 2}
    run = bench(config(**keys), instrument, path([100, 100, 97.9, 95.9, 95.9]))
    waiting = []
    for count in (2, 3, 4):
        run.run(count)
        waiting.append([slot for slot, _, _ in run.orders if slot != "tp"])
    assert waiting == [["so:02", "so:01"], ["so:03", "so:02"], ["so:04", "so:03"]]
    assert [price for slot, price, _ in run.orders if slot != "tp"] == [92, 94]


@pytest.mark.parametrize("active", [None, 1, 2])
def test_several_safety_orders_in_one_move(
    bench: Bench, config: Make, instrument: Instrument, jumps: Path, active: int | None
) -> None:
    # 1 % apart, 15 each; the price jumps 3 % down: all three are bought at the price it comes to.
    keys = {
        "amount_per_step": 15,
        "price_deviation": "0.01",
        "max_steps": 4,
        "max_active_safety_orders": active,
    }
    run = bench(config(**keys), instrument, jumps([(100, 100), (97, 97)])).run()
    base, *safety = sorted(run.fills())
    assert (base[:2], [slot for slot, _, _ in safety]) == (("base", 100), ["so:01", "so:02", "so:03"])
    assert {price for _, price, _ in safety} == {97}
    planned = [15 / D(price) for price in (99, 98, 97)]
    assert [quantity for _, _, quantity in safety] == [instrument.round_quantity(q) for q in planned]
    spent = sum(quantity * price for _, price, quantity in safety)
    assert 45 * D("0.98") < spent <= 45


@pytest.mark.parametrize("basis", ["base", "previous"])
def test_prices_are_measured_from_where_the_base_order_was_filled(
    bench: Bench, config: Make, instrument: Instrument, path: Path, basis: str
) -> None:
    keys = {"price_deviation": "0.02", "max_steps": 3, "max_active_safety_orders": 1, "deviation_from": basis}
    run = bench(config(**keys), instrument, path([100, 100, 98.5]), slippage_ratio=D("0.01")).run()
    second = D("0.96") if basis == "base" else D("0.9604")
    assert run.fills()[:2] == [("base", 101, 1), ("so:01", D("98.98"), D("1.0204"))]
    assert [price for slot, price, _ in run.orders if slot == "so:02"] == [(101 * second).quantize(D("0.01"))]


def test_the_take_profit_closes_the_deal(
    bench: Bench, config: Make, instrument: Instrument, path: Path
) -> None:
    run = bench(
        config(price_deviation="0.02", max_steps=3, cooldown_candles=9), instrument, path([100, 97, 104])
    ).run()
    assert [slot for slot, _, _ in run.fills()] == ["base", "so:01", "tp"]
    assert run.orders == []
    assert run.ledger.quantity == 0
    (deal,) = run.state.history
    assert (deal.number, deal.steps, deal.reason) == (1, 2, "take_profit")
    assert deal.quantity == D("2.0204")
    assert deal.invested == 100 + 98 * D("1.0204")
    assert abs(deal.average - deal.invested / D("2.0204")) < D("1e-20")
    assert deal.realized == run.ledger.realized_pnl
    assert deal.fees == run.ledger.fees
    assert deal.profit == run.ledger.flow


def test_a_take_profit_from_the_base_order_stays(
    bench: Bench, config: Make, instrument: Instrument, path: Path
) -> None:
    keys = {"price_deviation": "0.02", "max_steps": 3, "take_profit_from": "base"}
    run = bench(config(**keys), instrument, path([100, 97, 97])).run()
    assert run.orders[-1] == ("tp", 102, D("2.0204"))


def test_a_short_deal_is_a_mirror(bench: Bench, config: Make, linear: Instrument, path: Path) -> None:
    keys = {"direction": "short", "price_deviation": "0.02", "max_steps": 3, "cooldown_candles": 9}
    run = bench(config(**keys), linear, path([100, 103, 97]), leverage=D(3)).run()
    assert [(slot, price) for slot, price, _ in run.fills()][:2] == [("base", 100), ("so:01", 102)]
    (deal,) = run.state.history
    sold = 1 + D("0.9803")
    assert (deal.steps, deal.quantity) == (2, sold)
    assert deal.invested == 100 + 102 * D("0.9803")
    assert deal.profit == run.ledger.flow > 0
    assert run.fills()[-1][1] <= deal.average * D("0.98")


def test_parts_are_closed_before_the_rest(
    bench: Bench, config: Make, instrument: Instrument, path: Path
) -> None:
    steps = [{"gain": "0.01", "share": "0.3"}, {"gain": "0.02", "share": "0.2"}]
    made = config(take_profit_percentage="0.05", take_profit_steps=steps, max_steps=2, cooldown_candles=9)
    run = bench(made, instrument, path([100, 100, 103, 106])).run()
    assert run.fills() == [
        ("base", 100, 1),
        ("tp:1", 101, D("0.3")),
        ("tp:2", 102, D("0.2")),
        ("tp", 105, D("0.5")),
    ]
    assert run.state.history[0].reason == "take_profit"


def test_parts_follow_the_average_and_what_is_held(
    bench: Bench, config: Make, instrument: Instrument, path: Path
) -> None:
    steps = [{"gain": "0.01", "share": "0.5"}]
    made = config(take_profit_percentage="0.05", take_profit_steps=steps, price_deviation="0.02", max_steps=3)
    run = bench(made, instrument, path([100, 97, 100.5, 95.5, 95.5]))
    run.run(2)
    average = (100 + 98 * D("1.0204")) / D("2.0204")
    assert run.orders[-1][0] == "tp:1"
    assert 0 <= run.orders[-1][1] - average * D("1.01") < D("0.01")
    assert run.orders[-1][2] == D("1.0102")
    run.run(3)
    assert run.orders[-1][0] == "tp"
    assert run.orders[-1][2] == D("1.0102")
    run.run()
    assert run.orders[-1][2] == D("1.0102") + D("1.0416")


# -- stops --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["spot", "linear"])
def test_the_stop_follows_the_average(
    bench: Bench, config: Make, instrument: Instrument, linear: Instrument, path: Path, kind: str
) -> None:
    made = config(stop_loss_percentage="0.05", price_deviation="0.02", max_steps=2, cooldown_candles=9)
    run = bench(made, instrument if kind == "spot" else linear, path([100, 97, 96, 90])).run()
    average = (100 + 98 * D("1.0204")) / D("2.0204")
    slot, price, quantity = run.fills()[-1]
    assert price == (average * D("0.95")).quantize(D("0.01"), "ROUND_FLOOR")
    assert (slot, quantity) == ("exit" if kind == "spot" else "stop", D("2.0204"))
    (deal,) = run.state.history
    assert (deal.reason, deal.profit < 0, run.state.won) == ("stop_loss", True, 0)
    assert run.orders == []


def test_a_stop_from_the_base_order_stays(
    bench: Bench, config: Make, instrument: Instrument, path: Path
) -> None:
    keys = {
        "stop_loss_percentage": "0.05",
        "stop_loss_from": "base",
        "price_deviation": "0.02",
        "max_steps": 2,
    }
    run = bench(config(**keys, cooldown_candles=9), instrument, path([100, 97, 96, 90])).run()
    assert run.fills()[-1][1] == 95


@pytest.mark.parametrize("direction", ["long", "short"])
def test_a_trailing_take_profit_follows_the_best_price(
    bench: Bench, config: Make, linear: Instrument, path: Path, direction: str
) -> None:
    closes = [100, 100, 103, 107, 104] if direction == "long" else [100, 100, 97, 93, 96]
    made = config(direction=direction, trailing_deviation="0.01", max_steps=2, cooldown_candles=9)
    run = bench(made, linear, path(closes), leverage=D(2)).run()
    (deal,) = run.state.history
    assert deal.reason == "trailing_take_profit"
    assert [slot for slot, _, _ in run.fills()] == ["base", "stop"]
    best = D(107) if direction == "long" else D(93)
    price = run.fills()[-1][1]
    # The trail moves in steps of a tenth of its distance.
    bound = best * D("0.99") if direction == "long" else best * D("1.01")
    assert abs(price - bound) <= best * D("0.001") + D("0.01")
    assert deal.profit > 0


def test_below_its_beginning_a_trail_does_nothing(
    bench: Bench, config: Make, instrument: Instrument, path: Path
) -> None:
    made = config(trailing_deviation="0.01", max_steps=1)
    run = bench(made, instrument, path([100, 101.9, 90, 101.9, 80])).run()
    assert run.fills() == [("base", 100, 1)]
    assert run.state.phase is Phase.IN_DEAL


def test_parts_are_closed_before_the_trail_begins(
    bench: Bench, config: Make, instrument: Instrument, path: Path
) -> None:
    steps = [{"gain": "0.01", "share": "0.5"}]
    made = config(trailing_deviation="0.005", take_profit_steps=steps, max_steps=1, cooldown_candles=9)
    run = bench(made, instrument, path([100, 100, 104, 102])).run()
    assert [(slot, quantity) for slot, _, quantity in run.fills()] == [
        ("base", 1), ("tp:1", D("0.5")), ("exit", D("0.5")),
    ]  # fmt: skip
    assert run.state.history[0].reason == "trailing_take_profit"


def test_break_even_costs_nothing(bench: Bench, config: Make, instrument: Instrument, path: Path) -> None:
    made = config(break_even_percentage="0.015", max_steps=2, cooldown_candles=9)
    run = bench(made, instrument, path([100, 101.6, 99])).run()
    (deal,) = run.state.history
    assert deal.reason == "break_even"
    # The stop is rounded down to the tick.
    assert -D("0.01") <= deal.profit < D("0.01")


def test_break_even_does_not_hinder_the_trail(
    bench: Bench, config: Make, instrument: Instrument, path: Path
) -> None:
    keys = {
        "break_even_percentage": "0.01",
        "trailing_deviation": "0.005",
        "max_steps": 2,
        "cooldown_candles": 9,
    }
    closes = [100, 101.5, 99]
    assert bench(config(**keys), instrument, path(closes)).run().state.history[0].reason == "break_even"
    run = bench(config(**keys), instrument, path([100, 101.5, 103, 101])).run()
    assert run.state.history[0].reason == "trailing_take_profit"


# -- one deal after the other -------------------------------------------------------------------------------


def test_the_next_deal_begins_at_once(bench: Bench, config: Make, instrument: Instrument, path: Path) -> None:
    run = bench(config(max_steps=1), instrument, path([100, 103, 103])).run()
    assert [(slot, price) for slot, price, _ in run.fills()] == [("base", 100), ("tp", 102), ("base", 102)]
    assert (run.state.deals, run.state.won, run.state.asked) == (1, 1, 2)


@pytest.mark.parametrize("candles", [1, 3])
def test_a_cool_down_lets_candles_pass(
    bench: Bench, config: Make, instrument: Instrument, path: Path, candles: int
) -> None:
    made = config(max_steps=1, cooldown_candles=candles)
    run = bench(made, instrument, path([100, 103, 101, 101, 101, 101, 101])).run()
    base, target, again = (record[1] for record in run.of("filled")[:3])
    assert base < target
    assert again - target == candles * 3_600_000


def test_a_signal_is_waited_for(bench: Bench, config: Make, instrument: Instrument, path: Path) -> None:
    made = config(trigger_percentage="0.05", recent_candles=3, max_steps=1)
    run = bench(made, instrument, path([100, 100, 100, 100, 97, 94, 90, 90])).run()
    assert run.fills()[0] == ("base", 94, D("1.0638"))
    # It came on at the sixth close, and stays on: nobody is called again.
    assert run.state.asked == 1


def test_a_signal_that_is_still_on_starts_the_next_deal_at_a_close(
    bench: Bench, config: Make, instrument: Instrument, path: Path
) -> None:
    made = config(trigger_percentage="0.05", recent_candles=6, max_steps=1)
    run = bench(made, instrument, path([100, 100, 100, 100, 100, 100, 90, 93, 93, 93])).run()
    times = run.times("filled")
    closes = run.candles.open_time + run.candles.duration_ms
    assert [slot for slot, _, _ in run.fills()] == ["base", "tp", "base"]
    assert times[0] == closes[6]
    assert times[2] == closes[7]


def test_a_signal_during_a_cool_down_is_not_lost(
    bench: Bench, config: Make, instrument: Instrument, path: Path
) -> None:
    made = config(trigger_percentage="0.05", recent_candles=5, max_steps=1, cooldown_candles=3)
    closes = [100, 100, 100, 100, 100, 94, 97, 97, 91, 91, 91, 91]
    run = bench(made, instrument, path(closes)).run()
    times = [(record[1] - int(run.candles.open_time[0])) / 3_600_000 for record in run.of("filled")]
    assert [slot for slot, _, _ in run.fills()] == ["base", "tp", "base"]
    assert times[2] == pytest.approx(times[1] + 3, abs=1)
    assert times[2] >= times[1] + 3


def test_so_many_deals_and_no_more(bench: Bench, config: Make, instrument: Instrument, path: Path) -> None:
    made = config(max_steps=1, max_deals=2)
    run = bench(made, instrument, path([100, 103, 106, 110, 115, 120])).run()
    assert [slot for slot, _, _ in run.fills()] == ["base", "tp", "base", "tp"]
    assert (run.state.phase, run.state.reason, run.state.deals) == (Phase.STOPPED, "max_deals", 2)


def test_the_history_is_bounded_and_the_totals_are_not(
    bench: Bench, config: Make, instrument: Instrument, path: Path
) -> None:
    made = config(max_steps=1, take_profit_percentage="0.01")
    free = evolve(instrument, maker_fee_ratio=D("0.0001"), taker_fee_ratio=D("0.0001"))
    run = bench(made, free, path([100 * 1.011**row for row in range(REMEMBERED_DEALS + 40)])).run()
    state = run.state
    assert state.deals > REMEMBERED_DEALS + 20
    assert len(state.history) == REMEMBERED_DEALS
    assert [deal.number for deal in state.history] == list(
        range(state.deals - REMEMBERED_DEALS + 1, state.deals + 1)
    )
    held = run.ledger
    assert state.profit == held.realized_pnl - held.fees + state_fee_of_open_deal(run)


def state_fee_of_open_deal(run: Any) -> D:
    """Fees that the deal in hand has paid already."""
    return run.ledger.fees - run.state.deal.mark.fees if run.state.deal else D(0)


def test_the_strategy_sleeps_through_a_deal(
    bench: Bench, config: Make, instrument: Instrument, path: Path
) -> None:
    made = config(price_deviation="0.01", max_steps=10, take_profit_percentage="0.2")
    run = bench(made, instrument, path([100, *(100 - step * 0.5 for step in range(30))]))
    calls: list[str] = []
    for name in ("on_fill", "on_order", "on_candle", "on_timer", "on_watch", "on_closed", "on_verdict"):
        method = getattr(run.strategy, name)

        def spied(*arguments: Any, _name: str = name, _method: Any = method, **named: Any) -> Any:
            calls.append(_name)
            return _method(*arguments, **named)

        setattr(run.strategy, name, spied)
    run.run()
    assert len(run.fills()) == 10
    assert calls == ["on_verdict"]


def test_needs_are_as_small_as_they_can_be(config: Make) -> None:
    needs = DcaStrategy.needs(config())
    assert (needs.wake.value, needs.fills, needs.indicators) == ("never", False, ())
    assert DcaStrategy.needs(config(start="rsi")).between_plans
