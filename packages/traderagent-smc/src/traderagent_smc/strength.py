"""What a zone is worth at its birth: displacement, structure, volume and narrowness, each 0 to 1."""

from traderagent_smc.chart import Chart
from traderagent_smc.settings import Weights
from traderagent_smc.structure import BOS, CHOCH
from traderagent_smc.zones import Merits

VOLUME_CANDLES = 20
STRUCTURE = {CHOCH: 1.0, BOS: 0.7, None: 0.3}
LARGE_BODY = 1.5
WIDE = 3.0


def merits(
    chart: Chart,
    t: int,
    weights: Weights,
    *,
    height: float,
    body: float,
    volume: float,
    break_kind: str | None,
    has_grab: bool,
    atr: float,
) -> Merits:
    """The merits of a zone of this height, made by candles with this largest body and mean volume, known at candle t.

    A part that cannot be known yet (no ATR, no volume) is left out and the others are scaled up.
    """
    fixed = weights.structure * STRUCTURE[break_kind]
    known = weights.structure + weights.confluence
    # Not-a-number fails this too.
    if atr > 0.0:
        displacement = body / (LARGE_BODY * atr)
        fixed += weights.displacement * displacement if displacement < 1.0 else weights.displacement
        fixed += weights.narrowness * narrowness(height / atr)
        known += weights.displacement + weights.narrowness
    mean = mean_volume(chart, t)
    if mean > 0.0:
        share = volume / (2.0 * mean)
        fixed += weights.volume * share if share < 1.0 else weights.volume
        known += weights.volume
    return Merits(fixed, weights.confluence, known, has_grab)


def narrowness(height: float) -> float:
    """1 up to a height of one ATR, falling evenly to 0 at three."""
    if height >= WIDE:
        return 0.0
    return 1.0 if height <= 1.0 else (WIDE - height) / (WIDE - 1.0)


def mean_volume(chart: Chart, t: int) -> float:
    """Mean volume of the 20 candles up to candle t; 0 before there are so many."""
    if t < VOLUME_CANDLES - 1:
        return 0.0
    end = t + 1 - chart.offset
    return sum(chart.volume[end - VOLUME_CANDLES : end]) / VOLUME_CANDLES
