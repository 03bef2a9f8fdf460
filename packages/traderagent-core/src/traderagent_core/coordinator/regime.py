"""Tells the regime of a market at each close, with hysteresis and confirmation.

The confirmed regime decides which thresholds count. Its own family (ranges, transitions, trends) is easier to stay
in than to enter: a range lasts while ADX < 22 and is entered below 18, a trend lasts while ADX >= 28 and is entered
above 32, and the bound of ATR between the two ranges, or the two transitions, lies 10 % further away from the one
that is confirmed. Another regime that waits for its confirmations moves no threshold.
"""

from decimal import Decimal
from math import inf, isnan, nextafter

from attrs import evolve, field, frozen

from traderagent_core.config.coordinator import RegimeConfig
from traderagent_core.indicators import Adx, AtrRatio, Ema, Indicator
from traderagent_core.model.regime import RANGES, TRANSITIONS, TRENDS, Regime

ONE = Decimal(1)

SIDEWAYS = "SIDEWAYS"
"""What ranges of both kinds were called in states of former versions."""


@frozen
class RegimeState:
    """What is remembered from close to close: the confirmed regime, and one that waits for confirmation.

    `regime` is None until the first classification. `count` closes in a row have said `candidate`. `last_trend` is
    the trend confirmed last, BULL_TREND before there was one.
    """

    regime: Regime | None = None
    candidate: Regime | None = None
    count: int = 0
    last_trend: Regime = Regime.BULL_TREND


@frozen
class Bounds:
    """Where one confirmed regime ends and others begin; a number at a bound has reached it."""

    range_below_adx: float
    trend_from_adx: float
    wide_from_atr_ratio: float
    volatile_from_atr_ratio: float


@frozen
class RegimeClassifier:
    """The rules of a configuration. The arguments of `classify` are what `indicators` give at one close."""

    config: RegimeConfig
    bounds: dict[Regime | None, Bounds] = field(init=False, repr=False, eq=False)

    @bounds.default
    def _find_bounds(self) -> dict[Regime | None, Bounds]:
        return {regime: _bounds(self.config, regime) for regime in (None, *Regime)}

    @property
    def indicators(self) -> tuple[Indicator, Indicator, Indicator, Indicator]:
        """ADX, ATR as a ratio of the close, and the fast and the slow mean, on candles of `regime_timeframe`."""
        config = self.config
        return (
            Adx(config.adx_period),
            AtrRatio(config.atr_period),
            Ema(config.ema_fast_period),
            Ema(config.ema_slow_period),
        )

    def word(
        self, state: RegimeState, adx: float, atr_ratio: float, ema_fast: float, ema_slow: float
    ) -> Regime:
        """What these numbers alone say to somebody who is in the state's confirmed regime."""
        bounds = self.bounds[state.regime]
        if adx < bounds.range_below_adx:
            return Regime.WIDE_RANGE if atr_ratio >= bounds.wide_from_atr_ratio else Regime.TIGHT_RANGE
        if adx >= bounds.trend_from_adx:
            return _trend(ema_fast, ema_slow, state.last_trend)
        is_volatile = atr_ratio >= bounds.volatile_from_atr_ratio
        return Regime.VOLATILE_TRANSITION if is_volatile else Regime.QUIET_TRANSITION

    def classify(
        self, state: RegimeState, adx: float, atr_ratio: float, ema_fast: float, ema_slow: float
    ) -> RegimeState:
        """The state after one close; a close without all four numbers (nan) leaves it as it is.

        The first word is taken at once. Later a regime changes when `confirmations` closes in a row say the same
        other one; the count begins anew with each other word.
        """
        if isnan(adx) or isnan(atr_ratio) or isnan(ema_fast) or isnan(ema_slow):
            return state
        word = self.word(state, adx, atr_ratio, ema_fast, ema_slow)
        if word is state.regime:
            return evolve(state, candidate=None, count=0) if state.candidate else state
        count = state.count + 1 if word is state.candidate else 1
        if state.regime is None or count >= self.config.confirmations:
            return RegimeState(word, last_trend=word if word in TRENDS else state.last_trend)
        return evolve(state, candidate=word, count=count)

    def named(self, name: str, atr_ratio: float) -> Regime | None:
        """The regime of a saved name; SIDEWAYS of former versions is a range by its ATR, None when that is nan.

        Raises ValueError for any other name.
        """
        if name != SIDEWAYS:
            return Regime(name)
        if isnan(atr_ratio):
            return None
        is_wide = atr_ratio >= self.bounds[None].wide_from_atr_ratio
        return Regime.WIDE_RANGE if is_wide else Regime.TIGHT_RANGE


def _trend(ema_fast: float, ema_slow: float, last_trend: Regime) -> Regime:
    if ema_fast == ema_slow:
        return last_trend
    return Regime.BULL_TREND if ema_fast > ema_slow else Regime.BEAR_TREND


_AWAY = {
    Regime.TIGHT_RANGE: 1,
    Regime.WIDE_RANGE: -1,
    Regime.QUIET_TRANSITION: 1,
    Regime.VOLATILE_TRANSITION: -1,
}
"""Whether a bound of ATR moves up or down to lie further away."""


def _bounds(config: RegimeConfig, regime: Regime | None) -> Bounds:
    """Products are made in decimals and rounded once: 0.01 and a tenth more is the double nearest to 0.011."""
    is_range, is_trend, is_transition = regime in RANGES, regime in TRENDS, regime in TRANSITIONS
    away = ONE if regime is None else ONE + config.atr_hysteresis_ratio * _AWAY.get(regime, 0)
    return Bounds(
        range_below_adx=float(config.transition_adx if is_range else config.range_adx),
        # The next double: exactly 32 is not above 32.
        trend_from_adx=float(config.trend_exit_adx) if is_trend else nextafter(float(config.trend_adx), inf),
        wide_from_atr_ratio=float(config.wide_atr_ratio * (away if is_range else ONE)),
        volatile_from_atr_ratio=float(config.volatile_atr_ratio * (away if is_transition else ONE)),
    )
