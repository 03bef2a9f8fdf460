"""One timeframe, one candle at a time: all detectors in their order, and the zones that they give birth to."""

from collections.abc import Callable
from math import inf, nan
from typing import NamedTuple

from attrs import define, field
from traderagent_core import Candle, Candles
from traderagent_core.indicators import Atr, Running
from traderagent_core.model.timeframe import timeframe_ms

from traderagent_smc.chart import Chart, Columns
from traderagent_smc.extremes import WindowRange
from traderagent_smc.feeding import check_candle, check_columns, plain_columns, rows_of
from traderagent_smc.gaps import Gap, find_gap
from traderagent_smc.order_blocks import BlockFinder, OrderBlock
from traderagent_smc.pattern_structure import PatternEvent, PatternStructure
from traderagent_smc.pools import Pool, PoolSide
from traderagent_smc.settings import Settings
from traderagent_smc.strength import VOLUME_CANDLES, merits
from traderagent_smc.structure import Break, LiveStructure
from traderagent_smc.swings import HIGH, LOW, Swing, SwingNews, Swings
from traderagent_smc.zone_book import ZoneBook
from traderagent_smc.zones import BLOCK, GAP, Zone

ATR_PERIOD = 14
SHORT_BURST = 64


class Found(NamedTuple):
    """What became known at one candle."""

    swing: Swing | None = None
    breaks: tuple[Break, ...] = ()
    patterns: tuple[PatternEvent, ...] = ()
    blocks: tuple[OrderBlock, ...] = ()
    gap: Gap | None = None
    pool: Pool | None = None
    zones: tuple[Zone, ...] = ()


Tell = Callable[[Found], None]


