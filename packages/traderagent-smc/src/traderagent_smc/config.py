"""The configuration of the filter. Ratios are fractions (0.02 is 2 %); lengths are candles of their timeframe."""

from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator
from traderagent_core.config.fields import EXACT, Timeframe, rule_error
from traderagent_core.model.timeframe import DAY_MS, timeframe_ms

from traderagent_smc.settings import LifeRules, Settings, Weights

SWING_LENGTHS = {"1d": 50, "4h": 50, "1h": 20, "15m": 10}
HISTORY_FACTOR = 10
CHECKPOINT_CANDLES = 2000
"""Candles of the base timeframe after which the filter saves itself anew; a restart takes them in again."""
SUM_SLACK = 1e-9
NEUTRAL = 0.5

Section = TypeVar("Section", bound=BaseModel)

Number = Annotated[float, Field(ge=0, le=1e12), EXACT]
Share = Annotated[float, Field(ge=0, le=1), EXACT]
SizeFactor = Annotated[Decimal, Field(gt=0, le=1), EXACT]
SwingLength = Annotated[int, Field(ge=2, le=1000)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SizeFactors(_Section):
    """What a NEUTRAL verdict leaves of a plan's size."""

    grid: SizeFactor = Field(
        default=Decimal("0.5"), description="Size of a grid or any plan of several levels, under NEUTRAL."
    )
    single: SizeFactor = Field(default=Decimal(1), description="Size of a single entry, under NEUTRAL.")


class StrengthWeights(_Section):
    """Shares of a zone's strength; they add up to 1."""

    displacement: Share = Field(
        default=0.25, description="Largest body of the move that made the zone, against 1.5 ATR."
    )
    structure: Share = Field(
        default=0.20, description="Change of character (1), break of structure (0.7) or neither (0.3)."
    )
    confluence: Share = Field(
        default=0.25, description="Overlapping zones of the same direction and liquidity grabbed before."
    )
    volume: Share = Field(
        default=0.15, description="Volume of the move against twice the mean of 20 candles."
    )
    narrowness: Share = Field(default=0.15, description="1 up to one ATR of height, 0 from three.")

    @model_validator(mode="after")
    def _add_up(self) -> Self:
        return _adding_up_to_one(self, list(self.model_dump().values()))


class TrendWeights(_Section):
    """Shares of the trends in the confidence of a setup; they add up to 1."""

    high: Share = Field(default=0.4, description="Share of the highest timeframe (of four: 1d).")
    middle: Share = Field(default=0.4, description="Share of the second highest timeframe (of four: 4h).")
    low: Share = Field(default=0.2, description="Share of the third highest timeframe (of four: 1h).")

    @model_validator(mode="after")
    def _add_up(self) -> Self:
        return _adding_up_to_one(self, [self.high, self.middle, self.low])


class SetupWeights(_Section):
    """Shares of the confidence of a setup; they add up to 1."""

    pattern: Share = Field(default=0.4, description="Quality of the candle pattern.")
    confluence: Share = Field(default=0.3, description="Strength of the zone that the pattern overlaps.")
    trend: Share = Field(default=0.2, description="Agreement of the trends.")
    reward: Share = Field(default=0.1, description="Reward against risk.")

    @model_validator(mode="after")
    def _add_up(self) -> Self:
        return _adding_up_to_one(self, list(self.model_dump().values()))


class SetupConfig(_Section):
    """Entry setups for strategies and reports; the verdicts do not use them."""

    weights: SetupWeights = Field(
        default_factory=SetupWeights, description="What the confidence of a setup is made of."
    )
    trend_weights: TrendWeights = Field(
        default_factory=TrendWeights, description="How much the trend of each timeframe counts."
    )
    full_reward: Annotated[float, Field(gt=0, le=1000), EXACT] = Field(
        default=3.0, description="Reward against risk (R) that counts as 1."
    )
    least_reward: Number = Field(default=1.5, description="R under which no setup is proposed.")
    least_confidence: Share = Field(default=0.6, description="Confidence under which no setup is proposed.")


class SmcConfig(_Section):
    """The section `smc` of `filters`."""

    timeframes: tuple[Timeframe, ...] = Field(
        default=("1d", "4h", "1h", "15m"),
        min_length=1,
        max_length=8,
        description="Timeframes looked at, from high to low; those below the data's are left out.",
    )
    zone_timeframes: tuple[Timeframe, ...] | None = Field(
        default=None,
        description="Timeframes whose zones count. Default: those under a day; all of them when there is none.",
    )
    swing_length: dict[Timeframe, SwingLength] = Field(
        default_factory=SWING_LENGTHS.copy,
        validate_default=True,
        description="Candles on each side of a swing, by timeframe; those left out keep 1d 50, 4h 50, 1h 20, 15m 10.",
    )
    close_break: bool = Field(
        default=True, description="A swing is broken by a close beyond it; false: by a wick."
    )
    order_block_lookback: Annotated[int, Field(ge=0, le=10_000)] = Field(
        default=50,
        description="Candles before a break in which an order block may begin; 0: back to the swing.",
    )
    ob_mitigation: Annotated[str, Field(pattern=r"^(wick|close)$")] = Field(
        default="wick",
        description="What kills an order block: a wick beyond it, or open and close beyond it.",
    )
    range_ratio: Number = Field(
        default=0.01,
        description="Tolerance of equal highs and lows, as a share of the range of liquidity_window.",
    )
    liquidity_window: Annotated[int, Field(ge=2, le=100_000)] = Field(
        default=1000, description="Candles over which that range is taken."
    )
    liquidity_tolerance: Number | None = Field(
        default=None, description="Tolerance as a price; overrides range_ratio and liquidity_window."
    )
    fvg_min_atr: Number = Field(default=0.0, description="Least height of a fair value gap, in ATR(14).")
    max_touches: Annotated[int, Field(ge=1, le=100)] = Field(
        default=2, description="Entries of the price that kill a zone."
    )
    zone_half_life: Annotated[float, Field(gt=0, le=1e6), EXACT] = Field(
        default=200.0, description="Candles of its timeframe in which a zone loses half of its worth."
    )
    least_decay: Annotated[float, Field(ge=0, lt=1), EXACT] = Field(
        default=0.05, description="Decay under which a zone dies of age; 0: never."
    )
    grab_candles: Annotated[int, Field(ge=0, le=1000)] = Field(
        default=10, description="Candles before a zone in which a grab of opposite liquidity strengthens it."
    )
    run_return_candles: Annotated[int, Field(ge=0, le=1000)] = Field(
        default=3,
        description="Candles within which a close back inside turns a run on liquidity into a grab.",
    )
    strength_weights: StrengthWeights = Field(
        default_factory=StrengthWeights, description="What a zone's strength is made of."
    )
    dead_zones_kept: Annotated[int, Field(ge=0, le=100_000)] = Field(
        default=1000, description="Dead zones kept for statistics, per timeframe."
    )
    proximity_atr: Number = Field(
        default=0.25,
        description="Reach around a zone within which it is relevant, in ATR(14) of its timeframe.",
    )
    accept: Share = Field(default=0.55, description="Confidence from which an entry is accepted.")
    reject: Share = Field(default=0.20, description="Confidence under which an entry is rejected.")
    no_zone_confidence: Share = Field(
        default=NEUTRAL, description="Confidence where no zone is relevant; it must be NEUTRAL."
    )
    reject_in_opposing_zone: bool = Field(
        default=True, description="Reject an entry inside an opposing zone that would itself be accepted."
    )
    stale_ratio: Annotated[float, Field(gt=0, le=1), EXACT] = Field(
        default=0.02, description="Distance of an entry from the price, as a ratio, beyond which it is stale."
    )
    neutral_size_factor: SizeFactors = Field(
        default_factory=SizeFactors, description="What a NEUTRAL verdict leaves of the size."
    )
    setups: SetupConfig = Field(default_factory=SetupConfig, description="Entry setups, for strategies.")

    # -- rules ----------------------------------------------------------------------------------------------

    @field_validator("timeframes")
    @classmethod
    def _fall(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        lengths = [timeframe_ms(timeframe) for timeframe in value]
        if any(before <= after for before, after in pairwise(lengths)):
            in_order = sorted(dict(zip(lengths, value, strict=True)).items(), reverse=True)
            names = ", ".join(timeframe for _, timeframe in in_order)
            raise rule_error("expected timeframes from high to low, each once", f"write [{names}]")
        return value

    @field_validator("zone_timeframes")
    @classmethod
    def _are_looked_at(cls, value: tuple[str, ...] | None, info: ValidationInfo) -> tuple[str, ...] | None:
        known = info.data.get("timeframes")
        for timeframe in value or ():
            if known is not None and timeframe not in known:
                raise rule_error(
                    f"expected some of timeframes ({', '.join(known)})", f"add {timeframe} there"
                )
        return value

    @field_validator("swing_length", mode="before")
    @classmethod
    def _complete(cls, value: Any, info: ValidationInfo) -> Any:
        known = info.data.get("timeframes")
        if not isinstance(value, dict) or known is None:
            return value
        for timeframe in value:
            if timeframe not in known and timeframe not in SWING_LENGTHS:
                raise rule_error(f"expected timeframes among {', '.join(known)}", f"{timeframe} is not one")
        lengths = {**SWING_LENGTHS, **value}
        missing = [timeframe for timeframe in known if timeframe not in lengths]
        if missing:
            raise rule_error(
                f"expected a swing length for {', '.join(missing)}", f"write {missing[0]}: 20, for example"
            )
        return {timeframe: lengths[timeframe] for timeframe in known}

    @field_validator("accept", "reject")
    @classmethod
    def _leave_neutral(cls, value: float, info: ValidationInfo) -> float:
        if value > NEUTRAL if info.field_name == "reject" else value <= NEUTRAL:
            raise rule_error(
                f"expected reject <= {NEUTRAL} < accept",
                "an entry without a zone has 0.5 and must stay NEUTRAL",
            )
        return value

    @field_validator("no_zone_confidence")
    @classmethod
    def _is_neutral(cls, value: float, info: ValidationInfo) -> float:
        reject, accept = info.data.get("reject"), info.data.get("accept")
        if reject is not None and accept is not None and not reject <= value < accept:
            raise rule_error(
                f"expected from reject {reject:g} to below accept {accept:g}",
                "missing data is not a bad signal",
            )
        return value

    # -- what follows ---------------------------------------------------------------------------------------

    @property
    def zoned(self) -> tuple[str, ...]:
        """The timeframes whose zones count."""
        if self.zone_timeframes is not None:
            return self.zone_timeframes
        return tuple(each for each in self.timeframes if timeframe_ms(each) < DAY_MS) or self.timeframes

    def history(self, timeframe: str) -> int:
        """How many candles of a timeframe the filter begins with, at most, whatever else there is before them."""
        swings = HISTORY_FACTOR * self.swing_length[timeframe]
        return max(swings, self.liquidity_window, CHECKPOINT_CANDLES + 1)

    def settings(self, timeframe: str) -> Settings:
        """What the detectors of a timeframe are told."""
        return Settings(
            swing_length=self.swing_length[timeframe],
            close_break=self.close_break,
            order_block_lookback=self.order_block_lookback,
            range_ratio=self.range_ratio,
            liquidity_window=self.liquidity_window,
            liquidity_tolerance=self.liquidity_tolerance,
            fvg_min_atr=self.fvg_min_atr,
            run_return_candles=self.run_return_candles,
            grab_candles=self.grab_candles,
            has_zones=timeframe in self.zoned,
            has_patterns=False,
            life=LifeRules(
                self.ob_mitigation,
                self.max_touches,
                self.zone_half_life,
                self.least_decay,
                self.dead_zones_kept,
            ),
            weights=Weights(**self.strength_weights.model_dump()),
        )


def _adding_up_to_one(section: Section, shares: list[float]) -> Section:
    total = sum(shares)
    if abs(total - 1.0) > SUM_SLACK:
        raise rule_error(f"expected weights that add up to 1, not to {total:g}", "change one of them")
    return section
