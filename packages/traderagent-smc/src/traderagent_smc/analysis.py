"""One timeframe, one candle at a time: all detectors in their order, and the zones that they give birth to."""

from collections.abc import Iterator
from math import nan
from typing import NamedTuple

from attrs import define, field
from traderagent_core import Candle, Candles
from traderagent_core.indicators import Atr, Running
from traderagent_core.model.timeframe import timeframe_ms

from traderagent_smc.chart import Chart
from traderagent_smc.extremes import WindowRange
from traderagent_smc.feeding import check_candle, check_candles, plain_rows
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


NOTHING = Found()


@define(eq=False)
class TimeframeAnalysis:
    """Swings, structure, zones and pools of one timeframe, as of the last closed candle.

    `update` candle by candle and `feed` in bursts of any size leave the same state, to the last bit.
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

    def update(self, candle: Candle) -> Found:
        """Take the next closed candle; raises DataError, with nothing changed, if it cannot be one."""
        self.holes += check_candle(candle, self.last_open_ms, self.timeframe)
        return self._step(candle, self.atr_running.update(candle))

    def feed(self, candles: Candles) -> None:
        """Take the next closed candles; raises DataError, with nothing changed, if one of them cannot be one."""
        for _ in self.findings(candles):
            pass

    def findings(self, candles: Candles) -> Iterator[Found]:
        """Take the next closed candles as `feed` does, and tell what became known at each."""
        rows = plain_rows(candles)
        self.holes += check_candles(rows, self.last_open_ms, self.timeframe)
        if len(rows) < SHORT_BURST:
            take = self.atr_running.update
            for row in rows:
                yield self._step(row, take(row))
            return
        for row, atr in zip(rows, self.atr_running.batch(candles).tolist(), strict=True):
            yield self._step(row, atr)

    def _step(self, row: Candle, atr: float) -> Found:
        """One candle through all detectors: swings, structure, lives, births, pools.

        A detector is called only at a candle that reaches what it waits for, as most do not.
        """
        _, start, high, low, close, _ = row
        chart, structure, patterns = self.chart, self.structure, self.patterns
        if chart.count == chart.trim_at:
            self._measure()
            chart.trim()
        t = chart.append(row)
        self.atr = atr
        news = self.swings.update(t, high, low)
        pool = None if news is None else self._take_swing(t, news)
        up, down = (close, close) if self.settings.close_break else (high, low)
        breaks = structure.update(t, up, down) if up > structure.ceiling or down < structure.floor else ()
        self.book.update(t, start, high, low, close)
        finder = self.blocks
        is_beyond = close > finder.ceiling or close < finder.floor or not finder.lookback
        blocks = finder.update(t, close) if is_beyond else ()
        is_open = t > 1 and (chart.high[-3] < low or chart.low[-3] > high)
        gap = find_gap(chart, self._least_gap()) if is_open else None
        zones = self._births(t, blocks, gap) if blocks or gap is not None else ()
        pools = self.high_pools
        if high > pools.lone_level or high >= pools.least_reach or pools.runs:
            pools.update(t, high, close)
        pools = self.low_pools
        if -low > pools.lone_level or -low >= pools.least_reach or pools.runs:
            pools.update(t, -low, -close)
        active = self.swings.active if news is not None and news.swing.is_active else None
        events: list[PatternEvent] | None = None
        if active is not None or up > patterns.ceiling or down < patterns.floor:
            events = patterns.update(t, up, down, active)
        if news is None and gap is None and not (breaks or blocks or events):
            return NOTHING
        swing = None if news is None else news.swing
        return Found(swing, breaks, tuple(events or ()), blocks, gap, pool, zones)

    def _measure(self) -> None:
        """Let the range take the candles that have come since it was last asked for."""
        first = self.range.count - self.chart.offset
        self.range.take(self.chart.high[first:], self.chart.low[first:])

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
            self._measure()
            tolerance = self.settings.range_ratio * self.range.height
        side = self.high_pools if swing.direction == HIGH else self.low_pools
        return side.take(t, swing, news.replaced, tolerance)

    # -- births ---------------------------------------------------------------------------------------------

    def _births(self, t: int, blocks: tuple[OrderBlock, ...], gap: Gap | None) -> tuple[Zone, ...]:
        if not self.settings.has_zones:
            return ()
        zones = [self._block_zone(t, block) for block in blocks]
        if gap is not None:
            zones.append(self._gap_zone(t, gap))
        for zone in zones:
            self.book.add(zone, self.chart.low[-1], self.chart.high[-1])
        return tuple(zones)

    def _block_zone(self, t: int, block: OrderBlock) -> Zone:
        # By wicks the live break may have come before the close that made the block: it counts all the same.
        kind = self.structure.kind_of(block.direction)
        return self._zone(t, BLOCK, block, block.body, block.mean_volume, kind)

    def _gap_zone(self, t: int, gap: Gap) -> Zone:
        chart = self.chart
        body = abs(chart.close[-2] - chart.open[-2])
        kind = self.structure.kind_since(t - 2, gap.direction)
        return self._zone(t, GAP, gap, body, chart.volume[-2], kind)

    def _zone(
        self, t: int, kind: str, found: OrderBlock | Gap, body: float, volume: float, break_kind: str | None
    ) -> Zone:
        direction, top, bottom = found.direction, found.top, found.bottom
        opposite = self.low_pools if direction > 0 else self.high_pools
        self.zones_born += 1
        return Zone(
            kind,
            direction,
            found.idx,
            top,
            bottom,
            t,
            self.chart.time[-1] + self.length_ms,
            near=top if direction > 0 else -bottom,
            far=bottom if direction > 0 else -top,
            number=self.zones_born,
            merits=merits(
                self.chart,
                self.settings.weights,
                height=top - bottom,
                body=body,
                volume=volume,
                break_kind=break_kind,
                has_grab=opposite.last_grab_at >= t - self.settings.grab_candles,
                atr=self.atr,
            ),
        )
