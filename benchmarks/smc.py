"""What the SMC filter costs: its detectors early and late in a long history, and a verdict."""

from decimal import Decimal
from functools import partial

from figures import Figure
from setups import SYMBOL, Series
from timing import Timing, measure
from traderagent_core import At, Candles, Fixed, Leg, Plan, Purpose, Side
from traderagent_core.simulator.view import SimulatedView
from traderagent_smc.analysis import TimeframeAnalysis
from traderagent_smc.config import SmcConfig
from traderagent_smc.filter import SmcFilter
from traderagent_smc.settings import Settings

HISTORY = Series("15m", 100_000, seed=5, reversion=0.6)
SWING_LENGTHS = (10, 50)
PART = 5_000
VERDICTS = 200
LEG = Leg("entry", "entry", Side.BUY, Purpose.ENTRY, Fixed(Decimal(1)), At(Decimal(30_000)))
ENTRY = Plan("entry", (LEG,), ("entry",))

CANDLE_US, HISTORY_MS, VERDICT_MS = 50.0, 5_000.0, 1.0


def smc_costs(repetitions: int) -> list[Figure]:
    """Microseconds for each candle of one timeframe, the whole history, and a verdict on four timeframes."""
    candles = HISTORY.candles()
    return [
        *(figure for length in SWING_LENGTHS for figure in _detectors(candles, length, repetitions)),
        _verdict(candles, repetitions),
    ]


def _detectors(candles: Candles, length: int, repetitions: int) -> list[Figure]:
    late = len(candles) - (repetitions + 1) * PART
    parts = {"early": _Feeder(length, candles, 0), "late": _Feeder(length, candles, late)}
    times = measure({name: feeder.feed for name, feeder in parts.items()}, repetitions)
    whole = measure({"all": lambda: TimeframeAnalysis("15m", Settings(length)).feed(candles)}, repetitions)
    name = f"swing length {length}"
    return [
        *(_candle_figure(f"{name}: a candle {part} in the history", times[part]) for part in parts),
        Figure.of(
            f"{name}: {len(candles):,} candles", "ms", whole["all"].read().scaled(1e3), wanted=HISTORY_MS
        ),
    ]


def _candle_figure(name: str, timing: Timing) -> Figure:
    return Figure.of(name, "µs", timing.read().scaled(1e6 / PART), wanted=CANDLE_US)


class _Feeder:
    """Feeds the next part of a history to an analysis that has seen all before it."""

    def __init__(self, length: int, candles: Candles, first: int) -> None:
        self._candles, self._first = candles, first
        self._analysis = TimeframeAnalysis("15m", Settings(length))
        self._analysis.feed(candles[:first])

    def feed(self) -> None:
        self._analysis.feed(self._candles[self._first : self._first + PART])
        self._first += PART


class _ClosedView(SimulatedView):
    """A view without a venue: the price is that of the last close."""

    def price(self, symbol: str) -> Decimal:
        last = self.last(symbol, HISTORY.timeframe)
        assert last is not None
        return Decimal(repr(last.close))


def _verdict(candles: Candles, repetitions: int) -> Figure:
    view, asked = _ClosedView({SYMBOL: candles}), SmcFilter(SmcConfig())
    view.now_ms = int(candles.open_time[len(candles) // 2])
    asked.advance(view, SYMBOL)
    times = measure({"verdict": partial(_judge, view, asked, candles.duration_ms)}, repetitions)
    reading = times["verdict"].read().scaled(1e3 / VERDICTS)
    return Figure.of(
        "a verdict, a candle after the one before", "ms", reading, wanted=VERDICT_MS, note="four timeframes"
    )


def _judge(view: SimulatedView, asked: SmcFilter, candle_ms: int) -> None:
    for _ in range(VERDICTS):
        view.now_ms += candle_ms
        asked.advance(view, SYMBOL)
        asked.judge(ENTRY, view, SYMBOL)
