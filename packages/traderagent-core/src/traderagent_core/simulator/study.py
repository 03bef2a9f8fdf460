"""What can be told of a finished run beyond its rows: positions, and what its plugins show. Made when asked for."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cached_property, partial
from typing import Any

from traderagent_core.account.state import Record
from traderagent_core.contract.exhibit import Exhibit
from traderagent_core.contract.history import Judged, Note, RoundTrip, RunHistory
from traderagent_core.coordinator.guards import MODE_FAILED
from traderagent_core.model.candle import Candles
from traderagent_core.model.instrument import Market
from traderagent_core.model.position import money_context
from traderagent_core.simulator.coordination import (
    Coordination,
    Terms,
    has_coordination,
    read_coordination,
)
from traderagent_core.simulator.hearing import JudgedPlan
from traderagent_core.simulator.lazy_rows import LazyRows
from traderagent_core.simulator.outcome import Shown, ShownKind, Study
from traderagent_core.simulator.preparing import Prepared
from traderagent_core.simulator.record_log import only
from traderagent_core.simulator.record_reader import RecordReader
from traderagent_core.simulator.round_trips import round_trips

Ends = Mapping[tuple[int, str, str], Sequence[int]]
"""Ids of granted plans, 0 for refused ones, by time, bot and name, in order."""


class RunStudy(Study):
    """Reads a run once more. Everything is made on the first look and kept."""

    def __init__(self, prepared: Prepared, reader: RecordReader) -> None:
        self._prepared = prepared
        self._reader = reader
        self._records = prepared.driver.records
        self._heard = prepared.driver.heard

    @property
    def timeframes(self) -> Mapping[str, str]:
        """The timeframe of trading by symbol."""
        return {bot.symbol: bot.timeframe for bot in self._prepared.config.bots}

    @property
    def round_trips(self) -> Sequence[RoundTrip]:
        """Positions from flat to flat, in order of opening."""
        return self._trips[0]

    @cached_property
    def exhibits(self) -> tuple[Shown, ...]:
        """What each strategy and then each filter shows."""
        _ = self.round_trips  # They stay: made before what is needed for a while only, they take less memory.
        with money_context():
            notes, ends = self._written()
            return (*self._of_strategies(notes), *self._of_filters(ends))

    @cached_property
    def coordination(self) -> Coordination | None:
        """Regimes, owners, transitions and halts; None for a run without any."""
        if not has_coordination(self._records):
            return None
        prepared = self._prepared
        stress = None if prepared.view.stress is None else prepared.view.stress.timeline
        terms = _terms(prepared)
        span = (prepared.start_ms, prepared.end_ms)
        return read_coordination(self._records, prepared.candles, *span, terms, self._reader, stress)

    @cached_property
    def warnings(self) -> tuple[str, ...]:
        """What could not be made."""
        return tuple(
            f"{shown.kind} {shown.owner}: {shown.problem}" for shown in self.exhibits if shown.problem
        )

    @cached_property
    def failures(self) -> tuple[str, ...]:
        """Which calls of plugins have failed, how often, and how at first."""
        failed: dict[tuple[str, str], list[str]] = defaultdict(list)
        for kind, _, *values in only(self._records, {"plugin_failed", "mode_changed"}):
            if kind == "plugin_failed":
                bot, callback, error = values
                failed[bot, callback].append(error)
            elif values[2].startswith(MODE_FAILED):
                failed["", f"risk mode {values[0]}"].append(values[2])
        return tuple(
            f"{f'bot {bot}: ' if bot else ''}{callback} has failed {len(errors):,} ×, at first with {errors[0]}"
            for (bot, callback), errors in failed.items()
        )

    # -- reading --------------------------------------------------------------------------------------------

    @cached_property
    def _trips(self) -> tuple[list[RoundTrip], dict[int, RoundTrip]]:
        members = self._prepared.engine.members
        held = [move for move in self._heard.stops if members[move.bot].setup.stop_placement == "engine"]
        with money_context():
            return round_trips(self._records, self._reader, self._prepared.candles, self._is_flat, held)

    def _is_flat(self, bot: str, quantity: Decimal, price: Decimal) -> bool:
        instrument = self._prepared.engine.members[bot].instrument
        rounded = instrument.round_quantity(abs(quantity))
        if instrument.market is Market.LINEAR:
            return not rounded
        return instrument.size_problem(rounded, price) is not None

    # -- plugins --------------------------------------------------------------------------------------------

    def _of_strategies(self, notes: dict[str, list[Record]]) -> list[Shown]:
        trips: dict[str, list[RoundTrip]] = defaultdict(list)
        for trip in self.round_trips:
            trips[trip.bot].append(trip)
        shown = []
        for member in self._prepared.engine.members.values():
            own = tuple(map(_note, notes.pop(member.name, ())))
            history = self._history(round_trips=tuple(trips[member.name]), notes=own)
            plugin = member.setup.strategy_name
            shown.append(_shown(member.name, "strategy", plugin, member.strategy.exhibit, history))
        return shown

    def _of_filters(self, ends: Ends) -> list[Shown]:
        filters = self._prepared.engine.setup.filters
        shown = []
        for name, each in filters.items():
            verdicts = LazyRows(self._heard.counts[name], partial(self._judged, name, ends))
            history = self._history(round_trips=tuple(self.round_trips), verdicts=verdicts)
            shown.append(_shown(name, "filter", name, each.exhibit, history))
        return shown

    def _history(self, **parts: Any) -> RunHistory:
        prepared = self._prepared
        return RunHistory(prepared.start_ms, prepared.end_ms, self.timeframes, self._candles, **parts)

    def _candles(self, symbol: str, timeframe: str) -> Candles:
        """All candles of a timeframe, in columns that cannot be written to."""
        candles = self._prepared.view.series(symbol, timeframe).candles
        names = ("open_time", "open", "high", "low", "close", "volume")
        columns = [getattr(candles, name).view() for name in names]
        for column in columns:
            column.flags.writeable = False
        return Candles(symbol, timeframe, *columns)

    def _written(self) -> tuple[dict[str, list[Record]], Ends]:
        """Notes by bot, and what became of plans."""
        notes: dict[str, list[Record]] = defaultdict(list)
        ends: dict[tuple[int, str, str], list[int]] = defaultdict(list)
        granted = iter(self._reader.plans)
        for record in only(self._records, {"noted", "plan_granted", "plan_rejected"}):
            kind = record[0]
            if kind == "noted":
                notes[record[2]].append(record)
            elif kind == "plan_granted":
                plan = next(granted)
                ends[plan.time_ms, plan.bot, plan.name].append(plan.number)
            else:
                ends[record[1], record[2], record[3]].append(0)
        return notes, ends

    def _judged(self, name: str, ends: Ends) -> Iterator[Judged]:
        """The verdicts of a filter, each with what became of its plan."""
        told: Counter[tuple[int, str, str]] = Counter()
        question, plan_id = -1, 0
        give_plan: Any = None
        plans = self._heard.plans.on_demand()
        for answer in self._heard.answers:
            if answer.question != question:  # Another filter's word on one plan belongs to the same end.
                question, key = answer.question, (answer.time_ms, answer.bot, answer.plan_name)
                plan_id, give_plan = ends[key][told[key]], next(plans)
                told[key] += 1
            if answer.filter == name:
                trip = self._trips[1].get(plan_id) if plan_id else None
                where = (answer.time_ms, answer.bot, answer.symbol)
                yield JudgedPlan(*where, give_plan, answer.price, answer.verdict, bool(plan_id), trip)


def _note(record: Record) -> Note:
    _, time_ms, _, reason, text = record
    pairs = (part.partition("=") for part in text.split(", "))
    return Note(time_ms, reason, {key: value for key, equals, value in pairs if equals})


def _terms(prepared: Prepared) -> Terms:
    """What the reader of the coordination has to be told."""
    config, allocation = prepared.config, prepared.engine.setup.allocation
    return Terms(
        {bot.name.partition(":")[0]: bot.leverage for bot in config.bots},
        config.simulation.slippage,
        config.coordinator.transition.forced_slippage,
        None if allocation is None else allocation.config.reserve_ratio,
        config.coordinator.correlation.stressed_ratio,
    )


def _shown(
    owner: str,
    kind: ShownKind,
    plugin: str,
    make: Callable[[RunHistory], Exhibit],
    history: RunHistory,
) -> Shown:
    """A plugin's exhibit; one that raises, or gives anything else, costs its own and is told."""
    try:
        exhibit: Any = make(history)
        if not isinstance(exhibit, Exhibit):
            raise TypeError(f"exhibit must return an Exhibit, not {exhibit!r}")
    except (Exception, SystemExit) as error:
        return Shown(owner, kind, plugin, problem=f"exhibit of {plugin!r} failed: {error!r}")
    return Shown(owner, kind, plugin, exhibit)
