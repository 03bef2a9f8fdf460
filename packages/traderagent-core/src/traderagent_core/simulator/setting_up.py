"""From a configuration to the engine's setup: strategies, filters, modes and limits of every bot."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from traderagent_core.config.coordinator import CoordinatorConfig
from traderagent_core.config.loaded import Bot, Config, FilterPart, RiskModePart
from traderagent_core.contract.capabilities import StopPlacement
from traderagent_core.contract.strategy import Strategy
from traderagent_core.coordinator.allocator import Claim, allocate
from traderagent_core.coordinator.transition import timeout_ms
from traderagent_core.engine.setup import AllocationSetup, BotSetup, EngineSetup, Limits, PairSetup
from traderagent_core.errors import ConfigError, asking
from traderagent_core.model.instrument import Instrument, Market
from traderagent_core.model.timeframe import timeframe_ms
from traderagent_core.simulator.seats import RoutedPair, Seating

STOP_PLACEMENTS: Mapping[Market, StopPlacement] = {Market.LINEAR: "attached", Market.SPOT: "engine"}
"""Where a back-test has stops, unless it is told how an exchange has them."""


def engine_setup(
    config: Config,
    seating: Seating,
    instruments: Mapping[str, Instrument],
    placements: Mapping[Market, StopPlacement] = STOP_PLACEMENTS,
) -> EngineSetup:
    """Everything built; the balance is shared equally. Raises ConfigError for what cannot be run."""
    modes = sorted(config.risk_modes, key=lambda part: -part.spec.priority)
    allocation = _allocation(config, seating)
    budgets = _budgets(config, seating, allocation)
    return EngineSetup(
        bots=tuple(
            _bot_setup(bot, instruments[bot.symbol], budgets[bot.name], placements[bot.market])
            for bot in seating.seats
        ),
        allocation=allocation,
        balance=config.simulation.balance,
        filters={part.name: _built(part) for part in config.filters},
        modes=tuple((part.name, _built(part)) for part in modes),
        freeze_timeout_ms=config.coordinator.risk.freeze_timeout_seconds * 1000,
        pairs=tuple(_pair_setup(pair, config.coordinator) for pair in seating.pairs),
    )


def _allocation(config: Config, seating: Seating) -> AllocationSetup | None:
    """The allocator is at work where strategies are chosen by regime, or where its section is written."""
    if not seating.pairs and "allocator" not in config.coordinator.model_fields_set:
        return None
    return AllocationSetup(config.coordinator.allocator, {bot.name: bot.capital_share for bot in config.bots})


def _budgets(config: Config, seating: Seating, allocation: AllocationSetup | None) -> dict[str, Decimal]:
    """What each strategy may commit at the start; those of one pair share one budget, as they take turns."""
    balance = config.simulation.balance
    if allocation is None:
        budgets = {bot.name: balance / len(config.bots) * bot.capital_share for bot in config.bots}
    else:
        claims = [Claim(bot.name, bot.capital_share) for bot in config.bots]
        budgets = allocate(allocation.config, balance, claims).shares
    return budgets | {name: budgets[pair.bot.name] for pair in seating.pairs for name in pair.seats}


def _pair_setup(pair: RoutedPair, coordinator: CoordinatorConfig) -> PairSetup:
    timeout = timeout_ms(coordinator.transition, timeframe_ms(pair.bot.timeframe))
    hands_over = coordinator.transition.hand_over
    return PairSetup(pair.bot.name, pair.bot.symbol, pair.seats, pair.routes, timeout, hands_over)


def _built(part: Bot | FilterPart | RiskModePart) -> Any:
    """What a plugin makes of its section."""
    assert part.spec is not None
    config = part.strategy_config if isinstance(part, Bot) else part.config
    with asking(part.spec.name, "its constructor"):
        return part.spec.factory(config)


def _bot_setup(bot: Bot, instrument: Instrument, budget: Decimal, placement: StopPlacement) -> BotSetup:
    if bot.leverage > instrument.max_leverage:
        raise ConfigError(
            f"bot {bot.name!r}: leverage {bot.leverage} is above the {instrument.max_leverage} that "
            f"{instrument.symbol} allows; lower it"
        )
    strategy: Strategy = _built(bot)
    risk = bot.risk
    return BotSetup(
        name=bot.name,
        strategy_name=bot.strategy,
        strategy=strategy,
        instrument=instrument,
        timeframe=bot.timeframe,
        budget=budget,
        leverage=bot.leverage,
        limits=Limits(risk.max_position_size, risk.stop_loss_percentage, risk.max_daily_loss),
        stop_placement=placement,
    )
