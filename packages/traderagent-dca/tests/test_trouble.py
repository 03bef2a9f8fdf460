"""What goes wrong: fills in parts, refusals, pauses, halts, money that is gone, filters and risk modes."""

from collections.abc import Callable
from decimal import Decimal as D
from functools import partial
from typing import Any

import pytest
from attrs import evolve
from traderagent_core import Candles, EntryFilter, Instrument, Ruling, Verdict
from traderagent_core.engine.setup import Limits
from traderagent_core.engine.snapshot import restore, snapshot
from traderagent_core.testing.faulty_exchanges import RefusingExchange, SplittingExchange
from traderagent_core.testing.markets import market
from traderagent_dca.config import DcaConfig
from traderagent_dca.state import Phase

Make = Callable[..., DcaConfig]
Bench = Callable[..., Any]
Path = Callable[..., Candles]


def refusing(part: str, times: int = 1, code: str = "nonsense") -> Callable[..., RefusingExchange]:
    return partial(RefusingExchange, part=part, times=times, code=code)


# -- fills in parts -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_fills_in_parts_leave_the_same_deals(
    bench: Bench, config: Make, instrument: Instrument, path: Path, seed: int
) -> None:
    steps = [{"gain": "0.01", "share": "0.4"}]
    made = config(price_deviation="0.015", max_steps=5, volume_scale="1.5", take_profit_steps=steps)
    candles = market("ranging", rows=200)
    whole = bench(made, instrument, candles).run()
    parts = bench(made, instrument, candles, exchange=partial(SplittingExchange, seed=seed)).run()
    assert len(parts.fills()) > len(whole.fills()) > 10
    assert parts.state.history == whole.state.history
    assert parts.state.profit == whole.state.profit


# -- refusals -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["nonsense", "insufficient_quote", "rate_limited"])
def test_a_refused_base_order_is_no_deal_and_waits_longer_each_time(
    bench: Bench, config: Make, instrument: Instrument, path: Path, code: str
) -> None:
    run = bench(config(), instrument, path([100.0] * 12), exchange=refusing("base", 3, code)).run()
    hours = [(record[1] - int(run.candles.open_time[0])) / 3_600_000 for record in run.of("order_submitted")]
    # After one, two, four candles; not at once.
    assert [round(hour) for hour in hours[:4]] == [1, 2, 4, 8]
    assert run.fills()[0][0] == "base"
    assert (run.state.deals, run.state.asked, run.state.phase) == (0, 4, Phase.IN_DEAL)
    assert run.notes().count("base_order_refused") >= 1


def test_a_refused_safety_order_leaves_the_others(
    bench: Bench, config: Make, instrument: Instrument, path: Path
) -> None:
    run = bench(
        config(price_deviation="0.02", max_steps=4), instrument, path([100, 100]), exchange=refusing("so-02")
    ).run()
    assert [slot for slot, _, _ in run.orders] == ["so:03", "so:01", "tp"]


def test_a_lost_take_profit_is_laid_again(
    bench: Bench, config: Make, instrument: Instrument, path: Path
) -> None:
    run = bench(config(max_steps=2), instrument, path([100, 100, 100, 103]), exchange=refusing("-tp-"))
    run.run(1)
    assert [slot for slot, _, _ in run.orders] == ["so:01"]
    run.run(2)
    assert [slot for slot, _, _ in run.orders] == ["so:01", "tp"]
    run.run()
    assert run.state.deals == 1
    assert run.state.history[0].reason == "take_profit"


def test_a_lost_part_becomes_part_of_the_last_take_profit(
    bench: Bench, config: Make, instrument: Instrument, path: Path
) -> None:
    made = config(take_profit_steps=[{"gain": "0.01", "share": "0.5"}], max_steps=2)
    run = bench(made, instrument, path([100, 100, 100]), exchange=refusing("tp-1-", 9)).run()
    assert run.orders[-1] == ("tp", 102, 1)


def test_a_deal_survives_a_plan_that_is_over(
    bench: Bench, config: Make, instrument: Instrument, path: Path
) -> None:
    # No safety orders, and the take profit refused for good: nothing of the plan is left, but the position is.
    run = bench(config(max_steps=1), instrument, path([100.0] * 9), exchange=refusing("-tp-", 2)).run()
    assert [slot for slot, _, _ in run.fills()] == ["base"]
    assert run.orders == [("tp", 102, 1)]
    assert run.state.phase is Phase.IN_DEAL


