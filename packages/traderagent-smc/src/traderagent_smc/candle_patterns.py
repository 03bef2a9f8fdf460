"""Entry patterns on closed candles: engulfing, pin bar and the breakout of an inside bar, each with a quality."""

from collections.abc import Iterator

from attrs import frozen

from traderagent_smc.chart import Chart
from traderagent_smc.strength import mean_volume

ENGULFING = "engulfing"
PIN_BAR = "pin_bar"
INSIDE_BAR = "inside_bar"

ENGULFING_SLACK_ATR = 0.05
UNKNOWN_VOLUME = 0.5
INSIDE_WAIT = 3


@frozen
class Shape:
    """One candle in mirrored prices, so that the bearish forms are the bullish ones."""

    open: float
    high: float
    low: float
    close: float

    @property
    def body(self) -> float:
        """|close - open|."""
        return abs(self.close - self.open)

    @property
    def range(self) -> float:
        """high - low."""
        return self.high - self.low


@frozen
class Pattern:
    """A pattern that the latest candle completes. `low` and `high` are the extremes of its candles."""

    name: str
    direction: int
    quality: float
    low: float
    high: float


def find_patterns(chart: Chart, atr: float, *, trends_up: bool, trends_down: bool) -> list[Pattern]:
    """The patterns of both directions at the latest candle; the trends count for inside bars."""
    found: list[Pattern] = []
    for direction, agrees in ((1, trends_up), (-1, trends_down)):
        shapes = _shapes(chart, direction)
        candles = {ENGULFING: 2, PIN_BAR: 1}
        qualities = {
            ENGULFING: _engulfing(shapes, atr, _volume(chart)),
            PIN_BAR: _pin_bar(shapes, _volume(chart)),
        }
        broken, quality = _inside_bar(shapes, _volume(chart), agrees=agrees)
        candles[INSIDE_BAR], qualities[INSIDE_BAR] = broken + 2, quality
        for name, value in qualities.items():
            if value is not None:
                count = candles[name]
                extremes = min(chart.low[-count:]), max(chart.high[-count:])
                found.append(Pattern(name, direction, value, *extremes))
    return found


def _shapes(chart: Chart, direction: int) -> list[Shape]:
    count = min(chart.count, INSIDE_WAIT + 2)
    rows = list(_last_rows(chart, count))
    if direction > 0:
        return [Shape(*row) for row in rows]
    return [Shape(-start, -low, -high, -close) for start, high, low, close in rows]


def _last_rows(chart: Chart, count: int) -> Iterator[tuple[float, float, float, float]]:
    """Oldest first."""
    columns = (chart.open[-count:], chart.high[-count:], chart.low[-count:], chart.close[-count:])
    return zip(*columns, strict=True)


def _volume(chart: Chart) -> float:
    """Volume of the latest candle against twice the mean of 20, at most 1; a half without volume."""
    mean = mean_volume(chart, chart.count - 1)
    return min(1.0, chart.volume[-1] / (2.0 * mean)) if mean > 0.0 else UNKNOWN_VOLUME


def _engulfing(shapes: list[Shape], atr: float, volume: float) -> float | None:
    if len(shapes) < 2:
        return None
    before, now = shapes[-2:]
    slack = ENGULFING_SLACK_ATR * atr if atr == atr else 0.0
    turns = before.close < before.open and now.close > now.open
    covers = now.open <= before.close + slack and now.close >= before.open and now.body > before.body
    if not (turns and covers):
        return None
    return 0.5 * min(1.0, now.body / (2.0 * before.body)) + 0.3 * now.body / now.range + 0.2 * volume


def _pin_bar(shapes: list[Shape], volume: float) -> float | None:
    now = shapes[-1] if shapes else None
    if now is None or now.range <= 0.0:
        return None
    wick = min(now.open, now.close) - now.low
    has_form = 3.0 * wick >= 2.0 * now.range and 3.0 * now.body <= now.range
    if not has_form or 3.0 * (now.high - now.close) > now.range:
        return None
    return 0.5 * wick / now.range + 0.3 * (1.0 - now.body / now.range) + 0.2 * volume


def _inside_bar(shapes: list[Shape], volume: float, *, agrees: bool) -> tuple[int, float | None]:
    """Candles since the inside bar whose mother's high the latest close is the first to leave, and the quality.

    The first close beyond either end of the mother uses the inside bar up. The latest inside bar comes first.
    """
    for since in range(1, INSIDE_WAIT + 1):
        if len(shapes) < since + 2:
            break
        mother, inside, *after = shapes[-since - 2 :]
        if not (inside.high < mother.high and inside.low > mother.low and inside.range > 0.0):
            continue
        is_first = all(mother.low <= each.close <= mother.high for each in after[:-1])
        if is_first and after[-1].close > mother.high:
            quality = 0.5 * (1.0 - inside.range / mother.range) + 0.3 * agrees + 0.2 * volume
            return since, quality
    return 0, None
