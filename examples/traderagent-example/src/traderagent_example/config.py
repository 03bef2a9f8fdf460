"""What users may write: one model for each thing that the package offers."""

from decimal import Decimal
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field


class BreakoutConfig(BaseModel):
    """The section `breakout` of a bot."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    period: int = Field(default=48, ge=2, description="Candles whose highest high must be exceeded.")
    stop: Decimal = Field(default=Decimal("0.03"), gt=0, lt=1, description="Loss at which to stop.")
    trail: Decimal = Field(
        default=Decimal("0.02"), gt=0, lt=1, description="How far the stop follows behind."
    )
    rest_hours: int = Field(default=12, ge=0, description="How long to stay out after a deal.")


class StreakConfig(BaseModel):
    """The section `streak` of `filters`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    timeframe: str = Field(default="1h", description="Candles whose closes are compared.")
    length: int = Field(default=3, ge=1, description="Falling closes in a row that bar entries.")


class BadDayConfig(BaseModel):
    """The section `bad-day` of `risk_modes`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    half_at: Decimal = Field(
        default=Decimal("0.02"), gt=0, lt=1, description="Loss of the day that halves sizes."
    )
    none_at: Decimal = Field(default=Decimal("0.04"), gt=0, lt=1, description="Loss that ends the day.")


class TailConfig(BaseModel):
    """The section `tail` of `event_sinks`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: Path = Field(description="File that events are appended to.")
    events: tuple[str, ...] = Field(
        default=(), description="Events that are written, such as ORDER_FILLED. Default: all."
    )
