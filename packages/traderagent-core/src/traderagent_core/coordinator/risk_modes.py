"""The built-in risk modes: drawdown of the account, its loss of the day, markets moving alike, and the halt."""

from decimal import Decimal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from traderagent_core.config.fields import rule_error
from traderagent_core.contract.risk_mode import INACTIVE, ModeState, Portfolio, RiskLevels, RiskMode
from traderagent_core.model.timeframe import DAY_MS

JUST_ABOVE = Decimal("1e-12")
"""A level is passed by reaching it; this much further on, a drawdown is above what is written."""


class DrawdownConfig(BaseModel):
    """When the account has fallen from its peak, new exposure is smaller."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    drawdown: Decimal = Field(
        default=Decimal("0.10"),
        gt=0,
        lt=1,
        description="Fall from peak equity, as a ratio, from which the mode is on.",
    )
    size_factor: Decimal = Field(
        default=Decimal("0.75"), gt=0, le=1, description="Factor on the size of orders that add exposure."
    )


class DrawdownMode(RiskMode):
    """On while the drawdown is at or above its level."""

    config: DrawdownConfig

    def levels(self) -> RiskLevels:
        """One level of drawdown."""
        return RiskLevels(drawdown=(self.config.drawdown,))

    def judge(self, portfolio: Portfolio, previous: ModeState) -> ModeState:  # noqa: ARG002
        """On at or above the level."""
        if portfolio.drawdown_ratio < self.config.drawdown:
            return INACTIVE
        return ModeState(is_active=True, size_factor=self.config.size_factor, reason="drawdown")


class ReducedConfig(BaseModel):
    """When the day has lost much, new exposure is smaller; when it has lost more, there is none."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    daily_loss: Decimal = Field(
        default=Decimal("0.05"),
        gt=0,
        lt=1,
        description="Loss since UTC midnight, as a ratio, from which sizes shrink.",
    )
    size_factor: Decimal = Field(
        default=Decimal("0.5"), gt=0, le=1, description="Factor on the size of orders that add exposure."
    )
    no_entries_at: Decimal = Field(
        default=Decimal("0.10"),
        gt=0,
        lt=1,
        description="Loss of the day from which nothing is added until midnight.",
        validate_default=True,
    )

    @field_validator("no_entries_at")
    @classmethod
    def _comes_second(cls, value: Decimal, info: ValidationInfo) -> Decimal:
        first = info.data.get("daily_loss")
        if first is not None and value < first:
            raise rule_error(
                f"expected no_entries_at {value} to be at least daily_loss {first}",
                "write both; what is not written has its default",
                other="daily_loss",
            )
        return value


class ReducedMode(RiskMode):
    """On while the loss of the day is at or above its level; past the second level until UTC midnight."""

    config: ReducedConfig

    def levels(self) -> RiskLevels:
        """Two levels of daily loss."""
        return RiskLevels(daily_loss=(self.config.daily_loss, self.config.no_entries_at))

    def judge(self, portfolio: Portfolio, previous: ModeState) -> ModeState:
        """Smaller above the first level; nothing from the second level until the day is over."""
        loss = portfolio.daily_loss_ratio
        if not previous.is_entry_allowed and portfolio.time_ms < previous.until_ms:
            return previous
        if loss < self.config.daily_loss:
            return INACTIVE
        midnight_ms = (portfolio.time_ms // DAY_MS + 1) * DAY_MS
        return ModeState(
            is_active=True,
            size_factor=self.config.size_factor,
            is_entry_allowed=loss < self.config.no_entries_at,
            reason="daily_loss",
            until_ms=midnight_ms,
        )


class StressConfig(BaseModel):
    """When most traded symbols move alike, new exposure is smaller; `coordinator.correlation` says when they do."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    size_factor: Decimal = Field(
        default=Decimal("0.5"), gt=0, le=1, description="Factor on the size of orders that add exposure."
    )


class StressMode(RiskMode):
    """On while the correlation monitor says so."""

    config: StressConfig

    def levels(self) -> RiskLevels:
        """None: equity changes nothing."""
        return RiskLevels(stress=True)

    def judge(self, portfolio: Portfolio, previous: ModeState) -> ModeState:  # noqa: ARG002
        """The monitor's word."""
        if not portfolio.is_stressed:
            return INACTIVE
        return ModeState(is_active=True, size_factor=self.config.size_factor, reason="correlation")


class HaltConfig(BaseModel):
    """When the account has lost too much, nothing is added until an operator has acknowledged it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    drawdown: Decimal = Field(
        default=Decimal("0.15"),
        gt=0,
        lt=Decimal("0.999"),
        description="Fall from peak equity, as a ratio, above which an emergency halt begins.",
    )


class HaltMode(RiskMode):
    """On above its drawdown, and as long as a halt is on."""

    config: HaltConfig

    def levels(self) -> RiskLevels:
        """The next drawdown above the written one."""
        return RiskLevels(drawdown=(self.config.drawdown + JUST_ABOVE,))

    def judge(self, portfolio: Portfolio, previous: ModeState) -> ModeState:  # noqa: ARG002
        """Nothing may be added above the level; recovery alone does not end a halt."""
        is_too_deep = portfolio.drawdown_ratio >= self.config.drawdown + JUST_ABOVE
        if not (is_too_deep or portfolio.is_halted):
            return INACTIVE
        return ModeState(is_active=True, is_entry_allowed=False, reason="halt", is_halt=True)
