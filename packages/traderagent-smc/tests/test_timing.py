"""What the detectors and a verdict cost; printed with `-s`, asserted nowhere."""

from collections.abc import Callable
from time import process_time
from typing import Any

import pytest
from traderagent_core import Plan
from traderagent_smc.analysis import TimeframeAnalysis
from traderagent_smc.config import SmcConfig
from traderagent_smc.filter import SmcFilter
from traderagent_smc.settings import Settings


@pytest.mark.parametrize("length", [10, 50])
def test_cost_per_candle_is_reported(walk: Callable[..., Any], length: int) -> None:
    candles = walk(20_000, 1)
    analysis = TimeframeAnalysis("15m", Settings(length))
    parts = []
    for first in (0, 10_000):
        start = process_time()
        analysis.feed(candles[first : first + 10_000])
        parts.append((process_time() - start) * 100)
    print(f"\nswing length {length}: {parts[0]:.1f} then {parts[1]:.1f} µs per candle")
    assert analysis.count == 20_000


def test_cost_of_a_verdict_is_reported(
    walk: Callable[..., Any], view_of: Callable[..., Any], entry: Callable[..., Plan]
) -> None:
    candles = walk(6_000, 2)
    view, asked = view_of(candles, 4_000), SmcFilter(SmcConfig())
    asked.advance(view, "ETH/USDT")
    total, count = 0.0, 200
    for _ in range(count):
        view.now_ms += candles.duration_ms
        start = process_time()
        asked.advance(view, "ETH/USDT")
        asked.judge(entry(), view, "ETH/USDT")
        total += process_time() - start
    print(f"\n{total / count * 1e6:.0f} µs per candle of four timeframes with its verdict")
    assert sum(asked.tally.rulings.values()) == count
