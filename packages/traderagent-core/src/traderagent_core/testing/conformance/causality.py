"""Cases about time: nothing from the future, nothing from too far back, nothing from how often one is woken."""

from collections.abc import Mapping
from functools import partial

import numpy as np

from traderagent_core.contract.strategy import Wake
from traderagent_core.model.candle import Candles
from traderagent_core.simulator.scan import BlockScan
from traderagent_core.simulator.view import SimulatedView
from traderagent_core.testing.comparing import refuse, require_same_lines
from traderagent_core.testing.conditions import Conditions
from traderagent_core.testing.conformance.base import Kit
from traderagent_core.testing.conformance.specification import columns_of
from traderagent_core.testing.conformance.subjects import Subject
from traderagent_core.testing.markets import with_other_future
from traderagent_core.testing.run import Run

CUTS = 4
STAY_BEFORE = "do not reach behind context.view, and declare causal indicators only"
ROWS_LOOKED_AT = 60


class Causality(Kit):
    """What is decided at a time depends on what was known then, and on nothing else."""

    def test_the_future_changes_nothing(self, subject: Subject) -> None:
        """Cut off right after a decision, or followed by another future, the history leads to the same records.

        Mend: use only what `context.view` gives; declared indicators must be causal.
        """
        whole = self.busiest(subject)
        candles = whole.bots[0].candles
        for rows in _cuts(whole):
            cut = self.run(subject, candles[:rows])
            require_same_lines(
                whole.lines,
                cut.lines,
                what=f"the same records with and without the candles after the first {rows}",
                mend=STAY_BEFORE,
                is_prefix=True,
            )
            other = self.run(subject, with_other_future(candles, rows, subject.instrument.tick_size))
            require_same_lines(
                _lines_to(whole, cut.end_ms),
                _lines_to(other, cut.end_ms),
                what=f"the same records up to row {rows} whatever comes later",
                mend=STAY_BEFORE,
            )

    def test_candidates_know_only_their_past(self, subject: Subject) -> None:
        """Rows that are cut off at the end change no mark before them.

        Mend: no shift by a negative number, no centred window, no extreme or mean over whole columns.
        """
        if self.needs(subject).wake is not Wake.CANDIDATES:
            return
        for name, candles in self.markets(subject).items():
            columns = columns_of(candles, self.needs(subject))
            mask = self.strategy_class.candidates(subject.config, columns)
            first = self.needs(subject).look_back
            for rows in np.unique(np.linspace(first, len(mask) - 1, ROWS_LOOKED_AT, dtype=int)):
                cut = {key: column[:rows] for key, column in columns.items()}
                marks = self.strategy_class.candidates(subject.config, cut)
                if not np.array_equal(marks, mask[:rows]):
                    row = int(np.flatnonzero(marks != mask[:rows])[0])
                    refuse(
                        expected=f"row {row} of the {name} market marked {mask[row]} whatever comes later",
                        found=f"{marks[row]} when the columns end at row {rows - 1}",
                        mend="use rows up to i for row i: no look-ahead, no statistics over whole columns",
                    )

    def test_candidates_need_no_more_than_look_back(self, subject: Subject) -> None:
        """The last of `look_back` rows is marked as it is in the whole history.

        Mend: declare a longer `look_back`, or put what remembers longer into an indicator.
        """
        needs = self.needs(subject)
        if needs.wake is not Wake.CANDIDATES:
            return
        for name, candles in self.markets(subject).items():
            columns = columns_of(candles, needs)
            mask = self.strategy_class.candidates(subject.config, columns)
            for row in _rows_to_look_at(mask, needs.look_back):
                part = {key: column[row + 1 - needs.look_back : row + 1] for key, column in columns.items()}
                mark = self.strategy_class.candidates(subject.config, part)[-1]
                if mark != mask[row]:
                    refuse(
                        expected=f"row {row} of the {name} market marked {mask[row]} from {needs.look_back} rows",
                        found=f"{mark}",
                        mend="declare a longer look_back, or put what remembers longer into an indicator",
                    )

    def test_callbacks_look_back_no_further_than_declared(self, subject: Subject) -> None:
        """With only `look_back` candles to be had from the view, the records are the same.

        Mend: declare in `needs` the look_back that your callbacks ask the view for.
        """
        look_back = self.needs(subject).look_back
        whole = self.busiest(subject)
        short = self.again(whole, Conditions(view=partial(_ShortView, look_back=look_back)))
        require_same_lines(
            whole.lines,
            short.lines,
            what=f"the same records when the view holds the declared {look_back} candles",
            mend="declare in needs() the look_back that your callbacks use",
        )

    def test_quiet_candles_change_nothing(self, subject: Subject) -> None:
        """Woken at candles where nothing is to be done, nothing is done and nothing is recorded.

        Mend: decide from candles and state, not from how often the engine or a cursor has moved.
        """
        usual = self.busiest(subject)
        wakes = self._quiet_closes(subject, usual.bots[0].candles)
        restless = self.again(usual, Conditions(finder=_Early, wakes=wakes))
        require_same_lines(
            usual.lines,
            restless.lines,
            what="the same records however often the engine is woken for nothing",
            mend="decide from candles, context and state, not from how often anything was called",
        )

    def _quiet_closes(self, subject: Subject, candles: Candles) -> list[int]:
        """Closes on which the strategy has not asked to be called."""
        view = SimulatedView({candles.symbol: candles})
        strategy = self.strategy_class(subject.config)
        view.schedule("bot", candles.symbol, candles.timeframe, strategy, 0)
        closes = [int(time_ms) for time_ms in candles.open_time + candles.duration_ms]
        if self.needs(subject).wake is Wake.NEVER:
            return closes
        return [time_ms for time_ms in closes if not view.is_due("bot", time_ms)]


