"""A symbol's timeframes come to the same state however often, and after whatever pauses, they are advanced."""

from collections.abc import Callable, Sequence
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings
from traderagent_core import Candles, DataError
from traderagent_smc import codec
from traderagent_smc.config import SmcConfig
from traderagent_smc.market import SymbolMarket

SMALL = SmcConfig.model_validate(
    {"timeframes": ["4h", "1h", "15m"], "swing_length": {"4h": 3, "1h": 4, "15m": 4}}
)
SYMBOL = "ETH/USDT"
Make = Callable[..., Any]
EACH = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def advanced(view: Any, stops: Sequence[int], config: SmcConfig = SMALL) -> SymbolMarket:
    market = SymbolMarket(SYMBOL, config)
    for stop in stops:
        view.now_ms = stop
        market.advance(view)
    return market


def state(market: SymbolMarket) -> list[Any]:
    return [codec.save(analysis) for analysis in market.analyses.values()]


def counts(market: SymbolMarket) -> list[int]:
    return [analysis.count for analysis in market.analyses.values()]


def closes(candles: Candles) -> list[int]:
    return [int(time) + candles.duration_ms for time in candles.open_time]


@EACH
@given(seed=st.integers(0, 999), picked=st.sets(st.integers(0, 399), max_size=30))
def test_any_rhythm_of_advancing_gives_one_state(
    walk: Make, view_of: Make, seed: int, picked: set[int]
) -> None:
    candles = walk(400, seed)
    times = closes(candles)
    batch = advanced(view_of(candles), times[-1:])
    bursts = advanced(view_of(candles), [*(times[index] for index in sorted(picked)), times[-1]])
    assert state(bursts) == state(batch)


def test_one_by_one_equals_one_batch_and_asks_for_each_candle_once(walk: Make, view_of: Make) -> None:
    candles = walk(600, 1)
    one_by_one, by_twos = view_of(candles), view_of(candles)
    whole = state(advanced(view_of(candles), closes(candles)[-1:]))
    assert state(advanced(one_by_one, closes(candles))) == whole
    assert (
        one_by_one.handed_out == 3
    )  # The first of each timeframe; after that the last one is all that is new.
    assert state(advanced(by_twos, closes(candles)[1::2])) == whole
    assert by_twos.handed_out == 600 + 2


def test_holes_and_late_calls_lose_nothing(walk: Make, view_of: Make, hole: Make) -> None:
    candles = hole(walk(900, 2), slice(300, 420))
    times = closes(candles)
    market = advanced(view_of(candles), [*times[:299:7], *times[299::31], times[-1]])
    assert state(market) == state(advanced(view_of(candles), times[-1:]))
    assert market.analyses["15m"].count == 780
    assert "15m has holes" in market.notes


def test_times_between_closes_change_nothing(walk: Make, view_of: Make) -> None:
    candles = walk(300, 3)
    view = view_of(candles, 200)
    market = advanced(view, [view.now_ms])
    before = counts(market)
    advanced_again = [view.now_ms + 1, view.now_ms + 899_999]
    for stop in advanced_again:
        view.now_ms = stop
        market.advance(view)
    assert counts(market) == before == [12, 50, 201]


def test_timeframes_below_the_data_are_left_out_and_told_once(walk: Make, view_of: Make) -> None:
    candles = walk(300, 4, "1h")
    market = advanced(view_of(candles), closes(candles)[100:])
    assert [analysis.timeframe for analysis in market.usable] == ["4h", "1h"]
    assert [note for note in market.notes if "left out" in note] == ["15m is left out"]


def test_a_first_bucket_in_whose_middle_the_data_begin_is_dropped(walk: Make, view_of: Make) -> None:
    candles = walk(300, 5)
    whole, late = advanced(view_of(candles), closes(candles)[-1:]), candles[6:]
    part = advanced(view_of(late), closes(late)[-1:])
    assert part.analyses["1h"].chart.time == whole.analyses["1h"].chart.time[2:]
    assert part.analyses["4h"].chart.time == whole.analyses["4h"].chart.time[1:]


def test_what_is_older_than_the_history_changes_nothing(walk: Make, view_of: Make) -> None:
    candles = walk(2600, 8)
    needed = SMALL.history("15m")
    assert needed == 2001
    whole, late = candles, candles[-needed:]
    both = [advanced(view_of(each), closes(candles)[-1:]) for each in (whole, late)]
    assert [market.analyses["15m"].count for market in both] == [needed, needed]
    assert codec.save(both[0].analyses["15m"]) == codec.save(both[1].analyses["15m"])
    assert both[0].analyses["1h"].count == 650


def test_a_first_bucket_built_from_a_part_is_dropped_before_a_long_history_too(
    walk: Make, view_of: Make
) -> None:
    candles = walk(2600, 9)
    whole, late = advanced(view_of(candles), closes(candles)[-1:]), candles[6:]
    part = advanced(view_of(late), closes(late)[-1:])
    assert part.analyses["1h"].count == whole.analyses["1h"].count - 2
    assert part.analyses["4h"].count == whole.analyses["4h"].count - 1


def test_a_view_that_goes_back_is_refused(walk: Make, view_of: Make) -> None:
    candles = walk(300, 6)
    market = advanced(view_of(candles), closes(candles)[-1:])
    with pytest.raises(DataError, match="before"):
        market.advance(view_of(candles, 100))


def test_no_data_leaves_nothing_usable(walk: Make, view_of: Make) -> None:
    view = view_of(walk(300, 7))
    market = SymbolMarket("BTC/USDT", SMALL)
    market.advance(view)
    assert not market.usable
    assert len(market.notes) == 3
