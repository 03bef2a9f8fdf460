"""Watches: one-shot, and after a gap decided by the extremes of candles that opened after they were armed."""

from decimal import Decimal

import pytest
from traderagent_core.live.watches import Watches
from traderagent_core.model.candle import Candle
from traderagent_core.model.command import Unwatch, Watch

SYMBOL = "BTC/USDT"


def watch(name: str, price: str, *, is_above: bool) -> Watch:
    return Watch("bot", name, SYMBOL, Decimal(price), is_above)


def candle(open_time: int, low: float, high: float, at: float = 100.0) -> Candle:
    return Candle(open_time, at, high, low, 100.0, 1.0)


def proved(watches: Watches, *found: Candle) -> list[tuple[str, float]]:
    return [(each.name, price) for one in found for each, price in watches.crossed_in(SYMBOL, one)]


def test_the_extreme_of_a_missed_candle_fires_a_watch_once() -> None:
    watches = Watches()
    watches.arm(watch("stop", "95", is_above=False), 1_000)
    assert proved(watches, candle(1_000, 95.1, 120)) == []
    assert proved(watches, candle(1_060, 94.9, 101), candle(1_120, 90, 101)) == [("stop", 94.9)]


def test_a_candle_that_opened_before_the_watch_was_armed_proves_nothing() -> None:
    watches = Watches()
    watches.arm(watch("stop", "95", is_above=False), 1_001)
    assert proved(watches, candle(1_000, 90, 120)) == []
    assert [each.name for each in watches.crossed(SYMBOL, Decimal(95))] == ["stop"]


@pytest.mark.parametrize(("at", "first"), [(100.0, "low"), (108.0, "high")])
def test_the_nearer_extreme_comes_first(at: float, first: str) -> None:
    watches = Watches()
    watches.arm(watch("high", "109", is_above=True), 0)
    watches.arm(watch("low", "95", is_above=False), 0)
    assert next(name for name, _ in proved(watches, candle(60, 92, 110, at))) == first


def test_when_a_watch_was_armed_outlives_the_process() -> None:
    watches, restored = Watches(), Watches()
    watches.arm(watch("old", "95", is_above=False), 10)
    watches.arm(watch("new", "95", is_above=False), 70)
    watches.arm(watch("gone", "95", is_above=False), 10)
    watches.forget(Unwatch("bot", "gone", SYMBOL))
    restored.load(watches.save())
    assert proved(restored, candle(60, 90, 101)) == [("old", 90)]