class _ShortView(SimulatedView):
    """A view that holds no more candles than were declared, as a live one may."""

    def __init__(self, base: Mapping[str, Candles], *, look_back: int) -> None:
        super().__init__(base)
        self._look_back = look_back

    def candles(self, symbol: str, timeframe: str, count: int) -> Candles:
        return super().candles(symbol, timeframe, min(count, self._look_back))


class _Early(BlockScan):
    """A finder that answers half-way to the next wake, as a finder may."""

    def next_touch(self, first: int, up: float, down: float) -> int:
        return self._early(first, super().next_touch(first, up, down))

    def next_close(self, first: int, floor: float, ceiling: float) -> int:
        return self._early(first, super().next_close(first, floor, ceiling))

    def _early(self, first: int, found: int) -> int:
        if found < 0:
            return first + 3 if first + 3 < self._size else -1
        return (first + found) // 2


def _cuts(run: Run) -> list[int]:
    """Numbers of rows that end with a candle at whose close, or in which, something was decided, and one more."""
    candles = run.bots[0].candles
    closes = candles.open_time + candles.duration_ms
    decided = sorted(
        {record[1] for record in run.of("plan_granted", "plan_rejected", "want_granted", "noted")}
    )
    if not decided:
        return [len(candles) // 2]
    chosen = [decided[len(decided) * number // CUTS] for number in range(CUTS)]
    rows = {int(np.searchsorted(closes, time_ms)) + 1 for time_ms in chosen}
    return sorted({min(count + more, len(candles)) for count in rows for more in (0, 1)})


def _lines_to(run: Run, time_ms: int) -> list[str]:
    return [line for line, record in zip(run.lines, run.records, strict=True) if record[1] <= time_ms]


def _rows_to_look_at(mask: np.ndarray, look_back: int) -> list[int]:
    """Some marked rows and some others, all with enough rows before them."""
    rows = np.arange(look_back - 1, len(mask))
    marked, others = rows[mask[rows]], rows[~mask[rows]]
    return [
        int(group[index])
        for group in (marked, others)
        if len(group)
        for index in np.unique(np.linspace(0, len(group) - 1, ROWS_LOOKED_AT, dtype=int))
    ]
