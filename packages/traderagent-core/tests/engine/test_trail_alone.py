"""A trail or a break-even needs no stop below it: the stop appears when the price is there."""

from decimal import Decimal as D

import numpy as np
import pytest
from traderagent_core.contract.strategy import Strategy
from traderagent_core.model.candle import Candles
from traderagent_core.model.instrument import Instrument, Market
from traderagent_core.model.order import Purpose, Side
from traderagent_core.model.plan import At, BreakEven, Fixed, Leg, Plan, Stop, Trail
from traderagent_core.testing.conditions import Bot
from traderagent_core.testing.harness import run_bots

SYMBOL = "BTC/USDT"
SPOT = Instrument(SYMBOL, lot_size=D("0.001"))
LINEAR = Instrument(SYMBOL, Market.LINEAR, lot_size=D("0.001"), max_leverage=D(10))
TRAIL = Stop(trail=Trail(D("0.05"), D("0.01"), least_interval_ms=0))
EVEN = Stop(break_even=BreakEven(D("0.05"), D("0.002")))


class Holds(Strategy):
    """Enters one unit at the first close, with the stop rule of its configuration."""

    def on_start(self, context):
        side, stop = self.config
        context.enter(Plan("deal", (Leg("in", "in", side, Purpose.ENTRY, Fixed(D(1))),), ("in",), stop))

    def on_closed(self, context, reason):
        context.note(f"over:{reason}")


def run_on(closes, stop, side=Side.BUY, instrument=SPOT, strategy=Holds):
    close = np.array(closes, dtype=float)
    start = np.concatenate([close[:1], close[:-1]])
    times = 1_700_006_400_000 + np.arange(len(close), dtype=np.int64) * 3_600_000
    high, low = np.maximum(start, close), np.minimum(start, close)
    candles = Candles(SYMBOL, "1h", times, start, high, low, close, np.ones(len(close)))
    placement = "engine" if instrument is SPOT else "attached"
    return run_bots([Bot(strategy, (side, stop), candles, instrument, stop_placement=placement)])


def exits(run):
    return [record[4] for record in run.of("filled")][1:]


@pytest.mark.parametrize("instrument", [SPOT, LINEAR])
def test_a_trail_without_a_stop_follows_the_best_price(instrument):
    run = run_on([100, 80, 104, 110, 105], TRAIL, instrument=instrument)
    (price,) = exits(run)
    # Steps of 0.1 % from 105 on: the best price noted lies between 109.89 and 110.
    assert D("109.89") * D("0.99") - D("0.01") <= price <= D("110") * D("0.99")
    assert any(record[3] == "over:stop_loss" for record in run.of("noted"))


def test_a_trail_without_a_stop_follows_a_short():
    (price,) = exits(run_on([100, 120, 96, 90, 95], TRAIL, side=Side.SELL, instrument=LINEAR))
    assert D("90") * D("1.01") <= price <= D("90.09") * D("1.01") + D("0.01")


@pytest.mark.parametrize("instrument", [SPOT, LINEAR])
def test_break_even_without_a_stop(instrument):
    assert exits(run_on([100, 70, 105.5, 90], EVEN, instrument=instrument)) == [D("100.2")]


def test_a_gap_over_the_level_counts():
    close = [100, 104, 104, 108, 100]
    (price,) = exits(run_on(close, TRAIL))
    assert price > D("106")


def test_without_reaching_its_level_it_does_nothing():
    run = run_on([100, 104, 70, 104, 60], TRAIL)
    assert exits(run) == []
    assert run.engine.members["bot"].ledger.quantity == 1


def test_a_passed_trail_leaves_no_watch_behind():
    run = run_on([100, 110, 105, 120, 130], TRAIL)
    assert len(exits(run)) == 1
    assert not run.exchange.markets[SYMBOL].watches


class Changes(Holds):
    """Enters once more after three candles, by a plan whose stop has no trail."""

    def on_start(self, context):
        super().on_start(context)
        context.set_timer("more", context.now_ms + 3 * 3_600_000)

    def on_timer(self, context, timer):
        leg = Leg("more", "more", Side.BUY, Purpose.ENTRY, Fixed(D(1)))
        context.enter(Plan("more", (leg,), ("more",), Stop(At(D(50)))))


def test_a_plan_without_a_trail_ends_the_one_before():
    run = run_on([100, 106, 106, 106, 80, 70], TRAIL, strategy=Changes)
    assert not run.failures
    assert run.engine.members["bot"].ledger.quantity == 2
