"""A fill is ambiguous when another path inside its candle could have changed it, and not otherwise."""

from decimal import Decimal as D
from typing import Any

import numpy as np
from traderagent_core import At, Fixed, Leg, Plan, Purpose, Side, Strategy
from traderagent_core.model.candle import Candles
from traderagent_core.model.instrument import Instrument
from traderagent_core.testing import run_strategy


class BuyAndSell(Strategy):
    """Buys at the market when it starts and sells at 105; buys again below when that is sold."""

    def on_start(self, context: Any) -> None:
        legs = (
            Leg("in", "in", Side.BUY, Purpose.ENTRY, Fixed(D(1)), then=("out",)),
            Leg("out", "in", Side.SELL, Purpose.GRID_COUNTER, Fixed(D(1)), At(D(105)), then=("again",)),
            Leg("again", "in", Side.BUY, Purpose.GRID_COUNTER, Fixed(D(1)), At(D(104))),
        )
        context.enter(Plan("swing", legs, ("in",)))


def test_only_fills_that_hang_on_the_path_are_ambiguous() -> None:
    rows = [(100, 100, 100, 100), (100, 103, 99, 102), (102, 106, 100, 103), (103, 103, 103, 103)]
    opens, highs, lows, closes = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    times = np.arange(len(rows), dtype=np.int64) * 3_600_000
    candles = Candles("BTC/USDT", "1h", times, opens, highs, lows, closes, np.ones(len(rows)))
    run = run_strategy(BuyAndSell, None, candles, Instrument("BTC/USDT"), budget=D(10_000))
    fills = [(record[4], record[8]) for record in run.records if record[0] == "filled"]
    # At the close of the first candle; then up to 105 and down to 104 inside one candle.
    assert fills == [(D("100.0"), False), (D(105), False), (D(104), True)]
