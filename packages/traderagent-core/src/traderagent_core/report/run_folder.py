"""What a back-test has left in its folder, read back: the result, the timeline and rows of the other files."""

import csv
import json
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

from attrs import define, frozen

from traderagent_core.errors import DataError
from traderagent_core.host.hints import did_you_mean, listed
from traderagent_core.simulator.decision_rows import MODE_OFF, MODE_ON

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Row = Mapping[str, str]


def milliseconds(text: str) -> int:
    """ms UTC of a time as files have it."""
    return (datetime.fromisoformat(text) - EPOCH) // timedelta(milliseconds=1)


@frozen
class Span:
    """What held from one time to another, ms UTC, with its numbers or reason."""

    name: str
    from_ms: int
    to_ms: int
    evidence: str


@define(eq=False, slots=False)
class RunFolder:
    """The files of a run; where nothing was chosen by regime and nothing was halted, `timeline` has modes only."""

    folder: Path
    result: Mapping[str, Any]
    timeline: Mapping[str, Any]
    decisions: Sequence[Row]

    @classmethod
    def read(cls, folder: Path) -> "RunFolder":
        """Raises DataError for a folder that holds no run."""
        try:
            result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
            decisions = _rows(folder / "decisions.csv")
            path = folder / "timeline.json"
            end = result["metrics"]["end"]
            timeline = (
                json.loads(path.read_text(encoding="utf-8"))
                if path.exists()
                else {"modes": _modes_of(decisions, end)}
            )
        except OSError as error:
            raise DataError(
                f"{folder} holds no finished back-test ({error.strerror or error}); name the folder that "
                "`traderagent backtest --out` has written"
            ) from error
        except ValueError as error:
            raise DataError(f"{folder}: result.json or timeline.json is damaged: {error}") from error
        return cls(folder, result, timeline, decisions)

    @property
    def start_ms(self) -> int:
        """Beginning of the run."""
        return milliseconds(self.result["metrics"]["start"])

    @property
    def end_ms(self) -> int:
        """End of the run."""
        return milliseconds(self.result["metrics"]["end"])

    @property
    def configuration(self) -> Mapping[str, Any]:
        """The effective configuration; empty where the run has no manifest."""
        found: Mapping[str, Any] = (self.result.get("manifest") or {}).get("configuration", {})
        return found

    def bot_of(self, pair: str | None) -> tuple[str, str]:
        """The bot and the symbol of a pair, in any case; without a pair those of the only one. Raises DataError."""
        bots = {
            money["symbol"]: str(money["bot"]).partition(":")[0]
            for money in self.result["money"]
            if money["bot"]
        }
        if pair is None and len(bots) == 1:
            pair = next(iter(bots))
        if pair is None:
            raise DataError(f"which pair? name one with --pair: {listed(bots)}")
        symbol = next((each for each in bots if each.upper() == pair.upper()), None)
        if symbol is None:
            near = did_you_mean(pair, bots)
            raise DataError(f"the run has not traded {pair!r}; name one with --pair: {listed(bots)}{near}")
        return bots[symbol], symbol

    def spans(self, group: str, key: str | None = None) -> Sequence[Span]:
        """Stretches of the timeline: of a group, such as `halts`, or of a bot or mode in one, such as `regimes`."""
        found = self.timeline.get(group, () if key is None else {})
        rows = found if key is None else found.get(key, ())
        return [
            Span(row["name"], milliseconds(row["from"]), milliseconds(row["to"]), row["evidence"])
            for row in rows
        ]

    def span_at(self, at_ms: int, group: str, key: str | None = None) -> Span | None:
        """What held at a time; at the end of the run what held until then."""
        return next((each for each in self.spans(group, key) if self.holds(each, at_ms)), None)

    def holds(self, span: Span, at_ms: int) -> bool:
        """Whether something held at a time."""
        return span.from_ms <= at_ms < span.to_ms or at_ms == span.to_ms == self.end_ms

    def equity_at(self, at_ms: int) -> Decimal:
        """The account's equity at the last close up to a time; the starting balance before the first."""
        times, values = self._equity
        place = bisect_right(times, at_ms)
        return values[place - 1] if place else Decimal(self.result["metrics"]["starting_balance"])

    def rows(self, name: str) -> Sequence[Row]:
        """The rows of one of the other files; none where there is no such file."""
        path = self.folder / name
        return _rows(path) if path.exists() else ()

    @cached_property
    def _equity(self) -> tuple[list[int], list[Decimal]]:
        rows = self.rows("equity.csv")
        return [milliseconds(row["time"]) for row in rows], [Decimal(row["equity"]) for row in rows]


def _rows(path: Path) -> Sequence[Row]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def _modes_of(decisions: Sequence[Row], end: str) -> Mapping[str, list[Row]]:
    """Stretches of risk modes by name, as a timeline has them, from the decisions of a run that has none."""
    found: dict[str, list[Row]] = defaultdict(list)
    begun: dict[str, Row] = {}
    for row in decisions:
        if row["what"] in (MODE_ON, MODE_OFF):
            _end(found, begun.pop(row["name"], None), row["time"])
            if row["what"] == MODE_ON:
                begun[row["name"]] = row
    for row in begun.values():
        _end(found, row, end)
    return found


def _end(found: dict[str, list[Row]], begun: Row | None, end: str) -> None:
    if begun is not None:
        evidence = ", ".join(filter(None, (begun["reason"], begun["evidence"])))
        stretch = {"name": begun["name"], "from": begun["time"], "to": end, "evidence": evidence}
        found[begun["name"]].append(stretch)
