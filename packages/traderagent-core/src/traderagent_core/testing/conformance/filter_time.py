"""Cases about filters and time: bursts, the future, restarts, other symbols, and what a candle may cost."""

import sys
from collections import deque
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any

import attrs
import numpy as np

from traderagent_core.contract.entry_filter import EntryFilter
from traderagent_core.engine.codec import encode
from traderagent_core.testing.comparing import refuse, require_same_lines
from traderagent_core.testing.conditions import Bot, Conditions
from traderagent_core.testing.conformance.filter_base import FilterKit, Hearing, renamed, restored, usual_rows
from traderagent_core.testing.conformance.subjects import Subject
from traderagent_core.testing.harness import run_bots
from traderagent_core.testing.markets import with_other_future
from traderagent_core.testing.prober import Prober, ProberConfig
from traderagent_core.testing.restarting import now_and_then

CUTS = (0.3, 0.62, 0.85)
FRESH = 10
LONG = 3
"""How many times `rows` candles the cases on growth run over."""


class FilterTime(FilterKit):
    """What a filter says at a close depends on the candles up to it, and on nothing else."""

    def test_bursts_change_nothing(self, subject: Subject) -> None:
        """Brought forward candle by candle, in bursts, or in one batch, the filter says the same.

        Mend: let `advance` take in every candle since the last one it has seen, once: compare `view.last(…)` with
        what the state remembers, and fetch what lies between with `view.candles(…)`.
        """
        mend = "take in every candle since the last one seen, each exactly once, in advance()"
        for name, candles in self.markets(subject).items():
            rows = set(usual_rows(candles))
            hearing = self.hearing(subject, candles)
            single = []
            for row in range(len(candles)):
                hearing.move(row)
                hearing.advance()
                hearing.move(row, later_ms=1)
                hearing.advance()
                if row in rows:
                    single.append(hearing.ask(row))
            self.require_as_usual(
                subject, name, single, "the same verdicts candle by candle as in bursts", mend
            )
            usual = [heard.row for heard in self.usual(subject, name)]
            chosen = [usual[int(at)] for at in np.linspace(0, len(usual) - 1, FRESH)]
            batch = [self.hearing(subject, candles).ask(row) for row in chosen]
            self.require_as_usual(subject, name, batch, "the same verdicts in one batch as in bursts", mend)

    def test_the_future_changes_nothing(self, subject: Subject) -> None:
        """Cut off, or followed by another future, the candles lead to the same verdicts up to there.

        Mend: use only what the view's methods give; do not reach behind them.
        """
        for name, candles in self.markets(subject).items():
            for share in CUTS:
                rows = int(len(candles) * share)
                other = with_other_future(candles, rows, subject.instrument.tick_size)
                for series in (candles[:rows], other):
                    self.require_as_usual(
                        subject,
                        name,
                        self.hearing(subject, series).ask_all(r for r in usual_rows(candles) if r < rows),
                        what=f"the same verdicts up to row {rows} whatever comes later",
                        mend="use only what the view's methods give; do not reach behind them",
                    )

    def test_a_restart_changes_nothing(self, subject: Subject) -> None:
        """Saved as text and restored into a new object now and then, the filter goes on as before.

        Mend: what cannot be had from the view again belongs in `self.state`, not in other attributes of `self`.
        """
        for name, candles in self.markets(subject).items():
            hearing = self.hearing(subject, candles)
            found = []
            for row in usual_rows(candles):
                found.append(hearing.ask(row))
                if row % 5 == 0:
                    hearing.entry_filter = restored(hearing.entry_filter, self.build(subject))
            self.require_as_usual(
                subject,
                name,
                found,
                what="the same verdicts when the filter is restarted now and then",
                mend="keep what you have to remember in self.state; other attributes are lost",
            )

    def test_state_is_never_changed_in_place(self, subject: Subject) -> None:
        """`advance` replaces the state as a whole, so that the engine can take it back and save it at any time.

        Mend: `self.state = attrs.evolve(self.state, …)` with new tuples and dicts; never append to one in it.
        """
        for name, candles in self.markets(subject).items():
            hearing = self.hearing(subject, candles)
            for row in usual_rows(candles):
                state = hearing.entry_filter.state
                before = encode(state)
                hearing.ask(row)
                if encode(state) != before:
                    refuse(
                        expected="a state object that stays as it was",
                        found=f"it was changed at row {row} of the {name} market: {state!r:.400}",
                        mend="build new tuples and dicts and replace the state with attrs.evolve",
                    )

    def test_symbols_do_not_disturb_each_other(self, subject: Subject) -> None:
        """Plans for one instrument are judged the same whether or not the filter also serves another one.

        Mend: keep what belongs to a symbol under its symbol: `attrs.evolve(state, seen={**state.seen, symbol: …})`.
        """
        markets = self.markets(subject)
        other = f"OTHER/{subject.instrument.symbol.partition('/')[2]}"
        names = list(markets)
        for name, neighbour in zip(names, names[1:] + names[:1], strict=True):
            entry_filter = self.build(subject)
            own = self.hearing(subject, markets[name], entry_filter)
            beside = self.hearing(subject, renamed(markets[neighbour], other), entry_filter)
            found = []
            for row in usual_rows(own.candles):
                if row < len(beside.candles):
                    beside.ask(row)
                found.append(own.ask(row))
            self.require_as_usual(
                subject,
                name,
                found,
                what="the same verdicts while the filter serves another symbol too",
                mend="keep what belongs to a symbol under its symbol in the state",
            )

    def test_a_candle_costs_no_more_later_than_early(self, subject: Subject) -> None:
        """Calls made, candles read and memory held for one more candle do not grow with the age of the run.

        Counted, not timed. `max_rows_per_candle` limits the candles that are read for one.
        Mend: go on from the state instead of beginning anew, and forget what is too old to matter.
        """
        candles = self.candles(subject.instrument, self.rows * LONG)["ranging"]
        early, late = _costs(self.hearing(subject, candles))
        for what, before, after, slack in zip(_COUNTED, early, late, _SLACK, strict=True):
            if after > 1.5 * before + slack:
                refuse(
                    expected=f"{what} about the same early and late, {before:.0f} in the second quarter of a run",
                    found=f"{after:.0f} in the last quarter",
                    mend="go on from the state instead of beginning anew; forget what is too old to matter",
                )
        if late[1] > self.max_rows_per_candle:
            refuse(
                expected=f"at most {self.max_rows_per_candle} candles read for one more candle",
                found=f"{late[1]:.0f}",
                mend="go on from the state with the new candles only; or raise max_rows_per_candle",
            )

    def test_a_run_with_restarts_and_idle_wakes_is_the_same(self, subject: Subject) -> None:
        """In an engine that is restarted and woken for nothing, a strategy behind the filter trades the same.

        Mend: see the cases on bursts, asking and restarts; here the engine does all that at once.
        """
        candles = self.markets(subject)["ranging"]
        bot = Bot(Prober, ProberConfig(), candles, subject.instrument)
        filters: Mapping[str, Callable[[], EntryFilter]] = {"kit": lambda: self.build(subject)}
        usual = run_bots([bot], Conditions(filters=filters))
        wakes = [int(time_ms) for time_ms in candles.open_time + candles.duration_ms]
        restart_at = now_and_then(usual.events + len(wakes))
        restless = run_bots([bot], Conditions(filters=filters, wakes=wakes, restart_at=restart_at))
        if usual.failures:
            refuse(
                expected="a filter that does not raise in a run",
                found=f"{usual.failures[0]}",
                mend="run a strategy behind the filter with testing.harness.run_strategy and look",
            )
        require_same_lines(
            usual.lines,
            restless.lines,
            what="the same records when the engine is restarted and woken for nothing",
            mend="keep what you have to remember in self.state, and let it depend on candles only",
        )


