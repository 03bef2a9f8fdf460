"""The regimes of a whole history: the same states as close by close, found from change to change.

What the numbers say depends on the confirmed regime only through its thresholds. So for each regime that occurs the
words of all closes are made as a column, with the runs in it that are long enough to confirm a change; the history
is then a jump from run to run.
"""

from bisect import bisect_left

import numpy as np
from attrs import define, field, frozen
from numpy.typing import NDArray

from traderagent_core.coordinator.regime import Bounds, RegimeClassifier, RegimeState
from traderagent_core.model.candle import FloatColumn
from traderagent_core.model.regime import Regime

Codes = NDArray[np.int8]

REGIMES = tuple(Regime)
NONE = -1
"""The code of no regime; that of a regime is its place in REGIMES."""

TIGHT, QUIET = REGIMES.index(Regime.TIGHT_RANGE), REGIMES.index(Regime.QUIET_TRANSITION)
BULL, BEAR = REGIMES.index(Regime.BULL_TREND), REGIMES.index(Regime.BEAR_TREND)


@frozen(eq=False)
class RegimeColumns:
    """What a classifier's `indicators` give, one value for each close; nan while they warm up."""

    adx: FloatColumn
    atr_ratio: FloatColumn
    ema_fast: FloatColumn
    ema_slow: FloatColumn

    def __len__(self) -> int:
        return len(self.adx)

    def known(self) -> NDArray[np.bool_]:
        """Closes that have all four numbers."""
        unknown = np.isnan(self.adx)
        for column in (self.atr_ratio, self.ema_fast, self.ema_slow):
            unknown |= np.isnan(column)
        return ~unknown

    def only(self, rows: NDArray[np.bool_]) -> "RegimeColumns":
        """Some of the closes."""
        return RegimeColumns(self.adx[rows], self.atr_ratio[rows], self.ema_fast[rows], self.ema_slow[rows])

    def row(self, index: int) -> tuple[float, float, float, float]:
        """The numbers of one close."""
        return (
            float(self.adx[index]),
            float(self.atr_ratio[index]),
            float(self.ema_fast[index]),
            float(self.ema_slow[index]),
        )


@frozen(eq=False)
class RegimeTimeline:
    """The state after each close, as columns of codes; row 0 is the state before the first close."""

    regime: Codes
    candidate: Codes
    count: NDArray[np.int32]
    last_trend: Codes

    def __len__(self) -> int:
        """Number of closes."""
        return len(self.regime) - 1

    def state(self, close: int) -> RegimeState:
        """The state after a close, counted from 0; -1 is the one before the first."""
        row = close + 1
        trend = REGIMES[self.last_trend[row]]
        return RegimeState(_of(self.regime[row]), _of(self.candidate[row]), int(self.count[row]), trend)

    def changes(self) -> list[tuple[int, Regime]]:
        """Closes at which another regime is confirmed, and which."""
        rows = np.flatnonzero(self.regime[1:] != self.regime[:-1])
        return [(int(row), REGIMES[self.regime[row + 1]]) for row in rows]


def classify_columns(
    classifier: RegimeClassifier, columns: RegimeColumns, state: RegimeState | None = None
) -> RegimeTimeline:
    """The states that `classify` gives close by close, from a state on."""
    known = columns.known()
    is_whole = bool(known.all())
    walk = _Walk(classifier, columns if is_whole else columns.only(known), state or RegimeState())
    walk.run()
    if is_whole:
        return walk.timeline
    rows = np.concatenate([[0], np.add.accumulate(known, dtype=np.intp)])
    found = walk.timeline
    return RegimeTimeline(
        found.regime[rows], found.candidate[rows], found.count[rows], found.last_trend[rows]
    )


def _of(code: int) -> Regime | None:
    return None if code == NONE else REGIMES[code]


def _code(regime: Regime | None) -> int:
    return NONE if regime is None else REGIMES.index(regime)


@frozen(eq=False)
class _Table:
    """What every close says in one confirmed regime, and the runs of another word that can confirm it."""

    words: Codes
    run_starts: list[int]
    run_lasts: list[int]

    def confirmed_at(self, first: int, confirmations: int) -> int | None:
        """The close that confirms a change when counting begins at `first`; None when none does."""
        run = bisect_left(self.run_lasts, first + confirmations - 1)
        if run == len(self.run_lasts):
            return None
        return max(self.run_starts[run], first) + confirmations - 1


@define(eq=False)
class _Path:
    """Which regime judged from which close on; the last one holds to the end, and may judge none."""

    starts: list[int] = field(factory=list)
    regimes: list[int] = field(factory=list)
    trends: list[int] = field(factory=list)


