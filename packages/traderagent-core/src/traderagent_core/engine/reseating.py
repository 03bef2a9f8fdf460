"""Another setup for an engine at work: it is built anew, and takes along what it remembers.

Two halves. `reseat` builds, and decides nothing. `settle` is what the step after it does about the difference:
guards judge by their new levels, limits bind what is open, strategies with another configuration are called.
"""

from typing import TYPE_CHECKING, Any

from attrs import evolve

from traderagent_core.account.state import Retry
from traderagent_core.contract.risk_mode import INACTIVE
from traderagent_core.engine.allowance import hold_back
from traderagent_core.engine.setup import BotSetup, EngineSetup
from traderagent_core.engine.snapshot import remembered, take_back
from traderagent_core.engine.standing import Standing

if TYPE_CHECKING:
    from traderagent_core.engine.engine import Engine
    from traderagent_core.engine.member import Member


def reseat(engine: "Engine", setup: EngineSetup) -> None:
    """Build an engine from another setup of the same bots, with all that it remembers.

    Raises what a strategy raises that does not want its state taken over.
    """
    former, root = engine.setup, remembered(engine)
    states = adopted(former, setup)
    engine.build(evolve(setup, run_id=former.run_id))
    for name, state in states.items():
        root["members"][name]["state"] = state
    kept = root["filters"]
    root["filters"] = {
        name: kept[name] if _is_same_filter(former, name, each.config) else each.state
        for name, each in setup.filters.items()
    }
    modes = root["guards"]["modes"]
    root["guards"]["modes"] = {name: modes.get(name, INACTIVE) for name, _ in setup.modes}
    take_back(engine, root)
    engine.guards.account.combine()
    engine.former = former


def adopted(former: EngineSetup, setup: EngineSetup) -> dict[str, Any]:
    """The state of each strategy in another setup; raises what one raises that does not want the former state."""
    before, states = {bot.name: bot for bot in former.bots}, {}
    for bot in setup.bots:
        old = before[bot.name]
        if old.strategy_name == bot.strategy_name and is_changed(old, bot):
            bot.strategy.adopt(old.strategy)
            states[bot.name] = bot.strategy.state
        else:
            states[bot.name] = (old if old.strategy_name == bot.strategy_name else bot).strategy.state
    return states


def is_changed(old: BotSetup, new: BotSetup) -> bool:
    """Whether a strategy works by another configuration than before."""
    return (old.strategy_name, old.timeframe, old.strategy.config) != (
        new.strategy_name,
        new.timeframe,
        new.strategy.config,
    )


def _is_same_filter(former: EngineSetup, name: str, config: Any) -> bool:
    """Whether what a filter has made of candles still holds; one with another configuration begins anew."""
    return name in former.filters and former.filters[name].config == config


# -- the step after -----------------------------------------------------------------------------------------


def settle(engine: "Engine") -> None:
    """Act on the difference to the setup before; without one nothing happens."""
    former, engine.former = engine.former, None
    if former is None:
        return
    before = {bot.name: bot for bot in former.bots}
    started = [member for member in engine.members.values() if member.is_started]
    for member in started:
        _begin_limits(engine, member, before[member.name])
    if started:
        engine.guards.begin_to_watch(has_watched=bool(former.modes))
    for member in started:
        _bind(engine, member)
        is_owner = member.standing is Standing.OWNER
        if is_owner and is_changed(before[member.name], member.setup):
            engine.caller.later(member, "on_resume")
    if not engine.halting.is_on:
        engine.director.lead_anew()


def _begin_limits(engine: "Engine", member: "Member", old: BotSetup) -> None:
    """What nobody has looked at until now counts from now on; a daily limit that is another one is judged anew."""
    profit, limits = member.profit(engine.view), member.setup.limits
    if limits.max_daily_loss != old.limits.max_daily_loss:
        if old.limits.max_daily_loss is None:
            member.day_start_profit = profit
        if member.is_over_daily_loss:
            engine.guards.forgive_daily_loss(member)
    if type(old.strategy).needs(old.strategy.config).max_drawdown is None:
        member.peak_profit = profit


def _bind(engine: "Engine", member: "Member") -> None:
    """Hold what is open to the limits of now, and try again what former ones did not allow."""
    if member.ledger.quantity and member.is_guarded:
        engine.stops.refresh(member)
    engine.refresh_restriction()
    for kind in (Retry.WHEN_ALLOWED, Retry.ON_FILL):
        engine.planner.retry_blocked(member, kind)
    hold_back(engine, member)
