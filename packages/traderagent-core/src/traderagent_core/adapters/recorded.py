"""Candles of the past as an exchange would serve them: closed ones only, of any timeframe that fits."""

from traderagent_core.data.resampling import grid_offset_ms, resample
from traderagent_core.model.candle import Candles
from traderagent_core.model.timeframe import timeframe_ms


def closed_candles_of(recorded: Candles, timeframe: str, since_ms: int, limit: int, now_ms: int) -> Candles:
    """At most `limit` candles that open at or after `since_ms` and have closed by `now_ms`, oldest first.

    Raises DataError when the timeframe cannot be built from the recorded one.
    """
    length, offset = timeframe_ms(timeframe), grid_offset_ms(timeframe)
    start_ms = -(-(since_ms - offset) // length) * length + offset
    end_ms = (now_ms - offset) // length * length + offset
    part = recorded.between(start_ms, max(start_ms, end_ms))
    if len(part):
        first_ms = (int(part.open_time[0]) - offset) // length * length + offset
        part = part.between(None, first_ms + limit * length)
    return resample(part, timeframe, keep_incomplete=True)[:limit]