# -- the operator -------------------------------------------------------------------------------------------


def test_a_deal_that_ends_in_a_pause_is_written_down_afterwards(
    bench: Bench, config: Make, instrument: Instrument, path: Path
) -> None:
    run = bench(config(max_steps=1), instrument, path([100, 100, 103, 103, 103, 103]))
    run.operator("pause", after=1)
    run.operator("resume", after=3)
    run.run()
    (deal,) = run.state.history
    assert (deal.reason, deal.profit > 0) == ("closed_while_paused", True)
    assert [slot for slot, _, _ in run.fills()] == ["base", "tp", "base"]
    assert run.state.phase is Phase.IN_DEAL


def test_a_pause_in_a_deal_changes_nothing_of_it(
    bench: Bench, config: Make, instrument: Instrument, path: Path
) -> None:
    run = bench(config(max_steps=3, cooldown_candles=9), instrument, path([100, 100, 97, 97, 104]))
    run.operator("pause", after=1)
    run.operator("resume", after=3)
    run.run()
    assert [slot for slot, _, _ in run.fills()] == ["base", "so:01", "tp"]
    assert run.state.history[0].reason == "take_profit"


def test_after_a_halt_that_was_acknowledged_it_finds_its_place(
    bench: Bench, config: Make, instrument: Instrument, path: Path
) -> None:
    made = config(trigger_percentage="0.05", recent_candles=2, max_steps=1)
    run = bench(made, instrument, path([100, 100, 94, 94, 94, 94, 94, 94, 88, 88]))
    run.operator("halt", after=3)
    run.operator("acknowledge", after=5)
    run.run()
    (deal,) = run.state.history
    assert deal.reason == "closed_untold"
    assert [slot for slot, _, _ in run.fills()] == ["base", "exit", "base"]


def test_a_stopped_bot_keeps_what_it_holds_under_its_stop(
    bench: Bench, config: Make, instrument: Instrument, path: Path
) -> None:
    run = bench(config(max_steps=3, stop_loss_percentage="0.1"), instrument, path([100, 100, 100, 85]))
    run.operator("stop", after=1)
    run.run(3)
    assert run.orders == []
    assert run.ledger.quantity == 1
    run.run()
    assert run.fills()[-1][:2] == ("exit", 90)


# -- money, filters, modes ----------------------------------------------------------------------------------


def test_a_deal_that_cannot_be_paid_any_more_waits(
    bench: Bench, config: Make, instrument: Instrument, path: Path
) -> None:
    made = config(max_steps=4, price_deviation="0.01", stop_loss_percentage="0.2")
    closes = [100, 100, 70, *[70.0] * 40]
    run = bench(made, instrument, path(closes), budget=D(410)).run()
    assert run.state.history[0].reason == "stop_loss"
    assert (run.state.deals, run.state.phase, run.state.reason) == (1, Phase.WAITING, "over_budget")
    # Said once, tried ever more seldom.
    assert run.notes().count("over_budget") == 1
    assert 3 <= run.state.attempts <= 6


def test_a_limit_of_the_position_refuses_the_whole_ladder(
    bench: Bench, config: Make, instrument: Instrument, path: Path
) -> None:
    limits = Limits(max_position_size=D(350))
    run = bench(config(max_steps=4), instrument, path([100.0] * 6), limits=limits).run()
    assert run.fills() == []
    assert (run.state.reason, run.state.asked > 1) == ("max_position_size", True)
    assert bench(config(max_steps=3), instrument, path([100.0] * 6), limits=limits).run().fills()


class Halving(EntryFilter):
    def judge(self, plan: Any, view: Any, symbol: str) -> Verdict:
        return Verdict(Ruling.NEUTRAL, "half", D("0.5"))


class Never(EntryFilter):
    def judge(self, plan: Any, view: Any, symbol: str) -> Verdict:
        return Verdict(Ruling.REJECT, "no")


def test_a_filter_scales_a_deal_and_its_steps_are_still_counted(
    bench: Bench, config: Make, instrument: Instrument, path: Path
) -> None:
    made = config(price_deviation="0.02", max_steps=4, volume_scale=2, cooldown_candles=9)
    run = bench(made, instrument, path([100, 95.5, 103]), filters={"half": lambda: Halving(None)}).run()
    assert run.fills()[0] == ("base", 100, D("0.5"))
    (deal,) = run.state.history
    assert deal.steps == 3
    assert deal.quantity == sum(quantity for slot, _, quantity in run.fills() if slot != "tp")


