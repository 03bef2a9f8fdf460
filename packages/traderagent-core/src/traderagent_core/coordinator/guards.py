"""Guards judged at closes of the base timeframe: risk modes over the account, daily loss over a bot.

A guard is quiet while equity stays inside a band; the band is what a driver scans closes for.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from attrs import define, field

from traderagent_core.contract.risk_mode import INACTIVE, ModeState, Portfolio, RiskLevels, RiskMode
from traderagent_core.errors import PluginError, PluginHungError
from traderagent_core.model.timeframe import DAY_MS
from traderagent_core.ports import Call, call_plainly

ZERO = Decimal(0)
ONE = Decimal(1)
MODE_FAILED = "mode_failed:"
HUNG = ModeState(is_active=True, is_entry_allowed=False, reason="mode_hung")
"""The word of a mode that would not answer: nothing is added."""


@define
class EquityBand:
    """Wake at the first close at which base + sum of quantity × close is at or outside (floor, ceiling)."""

    base: Decimal
    quantities: Mapping[str, Decimal]
    floor: Decimal | None
    ceiling: Decimal | None

    def is_outside(self, closes: Mapping[str, float]) -> bool:
        """Whether equity at these closes is at or outside it, or nearly: too often does no harm."""
        equity = float(self.base)
        for symbol, quantity in self.quantities.items():
            equity += float(quantity) * closes[symbol]
        margin = 1e-9 * abs(equity)
        if self.floor is not None and equity <= float(self.floor) + margin:
            return True
        return self.ceiling is not None and equity >= float(self.ceiling) - margin


@define(eq=False)
class ModeWatch:
    """One risk mode with its levels and its last word; raises PluginError for levels that cannot be had."""

    name: str
    mode: RiskMode
    state: ModeState = INACTIVE
    levels: RiskLevels = field(init=False)

    @levels.default
    def _find_levels(self) -> RiskLevels:
        try:
            levels: object = self.mode.levels()
        except Exception as error:
            raise PluginError(
                f"risk mode {self.name!r}: levels() failed: {error!r}", plugin=self.name
            ) from error
        if not isinstance(levels, RiskLevels):
            raise PluginError(
                f"risk mode {self.name!r}: levels() must return RiskLevels, not {levels!r}", plugin=self.name
            )
        return levels

    @property
    def has_hung(self) -> bool:
        """Whether its last word is that it would not answer; texts are compared first, as they take no time."""
        return self.state.reason == HUNG.reason and self.state == HUNG

    def asked(self, portfolio: Portfolio, call: Call) -> ModeState:
        """The mode's word; one that raises, or answers with anything else, lets nothing be added.

        One that has hung is not asked again until `forgive`.
        """
        if self.has_hung:
            return HUNG
        try:
            state: object = call("", f"risk mode {self.name}", self.mode.judge, portfolio, self.state)
            if not isinstance(state, ModeState):
                raise TypeError(f"judge must return a ModeState, not {state!r}")
        except PluginHungError:
            return HUNG
        except Exception as error:
            return ModeState(
                is_active=True, is_entry_allowed=False, reason=f"{MODE_FAILED}{type(error).__name__}"
            )
        return state


@define(eq=False)
class AccountGuard:
    """Peak, day-start and last judged equity of the account, and what the risk modes make of them.

    `is_stressed` and `is_halted` are told from outside, before the next `judge`.
    """

    modes: Sequence[ModeWatch]
    balance: Decimal
    peak: Decimal
    day_start: Decimal
    judged: Decimal
    day: int = -1
    is_stressed: bool = False
    is_halted: bool = False
    size_factor: Decimal = ONE
    is_entry_allowed: bool = True
    _edges: tuple[tuple[Decimal, ...], Decimal | None, Decimal | None] | None = field(
        default=None, init=False
    )
    """The edges of the band, and what they follow from."""

    @property
    def watches_stress(self) -> bool:
        """Whether any mode wants to know whether the market is stressed."""
        return any(watch.levels.stress for watch in self.modes)

    def judge(self, time_ms: int, equity: Decimal, call: Call = call_plainly) -> list[ModeWatch]:
        """Take in a close; returns the modes whose word has changed."""
        self.judged = equity
        day = time_ms // DAY_MS
        if day != self.day:
            self.day = day
            self.day_start = equity
        self.peak = max(self.peak, equity)
        portfolio = Portfolio(
            time_ms, equity, self.peak, self.day_start, is_stressed=self.is_stressed, is_halted=self.is_halted
        )
        changed = []
        for watch in self.modes:
            state = watch.asked(portfolio, call)
            if state is not watch.state and state != watch.state:
                watch.state = state
                changed.append(watch)
        self.combine()
        return changed

    def combine(self) -> None:
        """What the last words of all modes come to together."""
        self.size_factor = ONE
        self.is_entry_allowed = True
        for watch in self.modes:
            if watch.state.is_active:
                self.size_factor *= watch.state.size_factor
                self.is_entry_allowed &= watch.state.is_entry_allowed

    @property
    def has_hung(self) -> bool:
        """Whether any mode would not answer."""
        return any(watch.has_hung for watch in self.modes)

    def forgive(self) -> list[ModeWatch]:
        """An operator has spoken: modes that have hung are asked again at the next close. Returns them."""
        forgiven = [watch for watch in self.modes if watch.has_hung]
        for watch in forgiven:
            watch.state = INACTIVE
        self.combine()
        return forgiven

    def forget_peak(self) -> None:
        """An operator has acknowledged a halt: drawdown counts from the last judged equity on."""
        self.peak = self.judged

    def begin(self, time_ms: int) -> None:
        """The account starts trading: the equity it was built with is that of the start of this day."""
        if self.day < 0:
            self.day = time_ms // DAY_MS

    @property
    def has_begun(self) -> bool:
        """Whether the account trades: closes before that are no part of any day."""
        return self.day >= 0

    def band(self, base: Decimal, quantities: Mapping[str, Decimal]) -> EquityBand:
        """The band around the last judged equity inside which no mode can change its word and no peak is made.

        Not around the equity of now: fills and prices since the last close have not been judged yet.
        """
        key = (self.peak, self.day_start, self.judged)
        if self._edges is None or self._edges[0] != key:
            self._edges = key, *self._find_edges()
        return EquityBand(base, quantities, *self._edges[1:])

    def _find_edges(self) -> tuple[Decimal | None, Decimal | None]:
        """The levels next to the last judged equity."""
        levels = {self.peak}
        for watch in self.modes:
            levels |= {self.peak * (ONE - level) for level in watch.levels.drawdown}
            levels |= {self.day_start * (ONE - level) for level in watch.levels.daily_loss}
        below = [level for level in levels if level < self.judged]
        above = [level for level in levels if level >= self.judged]
        return max(below, default=None), min(above, default=None)
