"""Refuses entries while closes fall in a row. A row may be of any length, so it is remembered."""

from attrs import Factory, evolve, frozen
from traderagent_core import (
    EntryFilter,
    Exhibit,
    Layer,
    Mark,
    MarketView,
    Plan,
    Ruling,
    RunHistory,
    Verdict,
)

from traderagent_example.config import StreakConfig

EVERYTHING = 1_000_000_000
"""More candles than there are."""


@frozen
class Streak:
    """The last candle seen, its close, and how many closes up to it fell in a row."""

    seen: int
    close: float
    length: int = 0


@frozen
class StreakState:
    """A streak for each symbol."""

    schema_version: int = 1
    streaks: dict[str, Streak] = Factory(dict)


class StreakFilter(EntryFilter):
    """Asked rarely, it takes in what has closed since it was asked last."""

    config: StreakConfig
    state: StreakState
    state_class = StreakState

    def advance(self, view: MarketView, symbol: str) -> None:
        """Take in every candle since the last one seen, once."""
        last, streak = view.last(symbol, self.config.timeframe), self.state.streaks.get(symbol)
        if last is None or (streak is not None and streak.seen == last.open_time):
            return
        for open_time, close in self._new_closes(view, symbol, streak):
            length = streak.length + 1 if streak is not None and close < streak.close else 0
            streak = Streak(open_time, close, length)
        if streak is not None:
            self.state = evolve(self.state, streaks={**self.state.streaks, symbol: streak})

    def _new_closes(self, view: MarketView, symbol: str, streak: Streak | None) -> list[tuple[int, float]]:
        """Open times and closes, oldest first. Where there is a gap, fewer are new than the time tells."""
        timeframe, count = self.config.timeframe, EVERYTHING
        if streak is not None:
            last_two = view.candles(symbol, timeframe, 2)
            count = int(last_two.open_time[-1] - streak.seen) // last_two.duration_ms
        candles = view.candles(symbol, timeframe, count)
        closes = zip(candles.open_time.tolist(), candles.close.tolist(), strict=True)
        return [each for each in closes if streak is None or each[0] > streak.seen]

    def judge(self, plan: Plan, view: MarketView, symbol: str) -> Verdict:
        """By the length of the streak."""
        streak = self.state.streaks.get(symbol)
        if streak is not None and streak.length >= self.config.length:
            return Verdict(Ruling.REJECT, "falling", evidence={"closes": streak.length})
        return Verdict(Ruling.ACCEPT)

    def exhibit(self, history: RunHistory) -> Exhibit:
        """A mark on the chart for each plan that was refused."""
        marks: dict[str, list[Mark]] = {symbol: [] for symbol in history.timeframes}
        for each in history.verdicts:
            if each.verdict.ruling is Ruling.REJECT:
                text = f"refused after {each.verdict.evidence['closes']} falling closes"
                marks[each.symbol].append(Mark(each.time_ms, float(each.price), "square", "bad", text=text))
        return Exhibit(layers=tuple(Layer("Refused", symbol, marks=own) for symbol, own in marks.items()))
