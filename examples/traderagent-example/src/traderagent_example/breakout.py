"""Buys new highs, follows them with a trailing stop, and rests after each deal."""

from collections.abc import Sequence
from decimal import Decimal

import numpy as np
from attrs import frozen
from numpy.typing import NDArray
from traderagent_core import (
    AverageTimes,
    Candle,
    Columns,
    Context,
    Fixed,
    Instrument,
    Leg,
    Needs,
    Plan,
    Problem,
    Purpose,
    Side,
    Stop,
    Strategy,
    Trail,
    Wake,
)
from traderagent_core.indicators import Highest

from traderagent_example.config import BreakoutConfig

HOUR_MS = 3_600_000
SHARE = Decimal("0.5")


@frozen
class BreakoutState:
    """Until when it rests, ms UTC."""

    schema_version: int = 1
    rests_until_ms: int = 0


class Breakout(Strategy):
    """One deal at a time, for half the budget."""

    config: BreakoutConfig
    state: BreakoutState
    state_class = BreakoutState

    @classmethod
    def needs(cls, config: BreakoutConfig) -> Needs:
        """The highest highs, and calls at candles that exceed them."""
        return Needs(indicators=(Highest(config.period),), look_back=2, wake=Wake.CANDIDATES)

    @classmethod
    def check(
        cls, config: BreakoutConfig, instrument: Instrument, price: Decimal, budget: Decimal
    ) -> Sequence[Problem]:
        """Half the budget has to be enough for an order."""
        found = instrument.size_problem(instrument.round_quantity(budget * SHARE / price), price)
        return [Problem(f"half the budget is too small: {found}", "raise the balance")] if found else []

    @classmethod
    def candidates(cls, config: BreakoutConfig, columns: Columns) -> NDArray[np.bool_]:
        """Closes above the highest high up to the candle before."""
        marks = np.zeros(len(columns["close"]), dtype=bool)
        marks[1:] = columns["close"][1:] > columns[Highest(config.period).key][:-1]
        return marks

    def on_start(self, context: Context) -> None:
        """Nothing to do before the first new high."""

    def on_candle(self, context: Context, candle: Candle) -> None:
        """A new high: buy, unless a deal is on or it rests."""
        quantity = context.instrument.round_quantity(context.budget * SHARE / context.price)
        if context.position.quantity or not quantity or context.now_ms < self.state.rests_until_ms:
            return
        buy = Leg("buy", "deal", Side.BUY, Purpose.ENTRY, Fixed(quantity))
        trail = Trail(activation_ratio=self.config.trail, distance_ratio=self.config.trail)
        stop = Stop(long=AverageTimes(1 - self.config.stop), trail=trail)
        context.enter(Plan("deal", (buy,), ("buy",), stop))

    def on_closed(self, context: Context, reason: str) -> None:
        """The plan is over; where nothing is held any more, the deal is, too."""
        if not context.position.quantity:
            self.state = BreakoutState(rests_until_ms=context.now_ms + self.config.rest_hours * HOUR_MS)
