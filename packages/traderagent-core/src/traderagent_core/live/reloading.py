"""Another configuration for a run that goes on: what it would change, whether it may, and the change itself."""

from collections.abc import Iterator, Sequence
from typing import Any

from attrs import frozen

from traderagent_core.config.changes import Change, Counts, changes
from traderagent_core.config.load import load_config
from traderagent_core.config.loaded import Config
from traderagent_core.data.resampling import divides
from traderagent_core.engine.engine import Engine
from traderagent_core.engine.life_cycle import bots_of, is_at_work
from traderagent_core.engine.member import Member
from traderagent_core.engine.operator import EVERYBODY, RELOAD
from traderagent_core.engine.reseating import adopted, is_changed
from traderagent_core.errors import ConfigError, TraderAgentError
from traderagent_core.live.assembling import Assembly, timeframes_of
from traderagent_core.live.driver import Driver
from traderagent_core.live.starting import fatal_problems
from traderagent_core.model import event as ev

AT_ONCE = (Counts.NOW, Counts.WHEN_STOPPED)
LONGEST_REASON = 500
ELSEWHERE = (
    "where a bot trades, and which bots there are, belongs to the run; end it with `traderagent stop`, and begin "
    "another one in a folder of its own (--run-dir)"
)


@frozen
class Plan:
    """What going over to a configuration means. `called` are the bots whose strategies look at everything again."""

    config: Config
    changes: tuple[Change, ...]
    called: tuple[str, ...] = ()

    @property
    def has_effect(self) -> bool:
        """Whether anything is another thing at once."""
        return any(change.counts in AT_ONCE for change in self.changes)

    def to_payload(self) -> dict[str, Any]:
        """For those who ask."""
        told = [
            {"key": each.key, "old": each.old, "new": each.new, "counts": each.counts.value}
            for each in self.changes
        ]
        return {"changes": told, "called": list(self.called), "has_effect": self.has_effect}


def load_again(config: Config) -> Config:
    """A configuration as its files are now, with the plugins that are loaded. Raises ConfigError for a bad one."""
    if config.path is None:
        raise ConfigError("this run was not started from a file: there is nothing to load again")
    return load_config(config.path, presets=config.presets, host=config.host)


def plan(assembly: Assembly, config: Config) -> Plan:
    """Raises ConfigError, with everything that speaks against it, when the run cannot go over to a configuration."""
    found = tuple(changes(assembly.config, config))
    if not found:
        return Plan(config, ())
    refusals = [*_unchangeable(assembly, found)] or [*_unfit(assembly, config)]
    if refusals:
        lines = "\n".join(f"  {refusal}" for refusal in refusals)
        raise ConfigError(f"the run cannot go over to this configuration and keeps the one it has:\n{lines}")
    engine = assembly.stepper.engine
    before, setup = {bot.name: bot for bot in engine.setup.bots}, assembly.setup(config)
    called = {bot.name.partition(":")[0] for bot in setup.bots if is_changed(before[bot.name], bot)}
    return Plan(config, found, tuple(bot.name for bot in config.bots if bot.name in called))


def go_over(driver: Driver, config: Config, reason: str) -> Plan:
    """Have the run go over to a configuration; to be called in the driver's turn. Raises as `plan`."""
    found = plan(driver.assembly, config)
    if found.has_effect:
        told = "; ".join(str(change) for change in found.changes if change.counts in AT_ONCE)
        text = f"{reason}: {told}" if reason else told
        now_ms = max(driver.adapter.clock.now_ms(), driver.engine.now_ms)
        driver.change(config, ev.OperatorCommand(now_ms, EVERYBODY, RELOAD, text[:LONGEST_REASON]))
    if found.changes:
        driver.options.tell("configuration_reloaded", changes=[str(change) for change in found.changes])
    return found


# -- what speaks against it ---------------------------------------------------------------------------------


def _unchangeable(assembly: Assembly, found: Sequence[Change]) -> Iterator[str]:
    """Keys that cannot be changed in this run, or not now."""
    engine = assembly.stepper.engine
    bots = bots_of(engine)
    for change in found:
        if change.counts is Counts.NEVER:
            yield f"{change}; {ELSEWHERE}"
        elif change.counts is Counts.WHEN_STOPPED and not _is_over(engine, bots[change.bot]):
            yield f"{change}; the bot holds something or is at work: `traderagent stop {change.bot}` first"


def _is_over(engine: Engine, members: Sequence[Member]) -> bool:
    is_idle = all(member.is_stopped or not member.is_started for member in members)
    holds = any(member.ledger.quantity for member in members)
    return is_idle and not holds and not is_at_work(members, engine.account)


def _unfit(assembly: Assembly, config: Config) -> Iterator[str]:
    """What would fail, or what strategies say against it, tried on an engine that is thrown away."""
    engine, base = assembly.stepper.engine, assembly.conditions.base
    try:
        setup = assembly.setup(config)
        trial = Engine(setup, engine.view)
        timeframes = timeframes_of(config) | {member.timeframe for member in trial.members.values()}
        odd = sorted(each for each in timeframes if not divides(base, each))
        yield from (
            f"candles of {each} cannot be built from those of {base}, which this run has" for each in odd
        )
        if trial.members.keys() != engine.members.keys():
            yield (
                f"bots would have the strategies {', '.join(trial.members)} instead of {', '.join(engine.members)}; "
                "begin another run in a folder of its own (--run-dir)"
            )
            return
        adopted(engine.setup, setup)
    except TraderAgentError as error:
        yield str(error)
    except Exception as error:  # A boundary: a plugin that fails at its new configuration changes nothing.
        yield f"{type(error).__name__}: {error}"
    else:
        yield from _not_viable(assembly, trial)


def _not_viable(assembly: Assembly, trial: Engine) -> Iterator[str]:
    """What forbids a strategy with another configuration to trade at the price of now."""
    for name, member in assembly.stepper.engine.members.items():
        other = trial.members[name]
        if member.is_started and not member.is_stopped and is_changed(member.setup, other.setup):
            yield from fatal_problems(other, assembly.stepper.view)
