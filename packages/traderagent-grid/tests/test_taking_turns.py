"""Grids that take over positions, and what becomes of those that they hand over."""

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
from traderagent_grid.config import GridConfig
from traderagent_grid.state import Phase
from traderagent_grid.strategy import GridStrategy

Make = Callable[..., GridConfig]
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
    classes = {GridConfig: GridStrategy, HolderConfig: Holder}
    bots = [
        Bot(classes[type(config)], config, candles, instrument, name=name)
        for name, config in (("first", first), ("second", second))
    ]
    run = start_turns(*bots, [int(candles.open_time[TURN + 1])], Conditions(**conditions)).run()
    assert not run.failures
    return run


def outcomes(run: Run) -> list[str]:
    return [record[6] for record in run.of("transition_ended")]


def resting(run: Run, side: str) -> list[tuple[D, D]]:
    return [(order[2], order[3]) for order in run.orders if order[1] == side]


def test_a_grid_goes_on_with_what_another_grid_holds(config: Make, instrument: Instrument) -> None:
    closes = [100.5] * 3 + [98.5] * 3 + [98.5] * 4
    run = turns(config(), config(lower_price=88, upper_price=112, grid_levels=13), instrument, closes)
    ((_, time_ms, *moved),) = run.of("ledger_handed_over")
    quantity, average = moved[3], moved[4]
    assert outcomes(run) == ["handed over"]
    assert time_ms == run.close_ms(TURN)
    later = [record for record in run.of("filled") if record[1] >= time_ms]
    bought = sum((record[5] for record in later), D(0))
    assert bought < quantity / 2, "only what the new sells lack is bought"
    heir = run.engine.members["second"].ledger
    assert heir.quantity == quantity + bought
    assert sum(size for _, size in resting(run, "SELL")) <= heir.quantity
    assert {price for price, _ in resting(run, "SELL")} == set(map(D, range(100, 113, 2))) - {D(98)} | {
        D(100)
    }
    first = run.engine.members["first"]
    assert (first.ledger.quantity, first.strategy.state.reason) == (0, "handed_over")
    assert average > 0


def test_inventory_sells_at_the_levels_of_the_new_grid(config: Make, instrument: Instrument) -> None:
    closes = [100] * 6 + [100] * 2 + [103] * 3
    run = turns(
        HolderConfig(share=D("0.02")),
        config(lower_price=96, upper_price=104, grid_levels=9),
        instrument,
        closes,
    )
    assert outcomes(run) == ["handed over"]
    sold = [(price, quantity) for slot, side, price, quantity in run.fills() if side == "SELL"]
    assert [price for price, _ in sold] == [101, 102, 103]
    assert run.engine.members["second"].ledger.realized_pnl > 0


@pytest.mark.parametrize(
    ("held", "keys"),
    [
        (HolderConfig(share=D("0.2")), {}),
        (HolderConfig(share=D("0.02")), {"direction": "short"}),
        (HolderConfig(share=D("0.02"), is_long=False), {"direction": "long"}),
        (HolderConfig(share=D("0.02")), {"amount_per_grid": 4000}),
    ],
    ids=["more than its sells give back", "long to a short grid", "short to a long grid", "beyond its means"],
)
def test_what_a_grid_would_not_hold_itself_is_wound_down(
    config: Make, linear: Instrument, held: HolderConfig, keys: dict[str, Any]
) -> None:
    run = turns(held, config(**keys), linear, [100] * 14)
    assert not run.of("ledger_handed_over")
    assert outcomes(run) == ["forced"]


def test_while_a_mode_forbids_the_grid_what_was_taken_over_rests_at_its_levels(
    config: Make, instrument: Instrument
) -> None:
    """It is laid whole when the day is over."""
    closes = [100] * 4 + [99] * 36
    grid = config(lower_price=95, upper_price=105, grid_levels=11)
    run = turns(
        HolderConfig(share=D("0.02")), grid, instrument, closes, modes={"calm": lambda: NoEntries(None)}
    )
    assert outcomes(run) == ["handed over"]
    heir = run.engine.members["second"]
    laid = [record for record in run.of("plan_granted") if record[2] == "second"]
    assert [record[4].name for record in laid] == ["grid:closing"] * (len(laid) - 1) + ["grid"]
    closing = laid[0][7]
    assert sum(leg.quantity.quantity for leg in closing) == run.of("ledger_handed_over")[0][5]
    assert all(leg.price.price >= 100 for leg in closing)
    assert heir.strategy.state.phase is Phase.RUNNING
    sells = sum(size for _, size in resting(run, "SELL"))
    assert sells <= heir.ledger.quantity
