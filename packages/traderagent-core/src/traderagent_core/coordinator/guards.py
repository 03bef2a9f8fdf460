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
    """Peak, day-start and last judged equity of the account, and what the risk modes make of them."""

    modes: Sequence[ModeWatch]
    balance: Decimal
    peak: Decimal
    day_start: Decimal
    judged: Decimal
    day: int = -1
    size_factor: Decimal = ONE
    is_entry_allowed: bool = True

    def judge(self, time_ms: int, equity: Decimal) -> list[ModeWatch]:
        """Take in a close; returns the modes whose word has changed."""
        self.judged = equity
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

    def begin(self, time_ms: int) -> None:
        """The account starts trading: the equity it was built with is that of the start of this day."""
        if self.day < 0:
            self.day = time_ms // DAY_MS

    def band(self, base: Decimal, quantities: Mapping[str, Decimal]) -> EquityBand:
        """The band around the last judged equity inside which no mode can change its word and no peak is made.

        Not around the equity of now: fills and prices since the last close have not been judged yet.
        """
        levels = {self.peak}
        for watch in self.modes:
            wanted = watch.mode.levels()
            levels |= {self.peak * (ONE - level) for level in wanted.drawdown}
            levels |= {self.day_start * (ONE - level) for level in wanted.daily_loss}
        below = [level for level in levels if level < self.judged]
        above = [level for level in levels if level >= self.judged]
        return EquityBand(base, quantities, max(below, default=None), min(above, default=None))
