"""What live candles say about whole markets, as they close: the regime of a pair, and stress.

The simulator finds both in whole columns (`simulator/regimes.py`, `simulator/stress.py`); here they are told
close by close, from what has closed until now, and are the same.
"""

from collections.abc import Iterable

from attrs import define, field

from traderagent_core.config.coordinator import CorrelationConfig
from traderagent_core.coordinator.correlation import stress_columns
from traderagent_core.coordinator.regime import RegimeClassifier, RegimeState
from traderagent_core.live.series import LiveSeries
from traderagent_core.model.regime_reading import RegimeReading
from traderagent_core.model.timeframe import timeframe_ms


@define(eq=False)
class LiveRegime:
    """The regime of one market. `reading` is the last change of it, None before the first classification."""

    classifier: RegimeClassifier
    series: LiveSeries
    reading: RegimeReading | None = None
    state: RegimeState = field(factory=RegimeState)

    def __attrs_post_init__(self) -> None:
        for indicator in self.classifier.indicators:
            self.series.declare(indicator)

    def look(self) -> None:
        """Take in the candle that the series has just got."""
        adx, atr_ratio, fast, slow = map(self.series.value, self.classifier.indicators)
        before = self.state.regime
        self.state = self.classifier.classify(self.state, adx, atr_ratio, fast, slow)
        if self.state.regime is not None and self.state.regime is not before:
            close_ms = self.series.close_ms
            self.reading = RegimeReading(self.state.regime, close_ms, adx, atr_ratio, fast, slow)


class LiveStress:
    """Whether most of some markets move alike; looked at anew when one of them has closed a candle."""

    def __init__(self, config: CorrelationConfig, series: Iterable[LiveSeries]) -> None:
        self._config = config
        self._series = tuple(series)
        self._seen: tuple[int, ...] = ()
        self._is_stressed = False

    def now(self) -> bool:
        """The word at the last close of any of them; it hangs on the window before that close alone."""
        closes = tuple(each.close_ms for each in self._series)
        if closes != self._seen:
            self._seen = closes
            count = self._config.window + 1
            first_ms = max(closes) - count * timeframe_ms(self._config.timeframe)
            window = [each.last_candles(count).between(first_ms, None) for each in self._series]
            words = stress_columns(self._config, window).is_stressed
            self._is_stressed = bool(words[-1]) if len(words) else False
        return self._is_stressed