_COUNTED = ("calls made for a candle", "candles read for a candle", "things held in memory")
_SLACK = (40.0, 40.0, 400.0)
_WEIGHED_EVERY = 7


def _costs(hearing: Hearing) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """In the second quarter of the candles and in the last one, on average: calls, candles read, things held."""
    quarter = len(hearing.candles) // 4
    for row in range(quarter):
        hearing.ask_first(row)
    early = _mean_costs(hearing, range(quarter, 2 * quarter))
    for row in range(2 * quarter, len(hearing.candles) - quarter):
        hearing.ask_first(row)
    return early, _mean_costs(hearing, range(len(hearing.candles) - quarter, len(hearing.candles)))


def _mean_costs(hearing: Hearing, rows: range) -> tuple[float, ...]:
    """What candles cost on average, asked at each; memory, which is slow to weigh, is weighed now and then."""
    calls = 0

    def count(_frame: FrameType, event: str, _argument: Any) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    read_before, weights = hearing.view.rows_read, []
    for row in rows:
        previous = sys.getprofile()
        sys.setprofile(count)
        try:
            hearing.ask_first(row)
        finally:
            sys.setprofile(previous)
        if row % _WEIGHED_EVERY == 0:
            weights.append(_weight(vars(hearing.entry_filter)))
    return calls / len(rows), (hearing.view.rows_read - read_before) / len(rows), float(np.mean(weights))


def _weight(root: Any) -> int:
    """How many values hang on an object; an array counts as many as it has."""
    seen: set[int] = set()
    waiting, weight = [root], 0
    while waiting:
        value = waiting.pop()
        weight += value.size if isinstance(value, np.ndarray) else 1
        if id(value) in seen:
            continue
        seen.add(id(value))
        waiting += _parts(value)
    return weight


def _parts(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [*value.keys(), *value.values()]
    if isinstance(value, list | tuple | set | frozenset | deque):
        return list(value)
    if attrs.has(type(value)):
        return [getattr(value, each.name) for each in attrs.fields(type(value))]
    return list(vars(value).values()) if hasattr(value, "__dict__") and not isinstance(value, type) else []
