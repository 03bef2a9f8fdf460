"""How a live process stands: its bots, its account and how it feels."""

from collections.abc import Sequence
from typing import Any

from traderagent_core.config.schema import AUTO
from traderagent_core.engine.life_cycle import LifeCycle, bots_of, life_cycle
from traderagent_core.engine.member import Member
from traderagent_core.live.control.status import BotFacts, describe
from traderagent_core.live.driver import Driver
from traderagent_core.persistence.state_view import describe_engine


def describe_run(driver: Driver) -> dict[str, Any]:
    """The document that `traderagent status` shows."""
    engine = driver.engine
    halt = engine.halting.state
    facts = [_facts(driver, bot, members) for bot, members in bots_of(engine).items()]
    found = describe(facts, engine.account)
    found["unconfirmed"] = sorted({*found["unconfirmed"], *driver.resolver.cases})
    return {
        "now_ms": driver.adapter.clock.now_ms(),
        "halt": None
        if halt.stage is None
        else {"stage": halt.stage.value, "reason": halt.reason, "since_ms": halt.since_ms},
        "barred": [
            {"symbol": symbol, "reason": reason, "detail": detail}
            for (symbol, reason), detail in engine.barring.bars.items()
        ],
        "account": describe_engine(engine)["account"],
        **found,
        "last_candles": {symbol: _last_close(driver, symbol) for symbol in driver.symbols},
        "in_flight": driver.outbox.in_flight,
        "sinks": [sink.describe() for sink in driver.observer.sinks],
        **driver.vitals.describe(),
    }


def life_of(driver: Driver, bot: str) -> LifeCycle:
    """Where a bot is in its life."""
    engine = driver.engine
    members, is_awaited = bots_of(engine)[bot], driver.awaits(bot)
    return life_cycle(members, engine.account, is_halted=engine.halting.is_on, is_awaited=is_awaited)


def _facts(driver: Driver, bot: str, members: Sequence[Member]) -> BotFacts:
    engine, first = driver.engine, members[0]
    pair = engine.director.pairs.get(bot)
    reading = engine.view.regime(first.symbol)
    stops = [member.stop.price for member in members if member.stop.price is not None]
    owner = None if pair is None else pair.memory.state.owner
    return BotFacts(
        bot,
        first.setup.strategy_name if pair is None else AUTO,
        first.symbol,
        life_of(driver, bot).value,
        members,
        stop_price=stops[0] if stops else None,
        stop_placement=first.setup.stop_placement,
        price=driver.view.price(first.symbol) if driver.view.has_price(first.symbol) else None,
        regime=None if reading is None else reading.regime.value,
        owner=owner if pair is not None else None,
    )


def _last_close(driver: Driver, symbol: str) -> dict[str, Any] | None:
    candle = driver.view.last(symbol, driver.options.base)
    if candle is None:
        return None
    return {"timeframe": driver.options.base, "open_time": candle.open_time, "close": candle.close}
