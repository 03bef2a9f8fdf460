"""The configuration of a trend follower. Ratios are fractions (0.01 is 1 %); R is the distance of entry and stop."""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator
from traderagent_core.config.fields import EXACT, PositiveDecimal, rule_error

Period = Annotated[int, Field(ge=2, le=5000)]
RsiLevel = Annotated[Decimal, Field(ge=0, le=100), EXACT]
Count = Annotated[int, Field(ge=1, le=100_000)]


class Entry(StrEnum):
    """What begins a trade, always in the direction of the trend."""

    PULLBACK = "pullback"
    BREAKOUT = "breakout"
    CROSSOVER = "crossover"


class Direction(StrEnum):
    """Which way is traded."""

    LONG = "long"
    SHORT = "short"


class TrendConfig(BaseModel):
    """The section `trend` of a bot."""

    # Defaults are checked too: a fast mean may be as slow as the usual slow one.
    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    directions: Annotated[tuple[Direction, ...], Field(min_length=1)] = Field(
        default=(Direction.LONG,), description="Which ways to trade: long, short (linear only), or both."
    )
    entries: Annotated[tuple[Entry, ...], Field(min_length=1)] = Field(
        default=(Entry.PULLBACK, Entry.BREAKOUT),
        description="What begins a trade: pullback, breakout, crossover; any of those named.",
    )
    ema_fast_period: Period = Field(
        default=20, description="Candles of the fast mean; above the slow one the trend is up, below it down."
    )
    ema_slow_period: Period = Field(
        default=50, description="Candles of the slow mean; more than those of the fast one."
    )
    breakout_candles: Annotated[int, Field(ge=1, le=5000)] = Field(
        default=20,
        description="A breakout closes beyond the highs (short: lows) of so many candles before it.",
    )
    rsi_confirmation: bool = Field(default=True, description="Enter only with the RSI between its bounds.")
    rsi_period: Period = Field(default=14, description="Candles of the RSI.")
    rsi_min: RsiLevel = Field(
        default=Decimal(45),
        description="Least RSI of a long entry; of a short one 100 less this is the most.",
    )
    rsi_max: RsiLevel = Field(
        default=Decimal(75),
        description="Largest RSI of a long entry; of a short one 100 less this is the least.",
    )
    volume_confirmation: bool = Field(default=True, description="Enter only on a candle with enough volume.")
    volume_period: Period = Field(
        default=20, description="Candles of the mean volume, the present one included."
    )
    volume_ratio: PositiveDecimal = Field(
        default=Decimal(1), description="Least volume of the entry's candle, as a ratio of the mean volume."
    )
    atr_period: Annotated[int, Field(ge=1, le=5000)] = Field(
        default=14, description="Candles of the average true range."
    )
    stop_atr: PositiveDecimal = Field(
        default=Decimal(2), description="Distance of the stop from the entry in ATRs: that is 1 R."
    )
    target_atr: PositiveDecimal | None = Field(
        default=Decimal(3), description="Distance of the take profit from the entry in ATRs; null: no target."
    )
    break_even_from_r: PositiveDecimal | None = Field(
        default=Decimal(1),
        description="Gain in R from which the stop stands at the entry plus the fees of both sides; null: never.",
    )
    trailing_from_r: PositiveDecimal | None = Field(
        default=Decimal(1), description="Gain in R from which the stop follows the best price; null: never."
    )
    trailing_atr: PositiveDecimal = Field(
        default=Decimal(2), description="How far behind the best price a trailing stop stays, in ATRs."
    )
    trailing_step_atr: PositiveDecimal = Field(
        default=Decimal("0.25"), description="By how much the best price must rise to move the stop, in ATRs."
    )
    risk_per_trade: Annotated[Decimal, Field(gt=0, le=Decimal("0.1")), EXACT] = Field(
        default=Decimal("0.01"),
        description="What a trade loses at its stop before fees, as a ratio of equity; 0.01 to 0.02 is usual.",
    )
    max_consecutive_losses: Count | None = Field(
        default=5, description="Losing trades in a row after which entries pause; null: any number."
    )
    loss_pause_candles: Count = Field(
        default=24, description="How long entries pause after too many losses in a row, in candles."
    )
    max_daily_loss_ratio: Annotated[Decimal, Field(gt=0, lt=1), EXACT] | None = Field(
        default=Decimal("0.05"),
        description="Loss of the trades closed since UTC midnight, as a ratio of the equity before them, at "
        "which no more are opened that day; null: any loss.",
    )
    max_daily_trades: Count | None = Field(
        default=10, description="Trades opened in a UTC day; null: any number."
    )

    @field_validator("directions", "entries")
    @classmethod
    def _is_named_once(cls, value: tuple[Any, ...]) -> tuple[Any, ...]:
        twice = sorted({each.value for each in value if value.count(each) > 1})
        if twice:
            raise rule_error("expected each name once", f"remove one {' and one '.join(twice)}")
        return value

    @field_validator("ema_slow_period")
    @classmethod
    def _is_slower(cls, value: int, info: ValidationInfo) -> int:
        fast = info.data.get("ema_fast_period")
        if fast is not None and value <= fast:
            raise rule_error(
                f"expected ema_slow_period {value} to be more than ema_fast_period {fast}", "write both"
            )
        return value

    @field_validator("rsi_max")
    @classmethod
    def _is_above_least(cls, value: Decimal, info: ValidationInfo) -> Decimal:
        least = info.data.get("rsi_min")
        if least is not None and value <= least:
            raise rule_error(f"expected rsi_max {value} to be more than rsi_min {least}", "write both")
        return value

    @field_validator("trailing_step_atr")
    @classmethod
    def _is_within_distance(cls, value: Decimal, info: ValidationInfo) -> Decimal:
        distance = info.data.get("trailing_atr")
        if distance is not None and value > distance:
            raise rule_error(
                f"expected trailing_step_atr {value} to be at most trailing_atr {distance}", "write both"
            )
        return value

    @model_validator(mode="after")
    def _can_win(self) -> Self:
        if self.target_atr is None and self.trailing_from_r is None:
            raise rule_error(
                "expected target_atr or trailing_from_r: without both no trade could end with a gain",
                "set one of them",
            )
        return self

    @property
    def target_r(self) -> Decimal | None:
        """Distance of the target in R."""
        return None if self.target_atr is None else self.target_atr / self.stop_atr

    @property
    def goes_long(self) -> bool:
        """Whether rising trends are traded."""
        return Direction.LONG in self.directions

    @property
    def goes_short(self) -> bool:
        """Whether falling trends are traded."""
        return Direction.SHORT in self.directions
