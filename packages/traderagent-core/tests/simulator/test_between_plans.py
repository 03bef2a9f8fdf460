"""A strategy may ask to be left alone while its plan works: closes on which it is due pass by without a step."""

from decimal import Decimal as D

import numpy as np
import pytest
from traderagent_core.contract.strategy import Needs, Strategy, Wake
from traderagent_core.model.instrument import Instrument
from traderagent_core.model.order import Purpose, Side
from traderagent_core.model.plan import AverageTimes, Fixed, Held, Leg, Plan
from traderagent_core.testing.conditions import Bot, Conditions
from traderagent_core.testing.harness import run_bots, run_strategy
from traderagent_core.testing.markets import market

SPOT = Instrument("BTC/USDT", lot_size=D("0.0001"), min_notional=D(5))


class Hasty(Strategy):
    """Asks for a deal whenever it is called and holds nothing; notes each call."""

    between = False

    @classmethod
    def needs(cls, config):
        return Needs(wake=Wake.CANDIDATES, fills=False, between_plans=cls.between)

    @classmethod
    def candidates(cls, config, columns):
        return np.arange(len(columns["close"])) % config == 0

    def on_start(self, context):
        pass

    def on_candle(self, context, candle):
        if context.position.quantity:
            return
        context.note("called")
        buy = Leg("in", "deal", Side.BUY, Purpose.ENTRY, Fixed(D(1)), then=("out",))
        target = AverageTimes(D("1.01"))
        out = Leg("out", "deal", Side.SELL, Purpose.TAKE_PROFIT, Held(), target, closes=True)
        context.enter(Plan("deal", (buy, out), ("in",)))


class Patient(Hasty):
    between = True


@pytest.mark.parametrize("every", [1, 2, 7])
@pytest.mark.parametrize("name", ["ranging", "rising", "falling", "crash", "gappy"])
def test_it_trades_the_same_with_fewer_calls(name, every):
    candles = market(name)
    hasty, patient = (run_strategy(each, every, candles, SPOT) for each in (Hasty, Patient))
    assert patient.lines == hasty.lines
    assert patient.of("filled")
    assert patient.events < hasty.events


def test_others_are_called_on_the_same_closes():
    other = Instrument("ETH/USDT", lot_size=D("0.0001"), min_notional=D(5))
    bots = [
        Bot(Patient, 1, market("falling"), SPOT, name="one"),
        Bot(Hasty, 1, market("rising", symbol="ETH/USDT"), other, name="two"),
    ]
    alone = [run_bots([bot]) for bot in bots]
    both = run_bots(bots)
    for bot, run in zip(bots, alone, strict=True):
        notes = [record for record in both.of("noted") if record[2] == bot.name]
        assert notes == run.of("noted")


def test_a_close_that_nobody_asked_for_calls_nobody_either():
    candles = market("ranging")
    closes = [int(each) for each in candles.open_time + candles.duration_ms]
    bot = Bot(Patient, 1, candles, SPOT)
    assert run_bots([bot], Conditions(wakes=closes)).lines == run_bots([bot]).lines
