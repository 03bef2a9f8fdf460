"""The filter at work in the engine: it judges entries of a run, and the run repeats to the last record."""

from collections.abc import Callable
from decimal import Decimal as D
from typing import Any

from pydantic import BaseModel
from traderagent_core import (
    At,
    Candle,
    Context,
    Fixed,
    Instrument,
    Leg,
    Needs,
    Plan,
    Purpose,
    Side,
    Stop,
    Strategy,
    Wake,
)
from traderagent_core.engine.engine import Engine
from traderagent_core.engine.setup import BotSetup, EngineSetup
from traderagent_core.simulator.driver import Driver
from traderagent_core.simulator.view import SimulatedView
from traderagent_core.venue.exchange import SimulatedExchange
from traderagent_smc.config import SmcConfig
from traderagent_smc.filter import SmcFilter

SYMBOL = "ETH/USDT"
INSTRUMENT = Instrument(SYMBOL, lot_size=D("0.001"), min_notional=D(5))
CONFIG = SmcConfig.model_validate(
    {
        "timeframes": ["4h", "1h", "15m"],
        "swing_length": {"4h": 3, "1h": 4, "15m": 4},
        "neutral_size_factor": {"single": "0.5"},
    }
)


class Nothing(BaseModel):
    """No settings."""


class Eager(Strategy):
    """Buys at every close at which it holds nothing, with a stop and a target."""

    @classmethod
    def needs(cls, config: Any) -> Needs:
        return Needs(wake=Wake.EVERY_CANDLE)

    def on_start(self, context: Context) -> None:
        """Waits for the first close."""

    def on_candle(self, context: Context, candle: Candle) -> None:
        if context.position.quantity:
            return
        price = context.price
        target = Leg(
            "out", "base", Side.SELL, Purpose.TAKE_PROFIT, Fixed(D(1)), At(price * D("1.02")), closes=True
        )
        base = Leg("in", "base", Side.BUY, Purpose.ENTRY, Fixed(D(1)), None, then=("out",))
        context.enter(Plan("buy", (base, target), ("in",), Stop(long=At(price * D("0.98")))))


def run(candles: Any) -> tuple[list[Any], SmcFilter]:
    view, asked = SimulatedView({SYMBOL: candles}), SmcFilter(CONFIG)
    strategy = Eager(Nothing())
    bot = BotSetup("bot", "eager", strategy, INSTRUMENT, "15m", D(100_000))
    engine = Engine(EngineSetup((bot,), D(100_000), {"smc": asked}), view)
    driver = Driver(engine, SimulatedExchange([INSTRUMENT], balance=D(100_000)), view, {SYMBOL: candles})
    driver.schedule("bot", view.schedule("bot", SYMBOL, "15m", strategy, 0))
    driver.run(int(candles.open_time[-1]) + candles.duration_ms)
    return driver.records[:], asked


def test_a_run_is_judged_and_repeats(walk: Callable[..., Any]) -> None:
    candles = walk(600, 11)
    records, asked = run(candles)
    kinds = {record[0] for record in records}
    assert {"plan_granted", "filled"} <= kinds
    assert "plugin_failed" not in kinds
    rulings = asked.tally.rulings
    assert min(rulings["ACCEPT"], rulings["NEUTRAL"]) > 0
    assert run(candles)[0] == records