@define(eq=False)
class _Walk:
    """From a state through closes that all have their numbers."""

    classifier: RegimeClassifier
    columns: RegimeColumns
    state: RegimeState
    timeline: RegimeTimeline = field(init=False)
    _tables: dict[tuple[int, int], _Table] = field(factory=dict, init=False)
    _trends: dict[int, Codes] = field(init=False)

    def __attrs_post_init__(self) -> None:
        rows = len(self.columns) + 1
        codes = (np.empty(rows, np.int8) for _ in range(3))
        self.timeline = RegimeTimeline(next(codes), next(codes), np.empty(rows, np.int32), next(codes))
        fast, slow = self.columns.ema_fast, self.columns.ema_slow
        direction = np.where(fast < slow, np.int8(BEAR), np.int8(BULL))
        is_tied = fast == slow
        self._trends = {BULL: direction, BEAR: direction}
        if is_tied.any():
            self._trends = {last: np.where(is_tied, np.int8(last), direction) for last in (BULL, BEAR)}

    def run(self) -> None:
        """Fill the timeline."""
        self._note(0, self.state)
        first = self._lead_in()
        if first < len(self.columns):
            self._jump(first)

    def _note(self, row: int, state: RegimeState) -> None:
        timeline = self.timeline
        timeline.regime[row] = _code(state.regime)
        timeline.candidate[row] = _code(state.candidate)
        timeline.count[row] = state.count
        timeline.last_trend[row] = _code(state.last_trend)

    def _lead_in(self) -> int:
        """Step until there is a regime and no count that began before; the close from which to go on."""
        for index in range(len(self.columns)):
            if self.state.regime is not None and self.state.candidate is None:
                return index
            after = self.classifier.classify(self.state, *self.columns.row(index))
            if after.count == 1:
                return index
            self.state = after
            self._note(index + 1, after)
        return len(self.columns)

    def _jump(self, first: int) -> None:
        """From change to change; no count began before `first`."""
        regime, trend = _code(self.state.regime), _code(self.state.last_trend)
        words = np.empty(len(self.columns), np.int8)
        path, start = _Path(), first
        while True:
            path.starts.append(start)
            path.regimes.append(regime)
            path.trends.append(trend)
            table = self._table(regime, trend)
            change = table.confirmed_at(start, self.classifier.config.confirmations)
            if change is None:
                words[start:] = table.words[start:]
                break
            words[start : change + 1] = table.words[start : change + 1]
            regime = int(words[change])
            trend = regime if regime in (BULL, BEAR) else trend
            start = change + 1
        self._fill(words, path)

    def _fill(self, words: Codes, path: _Path) -> None:
        """States from what each close said to the regime of its time."""
        starts, end = np.array(path.starts), len(words)
        first = path.starts[0]
        # A regime holds from the close that confirms it, which was still judged by the one before.
        lengths = np.diff(starts, append=end)
        lengths[0] -= 1
        lengths[-1] += 1
        timeline = self.timeline
        timeline.regime[first + 1 :] = np.repeat(np.array(path.regimes, np.int8), lengths)
        timeline.last_trend[first + 1 :] = np.repeat(np.array(path.trends, np.int8), lengths)
        is_settled = words[first:] == timeline.regime[first + 1 :]
        timeline.count[first + 1 :] = np.where(is_settled, 0, _lengths_so_far(words, starts)[first:])
        timeline.candidate[first + 1 :] = np.where(is_settled, np.int8(NONE), words[first:])

    def _table(self, regime: int, trend: int) -> _Table:
        # Without a tie of the means the last trend makes no difference.
        key = (regime, BULL if self._trends[BULL] is self._trends[BEAR] else trend)
        if key not in self._tables:
            words = self._words(self.classifier.bounds[REGIMES[regime]], self._trends[trend])
            self._tables[key] = _table(words, regime, self.classifier.config.confirmations)
        return self._tables[key]

    def _words(self, bounds: Bounds, trends: Codes) -> Codes:
        """The batch twin of `RegimeClassifier.word`."""
        columns = self.columns
        # In REGIMES the wide range and the volatile transition follow their calm twins.
        ranges = (columns.atr_ratio >= bounds.wide_from_atr_ratio).view(np.int8) + np.int8(TIGHT)
        transitions = (columns.atr_ratio >= bounds.volatile_from_atr_ratio).view(np.int8) + np.int8(QUIET)
        is_range, is_trend = columns.adx < bounds.range_below_adx, columns.adx >= bounds.trend_from_adx
        return np.where(is_range, ranges, np.where(is_trend, trends, transitions))


def _lengths_so_far(words: Codes, starts: NDArray[np.intp]) -> NDArray[np.int32]:
    """How many closes in a row have said this word to one regime."""
    rows = np.arange(len(words), dtype=np.int32)
    begins = np.zeros(len(words), np.int32)
    is_other = words[1:] != words[:-1]
    begins[1:][is_other] = rows[1:][is_other]
    inside = starts[starts < len(words)]
    begins[inside] = inside
    return rows - np.maximum.accumulate(begins) + np.int32(1)


def _table(words: Codes, own: int, confirmations: int) -> _Table:
    edges = np.flatnonzero(words[1:] != words[:-1]) + 1
    starts = np.concatenate([[0], edges])
    lasts = np.concatenate([edges, [len(words)]]) - 1
    is_enough = (lasts - starts + 1 >= confirmations) & (words[starts] != own)
    return _Table(words, starts[is_enough].tolist(), lasts[is_enough].tolist())