@define(eq=False)
class TimeframeAnalysis:
    """Swings, structure, zones and pools of one timeframe, as of the last closed candle.

    `update` candle by candle and `feed` in bursts of any size leave the same state, to the last bit. A candle between
    `floor` and `ceiling` reaches no level that a detector other than the book of zones waits for.
    """

    timeframe: str
    settings: Settings
    length_ms: int = field(init=False)
    chart: Chart = field(init=False)
    swings: Swings = field(init=False)
    structure: LiveStructure = field(init=False)
    patterns: PatternStructure = field(init=False)
    blocks: BlockFinder = field(init=False)
    high_pools: PoolSide = field(init=False)
    low_pools: PoolSide = field(init=False)
    range: WindowRange = field(init=False)
    book: ZoneBook = field(init=False)
    atr_running: Running = field(init=False)
    atr: float = field(default=nan, init=False)
    floor: float = field(default=inf, init=False)
    ceiling: float = field(default=-inf, init=False)
    holes: int = field(default=0, init=False)
    zones_born: int = field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        settings = self.settings
        length = settings.swing_length
        self.length_ms = timeframe_ms(self.timeframe)
        self.chart = Chart(max(2 * length, settings.order_block_lookback, VOLUME_CANDLES) + 2)
        self.swings = Swings(self.chart, length)
        self.structure = LiveStructure()
        self.patterns = PatternStructure()
        self.blocks = BlockFinder(self.chart, settings.order_block_lookback)
        self.high_pools = PoolSide(HIGH, self.chart, settings.run_return_candles)
        self.low_pools = PoolSide(LOW, self.chart, settings.run_return_candles)
        self.range = WindowRange(settings.liquidity_window)
        self.book = ZoneBook(settings.life)
        self.atr_running = Atr(ATR_PERIOD).start()

    # -- reading --------------------------------------------------------------------------------------------

    @property
    def count(self) -> int:
        """Candles taken so far."""
        return self.chart.count

    @property
    def last_open_ms(self) -> int | None:
        """Open time of the last candle taken."""
        return self.chart.time[-1] if self.chart.count else None

    @property
    def trend(self) -> int:
        """The bias: +1, -1, or 0 before the first break."""
        return self.structure.bias

    @property
    def is_ready(self) -> bool:
        """Whether there are candles enough for a swing; before, zones are kept but not told."""
        return self.chart.count >= self.settings.least_candles

    # -- feeding --------------------------------------------------------------------------------------------

    def update(self, candle: Candle) -> None:
        """Take the next closed candle; raises DataError, with nothing changed, if it cannot be one."""
        self.holes += check_candle(candle, self.last_open_ms, self.timeframe)
        self._take([[value] for value in candle], [self.atr_running.update(candle)], None)

    def feed(self, candles: Candles, tell: Tell | None = None) -> None:
        """Take the next closed candles; raises DataError, with nothing changed, if one of them cannot be one.

        `tell` is told of each candle at which something became known.
        """
        columns = plain_columns(candles)
        self.holes += check_columns(columns, self.last_open_ms, self.timeframe)
        if len(candles) < SHORT_BURST:
            atrs = [*map(self.atr_running.update, rows_of(columns))]
        else:
            atrs = self.atr_running.batch(candles).tolist()
        self._take(columns, atrs, tell)

    def _take(self, columns: Columns, atrs: list[float], tell: Tell | None) -> None:
        """Take candles in as many parts as the chart has to be trimmed."""
        chart, first, count = self.chart, 0, len(atrs)
        while first < count:
            if chart.count == chart.trim_at:
                self._measure(chart.count - 1)
                chart.trim()
            t = chart.count
            last = min(first + chart.trim_at - t, count)
            part = columns if last - first == count else [column[first:last] for column in columns]
            chart.extend(part)
            self._walk(t, part, atrs[first:last], tell)
            first = last

    def _walk(self, t: int, columns: Columns, atrs: list[float], tell: Tell | None) -> None:
        """Candles from index t on, which the chart has taken: most of them reach nothing, or only zones."""
        book, swings, has_zones = self.book, self.swings, self.settings.has_zones
        floor, ceiling = self.floor, self.ceiling
        _, starts, highs, lows, closes, _ = columns
        for start, high, low, close, high_before, low_before, atr in zip(
            starts, highs, lows, closes, *self._before(t), atrs, strict=False
        ):
            is_open = high_before < low or low_before > high
            news = swings.update(t) if t >= swings.due else None
            if news is not None or not floor < low <= close <= high < ceiling:
                self.atr = atr
                self._step(t, start, high, low, close, news, tell, is_open=is_open)
                floor, ceiling = self.floor, self.ceiling
            else:
                if low <= book.floor or high >= book.ceiling or t >= book.due:
                    book.update(t, start, high, low, close)
                if is_open and (has_zones or tell is not None):
                    self.atr = atr
                    self._open(t, tell)
            t += 1
        self.atr = atrs[-1]

    def _before(self, t: int) -> tuple[list[float], list[float]]:
        """The highs and lows of the candles from t - 2 on; of those that there are none of, what leaves no gap."""
        first, chart = t - 2 - self.chart.offset, self.chart
        if first >= 0:
            return chart.high[first:], chart.low[first:]
        return [inf] * -first + chart.high, [-inf] * -first + chart.low

    def _open(self, t: int, tell: Tell | None) -> None:
        """A candle that reaches nothing but may leave a gap open."""
        gap = find_gap(self.chart, t, self._least_gap())
        if gap is None:
            return
        zones = self._births(t, (), gap) if self.settings.has_zones else ()
        if tell is not None:
            tell(Found(gap=gap, zones=zones))

    def _step(
        self,
        t: int,
        start: float,
        high: float,
        low: float,
        close: float,
        news: SwingNews | None,
        tell: Tell | None,
        *,
        is_open: bool,
    ) -> None:
        """One candle through all detectors after the swings: structure, lives, births, pools.

        A detector is called only at a candle that reaches what it waits for, as most do not.
        """
        structure, patterns = self.structure, self.patterns
        pool = None if news is None else self._take_swing(t, news)
        up, down = (close, close) if self.settings.close_break else (high, low)
        breaks = structure.update(t, up, down) if up > structure.ceiling or down < structure.floor else ()
        self.book.update(t, start, high, low, close)
        finder = self.blocks
        is_beyond = close > finder.ceiling or close < finder.floor or not finder.lookback
        blocks = finder.update(t, close) if is_beyond else ()
        gap = find_gap(self.chart, t, self._least_gap()) if is_open else None
        is_birth = self.settings.has_zones and (blocks or gap is not None)
        zones = self._births(t, blocks, gap) if is_birth else ()
        pools = self.high_pools
        if high > pools.lone_level or high >= pools.least_reach or pools.runs:
            pools.update(t, high, close)
        pools = self.low_pools
        if -low > pools.lone_level or -low >= pools.least_reach or pools.runs:
            pools.update(t, -low, -close)
        active = self.swings.active if news is not None and news.swing.is_active else None
        events: list[PatternEvent] | None = None
        if self.settings.has_patterns and (
            active is not None or up > patterns.ceiling or down < patterns.floor
        ):
            events = patterns.update(t, up, down, active)
        self._look_out()
        if tell is not None and not (news is None and gap is None and not (breaks or blocks or events)):
            swing = None if news is None else news.swing
            tell(Found(swing, breaks, tuple(events or ()), blocks, gap, pool, zones))

    def _look_out(self) -> None:
        """Find the nearest levels that a detector waits for; some want to see each candle."""
        structure, patterns, blocks = self.structure, self.patterns, self.blocks
        above, below = self.high_pools, self.low_pools
        if above.runs or below.runs or not blocks.lookback:
            self.floor, self.ceiling = inf, -inf
            return
        self.ceiling = min(
            structure.ceiling, patterns.ceiling, blocks.ceiling, above.lone_level, above.least_reach
        )
        self.floor = max(structure.floor, patterns.floor, blocks.floor, -below.lone_level, -below.least_reach)

    def _measure(self, t: int) -> None:
        """Let the range take the candles up to t that have come since it was last asked for."""
        chart = self.chart
        part = slice(self.range.count - chart.offset, t + 1 - chart.offset)
        self.range.take(chart.high[part], chart.low[part])

    def _least_gap(self) -> float:
        ratio = self.settings.fvg_min_atr
        return ratio * self.atr if ratio else 0.0

    def _take_swing(self, t: int, news: SwingNews) -> Pool | None:
        swing = news.swing
        if not swing.is_active:
            return None
        self.structure.take(swing)
        self.blocks.take(t, swing)
        tolerance = self.settings.liquidity_tolerance
        if tolerance is None:
            self._measure(t)
            tolerance = self.settings.range_ratio * self.range.height
        side = self.high_pools if swing.direction == HIGH else self.low_pools
        return side.take(t, swing, news.replaced, tolerance)

    # -- births ---------------------------------------------------------------------------------------------

    def _births(self, t: int, blocks: tuple[OrderBlock, ...], gap: Gap | None) -> tuple[Zone, ...]:
        zones = [self._block_zone(t, block) for block in blocks] if blocks else []
        if gap is not None:
            zones.append(self._gap_zone(t, gap))
        at = t - self.chart.offset
        for zone in zones:
            self.book.add(zone, self.chart.low[at], self.chart.high[at])
        return tuple(zones)

    def _block_zone(self, t: int, block: OrderBlock) -> Zone:
        # By wicks the live break may have come before the close that made the block: it counts all the same.
        kind = self.structure.kind_of(block.direction)
        return self._zone(t, BLOCK, block, block.body, block.mean_volume, kind)

    def _gap_zone(self, t: int, gap: Gap) -> Zone:
        chart, at = self.chart, t - 1 - self.chart.offset
        body = abs(chart.close[at] - chart.open[at])
        kind = self.structure.kind_since(t - 2, gap.direction)
        return self._zone(t, GAP, gap, body, chart.volume[at], kind)

    def _zone(
        self, t: int, kind: str, found: OrderBlock | Gap, body: float, volume: float, break_kind: str | None
    ) -> Zone:
        direction, top, bottom = found.direction, found.top, found.bottom
        opposite = self.low_pools if direction > 0 else self.high_pools
        near, far = (top, bottom) if direction > 0 else (-bottom, -top)
        self.zones_born += 1
        known = merits(
            self.chart,
            t,
            self.settings.weights,
            height=top - bottom,
            body=body,
            volume=volume,
            break_kind=break_kind,
            has_grab=opposite.last_grab_at >= t - self.settings.grab_candles,
            atr=self.atr,
        )
        known_ms = self.chart.time[t - self.chart.offset] + self.length_ms
        number = self.zones_born
        return Zone(kind, direction, found.idx, top, bottom, t, known_ms, near, far, number, known)
