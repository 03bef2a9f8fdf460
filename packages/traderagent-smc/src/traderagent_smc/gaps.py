"""Fair value gaps: a candle's jump that its neighbours left open."""

from attrs import define

from traderagent_smc.chart import Chart
from traderagent_smc.swings import HIGH, LOW


@define(eq=False)
class Gap:
    """A gap [bottom, top] around the middle candle `idx`, known one candle later."""

    direction: int
    idx: int
    top: float
    bottom: float

    @property
    def known_at(self) -> int:
        """The candle that completed it."""
        return self.idx + 1


def find_gap(chart: Chart, t: int, least_height: float) -> Gap | None:
    """The gap that candle t, not one of the first two, completes; `least_height` nan: none is high enough."""
    at = t - chart.offset
    start, close = chart.open[at - 1], chart.close[at - 1]
    before, after = chart.high[at - 2], chart.low[at]
    if before < after:
        return Gap(HIGH, t - 1, after, before) if close > start and after - before >= least_height else None
    before, after = chart.low[at - 2], chart.high[at]
    if before > after and close < start and before - after >= least_height:
        return Gap(LOW, t - 1, before, after)
    return None
