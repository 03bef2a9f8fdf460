"""Halves sizes on a bad day, and ends a very bad one."""

from decimal import Decimal

from traderagent_core import ModeState, Portfolio, RiskLevels, RiskMode

from traderagent_example.config import BadDayConfig

DAY_MS = 86_400_000


class BadDay(RiskMode):
    """Remembers through `previous`: a day that is over stays over until UTC midnight."""

    config: BadDayConfig

    def levels(self) -> RiskLevels:
        """Both losses; the engine asks at these, and at midnight."""
        return RiskLevels(daily_loss=(self.config.half_at, self.config.none_at))

    def judge(self, portfolio: Portfolio, previous: ModeState) -> ModeState:
        """The severest first."""
        if portfolio.time_ms < previous.until_ms:
            return previous
        if portfolio.daily_loss_ratio >= self.config.none_at:
            midnight_ms = (portfolio.time_ms // DAY_MS + 1) * DAY_MS
            return ModeState(is_active=True, is_entry_allowed=False, reason="bad_day", until_ms=midnight_ms)
        if portfolio.daily_loss_ratio >= self.config.half_at:
            return ModeState(is_active=True, size_factor=Decimal("0.5"), reason="bad_day")
        return ModeState(is_active=False)
