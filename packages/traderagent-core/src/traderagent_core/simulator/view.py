"""The market view of a simulation: whole columns inside, only the closed past outside."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

import numpy as np
from attrs import Factory, define, frozen
from numpy.typing import NDArray

from traderagent_core.contract.strategy import Needs, Strategy, Wake
from traderagent_core.data.resampling import resample
from traderagent_core.errors import DataError, asking
from traderagent_core.indicators import Indicator
from traderagent_core.model.candle import Candle, Candles, FloatColumn, TimeColumn
from traderagent_core.model.regime_reading import RegimeReading
from traderagent_core.model.timeframe import timeframe_ms
from traderagent_core.simulator.cursor import Cursor
from traderagent_core.simulator.lookup import last_at
from traderagent_core.simulator.regimes import RegimeHistory
from traderagent_core.simulator.stress import StressHistory


@define(eq=False)
class Series:
    """Candles of one timeframe with the times at which they close."""

    candles: Candles
    close_time: TimeColumn
    _step_ms: int = Factory(lambda self: self.candles.duration_ms, takes_self=True)
    _asked_ms: int = -1
    _index: int = 0
    _last: tuple[int, Candle | None] = (-1, None)

    def index_at(self, time_ms: int) -> int:
        """Index of the last candle that has closed by a time, or -1; at one time it is asked for again and again."""
        if time_ms != self._asked_ms:
            self._asked_ms = time_ms
            self._index = last_at(self.close_time, time_ms, self._step_ms, self._index)
        return self._index

    def last_at(self, time_ms: int) -> Candle | None:
        """The last candle that has closed by a time, one object until the next one closes; None before the first."""
        index = self.index_at(time_ms)
        if index != self._last[0]:
            self._last = index, self.candles.candle(index)
        return self._last[1]

    def part(self, first: int, last: int) -> Candles:
        """Copies of some candles: a slice would lead to the whole column, and so to the future."""
        whole, part = self.candles, slice(first, last)
        prices = (whole.open, whole.high, whole.low, whole.close, whole.volume)
        times = whole.open_time[part].copy()
        return Candles(whole.symbol, whole.timeframe, times, *[column[part].copy() for column in prices])


@frozen(eq=False)
class Schedule:
    """When a bot starts and on which closes it is called; ms UTC, sorted."""

    start_ms: int
    due_ms: TimeColumn


def _start(series: Series, warm: NDArray[np.bool_], not_before_ms: int, *, is_exact: bool) -> int | None:
    """The first close from a time on at which indicators are warm, or exactly that time if they are by then."""
    if is_exact:
        last = int(series.close_time.searchsorted(not_before_ms, side="right")) - 1
        return not_before_ms if last >= 0 and warm[last] else None
    is_possible = warm & (series.close_time >= not_before_ms)
    return int(series.close_time[int(is_possible.argmax())]) if is_possible.any() else None


def _read_only(column: FloatColumn) -> FloatColumn:
    shown = column.view()
    shown.flags.writeable = False
    return shown


class SimulatedView:
    """Closed candles and indicators up to `now_ms`, which the driver moves. See ports.MarketView."""

    def __init__(self, base: Mapping[str, Candles]) -> None:
        self.now_ms = 0
        self.cursors: dict[str, Cursor] = {}
        self._base = base
        self._series: dict[tuple[str, str], Series] = {}
        self._refused: dict[tuple[str, str], str] = {}
        self._columns: dict[tuple[str, str, Indicator], FloatColumn] = {}
        self._tails: dict[tuple[str, str, Indicator], tuple[int, FloatColumn]] = {}
        self.regimes: dict[str, RegimeHistory] = {}
        self.stress: StressHistory | None = None
        self._due: dict[str, tuple[Series, NDArray[np.bool_] | None]] = {}

    def series(self, symbol: str, timeframe: str) -> Series:
        """Candles of a timeframe, built from the base candles the first time they are asked for."""
        key = (symbol, timeframe)
        series = self._series.get(key)
        if series is None:
            if key in self._refused:
                raise DataError(self._refused[key])
            base = self._base.get(symbol)
            if base is None:
                raise DataError(f"no candles of {symbol}; there are: {', '.join(sorted(self._base))}")
            try:
                candles = base if base.timeframe == timeframe else resample(base, timeframe)
            except DataError as error:
                self._refused[key] = str(error)
                raise
            series = self._series[key] = Series(candles, candles.open_time + candles.duration_ms)
        return series

    def next_close(self, time_ms: int) -> TimeColumn:
        """The first close of any market after a time; empty when there is none."""
        closes = [series.open_time + series.duration_ms for series in self._base.values()]
        later = [times[times > time_ms][:1] for times in closes]
        return np.sort(np.concatenate(later))[:1]

    def column(self, symbol: str, timeframe: str, indicator: Indicator) -> FloatColumn:
        """An indicator over the whole series."""
        key = (symbol, timeframe, indicator)
        column = self._columns.get(key)
        if column is None:
            column = self._columns[key] = indicator.batch(self.series(symbol, timeframe).candles)
        return column

    def begin(self, start_ms: int) -> None:
        """A run begins at a time: of its indicators only what can still be read is kept."""
        for (symbol, timeframe, indicator), column in self._columns.items():
            closes = self.series(symbol, timeframe).close_time
            first = max(int(closes.searchsorted(start_ms, side="right")) - 1, 0)
            self._tails[symbol, timeframe, indicator] = first, column[first:].copy()
        self._columns.clear()

    def forget_columns(self) -> None:
        """A run is over: what is read after it are candles, and an indicator that is asked for is made anew."""
        self._columns.clear()
        self._tails.clear()
        self._due.clear()
        self.regimes.clear()

    # -- what plugins see -----------------------------------------------------------------------------------

    def price(self, symbol: str) -> Decimal:
        """The last price; raises DataError before the first candle."""
        cursor = self.cursors[symbol]
        if cursor.sought_ms != self.now_ms:
            cursor.seek(self.now_ms)
        market = cursor.market
        if market.price != market.price:
            raise DataError(f"no price of {symbol} yet: its first candle has not opened")
        return market.last_price()

    def prices(self, symbols: Iterable[str]) -> list[Decimal]:
        """The last price of each of some symbols, in their order."""
        now_ms, cursors, prices = self.now_ms, self.cursors, []
        for symbol in symbols:
            cursor = cursors[symbol]
            if cursor.sought_ms != now_ms:
                cursor.seek(now_ms)
            market = cursor.market
            prices.append(market.told_exactly if market.price == market.told else self.price(symbol))
        return prices

    def last(self, symbol: str, timeframe: str) -> Candle | None:
        """The last closed candle, or None before the first."""
        return self.series(symbol, timeframe).last_at(self.now_ms)

    def candles(self, symbol: str, timeframe: str, count: int) -> Candles:
        """At most `count` last closed candles, oldest first."""
        series, index = self._now(symbol, timeframe)
        return series.part(max(index + 1 - count, 0), index + 1)

    def value(self, symbol: str, timeframe: str, indicator: Indicator) -> float:
        """An indicator at the last closed candle; nan while it warms up."""
        index = self._now(symbol, timeframe)[1]
        tail = self._tails.get((symbol, timeframe, indicator))
        if tail is not None and index >= tail[0]:
            return tail[1].item(index - tail[0])
        return self.column(symbol, timeframe, indicator).item(index) if index >= 0 else float("nan")

    def _now(self, symbol: str, timeframe: str) -> tuple[Series, int]:
        series = self.series(symbol, timeframe)
        return series, series.index_at(self.now_ms)

    def regime(self, symbol: str) -> RegimeReading | None:
        """The confirmed regime of a market that was declared in `regimes`; None before its first classification."""
        history = self.regimes.get(symbol)
        return None if history is None else history.at(self.now_ms)

    def is_stressed(self) -> bool:
        """Whether the correlation monitor says stress, where it is used."""
        return self.stress is not None and self.stress.at(self.now_ms)

    # -- what the driver asks -------------------------------------------------------------------------------

    def schedule(
        self,
        bot: str,
        symbol: str,
        timeframe: str,
        strategy: Strategy,
        not_before_ms: int,
        *,
        is_exact: bool = False,
    ) -> Schedule:
        """When a bot can start (its indicators are warm) and when it wants to be called.

        It starts at a close of its timeframe, or, with `is_exact`, at `not_before_ms` if it can then.
        """
        needs = type(strategy).needs(strategy.config)
        series = self._starting_series(symbol, needs.timeframe or timeframe, needs, not_before_ms)
        warm = np.ones(len(series.candles), dtype=bool)
        for indicator in needs.indicators:
            warm &= ~np.isnan(self.column(symbol, series.candles.timeframe, indicator))
        start_ms = _start(series, warm, not_before_ms, is_exact=is_exact)
        if start_ms is None:
            have = f"{len(series.candles)} candles of {symbol} {series.candles.timeframe}"
            why = (
                "end before the run starts"
                if warm.any()
                else "are too few for "
                + (
                    f"its indicators {', '.join(i.key for i in needs.indicators)}"
                    if needs.indicators
                    else "a start"
                )
            )
            raise DataError(f"bot {bot!r} cannot start: the {have} {why}; give it more data")
        mask = self._mask(symbol, series, strategy, needs)
        self._due[bot] = (series, mask)
        if needs.wake is Wake.NEVER:
            return Schedule(start_ms, series.close_time[:0])
        due = series.close_time if mask is None else series.close_time[mask]
        return Schedule(start_ms, due[due > start_ms])

    def _starting_series(self, symbol: str, timeframe: str, needs: Needs, not_before_ms: int) -> Series:
        """All candles of a timeframe; but only those around the start for a bot that will ask for none of them."""
        base = self._base.get(symbol)
        is_asleep = not needs.indicators and needs.wake is Wake.NEVER
        if base is not None and base.timeframe != timeframe and is_asleep:
            length = timeframe_ms(timeframe)
            first = int(base.open_time.searchsorted(not_before_ms - length))
            candles = resample(base[first : first + 3 * length // base.duration_ms], timeframe)
            if len(candles) and int(candles.open_time[-1]) + length >= not_before_ms:
                return Series(candles, candles.open_time + length)
        return self.series(symbol, timeframe)

    def _mask(
        self, symbol: str, series: Series, strategy: Strategy, needs: Needs
    ) -> NDArray[np.bool_] | None:
        if needs.wake is not Wake.CANDIDATES:
            return None
        candles = series.candles
        columns = {name: getattr(candles, name) for name in ("open", "high", "low", "close", "volume")}
        for indicator in needs.indicators:
            columns[indicator.key] = self.column(symbol, candles.timeframe, indicator)
        shown = {name: _read_only(column) for name, column in columns.items()}
        with asking(type(strategy).__name__, "candidates"):
            mask = np.asarray(type(strategy).candidates(strategy.config, shown))
        if mask.dtype != bool or mask.shape != (len(candles),):
            raise DataError(
                f"{type(strategy).__name__}.candidates must return a bool array of {len(candles)} rows, "
                f"not {mask.dtype} of shape {mask.shape}"
            )
        return mask

    def is_due(self, bot: str, time_ms: int) -> bool:
        """Whether a candle that the bot asked to be called for closed at this time."""
        series, mask = self._due[bot]
        index = series.index_at(time_ms)
        if index < 0 or series.close_time.item(index) != time_ms:
            return False
        return mask is None or mask.item(index)