def test_a_filter_that_refuses_is_asked_again_later(
    bench: Bench, config: Make, instrument: Instrument, path: Path
) -> None:
    run = bench(config(), instrument, path([100.0] * 40), filters={"never": lambda: Never(None)}).run()
    assert run.fills() == []
    assert run.state.reason == "filter_rejected:never:no"
    assert len(run.of("plan_rejected")) == 6


def test_an_account_wide_stop_loss_ends_a_deal(
    bench: Bench, config: Make, instrument: Instrument, path: Path
) -> None:
    limits = Limits(stop_loss_ratio=D("0.05"))
    run = bench(
        config(max_steps=1, cooldown_candles=9), instrument, path([100, 100, 90]), limits=limits
    ).run()
    assert run.state.history[0].reason == "stop_loss"


def test_liquidation_ends_it_for_good(bench: Bench, config: Make, linear: Instrument, path: Path) -> None:
    made = config(amount_per_step=2000, max_steps=2, price_deviation="0.01")
    run = bench(made, linear, path([100, 100, 60, 60, 100]), budget=D(500), leverage=D(10)).run()
    assert (run.state.phase, run.state.reason) == (Phase.STOPPED, "liquidation")
    assert run.state.history[0].reason == "liquidation"


# -- state and latency --------------------------------------------------------------------------------------


def test_the_state_survives_being_saved_at_any_time(
    bench: Bench, config: Make, instrument: Instrument
) -> None:
    made = config(price_deviation="0.01", max_steps=4, trigger_percentage="0.02", volume_scale="1.2")
    candles = market("ranging", rows=150)
    for rows in (60, 100, 150):
        first = bench(made, instrument, candles).run(rows)
        fresh = bench(made, instrument, candles)
        restore(fresh.engine, snapshot(first.engine))
        assert fresh.state == first.state
    assert first.state.history


@pytest.mark.parametrize("latency_ms", [1, 2_000, 600_000])
def test_a_slow_venue_leaves_books_that_agree(
    bench: Bench, config: Make, instrument: Instrument, latency_ms: int
) -> None:
    made = config(price_deviation="0.01", max_steps=6, max_active_safety_orders=2)
    run = bench(made, instrument, market("ranging", rows=300), latency_ms=latency_ms).run()
    assert run.state.deals > 3
    held = run.exchange.markets["BTC/USDT"].position.quantity
    assert run.ledger.quantity == held
    assert run.exchange.flow - run.exchange.balance == run.ledger.flow


@pytest.mark.parametrize("name", ["ranging", "rising", "falling", "crash", "gappy"])
@pytest.mark.parametrize("direction", ["long", "short"])
def test_the_deals_add_up_to_the_ledger(
    bench: Bench, config: Make, linear: Instrument, name: str, direction: str
) -> None:
    made = config(
        direction=direction,
        price_deviation="0.01",
        max_steps=5,
        stop_loss_percentage="0.06",
        volume_scale="1.4",
    )
    run = bench(made, linear, market(name, rows=400), leverage=D(5), budget=D(5000)).run()
    state, held = run.state, run.ledger
    assert state.deals == len(state.history) > 0
    for number, deal in enumerate(state.history, start=1):
        assert deal.number >= number
        assert 1 <= deal.steps <= 5
        assert deal.opened_ms <= deal.closed_ms
    assert state.profit == sum(deal.profit for deal in state.history)
    assert state.invested == sum(deal.invested for deal in state.history)
    assert state.won == sum(deal.profit > 0 for deal in state.history)
    if state.deal is None:
        assert state.profit == held.realized_pnl - held.fees
    else:
        mark = state.deal.mark
        assert state.profit == mark.realized - mark.fees


def test_a_linear_rest_below_the_least_notional_is_still_a_deal(
    bench: Bench, config: Make, linear: Instrument, path: Path
) -> None:
    steps = [{"gain": "0.01", "share": "0.99"}]
    made = config(take_profit_steps=steps, max_steps=1, cooldown_candles=9)
    small = evolve(linear, min_notional=D(50))
    run = bench(made, small, path([100, 100, 101.5, 104]), leverage=D(2)).run()
    assert [slot for slot, _, _ in run.fills()] == ["base", "tp:1", "tp"]
    assert run.ledger.quantity == 0
