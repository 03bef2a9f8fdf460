"""Everything that the detectors found in a series, for research, reports and tests: the same code in a loop."""

from attrs import Factory, define
from traderagent_core import Candles

from traderagent_smc.analysis import Found, TimeframeAnalysis
from traderagent_smc.gaps import Gap
from traderagent_smc.order_blocks import OrderBlock
from traderagent_smc.pattern_structure import PatternEvent
from traderagent_smc.pools import Pool
from traderagent_smc.settings import Settings
from traderagent_smc.structure import Break
from traderagent_smc.swings import Swing
from traderagent_smc.zones import Zone


@define(eq=False)
class Records:
    """All that became known, each kind in that order; later fields are as they stand after the last candle."""

    analysis: TimeframeAnalysis
    swings: list[Swing] = Factory(list)
    breaks: list[Break] = Factory(list)
    patterns: list[PatternEvent] = Factory(list)
    blocks: list[OrderBlock] = Factory(list)
    gaps: list[Gap] = Factory(list)
    pools: list[Pool] = Factory(list)
    zones: list[Zone] = Factory(list)

    def take(self, found: Found) -> None:
        """Keep what became known at a candle."""
        self.breaks += found.breaks
        self.patterns += found.patterns
        self.blocks += found.blocks
        self.zones += found.zones
        if found.swing is not None:
            self.swings.append(found.swing)
        if found.gap is not None:
            self.gaps.append(found.gap)
        if found.pool is not None:
            self.pools.append(found.pool)


def find_all(candles: Candles, settings: Settings) -> Records:
    """Feed all candles and keep what each of them made known."""
    records = Records(TimeframeAnalysis(candles.timeframe, settings))
    records.analysis.feed(candles, records.take)
    return records
