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


def find_gap(chart: Chart, least_height: float) -> Gap | None:
    """The gap that the latest candle of the chart completes, if any; `least_height` nan: none is high enough."""
    if chart.count < 3:
        return None
    before, after = chart.high[-3], chart.low[-1]
    if before < after:
        if chart.close[-2] > chart.open[-2] and after - before >= least_height:
            return Gap(HIGH, chart.count - 2, after, before)
        return None
    before, after = chart.low[-3], chart.high[-1]
    if before > after and chart.close[-2] < chart.open[-2] and before - after >= least_height:
        return Gap(LOW, chart.count - 2, before, after)
    return None
