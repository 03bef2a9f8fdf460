"""From a configuration to the engine's setup: strategies, filters, modes and limits of every bot."""

from collections.abc import Mapping
from decimal import Decimal

from traderagent_core.config.loaded import Bot, Config
from traderagent_core.contract.strategy import Strategy
from traderagent_core.engine.setup import BotSetup, EngineSetup, Limits
from traderagent_core.errors import ConfigError
from traderagent_core.model.instrument import Instrument, Market


def engine_setup(config: Config, instruments: Mapping[str, Instrument]) -> EngineSetup:
    """Everything built; the balance is shared equally. Raises ConfigError for what cannot be run."""
    modes = sorted(config.risk_modes, key=lambda part: -part.spec.priority)
    share = config.simulation.balance / len(config.bots)
    return EngineSetup(
        bots=tuple(_bot_setup(bot, instruments[bot.name], share) for bot in config.bots),
        balance=config.simulation.balance,
        filters={part.name: part.spec.factory(part.config) for part in config.filters},
        modes=tuple((part.name, part.spec.factory(part.config)) for part in modes),
    )


def _bot_setup(bot: Bot, instrument: Instrument, share: Decimal) -> BotSetup:
    if bot.spec is None:
        raise ConfigError(
            f"bot {bot.name!r}: strategy 'auto' needs the strategy router, which is not part of this release; "
            f"name one strategy, such as {next(iter(bot.sections), 'grid')!r}"
        )
    if bot.leverage > instrument.max_leverage:
        raise ConfigError(
            f"bot {bot.name!r}: leverage {bot.leverage} is above the {instrument.max_leverage} that "
            f"{instrument.symbol} allows; lower it"
        )
    strategy: Strategy = bot.spec.factory(bot.strategy_config)
    risk = bot.risk
    return BotSetup(
        name=bot.name,
        strategy_name=bot.strategy,
        strategy=strategy,
        instrument=instrument,
        timeframe=bot.timeframe,
        budget=share * bot.capital_share,
        leverage=bot.leverage,
        limits=Limits(risk.max_position_size, risk.stop_loss_percentage, risk.max_daily_loss),
        stop_placement="attached" if instrument.market is Market.LINEAR else "engine",
    )
