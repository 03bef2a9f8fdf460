"""What the cases of the filter kit share: plans to judge, a view that counts, and hearings of a filter on candles."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any, ClassVar

from attrs import define, evolve, field, frozen

from traderagent_core.contract.entry_filter import EntryFilter, Ruling, Verdict
from traderagent_core.engine.codec import decode, encode
from traderagent_core.indicators import Indicator
from traderagent_core.model.candle import Candles
from traderagent_core.model.order import Purpose, Side
from traderagent_core.model.plan import At, Fixed, Leg, Plan, Stop
from traderagent_core.simulator.view import SimulatedView
from traderagent_core.testing.comparing import refuse, require_same_lines
from traderagent_core.testing.conformance.subjects import Configured, Subject

STRIDE = 7
"""Verdicts are asked for at the first closes and then at every seventh."""

FIRST = 30


class CountingView(SimulatedView):
    """The simulator's view without a venue: the price is the last close. Counts the candles that it hands out."""

    def __init__(self, base: Mapping[str, Candles]) -> None:
        super().__init__(base)
        self.base = base
        self.rows_read = 0

    def price(self, symbol: str) -> Decimal:
        """The last close."""
        last = self.last(symbol, self.base[symbol].timeframe)
        assert last is not None
        return Decimal(repr(last.close))

    def candles(self, symbol: str, timeframe: str, count: int) -> Candles:
        """Candles, counted."""
        found = super().candles(symbol, timeframe, count)
        self.rows_read += len(found)
        return found

    def value(self, symbol: str, timeframe: str, indicator: Indicator) -> float:
        """An indicator; it counts as one candle."""
        self.rows_read += 1
        return super().value(symbol, timeframe, indicator)


@frozen
class Heard:
    """The verdicts on all plans at the close of one row."""

    row: int
    verdicts: tuple[Verdict, ...]

    @property
    def line(self) -> str:
        """The verdicts as text."""
        return f"row {self.row}: {self.verdicts!r}"


@define(eq=False)
class Hearing:
    """A filter on candles: moved to a close, and asked there about every plan."""

    entry_filter: EntryFilter
    candles: Candles
    make_plans: Callable[[Decimal], Sequence[Plan]]
    view: CountingView = field(init=False)

    @view.default
    def _make_view(self) -> CountingView:
        return CountingView({self.candles.symbol: self.candles})

    def move(self, row: int, *, later_ms: int = 0) -> None:
        """Let the candle of a row close, and some time pass."""
        self.view.now_ms = int(self.candles.open_time[row]) + self.candles.duration_ms + later_ms

    def advance(self) -> None:
        """Bring the filter to now."""
        self.entry_filter.advance(self.view, self.candles.symbol)

    def plans(self) -> Sequence[Plan]:
        """Plans at the present price."""
        return self.make_plans(self.view.price(self.candles.symbol))

    def judge(self, plan: Plan) -> Verdict:
        """Ask about one plan."""
        return self.entry_filter.judge(plan, self.view, self.candles.symbol)

    def ask(self, row: int) -> Heard:
        """Move to the close of a row, bring the filter to it and ask about every plan."""
        self.move(row)
        self.advance()
        return Heard(row, tuple(self.judge(plan) for plan in self.plans()))

    def ask_first(self, row: int) -> Verdict:
        """Move to the close of a row, bring the filter to it and ask about the first plan."""
        self.move(row)
        self.advance()
        return self.judge(self.plans()[0])

    def ask_all(self, rows: Iterable[int]) -> list[Heard]:
        """Ask at the closes of some rows, in order; an exception fails the case."""
        heard = []
        for row in rows:
            try:
                heard.append(self.ask(row))
            except AssertionError:
                raise
            except Exception as error:
                refuse(
                    expected=f"advance and judge return at the close of row {row}",
                    found=f"{type(error).__name__}: {error}",
                    mend="allow for few candles, nan while indicators warm up, gaps, and candles without range",
                )
        return heard


