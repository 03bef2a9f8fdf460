"""Risk modes: how the state of the whole account limits new exposure."""

from decimal import Decimal
from typing import Any

from attrs import Attribute, field, frozen

from traderagent_core.contract.size_factor import check_size_factor

ZERO = Decimal(0)
ONE = Decimal(1)


@frozen
class Portfolio:
    """The account as risk modes see it, judged at closes of the base timeframe; money in quote currency.

    Drawdown is the fall from the peak of equity, daily loss the fall since UTC midnight, both as ratios >= 0.
    Stress is the correlation monitor's word, and a halt is on until an operator has acknowledged it; when one of the
    two changes, every mode is asked again.
    """

    time_ms: int
    equity: Decimal
    peak_equity: Decimal
    day_start_equity: Decimal
    is_stressed: bool = False
    is_halted: bool = False

    @property
    def drawdown_ratio(self) -> Decimal:
        """(peak - equity) / peak."""
        return (self.peak_equity - self.equity) / self.peak_equity if self.peak_equity > ZERO else ZERO

    @property
    def daily_loss_ratio(self) -> Decimal:
        """(equity at UTC midnight - equity) / equity at UTC midnight, at least 0."""
        if self.day_start_equity <= ZERO:
            return ZERO
        return max((self.day_start_equity - self.equity) / self.day_start_equity, ZERO)


def _check_ratios(_levels: Any, attribute: "Attribute[Any]", value: Any) -> None:
    if not isinstance(value, tuple) or not all(isinstance(each, Decimal) for each in value):
        raise TypeError(
            f"{attribute.name} must be a tuple of Decimals, such as (Decimal('0.1'),), not {value!r}"
        )
    if not all(ZERO < each < ONE for each in value):
        raise ValueError(f"{attribute.name} must be ratios above 0 and below 1, 0.1 for 10 %, not {value!r}")


@frozen
class RiskLevels:
    """Ratios at which a mode's answer may change; the engine looks again when one of them is crossed.

    With `stress` the answer depends on the correlation monitor's word, too; without it nobody need make that. Raises
    TypeError for what is no tuple of Decimals, ValueError for one that is not above 0 and below 1.
    """

    drawdown: tuple[Decimal, ...] = field(default=(), validator=_check_ratios)
    daily_loss: tuple[Decimal, ...] = field(default=(), validator=_check_ratios)
    stress: bool = False


@frozen
class ModeState:
    """What a mode says now. Size factors of several active modes multiply; `until_ms` is the mode's own reminder.

    With `is_halt` the engine closes everything and waits for an operator, whatever the mode says afterwards. Raises
    TypeError for a size factor that is no Decimal, ValueError for one that is not above 0 and at most 1.
    """

    is_active: bool
    size_factor: Decimal = field(default=ONE)
    is_entry_allowed: bool = True
    reason: str = ""
    until_ms: int = 0
    is_halt: bool = False

    @size_factor.validator
    def _check(self, _attribute: Any, value: Decimal) -> None:
        check_size_factor(value, "is_entry_allowed=False")


INACTIVE = ModeState(is_active=False)


class RiskMode:
    """Binds every order that increases net exposure, whatever its purpose; orders that reduce it always pass."""

    def __init__(self, config: Any) -> None:
        self.config = config

    def levels(self) -> RiskLevels:
        """Ratios at which `judge` may change its answer."""
        raise NotImplementedError(f"{type(self).__name__} does not define levels")

    def judge(self, portfolio: Portfolio, previous: ModeState) -> ModeState:
        """The mode's word on this portfolio; depends on its arguments only."""
        raise NotImplementedError(f"{type(self).__name__} does not define judge")
