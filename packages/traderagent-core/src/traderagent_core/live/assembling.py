"""Builds the engine and the market view of an account, for a run and for its replay alike."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from attrs import evolve, frozen

from traderagent_core.config.coordinator import CoordinatorConfig
from traderagent_core.config.loaded import Config
from traderagent_core.contract.capabilities import Capabilities, StopPlacement
from traderagent_core.coordinator.guards import ModeWatch
from traderagent_core.coordinator.regime import RegimeClassifier
from traderagent_core.engine.codec import decode, encode
from traderagent_core.engine.engine import Engine
from traderagent_core.errors import ConfigError
from traderagent_core.live.stepper import Log, Stepper
from traderagent_core.live.view import LiveView
from traderagent_core.model.instrument import Instrument
from traderagent_core.persistence.payloads import CORE, BotDescription, setup_payload
from traderagent_core.simulator.seats import Seating, seat
from traderagent_core.simulator.setting_up import engine_setup


@frozen
class Conditions:
    """What an exchange has told before the first start; kept with the journal, since orders and sizes follow from it.

    `run_id` begins every client order id. `balance` is the account's at the first start, in quote currency.
    """

    run_id: str
    base: str
    balance: Decimal
    instruments: tuple[Instrument, ...]
    placements: Mapping[str, StopPlacement]

    def to_payload(self, config: Config) -> dict[str, Any]:
        """The entry of the journal that tells what the engine has been built with."""
        share = self.balance / len(config.bots)
        bots = [
            BotDescription(
                bot.name,
                bot.strategy,
                bot.symbol,
                bot.market.value,
                bot.timeframe,
                share * bot.capital_share,
                bot.leverage,
            )
            for bot in config.bots
        ]
        return {
            **setup_payload(bots, self.balance, config.sha256),
            "conditions": encode(
                {
                    "run_id": self.run_id,
                    "base": self.base,
                    "balance": self.balance,
                    "instruments": self.instruments,
                    "placements": dict(self.placements),
                }
            ),
        }


def timeframes_of(config: Config) -> set[str]:
    """All timeframes that a configuration names and uses: of bots, of regimes, of the correlation monitor."""
    found = {bot.timeframe for bot in config.bots}
    if any(bot.spec is None for bot in config.bots):
        found.add(config.coordinator.regime.regime_timeframe)
    modes = [ModeWatch(part.name, part.spec.factory(part.config)) for part in config.risk_modes]
    if any(mode.levels.stress for mode in modes):
        found.add(config.coordinator.correlation.timeframe)
    return found


def conditions_of(payload: Mapping[str, Any]) -> Conditions:
    """From the journal."""
    return Conditions(**decode(payload["conditions"], CORE))


def conditions_for(
    config: Config,
    capabilities: Capabilities,
    instruments: Sequence[Instrument],
    balance: Decimal,
    *,
    base: str,
    run_id: str,
) -> Conditions:
    """Conditions of a first start; raises ConfigError for bots that cannot run together."""
    by_symbol = {instrument.symbol: instrument for instrument in instruments}
    symbols = [bot.symbol for bot in config.bots]
    twice = sorted({symbol for symbol in symbols if symbols.count(symbol) > 1})
    if twice:
        raise ConfigError(f"two bots trade {', '.join(twice)}; on one account each symbol can have one bot")
    return Conditions(
        run_id,
        base,
        balance,
        tuple(by_symbol[symbol] for symbol in symbols),
        {bot.name: capabilities.stop_placement(bot.market) for bot in config.bots},
    )


def assemble(config: Config, conditions: Conditions, log: Log) -> Stepper:
    """A fresh engine with its view, which follows what the bots declare.

    Raises ConfigError when the bots are not those that the account was started with.
    """
    names = [bot.name for bot in config.bots]
    if set(names) != set(conditions.placements):
        raise ConfigError(
            f"this account was started with the bots {', '.join(sorted(conditions.placements))}; the configuration "
            f"has {', '.join(sorted(names))}: go on with the same, or choose another folder with --run-dir"
        )
    simulation = config.simulation.model_copy(update={"balance": conditions.balance})
    by_symbol = {instrument.symbol: instrument for instrument in conditions.instruments}
    seating = seat(config)
    placements = {bot.market: conditions.placements[bot.name] for bot in config.bots}
    setup = engine_setup(evolve(config, simulation=simulation), seating, by_symbol, placements)
    view = LiveView(by_symbol, conditions.base)
    engine = Engine(evolve(setup, run_id=conditions.run_id), view)
    for member in engine.members.values():
        view.listen(member.name, member.symbol, member.setup.timeframe, member.strategy)
    _coordinate(view, engine, seating, config.coordinator)
    return Stepper(engine, view, log)


def _coordinate(view: LiveView, engine: Engine, seating: Seating, coordinator: CoordinatorConfig) -> None:
    """Let the view tell the regimes of routed pairs, and stress where a mode asks for it."""
    for pair in seating.pairs:
        view.classify(pair.bot.symbol, RegimeClassifier(coordinator.regime))
    if engine.guards.account.watches_stress:
        symbols = dict.fromkeys(bot.symbol for bot in seating.seats)
        view.correlate(symbols, coordinator.correlation)
