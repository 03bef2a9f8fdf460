"""The wake set: which closed candles the engine has to hear of. The rest is quiet, as in the simulator."""

from collections.abc import Mapping

from traderagent_core.engine.engine import Engine
from traderagent_core.live.view import LiveView


def is_awaited(engine: Engine, view: LiveView, time_ms: int) -> bool:
    """Whether a boundary calls a bot, has news of a market, or leaves a band in which no guard changes its mind."""
    if not any(member.is_started for member in engine.members.values()):
        return False
    return (
        _is_anyone_due(engine, view, time_ms)
        or _is_rerouted(engine, view)
        or _is_stress_news(engine, view)
        or _is_guard_crossed(engine, view.closes())
    )


def _is_anyone_due(engine: Engine, view: LiveView, time_ms: int) -> bool:
    return any(
        member.is_callable and engine.hears_candles(member) and _is_due(view, member.name, time_ms)
        for member in engine.members.values()
    )


def _is_due(view: LiveView, bot: str, time_ms: int) -> bool:
    """Whether a bot asked for this candle. A plugin that fails here is asked again by the engine, which judges it."""
    try:
        return view.is_due(bot, time_ms)
    except Exception:
        return True


def _is_rerouted(engine: Engine, view: LiveView) -> bool:
    """Whether a regime is another one than its pair has acted on."""
    if engine.halting.is_on:
        return False
    for pair in engine.director.pairs.values():
        reading = view.regime(pair.setup.symbol)
        is_new = reading is not None and reading.regime is not pair.memory.regime
        if is_new and all(member.is_started for member in pair.members.values()):
            return True
    return False


def _is_stress_news(engine: Engine, view: LiveView) -> bool:
    return view.stress is not None and view.is_stressed() is not engine.guards.account.is_stressed


def _is_guard_crossed(engine: Engine, closes: Mapping[str, float]) -> bool:
    if not engine.guards.is_watching:
        return False
    known = closes.keys()
    return any(
        not band.quantities.keys() <= known or band.is_outside(closes) for band in engine.guards.bands()
    )
