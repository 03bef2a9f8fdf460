"""Deals that begin with a position that is held already, and deals that somebody else goes on with."""

from collections.abc import Callable, Sequence
from decimal import Decimal as D
from typing import Any

import pytest
from traderagent_core import Instrument, ModeState, RiskLevels, RiskMode
from traderagent_core.testing import (
    Bot,
    Conditions,
    Holder,
    HolderConfig,
    Run,
    candles_from_closes,
    start_turns,
)
from traderagent_dca.config import DcaConfig
from traderagent_dca.state import Phase
from traderagent_dca.strategy import DcaStrategy

Make = Callable[..., DcaConfig]
TURN = 5
"""The candle at whose close the other one comes."""


class NoEntries(RiskMode):
    """Nothing is added after the slightest loss of a day."""

    def levels(self) -> RiskLevels:
        return RiskLevels(daily_loss=(D("0.00001"),))

    def judge(self, portfolio: Any, previous: ModeState) -> ModeState:
        is_active = portfolio.daily_loss_ratio >= D("0.00001")
        return ModeState(is_active, is_entry_allowed=not is_active, reason="loss")


def turns(first: Any, second: Any, instrument: Instrument, closes: Sequence[float], **conditions: Any) -> Run:
    """Two strategies on these closes, each a configuration; the second comes at the close of candle TURN."""
    candles = candles_from_closes(closes, symbol=instrument.symbol)
    classes = {DcaConfig: DcaStrategy, HolderConfig: Holder}
    bots = [
        Bot(classes[type(config)], config, candles, instrument, name=name)
        for name, config in (("first", first), ("second", second))
    ]
    run = start_turns(*bots, [int(candles.open_time[TURN + 1])], Conditions(**conditions)).run()
    assert not run.failures
    return run


def outcomes(run: Run) -> list[str]:
    return [record[6] for record in run.of("transition_ended")]


def resting(run: Run) -> dict[str, tuple[D, D]]:
    return {order[0]: (order[2], order[3]) for order in run.orders}


HELD = HolderConfig(share=D("0.02"))
"""2 bought at 100: what two steps of 100 cost."""


@pytest.mark.parametrize("price", [100, 95])
def test_what_is_held_is_the_base_of_a_deal(config: Make, instrument: Instrument, price: float) -> None:
    """Two steps are spent; the next one is 2 % below the price or the average, whichever is lower."""
    closes = [100] * 4 + [price] * 6
    run = turns(HELD, config(price_deviation="0.02", max_steps=5), instrument, closes)
    assert outcomes(run) == ["handed over"]
    heir = run.engine.members["second"]
    assert (heir.ledger.quantity, heir.ledger.average_price) == (2, 100)
    deal = heir.strategy.state.deal
    rungs = [D(price) * ratio / D("0.98") for ratio in (D("0.96"), D("0.94"), D("0.92"))]
    assert resting(run).keys() == {"tp", "so:01", "so:02", "so:03"}
    assert resting(run)["tp"] == (102, 2)
    for name, at in zip(("so:01", "so:02", "so:03"), rungs, strict=True):
        laid, quantity = resting(run)[name]
        assert at - D("0.01") < laid <= at
        assert D(99) < laid * quantity <= 100
    assert deal.quantities == (
        2,
        *(quantity for name, (_, quantity) in sorted(resting(run).items()) if name != "tp"),
    )


def test_a_deal_that_was_taken_over_is_told_whole(config: Make, instrument: Instrument) -> None:
    """Held 2 at 100, bought once more at about 97.95, sold all 2 % above the average."""
    closes = [100] * 7 + [97] * 2 + [103] * 2
    run = turns(HELD, config(price_deviation="0.02", max_steps=5, cooldown_candles=9), instrument, closes)
    (done,) = run.engine.members["second"].strategy.state.history
    ledger = run.engine.members["second"].ledger
    assert (done.steps, done.reason, ledger.quantity) == (2, "take_profit", 0)
    assert done.quantity == ledger.bought_quantity
    assert D("99.2") < done.average < D("99.4")
    assert (done.realized, done.fees) == (ledger.realized_pnl, ledger.fees)
    assert done.profit > 0


def test_the_safety_orders_follow_one_after_another(config: Make, instrument: Instrument) -> None:
    keys = {"price_deviation": "0.02", "max_steps": 5, "max_active_safety_orders": 1}
    closes = [100] * 7 + [97] * 3
    run = turns(HELD, config(**keys), instrument, closes)
    assert resting(run).keys() == {"tp", "so:02"}


def test_a_short_position_is_a_short_deal(config: Make, linear: Instrument) -> None:
    short = HolderConfig(share=D("0.02"), is_long=False)
    run = turns(short, config(direction="short", price_deviation="0.02"), linear, [100] * 7 + [97] * 3)
    (done,) = run.engine.members["second"].strategy.state.history
    assert (done.quantity, done.average, done.steps) == (2, 100, 1)
    assert done.realized == run.engine.members["second"].ledger.realized_pnl > 0


@pytest.mark.parametrize(
    ("held", "keys"),
    [
        (HolderConfig(share=D("0.06")), {}),
        (HELD, {"direction": "short"}),
        (HELD, {"stop_loss_percentage": "0.001"}),
        (HELD, {"max_steps": 1, "trailing_deviation": "0.01"}),
    ],
    ids=["more than a whole deal", "on the other side", "past its stop", "without an order for it"],
)
def test_what_would_be_no_deal_is_wound_down(
    config: Make, linear: Instrument, held: HolderConfig, keys: dict[str, Any]
) -> None:
    usual = {"max_steps": 5, "price_deviation": "0.02"}
    run = turns(held, config(**{**usual, **keys}), linear, [100] * 4 + [99.5] * 10)
    assert not run.of("ledger_handed_over")
    assert outcomes(run) == ["forced"]


def test_where_nothing_may_be_added_there_is_a_take_profit(config: Make, instrument: Instrument) -> None:
    closes = [100] * 4 + [99] * 4
    modes = {"calm": lambda: NoEntries(None)}
    run = turns(HELD, config(price_deviation="0.02"), instrument, closes, modes=modes)
    heir = run.engine.members["second"]
    assert resting(run) == {"tp": (102, 2)}
    assert heir.strategy.state.deal.quantities == (2,)
    assert heir.strategy.state.phase is Phase.IN_DEAL


def test_a_deal_goes_on_as_a_deal_with_another_target(config: Make, instrument: Instrument) -> None:
    first = config(start="immediate", price_deviation="0.02", max_steps=3)
    second = config(take_profit_percentage="0.05", price_deviation="0.02", max_steps=5, cooldown_candles=3)
    run = turns(first, second, instrument, [100] * 3 + [97.5] * 3 + [97.5] * 3)
    (_, _, _, _, _, quantity, average) = run.of("ledger_handed_over")[0]
    (done,) = run.engine.members["first"].strategy.state.history
    assert (done.reason, done.quantity) == ("handed_over", quantity)
    assert abs(done.average - average) < D("1e-12")
    assert abs(done.realized) < D("1e-12")
    price, size = resting(run)["tp"]
    assert size == quantity
    assert price == (average * D("1.05")).quantize(D("0.01"), "ROUND_CEILING")
    assert len([name for name in resting(run) if name.startswith("so:")]) == 3
