"""Buying everything at the start and holding it: what any strategy has to be compared with."""

from collections.abc import Sequence
from decimal import Decimal

from attrs import evolve, frozen
from pydantic import BaseModel

from traderagent_core.config.loaded import Bot, Config
from traderagent_core.config.schema import RiskManagementConfig
from traderagent_core.contract.strategy import Needs, Problem, Strategy
from traderagent_core.model.instrument import Instrument
from traderagent_core.model.order import Purpose, Side
from traderagent_core.model.plan import Fixed, Leg, Plan
from traderagent_core.ports import Context
from traderagent_core.specs import StrategySpec

ONE = Decimal(1)


class HoldConfig(BaseModel):
    """What buying costs, as a ratio of the price: slippage, and the fee on top of it."""

    slippage: Decimal
    fee: Decimal


@frozen
class HoldState:
    """Nothing is remembered."""

    schema_version: int = 1


class Hold(Strategy):
    """Buys for its whole budget at the market and never sells."""

    state: HoldState
    config: HoldConfig

    def __init__(self, config: HoldConfig) -> None:
        self.config = config
        self.state = HoldState()

    @classmethod
    def needs(cls, config: HoldConfig) -> Needs:  # noqa: ARG003
        """It has nothing to wait for."""
        return Needs(fills=False)

    @classmethod
    def check(
        cls, config: HoldConfig, instrument: Instrument, price: Decimal, budget: Decimal
    ) -> Sequence[Problem]:
        """An equal part may be too small to be bought."""
        problem = instrument.size_problem(_quantity(config, instrument, price, budget), price)
        return () if problem is None else (Problem(f"an equal part buys too little: {problem}"),)

    def on_start(self, context: Context) -> None:
        """Buy."""
        quantity = _quantity(self.config, context.instrument, context.price, context.budget)
        leg = Leg("all", "all", Side.BUY, Purpose.ENTRY, Fixed(quantity))
        context.enter(Plan("hold", (leg,), ("all",)))


HOLD = StrategySpec("hold", "Buys at the start and holds.", HoldConfig, Hold)


def holding(config: Config) -> Config:
    """The same account in equal parts in the pairs of its bots: without leverage, filters, modes and limits.

    Orders arrive at once, so that the price cannot move away from what there is to pay with.
    """
    simulation = config.simulation.model_copy(update={"latency_ms": 0, "path": "default"})
    coordinator = type(config.coordinator)(transition=config.coordinator.transition)
    bots = tuple(_holding_bot(bot, config) for bot in config.bots)
    return evolve(
        config, simulation=simulation, coordinator=coordinator, bots=bots, filters=(), risk_modes=()
    )


def _holding_bot(bot: Bot, config: Config) -> Bot:
    simulation = config.simulation
    costs = HoldConfig(slippage=simulation.slippage, fee=simulation.taker_fee_ratio(bot.market))
    return evolve(
        bot,
        strategy=HOLD.name,
        spec=HOLD,
        strategy_config=costs,
        sections={},
        leverage=ONE,
        capital_share=ONE,
        risk=RiskManagementConfig(),
    )


def _quantity(config: HoldConfig, instrument: Instrument, price: Decimal, budget: Decimal) -> Decimal:
    """What a budget buys, fee included; slipped prices go up to the next tick."""
    dearest = price * (ONE + config.slippage) + instrument.tick_size
    return instrument.round_quantity(budget / (dearest * (ONE + config.fee)))
