"""A run once more, listened to: where the engine's own stops stood, and what filters were asked and answered.

Neither leaves a record: a stop that the engine holds is a price watch, and of a verdict only the reason is kept. A
run gives the same records whenever it is repeated, so what is told of the second one holds for the first, and the
first pays nothing for it.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, NamedTuple, cast

from attrs import Factory, define, evolve

from traderagent_core.account.state import Record
from traderagent_core.contract.entry_filter import EntryFilter, Verdict
from traderagent_core.engine.stops import STOP_WATCH
from traderagent_core.model import command as cmd
from traderagent_core.model.plan import Plan
from traderagent_core.ports import MarketView
from traderagent_core.simulator.collecting import no_cyclic_collection
from traderagent_core.simulator.preparing import Prepared
from traderagent_core.venue.exchange import SimulatedExchange


class StopMove(NamedTuple):
    """A stop set, moved or taken away (None) when so many records had been written."""

    position: int
    time_ms: int
    bot: str
    price: Decimal | None


class Answer(NamedTuple):
    """A verdict, given when so many records had been written."""

    position: int
    time_ms: int
    filter: str
    symbol: str
    plan: Plan
    price: Decimal
    verdict: Verdict


@define(eq=False)
class Heard:
    """What was heard; in order of time."""

    stops: list[StopMove] = Factory(list)
    answers: list[Answer] = Factory(list)


def is_worth_it(prepared: Prepared, records: Sequence[Record]) -> bool:
    """Whether a run has anything that only listening tells."""
    if prepared.engine.setup.filters:
        return True
    setups = [member.setup for member in prepared.engine.members.values()]
    if all(setup.stop_placement != "engine" for setup in setups):
        return False
    if any(setup.limits.stop_loss_ratio is not None for setup in setups):
        return True
    return any(record[0] == "plan_granted" and record[4].stop is not None for record in records)


def rehearse(prepare: Callable[[], Prepared], records: Sequence[Record]) -> Heard | None:
    """What is heard in the same run once more; None when it is not the same, as a plugin is not deterministic."""
    with no_cyclic_collection():
        return _listened(prepare(), records)


def _listened(prepared: Prepared, records: Sequence[Record]) -> Heard | None:
    heard = Heard()
    driver, engine = prepared.driver, prepared.engine
    driver.exchange = cast(SimulatedExchange, _Exchange(driver.exchange, driver.records, heard))
    filters: dict[str, Any] = {
        name: _Filter(name, each, driver.records, heard, prepared)
        for name, each in engine.setup.filters.items()
    }
    engine.setup = evolve(engine.setup, filters=filters)
    driver.run(prepared.end_ms)
    return heard if driver.records == records else None


class _Exchange:
    """The exchange, with an ear for the watches of stops."""

    def __init__(self, inner: SimulatedExchange, records: list[Record], heard: Heard) -> None:
        self._inner = inner
        self._records = records
        self._heard = heard

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def execute(self, command: Any, now_ms: int) -> None:
        if type(command) in (cmd.Watch, cmd.Unwatch) and command.name == STOP_WATCH:
            price = command.price if type(command) is cmd.Watch else None
            self._heard.stops.append(StopMove(len(self._records), now_ms, command.owner, price))
        self._inner.execute(command, now_ms)


class _Filter:
    """A filter, with an ear for its verdicts."""

    def __init__(
        self, name: str, inner: EntryFilter, records: list[Record], heard: Heard, prepared: Prepared
    ) -> None:
        self._name = name
        self._inner = inner
        self._records = records
        self._heard = heard
        self._view = prepared.view

    @property
    def state(self) -> Any:
        return self._inner.state

    @state.setter
    def state(self, value: Any) -> None:
        self._inner.state = value

    def advance(self, view: MarketView, symbol: str) -> None:
        self._inner.advance(view, symbol)

    def judge(self, plan: Plan, view: MarketView, symbol: str) -> Verdict:
        verdict = self._inner.judge(plan, view, symbol)
        price, now_ms = view.price(symbol), self._view.now_ms
        self._heard.answers.append(
            Answer(len(self._records), now_ms, self._name, symbol, plan, price, verdict)
        )
        return verdict
