"""What the cases of the risk mode kit share: portfolios cell by cell, and the answers a mode can be led to."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import pairwise, product
from typing import Any, ClassVar

from attrs import evolve, frozen

from traderagent_core.contract.risk_mode import INACTIVE, ModeState, Portfolio, RiskLevels, RiskMode
from traderagent_core.model.timeframe import DAY_MS
from traderagent_core.testing.comparing import refuse
from traderagent_core.testing.conformance.subjects import Configured, Subject
from traderagent_core.testing.markets import START_MS

ZERO, ONE = Decimal(0), Decimal(1)
PEAKS = (Decimal("97.31"), Decimal(10_000), Decimal(2_500_000))
DAY_STARTS = (ONE, Decimal("0.93"), Decimal("0.71"))
"""Equity at UTC midnight as shares of the peak."""

NOON_MS = START_MS + DAY_MS // 2
MOST_STATES = 24


@frozen
class Cell:
    """Portfolios of one peak, day and day start between two neighbouring levels, from the top downwards.

    The engine does not ask a mode again while equity moves inside a cell. A level itself belongs to the cell below
    it: reaching it is enough.
    """

    portfolios: tuple[Portfolio, ...]


class ModeKit(Configured):
    """Attributes and methods by which a risk mode says what is to be examined; see RiskModeConformance."""

    mode_class: ClassVar[type[RiskMode]]

    def build(self, subject: Subject) -> RiskMode:
        """A new mode."""
        return self.mode_class(subject.config)

    def levels(self, subject: Subject) -> RiskLevels:
        """The declared levels, if they can be used; their own case examines them."""
        mode = self.build(subject)
        problem = levels_problem(mode, mode)
        if problem is not None:
            refuse(
                expected="RiskLevels of ratios above 0 and below 1",
                found=problem,
                mend="return RiskLevels(drawdown=(Decimal(…),), daily_loss=(…,)) from levels()",
            )
        return mode.levels()

    def ask(self, mode: RiskMode, portfolio: Portfolio, previous: ModeState) -> ModeState:
        """The mode's word; an exception fails the case."""
        try:
            state: Any = mode.judge(portfolio, previous)
        except Exception as error:
            refuse(
                expected=f"judge returns for {portfolio}",
                found=f"{type(error).__name__}: {error}",
                mend="use drawdown_ratio and daily_loss_ratio, and divide by nothing that may be zero",
            )
        problem = state_problem(state, portfolio)
        if problem is not None:
            refuse(
                expected=f"a valid ModeState for {portfolio}",
                found=problem,
                mend="return INACTIVE, or ModeState(is_active=True, size_factor=…, reason=…)",
            )
        return state  # type: ignore[no-any-return]

    def cells(self, subject: Subject, day: int = 0) -> Iterator[Cell]:
        """All cells of some peaks and day starts; none depends on the mode but for its levels.

        Those of one peak come once more under stress, and once more in a halt.
        """
        levels, time_ms = self.levels(subject), NOON_MS + day * DAY_MS
        for peak, share in product(PEAKS, DAY_STARTS):
            yield from _cells(peak, peak * share, levels, time_ms)
        for is_stressed in (True, False):
            for cell in _cells(PEAKS[0], PEAKS[0], levels, time_ms):
                told = (
                    evolve(portfolio, is_stressed=is_stressed, is_halted=not is_stressed)
                    for portfolio in cell.portfolios
                )
                yield Cell(tuple(told))

    def states(self, subject: Subject) -> list[ModeState]:
        """Answers that the mode can be led to, by way of every cell, over three days."""
        mode, found = self.build(subject), [INACTIVE]
        for known in found:
            cells = (cell for day in (0, 1, 2) for cell in self.cells(subject, day))
            for portfolio in (each for cell in cells for each in cell.portfolios[::3]):
                state = self.ask(mode, portfolio, known)
                if state not in found and len(found) < MOST_STATES:
                    found.append(state)
        return found


def _cells(peak: Decimal, day_start: Decimal, levels: RiskLevels, time_ms: int) -> Iterator[Cell]:
    bounds = {peak, peak * Decimal("0.0001")}
    bounds |= {peak * (ONE - level) for level in levels.drawdown}
    bounds |= {day_start * (ONE - level) for level in levels.daily_loss}
    falling = sorted((bound for bound in bounds if ZERO < bound <= peak), reverse=True)
    for top, bottom in pairwise(falling):
        width = top - bottom
        inside = [top - width * Decimal(share) for share in ("0.001", "0.2", "0.5", "0.8", "0.999")]
        yield Cell(tuple(Portfolio(time_ms, equity, peak, day_start) for equity in (top, *inside)))


def later(portfolio: Portfolio, time_ms: int) -> Portfolio:
    """The same money at another time."""
    return evolve(portfolio, time_ms=time_ms)


def strange_portfolios() -> Iterator[Portfolio]:
    """Accounts that no one should have: empty, in debt, tiny, huge, with numbers of many digits."""
    many = Decimal("0.1234567890123456789012345678901234567890")
    amounts: Sequence[Decimal] = (ZERO, Decimal(-1000), many, Decimal("1e-18"), Decimal("1e18"), 1000 + many)
    for equity, peak, day_start in product(amounts, amounts, amounts):
        if peak >= equity:
            for time_ms in (0, NOON_MS, NOON_MS + 400 * DAY_MS):
                yield Portfolio(time_ms, equity, peak, day_start)


def levels_problem(mode: RiskMode, other: RiskMode) -> str | None:
    """What is wrong with the levels that two of a kind declare, or None."""
    try:
        found: list[Any] = [mode.levels(), mode.levels(), other.levels()]
    except (TypeError, ValueError) as error:
        return str(error)
    if not isinstance(found[0], RiskLevels):
        return f"{found[0]!r}, which is not RiskLevels"
    return None if found == [found[0]] * 3 else f"{found}"


def state_problem(answer: Any, portfolio: Portfolio) -> str | None:
    """What is wrong with an answer of a mode, or None."""
    if type(answer) is not ModeState:
        return f"{answer!r}, which is not a ModeState"
    state: Any = answer
    if type(state.is_active) is not bool or type(state.is_entry_allowed) is not bool:
        return f"{state!r}, whose is_active and is_entry_allowed are not both true or false"
    if not isinstance(state.reason, str) or (state.is_active and not state.reason.strip()):
        return f"{state!r}, which is active without a reason"
    if not state.is_active and (state.size_factor != ONE or not state.is_entry_allowed):
        return f"{state!r}, which binds something although it is not active"
    if type(state.until_ms) is not int or (state.until_ms and state.until_ms <= portfolio.time_ms):
        return f"until_ms={state.until_ms!r}, which is over at {portfolio.time_ms}"
    return None


def weight(state: ModeState) -> Decimal:
    """What a state leaves of a new order."""
    if not state.is_active:
        return ONE
    return state.size_factor if state.is_entry_allowed else ZERO


def is_worse(portfolio: Portfolio, other: Portfolio) -> bool:
    """Whether it has less equity and is the same in all else."""
    return portfolio.equity < other.equity and portfolio == evolve(other, equity=portfolio.equity)
