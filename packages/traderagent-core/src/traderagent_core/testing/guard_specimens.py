"""Small sound entry filters and risk modes: without memory and with it. Tests of the kits start from them."""

from decimal import Decimal
from typing import ClassVar

from attrs import Factory, frozen
from pydantic import BaseModel, ConfigDict, Field

from traderagent_core.contract.entry_filter import EntryFilter, Ruling, Verdict
from traderagent_core.contract.risk_mode import INACTIVE, ModeState, Portfolio, RiskLevels, RiskMode
from traderagent_core.indicators import AtrRatio
from traderagent_core.model.plan import Plan
from traderagent_core.model.timeframe import DAY_MS, timeframe_ms
from traderagent_core.ports import MarketView

EVERYTHING = 1_000_000_000
"""More candles than there are: asks a view for all it has."""


class CalmConfig(BaseModel):
    """Smaller entries above half of `range_ratio`, none above it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    timeframe: str = "1h"
    period: int = Field(default=14, ge=2)
    range_ratio: Decimal = Field(default=Decimal("0.016"), gt=0)


class CalmFilter(EntryFilter):
    """Lets entries through while candles are small against the price; remembers nothing."""

    config: CalmConfig

    def judge(self, plan: Plan, view: MarketView, symbol: str) -> Verdict:  # noqa: ARG002
        """By the average range of the last candles."""
        ratio = view.value(symbol, self.config.timeframe, AtrRatio(self.config.period))
        limit = float(self.config.range_ratio)
        if ratio > limit:
            return Verdict(Ruling.REJECT, "wild", evidence={"atr_ratio": round(ratio, 6)})
        if ratio > limit / 2:
            return Verdict(Ruling.NEUTRAL, "restless", Decimal("0.5"))
        return Verdict(Ruling.ACCEPT)


class StreakConfig(BaseModel):
    """No entries after `length` falling closes in a row."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    timeframe: str = "1h"
    length: int = Field(default=4, ge=1)


@frozen
class Streak:
    """The last candle taken in, its close, and how many closes up to it have fallen in a row."""

    seen: int
    close: float
    length: int


@frozen
class StreakState:
    """One streak for each symbol."""

    schema_version: int = 1
    streaks: dict[str, Streak] = Factory(dict)


class StreakFilter(EntryFilter):
    """Refuses entries while closes fall in a row; a row may be of any length, so it is remembered."""

    config: StreakConfig
    state: StreakState
    state_class: ClassVar[type] = StreakState

    def advance(self, view: MarketView, symbol: str) -> None:
        """Take in the candles since the last one seen, all of them the first time."""
        last = view.last(symbol, self.config.timeframe)
        streak = self.state.streaks.get(symbol)
        if last is None or (streak is not None and streak.seen == last.open_time):
            return
        length = timeframe_ms(self.config.timeframe)
        count = EVERYTHING if streak is None else (last.open_time - streak.seen) // length
        candles = view.candles(symbol, self.config.timeframe, count)
        for open_time, close in zip(candles.open_time.tolist(), candles.close.tolist(), strict=True):
            if streak is None:
                streak = Streak(open_time, close, 0)
            elif open_time > streak.seen:  # Where there are gaps, more than the new ones were fetched.
                streak = Streak(open_time, close, streak.length + 1 if close < streak.close else 0)
        self.remember(symbol, streak)

    def remember(self, symbol: str, streak: Streak | None) -> None:
        """Put a streak into the state."""
        if streak is not None:
            self.state = StreakState(streaks={**self.state.streaks, symbol: streak})

    def judge(self, plan: Plan, view: MarketView, symbol: str) -> Verdict:  # noqa: ARG002
        """By the length of the present streak."""
        streak = self.state.streaks.get(symbol)
        if streak is not None and streak.length >= self.config.length:
            return Verdict(Ruling.REJECT, "falling", evidence={"closes": streak.length})
        return Verdict(Ruling.ACCEPT)


class RecoveryConfig(BaseModel):
    """On from `enter` of drawdown until it is below `leave` again."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    enter: Decimal = Field(default=Decimal("0.12"), gt=0, lt=1)
    leave: Decimal = Field(default=Decimal("0.05"), gt=0, lt=1)
    size_factor: Decimal = Field(default=Decimal("0.4"), gt=0, le=1)


class RecoveryMode(RiskMode):
    """Smaller sizes in a deep drawdown, and until most of it is made good: it remembers through `previous`."""

    config: RecoveryConfig

    def levels(self) -> RiskLevels:
        """Where it begins and where it ends."""
        return RiskLevels(drawdown=(self.config.leave, self.config.enter))

    def judge(self, portfolio: Portfolio, previous: ModeState) -> ModeState:
        """Begin at one level, end at the other."""
        drawdown = portfolio.drawdown_ratio
        if drawdown >= self.config.enter or (previous.is_active and drawdown >= self.config.leave):
            return ModeState(is_active=True, size_factor=self.config.size_factor, reason="recovery")
        return INACTIVE


class BadDayConfig(BaseModel):
    """No entries for the rest of a day that has lost `daily_loss`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    daily_loss: Decimal = Field(default=Decimal("0.06"), gt=0, lt=1)


class BadDayMode(RiskMode):
    """Bars entries until UTC midnight once the day has lost too much."""

    config: BadDayConfig

    def levels(self) -> RiskLevels:
        """The loss at which it begins; it ends with the day."""
        return RiskLevels(daily_loss=(self.config.daily_loss,))

    def judge(self, portfolio: Portfolio, previous: ModeState) -> ModeState:
        """Hold until midnight, or look at the loss."""
        if portfolio.time_ms < previous.until_ms:
            return previous
        if portfolio.daily_loss_ratio < self.config.daily_loss:
            return INACTIVE
        return self.barred((portfolio.time_ms // DAY_MS + 1) * DAY_MS)

    def barred(self, until_ms: int) -> ModeState:
        """Nothing may be added until a time."""
        return ModeState(is_active=True, is_entry_allowed=False, reason="bad_day", until_ms=until_ms)
