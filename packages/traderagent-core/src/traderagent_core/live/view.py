"""The market view of a live run: closed candles as they come, their indicators, and the last prices."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from attrs import frozen

from traderagent_core.config.coordinator import CorrelationConfig
from traderagent_core.contract.strategy import Needs, Strategy, Wake
from traderagent_core.coordinator.regime import RegimeClassifier
from traderagent_core.data.resampling import require_divides
from traderagent_core.errors import DataError
from traderagent_core.indicators import Indicator
from traderagent_core.live.coordination import LiveRegime, LiveStress
from traderagent_core.live.series import LiveSeries
from traderagent_core.live.windows import Window
from traderagent_core.model.candle import Candle, Candles
from traderagent_core.model.regime_reading import RegimeReading
from traderagent_core.model.timeframe import timeframe_ms
from traderagent_core.ports import Call, call_plainly


@frozen
class Listener:
    """A bot and the series on whose candles it wants to be called."""

    strategy: Strategy
    needs: Needs
    series: LiveSeries


class LiveView:
    """See ports.MarketView. What begins with `learned_` no entry of the tape tells yet."""

    def __init__(self, symbols: Iterable[str], base: str, call: Call = call_plainly) -> None:
        self._call = call
        self.base = base
        self.learned_candles: list[tuple[str, Candle]] = []
        self.learned_prices: dict[str, Decimal] = {}
        self.learned_close_ms: int | None = None
        self._prices: dict[str, Decimal] = {}
        self._series: dict[tuple[str, str], LiveSeries] = {}
        self._windows: dict[str, dict[str, Window]] = {symbol: {} for symbol in symbols}
        self._window_end: int | None = None
        self._is_window_end_known = True
        self._listeners: dict[str, Listener] = {}
        self.regimes: dict[str, LiveRegime] = {}
        self.stress: LiveStress | None = None
        for symbol in self._windows:
            self._series[symbol, base] = LiveSeries(symbol, base, timeframe_ms(base))

    # -- learning -------------------------------------------------------------------------------------------

    def learn_price(self, symbol: str, price: Decimal) -> None:
        """Take the price of the last trade; 1.0 and 1.00 are told apart, as a record may show either."""
        last = self._prices.get(symbol)
        if last is None or last.compare_total(price):
            self._prices[symbol] = self.learned_prices[symbol] = price

    def learn_candle(self, symbol: str, candle: Candle) -> bool:
        """Take a closed base candle; one that is not newer than the last changes nothing. Whether it was new."""
        base = self._series[symbol, self.base]
        if candle.open_time + base.duration_ms <= base.close_ms:
            return False
        self._add(base, candle)
        for timeframe, window in self._windows[symbol].items():
            for higher in window.add(candle):
                self._add(self._series[symbol, timeframe], higher)
        self._is_window_end_known = False
        self.learned_candles.append((symbol, candle))
        return True

    def close_windows(self, time_ms: int) -> None:
        """Close the candles of higher timeframes that are over, though their last base candle did not come."""
        for symbol, windows in self._windows.items():
            for timeframe, window in windows.items():
                for higher in window.close_until(time_ms):
                    self._add(self._series[symbol, timeframe], higher)
                    self.learned_close_ms = time_ms
        self._is_window_end_known = False

    def _add(self, series: LiveSeries, candle: Candle) -> None:
        series.add(candle)
        regime = self.regimes.get(series.symbol)
        if regime is not None and regime.series is series:
            regime.look()

    @property
    def next_window_end(self) -> int | None:
        """When the first candle of a higher timeframe that is being built closes; the driver asks again and again."""
        if not self._is_window_end_known:
            windows = [window for windows in self._windows.values() for window in windows.values()]
            ends = [end for window in windows if (end := window.end_ms) is not None]
            self._window_end, self._is_window_end_known = min(ends, default=None), True
        return self._window_end

    # -- what plugins see -----------------------------------------------------------------------------------

    def price(self, symbol: str) -> Decimal:
        """The last price; raises DataError before the first one."""
        price = self._prices.get(symbol)
        if price is None:
            raise DataError(f"no price of {symbol} yet: the exchange has told none")
        return price

    def prices(self, symbols: Iterable[str]) -> list[Decimal]:
        """The last price of each of some symbols, in their order."""
        return [self.price(symbol) for symbol in symbols]

    def has_price(self, symbol: str) -> bool:
        """Whether a price is known."""
        return symbol in self._prices

    def last(self, symbol: str, timeframe: str) -> Candle | None:
        """The last closed candle, or None before the first."""
        return self.series(symbol, timeframe).last()

    def candles(self, symbol: str, timeframe: str, count: int) -> Candles:
        """At most `count` last closed candles, oldest first; no more than are kept."""
        return self.series(symbol, timeframe).last_candles(count)

    def value(self, symbol: str, timeframe: str, indicator: Indicator) -> float:
        """An indicator at the last closed candle; nan while it warms up."""
        return self.series(symbol, timeframe).value(indicator)

    def regime(self, symbol: str) -> RegimeReading | None:
        """The confirmed regime of a market that `classify` was told of; None before its first classification."""
        regime = self.regimes.get(symbol)
        return None if regime is None else regime.reading

    def is_stressed(self) -> bool:
        """Whether the correlation monitor says stress, where `correlate` has set it up."""
        return self.stress is not None and self.stress.now()

    def series(self, symbol: str, timeframe: str) -> LiveSeries:
        """Candles of a timeframe, built from the base candles that are kept when they are first asked for."""
        found = self._series.get((symbol, timeframe))
        return found if found is not None else self._build(symbol, timeframe)

    def _build(self, symbol: str, timeframe: str) -> LiveSeries:
        base = self._series.get((symbol, self.base))
        if base is None:
            there = ", ".join(sorted({name for name, _ in self._series}))
            raise DataError(f"no candles of {symbol}; there are: {there}")
        require_divides(symbol, self.base, timeframe)
        window = self._windows[symbol][timeframe] = Window.of(timeframe, self.base)
        series = LiveSeries(symbol, timeframe, timeframe_ms(timeframe))
        for candle in base.rows():
            for higher in window.add(candle):
                series.add(higher)
        self._series[symbol, timeframe] = series
        self._is_window_end_known = False
        return series

    # -- what the driver asks -------------------------------------------------------------------------------

    def listen(self, bot: str, symbol: str, timeframe: str, strategy: Strategy) -> None:
        """Follow the series and the indicators that a bot declares."""
        needs = type(strategy).needs(strategy.config)
        series = self.series(symbol, needs.timeframe or timeframe)
        for indicator in needs.indicators:
            series.declare(indicator)
        self._listeners[bot] = Listener(strategy, needs, series)

    def classify(self, symbol: str, classifier: RegimeClassifier) -> None:
        """Tell the regime of a market from now on; what another classifier has said stands until this one differs."""
        series = self.series(symbol, classifier.config.regime_timeframe)
        regime = LiveRegime(classifier, series)
        former = self.regimes.get(symbol)
        if former is not None:
            regime.reading, regime.state = former.reading, former.state
        self.regimes[symbol] = regime

    def correlate(self, symbols: Iterable[str], config: CorrelationConfig) -> None:
        """Say from now on whether these markets are stressed; without any nobody asks."""
        series = [self.series(symbol, config.timeframe) for symbol in symbols]
        self.stress = LiveStress(config, series) if series else None

    def is_ready(self, bot: str) -> bool:
        """Whether a bot can start: its market has a price and a candle, and its indicators are warm."""
        listener = self._listeners[bot]
        return self.has_price(listener.series.symbol) and listener.series.is_warm(listener.needs.indicators)

    def closed_at(self, bot: str) -> int:
        """When the last candle of a bot's timeframe closed."""
        return self._listeners[bot].series.close_ms

    def is_due(self, bot: str, time_ms: int) -> bool:
        """Whether a candle that the bot asked to be called for closed at this time."""
        listener = self._listeners[bot]
        needs, series = listener.needs, listener.series
        if needs.wake is Wake.NEVER or series.close_ms != time_ms:
            return False
        if needs.wake is Wake.EVERY_CANDLE:
            return True
        columns = series.columns(needs.indicators, needs.look_back)
        strategy = listener.strategy
        mask = self._call(bot, "candidates", type(strategy).candidates, strategy.config, columns)
        return bool(mask[-1])

    def closes(self) -> Mapping[str, float]:
        """The last close of each symbol's base candles."""
        lasts = {name: self._series[name, base].last() for name, base in self._series if base == self.base}
        return {name: candle.close for name, candle in lasts.items() if candle is not None}
