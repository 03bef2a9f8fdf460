"""Guards judged at closes of the base timeframe: risk modes over the account, daily loss over a bot.

A guard is quiet while equity stays inside a band; the band is what a driver scans closes for.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from attrs import define, frozen

from traderagent_core.contract.risk_mode import INACTIVE, ModeState, Portfolio, RiskMode
from traderagent_core.model.timeframe import DAY_MS

ZERO = Decimal(0)
ONE = Decimal(1)


@frozen
class EquityBand:
    """Wake at the first close at which base + sum of quantity × close is at or outside (floor, ceiling)."""

    base: Decimal
    quantities: Mapping[str, Decimal]
    floor: Decimal | None
    ceiling: Decimal | None


@define(eq=False)
class ModeWatch:
    """One risk mode with its last word."""

    name: str
    mode: RiskMode
    state: ModeState = INACTIVE


@define(eq=False)
class AccountGuard:
    """Peak and day-start equity of the account, and what the risk modes make of them."""

    modes: Sequence[ModeWatch]
    balance: Decimal
    peak: Decimal
    day_start: Decimal
    day: int = -1
    size_factor: Decimal = ONE
    is_entry_allowed: bool = True

    def judge(self, time_ms: int, equity: Decimal) -> list[ModeWatch]:
        """Take in a close; returns the modes whose word has changed."""
        day = time_ms // DAY_MS
        if day != self.day:
            self.day = day
            self.day_start = equity
        self.peak = max(self.peak, equity)
        portfolio = Portfolio(time_ms, equity, self.peak, self.day_start)
        changed = []
        for watch in self.modes:
            state = watch.mode.judge(portfolio, watch.state)
            if state != watch.state:
                watch.state = state
                changed.append(watch)
        self._combine()
        return changed

    def _combine(self) -> None:
        self.size_factor = ONE
        self.is_entry_allowed = True
        for watch in self.modes:
            if watch.state.is_active:
                self.size_factor *= watch.state.size_factor
                self.is_entry_allowed &= watch.state.is_entry_allowed

    def band(self, base: Decimal, quantities: Mapping[str, Decimal], equity: Decimal) -> EquityBand:
        """The band around `equity` inside which no mode can change its word and no new peak is made."""
        levels = {self.peak}
        for watch in self.modes:
            wanted = watch.mode.levels()
            levels |= {self.peak * (ONE - level) for level in wanted.drawdown}
            levels |= {self.day_start * (ONE - level) for level in wanted.daily_loss}
        below = [level for level in levels if level < equity]
        above = [level for level in levels if level >= equity]
        return EquityBand(base, quantities, max(below, default=None), min(above, default=None))
