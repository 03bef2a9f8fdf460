"""The configuration of a grid. Prices and amounts are in quote currency, ratios are fractions (0.01 is 1 %)."""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator
from traderagent_core.config.fields import EXACT, PositiveDecimal, rule_error

MAX_LEVELS = 500
"""A plan may have 1,500 legs; every interval between two levels takes three."""

OpenRatio = Annotated[Decimal, Field(gt=0, lt=1), EXACT]
Adx = Annotated[Decimal, Field(gt=0, lt=100), EXACT]


class Spacing(StrEnum):
    """Equal steps in money, or equal steps as a ratio."""

    ARITHMETIC = "arithmetic"
    GEOMETRIC = "geometric"


class Direction(StrEnum):
    """What the grid holds away from the price at which it started."""

    NEUTRAL = "neutral"
    LONG = "long"
    SHORT = "short"


class Bounds(StrEnum):
    """Where a range comes from."""

    FIXED = "fixed"
    ATR = "atr"


class GridConfig(BaseModel):
    """The section `grid` of a bot."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    upper_price: PositiveDecimal | None = Field(
        default=None, description="Highest price level; needed with bounds: fixed."
    )
    lower_price: PositiveDecimal | None = Field(
        default=None, description="Lowest price level; needed with bounds: fixed."
    )
    grid_levels: Annotated[int, Field(ge=2, le=MAX_LEVELS)] = Field(
        default=10, description="Number of price levels, both bounds included: N levels make N - 1 intervals."
    )
    amount_per_grid: PositiveDecimal = Field(
        description="What one grid order commits, in quote currency; quantities are rounded down to the lot."
    )
    profit_per_grid: OpenRatio | None = Field(
        default=None,
        description="Counter order at fill × (1 ± this ratio), fees not deducted. Default: at the next level.",
    )
    spacing: Spacing = Field(
        default=Spacing.ARITHMETIC, description="Levels at equal distances, or at equal ratios."
    )
    direction: Direction = Field(
        default=Direction.NEUTRAL,
        description="neutral: on linear long below and short above the start, on spot as long; "
        "long: only ever long; short: only ever short (linear only).",
    )
    bounds: Bounds = Field(
        default=Bounds.FIXED,
        description="fixed: upper_price and lower_price; atr: price ± atr_multiplier × ATR at the start.",
    )
    range_ratio: Annotated[Decimal, Field(gt=0, le=10), EXACT] = Field(
        default=Decimal(1), description="Width of the range as a ratio of what bounds says, about its middle."
    )
    atr_period: Annotated[int, Field(ge=1, le=1000)] = Field(
        default=14, description="Candles of the bot's timeframe in the average true range."
    )
    atr_multiplier: PositiveDecimal = Field(
        default=Decimal(3), description="Half the width of a range from ATR, in ATRs."
    )
    trailing_enabled: bool = Field(
        default=False, description="Re-centre the range on the price when the price has left it."
    )
    trailing_shift_threshold_pct: Annotated[Decimal, Field(ge=0, lt=1), EXACT] = Field(
        default=Decimal("0.02"),
        description="How far beyond a bound the price has left the range, as a ratio of that bound.",
    )
    trailing_recenter_mode: Bounds = Field(
        default=Bounds.FIXED,
        description="fixed: keep the width (geometric: the ratio of the bounds); atr: price ± multiplier × ATR.",
    )
    trailing_cooldown_candles: Annotated[int, Field(ge=0, le=100_000)] = Field(
        default=5, description="Candles that the price must have been outside before the range is moved."
    )
    stop_loss_price: PositiveDecimal | None = Field(
        default=None, description="Stop of the position: below the range, of a short grid above it."
    )
    upper_stop_loss_price: PositiveDecimal | None = Field(
        default=None, description="Stop of the short side of a neutral linear grid, above the range."
    )
    take_profit_price: PositiveDecimal | None = Field(
        default=None, description="Price at which everything is closed with profit; of a short grid below."
    )
    max_position: PositiveDecimal | None = Field(
        default=None, description="Largest position that the grid may come to hold, in quote currency."
    )
    max_drawdown: OpenRatio | None = Field(
        default=None, description="Fall of the bot's equity from its peak, at closes, at which all is closed."
    )
    trend_guard_enabled: bool = Field(
        default=False, description="Pause while ADX shows a strong trend: nothing is added to the position."
    )
    trend_guard_adx: Adx = Field(default=Decimal(32), description="ADX above which the grid pauses.")
    trend_guard_resume_adx: Adx = Field(
        default=Decimal(28), description="ADX below which a paused grid goes on."
    )
    trend_guard_period: Annotated[int, Field(ge=2, le=1000)] = Field(
        default=14, description="Candles of the bot's timeframe in ADX."
    )

    @field_validator("lower_price")
    @classmethod
    def _is_below_upper(cls, value: Decimal | None, info: ValidationInfo) -> Decimal | None:
        upper = info.data.get("upper_price")
        if value is not None and upper is not None and value >= upper:
            raise rule_error(f"expected a price below upper_price {upper}", "swap the two, or correct one")
        return value

    @field_validator("bounds")
    @classmethod
    def _is_not_given_twice(cls, value: Bounds, info: ValidationInfo) -> Bounds:
        prices = [key for key in ("upper_price", "lower_price") if info.data.get(key) is not None]
        if value is Bounds.ATR and prices:
            raise rule_error(
                f"bounds: atr takes the range from ATR, not from {' and '.join(prices)}",
                "write `bounds: fixed` beside the prices, or remove the prices",
            )
        return value

    @field_validator("trend_guard_resume_adx")
    @classmethod
    def _is_not_above_pause(cls, value: Decimal, info: ValidationInfo) -> Decimal:
        pause = info.data.get("trend_guard_adx")
        if pause is not None and value > pause:
            raise rule_error(f"expected at most trend_guard_adx {pause}", "it would pause again at once")
        return value

    @model_validator(mode="after")
    def _has_bounds(self) -> Self:
        if self.bounds is Bounds.FIXED and (self.upper_price is None or self.lower_price is None):
            raise rule_error(
                "bounds: fixed needs upper_price and lower_price", "write both, or `bounds: atr`"
            )
        return self

    @property
    def needs_atr(self) -> bool:
        """Whether any range is taken from the average true range."""
        return self.bounds is Bounds.ATR or (
            self.trailing_enabled and self.trailing_recenter_mode is Bounds.ATR
        )
