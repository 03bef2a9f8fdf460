"""Tells those who watch what each step has brought. Nothing that goes wrong here reaches the trading."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from attrs import define, field

from traderagent_core.account.state import Record
from traderagent_core.engine.engine import Engine
from traderagent_core.engine.life_cycle import is_at_work
from traderagent_core.errors import DataError
from traderagent_core.live.vitals import Vitals
from traderagent_core.model.fact import Fact
from traderagent_core.observability.bus import Bus
from traderagent_core.observability.facts import facts_of

LOGGED = {
    "ORDER_FAILED": "order_failed",
    "STRATEGY_ERROR": "strategy_failed",
    "BOT_QUARANTINED": "bot_quarantined",
    "HALT_CHANGED": "halt_changed",
    "STOP_LOSS": "stop_hit",
    "STOP_REFUSED": "stop_refused",
}
"""Facts that the log of the run has too, and what it calls them."""
UNLOGGED = frozenset({"order_accepted", "filled"})
"""Records of which neither log nor vitals have anything: their facts are for those who watch."""

SLOW_INTERVAL_MS = 60_000
FAILURES = ("ORDER_FAILED", "STRATEGY_ERROR")


class Sink(Protocol):
    """One whom the events of the run are told; see live.sinks."""

    def describe(self) -> dict[str, Any]:
        """How it stands, as JSON-able values."""
        ...


@define(eq=False)
class Observer:
    """Stands between the steps of an engine and the bus."""

    engine: Engine
    vitals: Vitals
    tell: Callable[..., None]
    bus: Bus = field(factory=Bus)
    sinks: Sequence[Sink] = ()
    _stopping: set[str] = field(factory=set)
    _slow: dict[tuple[str, str], list[int]] = field(factory=dict)

    def saw(self, records: Sequence[Record]) -> None:
        """The records of a step."""
        try:
            is_watched = self.bus.is_watched
            told = [record for record in records if is_watched or record[0] not in UNLOGGED]
            facts = list(facts_of(told, self.engine.account))
            for fact in facts:
                self._note(fact)
            self._look_at_stopping()
            if is_watched and any(fact.name == "ORDER_FILLED" for fact in facts):
                self._balance()
        except Exception as error:  # A boundary: those who watch never disturb those who trade.
            self.tell("observer_failed", error=f"{type(error).__name__}: {error}")

    def candle_closed(self, time_ms: int, symbol: str, close: float) -> None:
        """A base candle has closed."""
        if self.bus.is_watched:
            self.bus.publish(Fact("PRICE_UPDATED", time_ms, "", {"symbol": symbol, "price": repr(close)}))

    def health(self, time_ms: int, problem: str, cause: str) -> None:
        """Something has been wrong for long."""
        self.tell("health_critical", problem=problem, cause=cause)
        self.bus.publish(Fact("HEALTH_CRITICAL", time_ms, "", {"problem": problem, "cause": cause}))

    def callback_slow(self, time_ms: int, bot: str, callback: str, took_ms: int) -> None:
        """A call of a plugin took long; told once a minute of each, with the number of those since."""
        seen = self._slow.setdefault((bot, callback), [0, 0])
        seen[1] += 1
        if seen[0] and time_ms - seen[0] < SLOW_INTERVAL_MS:
            return
        values = {"callback": callback, "took_ms": took_ms, "calls": seen[1]}
        self._slow[bot, callback] = [time_ms, 0]
        self.tell("callback_slow", bot=bot, **values)
        self.bus.publish(Fact("CALLBACK_SLOW", time_ms, bot, values))

    def sink_failed(self, what: str, values: dict[str, Any]) -> None:
        """A sink has raised, or is told no more."""
        self.tell(what, **values)
        if what == "sink_quarantined":
            self.bus.publish(Fact("SINK_QUARANTINED", self.engine.now_ms, "", values))

    def configuration_refused(self, time_ms: int, error: str) -> None:
        """An edited configuration cannot be used; the run goes on with the one it has."""
        self.tell("configuration_refused", error=error)
        self.bus.publish(Fact("CONFIGURATION_REFUSED", time_ms, "", {"error": error}))

    def _note(self, fact: Fact) -> None:
        self.bus.publish(fact)
        if fact.name in LOGGED:
            values: dict[str, Any] = {"bot": fact.bot, **fact.values}
            self.tell(LOGGED[fact.name], **values)
        if fact.name in FAILURES:
            cause = fact.values.get("error") or fact.values.get("code", "")
            self.vitals.failed(fact.time_ms, LOGGED[fact.name], f"{fact.bot}: {cause}")
        if fact.name == "BOT_STOPPING":
            self._stopping.add(fact.bot)

    def _look_at_stopping(self) -> None:
        for name in list(self._stopping):
            if not is_at_work([self.engine.members[name]], self.engine.account):
                self._stopping.remove(name)
                self._note(Fact("BOT_STOPPED", self.engine.now_ms, name))

    def _balance(self) -> None:
        try:
            equity = self.engine.guards.equity()
        except DataError:
            return  # No price is known yet.
        self.bus.publish(Fact("BALANCE_UPDATED", self.engine.now_ms, "", {"equity": f"{equity:f}"}))
