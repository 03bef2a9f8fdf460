"""All timeframes of one symbol, brought to now from a market view."""

from attrs import Factory, define, field
from traderagent_core import Candles, DataError, MarketView

from traderagent_smc.analysis import TimeframeAnalysis
from traderagent_smc.config import SmcConfig


@define(eq=False)
class SymbolMarket:
    """The analyses of a symbol by timeframe, from high to low.

    `notes` says, each thing once, what is missing in the data: timeframes left out, holes in time.
    """

    symbol: str
    config: SmcConfig
    analyses: dict[str, TimeframeAnalysis] = field(init=False)
    first_open_ms: int | None = field(default=None, init=False)
    notes: dict[str, str] = Factory(dict)

    @analyses.default
    def _start(self) -> dict[str, TimeframeAnalysis]:
        config = self.config
        return {each: TimeframeAnalysis(each, config.settings(each)) for each in config.timeframes}

    @property
    def usable(self) -> list[TimeframeAnalysis]:
        """Timeframes that have candles, from high to low; the last one is the base."""
        return [analysis for analysis in self.analyses.values() if analysis.chart.count]

    def advance(self, view: MarketView) -> None:
        """Take the candles closed since the last time; raises DataError for a candle that cannot be one.

        From low to high: where the base begins decides which bucket of a higher timeframe is the first whole one.
        """
        for timeframe, analysis in reversed(self.analyses.items()):
            try:
                last = view.last(self.symbol, timeframe)
            except DataError as error:
                self.notes.setdefault(f"{timeframe} is left out", str(error))
                continue
            seen = analysis.last_open_ms
            if last is None or last.open_time == seen:
                continue
            if last.open_time - analysis.length_ms == seen:
                analysis.update(last)
                continue
            analysis.feed(self._fresh(view, analysis, last.open_time))
            if analysis.holes:
                self.notes.setdefault(f"{timeframe} has holes", "missing candles are left out, not invented")

    def _fresh(self, view: MarketView, analysis: TimeframeAnalysis, last_ms: int) -> Candles:
        """The candles closed since the last one taken, without asking for more than there can be."""
        timeframe, seen = analysis.timeframe, analysis.last_open_ms
        if seen is None:
            # No more candles than this can have closed since 1970.
            return self._beginning(view.candles(self.symbol, timeframe, last_ms // analysis.length_ms + 1))
        if last_ms < seen:
            raise DataError(
                f"the last {timeframe} candle of {self.symbol} opened at {last_ms} ms UTC, before {seen}, "
                "which was taken already; expected rising times; start the filter anew"
            )
        # Candles are at least their length apart, so there are no more than this; fewer where there is a hole.
        count = max((last_ms - seen) // analysis.length_ms, 1)
        fresh = view.candles(self.symbol, timeframe, count)
        return fresh if fresh.open_time[0] > seen else fresh.between(seen + 1, None)

    def _beginning(self, candles: Candles) -> Candles:
        """What is taken of the candles there are when the symbol is first asked about."""
        if self.first_open_ms is None:
            self.first_open_ms = int(candles.open_time[0])
        return beginning(candles, self.first_open_ms, self.config)


def beginning(
    candles: Candles, first_open_ms: int, config: SmcConfig, before_ms: int | None = None
) -> Candles:
    """The candles of a timeframe from where the detectors begin: as many as `config.history` before a time.

    Without a time it is the end of the candles. A first bucket in the middle of which the base begins is left out, as
    it was built from a part of it; `first_open_ms` is when the base's first candle opened.
    """
    is_partial = len(candles) > 0 and 0 < first_open_ms - int(candles.open_time[0]) < candles.duration_ms
    now = len(candles) if before_ms is None else int(candles.open_time.searchsorted(before_ms))
    return candles[max(now - config.history(candles.timeframe), int(is_partial)) :]