class FilterKit(Configured):
    """Attributes and methods by which a filter says what is to be examined; see EntryFilterConformance."""

    filter_class: ClassVar[type[EntryFilter]]
    max_rows_per_candle: ClassVar[int] = 500

    _heard: ClassVar[dict[tuple[str, str], list[Heard]]]

    def __init_subclass__(cls, **named: Any) -> None:
        super().__init_subclass__(**named)
        cls._heard = {}

    def plans(self, subject: Subject, price: Decimal) -> Sequence[Plan]:
        """The plans to judge at a price: a purchase, a sale, and a ladder of three levels, all with stops."""
        return [
            _plan("long", Side.BUY, [price], price * Decimal("0.95"), subject),
            _plan("short", Side.SELL, [price], price * Decimal("1.05"), subject),
            _plan(
                "ladder",
                Side.BUY,
                [price * Decimal(share) for share in ("0.99", "0.98", "0.97")],
                price * Decimal("0.9"),
                subject,
            ),
        ]

    def build(self, subject: Subject) -> EntryFilter:
        """A new filter."""
        return self.filter_class(subject.config)

    def hearing(self, subject: Subject, candles: Candles, entry_filter: EntryFilter | None = None) -> Hearing:
        """A filter, a new one if none is given, on candles."""
        return Hearing(entry_filter or self.build(subject), candles, partial(self.plans, subject))

    def markets(self, subject: Subject) -> Mapping[str, Candles]:
        """The candles for a subject."""
        return self.candles(subject.instrument, self.rows)

    def usual(self, subject: Subject, name: str) -> list[Heard]:
        """The verdicts on a market at the usual rows, heard once."""
        key = (subject.label, name)
        if key not in self._heard:
            candles = self.markets(subject)[name]
            self._heard[key] = self.hearing(subject, candles).ask_all(usual_rows(candles))
        return self._heard[key]

    def require_as_usual(
        self, subject: Subject, name: str, found: Sequence[Heard], what: str, mend: str
    ) -> None:
        """Refuse verdicts that differ from the usual ones at the same rows."""
        usual = {heard.row: heard for heard in self.usual(subject, name)}
        require_same_lines(
            [usual[heard.row].line for heard in found],
            [heard.line for heard in found],
            what=f"{what}, on the {name} market",
            mend=mend,
        )


def usual_rows(candles: Candles) -> list[int]:
    """The rows at whose closes verdicts are usually asked for."""
    return [row for row in range(len(candles)) if row < FIRST or not row % STRIDE]


def restored(entry_filter: EntryFilter, fresh: EntryFilter) -> EntryFilter:
    """A fresh filter with the state of another one, by way of JSON text, as an engine restores it."""
    packages = {"traderagent_core", type(fresh).state_class.__module__.partition(".")[0]}
    fresh.state = decode(json.loads(json.dumps(encode(entry_filter.state))), packages)
    return fresh


def verdict_problem(answer: Any) -> str | None:
    """What is wrong with an answer of `judge`, or None."""
    if not isinstance(answer, Verdict) or not isinstance(answer.ruling, Ruling):
        return f"{answer!r}, which is not a Verdict with a Ruling"
    verdict: Any = answer
    if verdict.ruling is not Ruling.NEUTRAL and verdict.size_factor != 1:
        return f"the size factor {verdict.size_factor} in a verdict that is {verdict.ruling.value}"
    if not isinstance(verdict.reason, str) or "\n" in verdict.reason:
        return f"the reason {verdict.reason!r}, which is not a line of text"
    if verdict.ruling is not Ruling.ACCEPT and not verdict.reason.strip():
        return f"a verdict {verdict.ruling.value} without a reason"
    if not isinstance(verdict.evidence, Mapping) or any(not isinstance(key, str) for key in verdict.evidence):
        return f"the evidence {verdict.evidence!r}, which is not a mapping of names"
    return None


def _plan(name: str, side: Side, prices: Sequence[Decimal], stop: Decimal, subject: Subject) -> Plan:
    instrument = subject.instrument
    legs = tuple(
        Leg(
            f"{name}{number}",
            f"{name}:{number}",
            side,
            Purpose.ENTRY,
            Fixed(max(instrument.round_quantity(Decimal(1000) / price), instrument.lot_size)),
            At(instrument.limit_price(side, price)),
        )
        for number, price in enumerate(prices)
    )
    at = At(instrument.stop_price(side.opposite, stop))
    rule = Stop(long=at) if side is Side.BUY else Stop(short=at)
    return Plan(name, legs, tuple(leg.name for leg in legs), rule, {"asked_by": "kit"})


def renamed(candles: Candles, symbol: str) -> Candles:
    """The same candles of another symbol."""
    return evolve(candles, symbol=symbol)
