"""Builds the engine and the market view of an account, for a run and for its replay alike."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from attrs import define, evolve, frozen

from traderagent_core.config.coordinator import CoordinatorConfig
from traderagent_core.config.effective import effective
from traderagent_core.config.loaded import Config
from traderagent_core.contract.capabilities import Capabilities, StopPlacement
from traderagent_core.coordinator.guards import ModeWatch
from traderagent_core.coordinator.regime import RegimeClassifier
from traderagent_core.engine.codec import decode, encode
from traderagent_core.engine.engine import Engine
from traderagent_core.engine.isolation import isolated
from traderagent_core.engine.reseating import reseat
from traderagent_core.engine.setup import EngineSetup
from traderagent_core.errors import ConfigError
from traderagent_core.live.stepper import Log, Stepper
from traderagent_core.live.view import LiveView
from traderagent_core.live.watchdog.calls import Calls
from traderagent_core.model.command import Command
from traderagent_core.model.event import OperatorCommand
from traderagent_core.model.instrument import Instrument
from traderagent_core.model.position_side import one_of_each_pair
from traderagent_core.persistence.journal.entry import EntryKind
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
            "configuration": effective(config),
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


@define(eq=False)
class Assembly:
    """A stepper with what its engine is built from now."""

    config: Config
    conditions: Conditions
    stepper: Stepper

    def setup(self, config: Config) -> EngineSetup:
        """What an engine of this account would be built from by another configuration."""
        return _setup(config, seat(config), self.conditions)

    def rebuild(self, config: Config) -> None:
        """Have the engine built anew from another configuration, with all that it remembers."""
        reseat(self.stepper.engine, self.setup(config))
        self.config = config
        _show(self.stepper.view, self.stepper.engine, seat(config), config.coordinator)

    def change(self, config: Config, event: OperatorCommand) -> list[Command]:
        """Go over to another configuration with one entry of the journal: it tells it, and the step that it takes."""
        stepper = self.stepper
        stepper.learn()
        payload = {**self.conditions.to_payload(config), "event": encode(event)}
        stepper.calls.after(stepper.log.append(EntryKind.SETUP, payload))
        self.rebuild(config)
        return stepper.take_written(event)


def assemble(config: Config, conditions: Conditions, log: Log, calls: Calls) -> Assembly:
    """A fresh engine with its view, which follows what the bots declare; both call plugins by `calls`.

    Raises ConfigError when the bots are not those that the account was started with.
    """
    seating = seat(config)
    symbols = [instrument.symbol for instrument in conditions.instruments]
    call = isolated(calls.call)
    view = LiveView(symbols, conditions.base, call)
    engine = Engine(_setup(config, seating, conditions), view)
    engine.call = call
    _show(view, engine, seating, config.coordinator)
    return Assembly(config, conditions, Stepper(engine, view, log, calls))


def _setup(config: Config, seating: Seating, conditions: Conditions) -> EngineSetup:
    names = [bot.name for bot in config.bots]
    if set(names) != set(conditions.placements):
        raise ConfigError(
            f"this account was started with the bots {', '.join(sorted(conditions.placements))}; the configuration "
            f"has {', '.join(sorted(names))}: go on with the same, or choose another folder with --run-dir"
        )
    simulation = config.simulation.model_copy(update={"balance": conditions.balance})
    by_symbol = {instrument.symbol: instrument for instrument in conditions.instruments}
    placements = {bot.market: conditions.placements[bot.name] for bot in config.bots}
    setup = engine_setup(evolve(config, simulation=simulation), seating, by_symbol, placements)
    return evolve(setup, run_id=conditions.run_id)


def _show(view: LiveView, engine: Engine, seating: Seating, coordinator: CoordinatorConfig) -> None:
    """Let the view follow what bots declare, the regimes of routed pairs, and stress where a mode asks for it."""
    for member in engine.members.values():
        view.listen(member.name, member.symbol, member.setup.timeframe, member.strategy)
    for pair in seating.pairs:
        view.classify(pair.bot.symbol, RegimeClassifier(coordinator.regime))
    symbols = (
        one_of_each_pair(bot.symbol for bot in seating.seats) if engine.guards.account.watches_stress else ()
    )
    view.correlate(symbols, coordinator.correlation)
