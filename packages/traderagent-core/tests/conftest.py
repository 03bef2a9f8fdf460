"""A small plugin from a local file, and configurations that use it: the core's tests need no other package."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

LADDER = '''"""A ladder of limit orders that buy at their rungs and sell a step higher, over and over."""

from decimal import Decimal

import numpy as np
from pydantic import BaseModel, ConfigDict
from traderagent_core import (
    At, AverageTimes, FillTimes, Fixed, Held, Leg, Needs, Plan, Problem, Purpose, Side, Stop, Strategy,
    StrategySpec, Wake, hookimpl,
)
from traderagent_core.indicators import Atr, Sma


class LadderConfig(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    rungs: tuple[Decimal, ...] = (Decimal(95), Decimal(96), Decimal(97), Decimal(98), Decimal(99))
    step: Decimal = Decimal(1)
    quantity: Decimal = Decimal(1)
    market_quantity: Decimal | None = None
    profit: Decimal | None = None
    stop: Decimal | None = None
    give_up_every: int = 0
    average_of: int = 0
    atr_rungs: int = 0
    fatal_above: Decimal = Decimal(1000)
    warn_above: Decimal = Decimal(500)


class Ladder(Strategy):
    @classmethod
    def needs(cls, config):
        indicators = (Sma(config.average_of),) if config.average_of else ()
        if config.atr_rungs:
            indicators = (*indicators, Atr(14))
        return Needs(indicators=indicators, wake=Wake.CANDIDATES if config.give_up_every else Wake.NEVER, fills=False)

    @classmethod
    def candidates(cls, config, columns):
        return np.arange(len(columns["close"])) % config.give_up_every == config.give_up_every - 1

    @classmethod
    def check(cls, config, instrument, price, budget):
        if price > config.fatal_above:
            return [Problem(f"the price {price} is too high", "wait until it falls")]
        if price > config.warn_above:
            return [Problem(f"the price {price} is high", is_fatal=False)]
        return []

    def on_start(self, context):
        config = self.config
        quantity = Fixed(config.quantity)
        legs, start = [], []
        for number, rung in enumerate(self.rungs(context)):
            high = FillTimes(1 + config.profit) if config.profit else At(rung + config.step)
            slot, low, back = f"rung:{number}", At(rung), (f"buy{number}",)
            on, counter = (f"sell{number}",), Purpose.GRID_COUNTER
            legs.append(Leg(f"buy{number}", slot, Side.BUY, counter, quantity, low, then=on))
            legs.append(Leg(f"sell{number}", slot, Side.SELL, counter, quantity, high, then=back))
            start.append(f"buy{number}")
        if config.market_quantity:
            legs.append(Leg("base", "base", Side.BUY, Purpose.ENTRY, Fixed(config.market_quantity)))
            start.append("base")
        stop = Stop(AverageTimes(config.stop)) if config.stop else None
        context.enter(Plan("ladder", tuple(legs), tuple(start), stop, {"rungs": len(start)}))

    def rungs(self, context):
        if not self.config.atr_rungs:
            return self.config.rungs
        instrument = context.instrument
        atr = Decimal(repr(context.view.value(instrument.symbol, context.timeframe, Atr(14))))
        prices = [context.price - atr * number for number in range(1, self.config.atr_rungs + 1)]
        return [instrument.limit_price(Side.BUY, price) for price in prices]

    def on_candle(self, context, candle):
        context.exit("given up")

    def on_closed(self, context, reason):
        if reason == "given up":
            self.on_start(context)


@hookimpl
def traderagent_strategies():
    yield StrategySpec(
        name="ladder", summary="Buys at rungs, sells a step higher.", config_model=LadderConfig, factory=Ladder
    )
'''


@pytest.fixture(scope="session")
def ladder_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The plugin `ladder` as a local file."""
    path = tmp_path_factory.mktemp("plugins") / "ladder.py"
    path.write_text(LADDER, encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def ladder(ladder_file: Path) -> Callable[..., dict[str, Any]]:
    """A configuration of one bot with the strategy `ladder`; `ladder(symbol=…, simulation={…}, rungs=[…])`."""
    keys = ("name", "symbol", "timeframe", "market", "leverage", "risk_management", "strategy")

    def make(*, simulation: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
        bot = {"name": "bot", "symbol": "BTC/USDT", "strategy": "ladder"}
        bot |= {key: changes.pop(key) for key in keys if key in changes}
        return {
            "plugins": [str(ladder_file)],
            "bots": [{**bot, "ladder": changes}],
            "simulation": {"balance": 10000, **(simulation or {})},
        }

    return make
