"""What became of the coordination of a run: regimes, owners, transitions, modes, halts, and who earned what in which.

Read off the records after the run. Attribution cuts each strategy's profit, unrealised included, at the changes of
its pair's regime, at the last close of each cut; the parts add up to the account's profit, to the last digit.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

import numpy as np
from attrs import Factory, define, frozen

from traderagent_core.account import reasons
from traderagent_core.account.ledger import Ledger
from traderagent_core.account.state import Record
from traderagent_core.coordinator.correlation import StressTimeline
from traderagent_core.model.candle import Candles
from traderagent_core.model.order import Side
from traderagent_core.model.position import money_context
from traderagent_core.model.timeframe import DAY_MS, HOUR_MS
from traderagent_core.simulator.capital import CapitalSteps, Change, Committed
from traderagent_core.simulator.decision_rows import mode_effect
from traderagent_core.simulator.ledger_reader import LedgerReader
from traderagent_core.simulator.record_log import only
from traderagent_core.simulator.record_reader import RecordReader

ZERO = Decimal(0)
STEPS = 500
"""At most about so many steps of committed capital are told."""
_STEPS_MS = tuple(hours * HOUR_MS for hours in (1, 2, 4, 6, 12)) + tuple(
    days * DAY_MS for days in (1, 3, 7, 28)
)
OPEN = "open"
KINDS = frozenset({"regime_changed", "owner_changed", "transition_began", "transition_ended", "halt_changed"})


@frozen
class Stretch:
    """What held from one time to another, ms UTC: a regime, an owner or a mode, with its numbers or reason."""

    name: str
    from_ms: int
    to_ms: int
    evidence: str = ""


@frozen
class TransitionRow:
    """One transition of a pair; `fees` and `price_difference` add up to its cost, in quote currency.

    It had to be over by `due_ms`. One that is still under way at the end of the run has the outcome `open` and no
    cost yet. `penalty` is the part of the difference that a forced close has paid as slippage, in simulations.
    """

    bot: str
    symbol: str
    old: str
    new: str
    began_ms: int
    due_ms: int
    ended_ms: int
    outcome: str
    mark: Decimal
    quantity: Decimal
    fees: Decimal
    price_difference: Decimal
    penalty: Decimal

    @property
    def cost(self) -> Decimal:
        """What it cost against the price at its beginning; negative when it gained."""
        return self.fees + self.price_difference


@frozen
class Earned:
    """Profit of one strategy on one pair in one regime, empty before the first, after fees and funding, in quote."""

    member: str
    symbol: str
    regime: str
    profit: Decimal


@frozen
class Terms:
    """What a run was told that its records do not say: leverage by bot, slippage as ratios of the price.

    `reserve_ratio` of equity is given to no bot, None where no allocator was at work; `stressed_ratio` is the part of
    couples above which there is stress.
    """

    leverages: Mapping[str, Decimal] = Factory(dict)
    slippage: Decimal = ZERO
    forced_slippage: Decimal = ZERO
    reserve_ratio: Decimal | None = None
    stressed_ratio: Decimal = ZERO


@define(eq=False)
class Coordination:
    """Everything by bot or by name, in order of time; `stress` is the correlation monitor's word, where used.

    `committed` has one entry for each step of `step_ms`; `changes` tell when that of a bot
    may have changed.
    """

    start_ms: int
    end_ms: int
    terms: Terms = Terms()
    regimes: dict[str, list[Stretch]] = Factory(lambda: defaultdict(list))
    owners: dict[str, list[Stretch]] = Factory(lambda: defaultdict(list))
    modes: dict[str, list[Stretch]] = Factory(lambda: defaultdict(list))
    halts: list[Stretch] = Factory(list)
    transitions: list[TransitionRow] = Factory(list)
    earned: list[Earned] = Factory(list)
    committed: list[Committed] = Factory(list)
    changes: list[Change] = Factory(list)
    step_ms: int = HOUR_MS
    stress: StressTimeline | None = None

    def mode_ratio(self, name: str) -> float:
        """The part of the run in which a mode was on, 0 to 1."""
        return sum(each.to_ms - each.from_ms for each in self.modes[name]) / (self.end_ms - self.start_ms)


def has_coordination(records: Iterable[Record]) -> bool:
    """Whether a run chose strategies by regime or was halted."""
    return any(True for _ in only(records, KINDS))


def read_coordination(
    records: Iterable[Record],
    candles: Mapping[str, Candles],
    start_ms: int,
    end_ms: int,
    terms: Terms,
    known: RecordReader,
    stress: StressTimeline | None = None,
) -> Coordination:
    """One pass over the records, with the ledgers read along; `known` has read them."""
    step_ms = next((step for step in _STEPS_MS if end_ms - start_ms <= step * STEPS), _STEPS_MS[-1])
    with money_context():
        found = Coordination(start_ms, end_ms, terms, step_ms=step_ms, stress=stress)
        return _Reader(found, candles, known).read(records)


class _Reader:
    def __init__(self, found: Coordination, candles: Mapping[str, Candles], known: RecordReader) -> None:
        self._known = known
        self._found = found
        self._candles = candles
        self._closes = {symbol: series.open_time + series.duration_ms for symbol, series in candles.items()}
        self._ledgers: dict[tuple[str, str], list[tuple[str, Ledger]]] = defaultdict(list)
        self._known_ledgers = 0
        self._begun: dict[str, Record] = {}
        self._open: dict[tuple[str, str], tuple[int, str, str]] = {}
        self._marked: dict[tuple[str, str], Decimal] = {}
        self._profit: dict[tuple[str, str, str], Decimal] = defaultdict(lambda: ZERO)
        self._capital = CapitalSteps(found.terms.leverages, found.step_ms)
        self._reader = LedgerReader(known, self._capital.touch)
        self._forced: dict[str, Decimal] = {}

    def read(self, records: Iterable[Record]) -> Coordination:
        capital, now_ms = self._capital, -1
        capital.begin(self._found.start_ms)
        takers = self._takers()
        for record in only(records, takers):
            time_ms = record[1]
            if time_ms != now_ms:
                now_ms = time_ms
                capital.turn_to(time_ms)
            takers[record[0]](record)
        self._end()
        return self._found

    def _takers(self) -> dict[str, Callable[[Record], None]]:
        """What takes in each kind of record; others are not told of, and change no ledger."""
        told = (
            self._regime_changed,
            self._owner_changed,
            self._mode_changed,
            self._halt_changed,
            self._transition_began,
            self._transition_ended,
            self._noted,
        )
        ledgers = self._reader.handlers()
        return {
            **{take.__name__.removeprefix("_"): _spread(take) for take in told},
            **ledgers,
            "filled": _both(self._filled, ledgers["filled"]),
            "ledger_handed_over": _both(self._handed_over, ledgers["ledger_handed_over"]),
        }

    # -- stretches ------------------------------------------------------------------------------------------

    def _regime_changed(self, time_ms: int, bot: str, symbol: str, old: str, new: str, evidence: str) -> None:
        self._attribute(bot, symbol, self._open.get(("regime", bot), (0, old, ""))[1], time_ms)
        self._turn(("regime", bot), time_ms, new, evidence)

    def _owner_changed(self, time_ms: int, bot: str, symbol: str, old: str, new: str) -> None:  # noqa: ARG002
        self._turn(("owner", bot), time_ms, new)

    def _mode_changed(
        self, time_ms: int, mode: str, is_active: bool, reason: str, factor: Decimal, is_open: bool
    ) -> None:
        effect = mode_effect(factor, is_open)
        told = f"{reason}, {effect}" if effect else reason
        self._turn(("mode", mode), time_ms, mode if is_active else "", told)

    def _halt_changed(self, time_ms: int, stage: str, reason: str) -> None:
        self._turn(("halt", ""), time_ms, stage, reason)

    def _turn(self, key: tuple[str, str], time_ms: int, name: str, evidence: str = "") -> None:
        """One stretch ends where the next begins; one without a name is a pause."""
        began_ms, before, told = self._open.pop(key, (0, "", ""))
        if before:
            self._keep(key, Stretch(before, began_ms, time_ms, told))
        if name:
            self._open[key] = (time_ms, name, evidence)

    def _keep(self, key: tuple[str, str], stretch: Stretch) -> None:
        kind, name = key
        if kind == "halt":
            self._found.halts.append(stretch)
        else:
            {"regime": self._found.regimes, "owner": self._found.owners, "mode": self._found.modes}[kind][
                name
            ].append(stretch)

    # -- transitions ----------------------------------------------------------------------------------------

    def _transition_began(self, time_ms: int, bot: str, *rest: object) -> None:
        self._begun[bot] = (time_ms, *rest)

    def _transition_ended(
        self,
        time_ms: int,
        bot: str,
        symbol: str,
        old: str,
        new: str,
        outcome: str,
        fees: Decimal,
        worse: Decimal,
    ) -> None:
        began_ms, _, _, _, due_ms, mark, quantity = self._begun.pop(bot)
        money = (mark, quantity, fees, worse, self._forced.pop(old, ZERO))
        self._found.transitions.append(
            TransitionRow(bot, symbol, old, new, began_ms, due_ms, time_ms, outcome, *money)
        )

    def _noted(self, time_ms: int, member: str, reason: str, evidence: str) -> None:  # noqa: ARG002
        """A strategy whose time to let go is over is closed; what it pays for that begins at nothing."""
        if (reason, evidence) == ("exit_begun", reasons.TRANSITION_TIMEOUT):
            self._forced[member] = ZERO

    def _filled(self, record: Record) -> None:
        """What a strategy pays whose time is over."""
        if not self._forced:
            return
        want = self._known.owners[record[2]]
        member = want.plan.bot
        if member in self._forced and want.leg.slot == "exit":
            self._forced[member] += self._penalty(want.leg.side, record[4]) * record[5]

    def _penalty(self, side: Side, price: Decimal) -> Decimal:
        """By how much a forced close was worse than another one would have been, ticks aside."""
        usual, forced = self._found.terms.slippage, self._found.terms.forced_slippage
        sign = 1 if side is Side.BUY else -1
        return price * forced / (1 + sign * (usual + forced))

    def _handed_over(self, record: Record) -> None:
        """What is on paper stays the work of the strategy that has held it until now."""
        _, time_ms, bot, symbol, heir, quantity, price = record
        on_paper = quantity * (self._price(symbol, time_ms) - price)
        self._marked[bot, symbol] = self._marked.get((bot, symbol), ZERO) - on_paper
        self._marked[heir, symbol] = self._marked.get((heir, symbol), ZERO) + on_paper

    # -- money ----------------------------------------------------------------------------------------------

    def _price(self, symbol: str, time_ms: int) -> Decimal:
        """The last close at a time."""
        index = int(np.searchsorted(self._closes[symbol], time_ms, side="right")) - 1
        return Decimal(repr(float(self._candles[symbol].close[max(index, 0)])))

    def _attribute(self, bot: str, symbol: str, regime: str, time_ms: int) -> None:
        """What each strategy of a bot has earned since the last cut belongs to the regime until now."""
        price = self._price(symbol, time_ms)
        for member, ledger in self._ledgers_of(bot, symbol):
            profit = ledger.profit(price)
            self._profit[member, symbol, regime] += profit - self._marked.get((member, symbol), ZERO)
            self._marked[member, symbol] = profit

    def _ledgers_of(self, bot: str, symbol: str) -> list[tuple[str, Ledger]]:
        """The ledgers of a bot's strategies on a symbol."""
        ledgers = self._reader.ledgers
        if len(ledgers) != self._known_ledgers:
            self._known_ledgers = len(ledgers)
            self._ledgers = defaultdict(list)
            for (member, of), ledger in ledgers.items():
                self._ledgers[member.partition(":")[0], of].append((member, ledger))
        return self._ledgers[bot, symbol]

    def _end(self) -> None:
        found = self._found
        for bot, symbol in {
            (member.partition(":")[0], symbol): None for member, symbol in self._reader.ledgers
        }:
            regime = self._open.get(("regime", bot), (0, "", ""))[1]
            self._attribute(bot, symbol, regime, found.end_ms)
        for key in list(self._open):
            self._turn(key, found.end_ms, "")
        for bot, (began_ms, symbol, old, new, due_ms, mark, quantity) in self._begun.items():
            times = (began_ms, due_ms, found.end_ms)
            found.transitions.append(
                TransitionRow(bot, symbol, old, new, *times, OPEN, mark, quantity, ZERO, ZERO, ZERO)
            )
        found.committed = self._capital.end(found.end_ms)
        found.changes = self._capital.changes
        found.earned += [Earned(*key, profit) for key, profit in self._profit.items() if profit]


def _spread(take: Callable[..., Any]) -> Callable[[Record], None]:
    """Takes in a record by what it is made of."""

    def taken(record: Record) -> None:
        take(*record[1:])

    return taken


def _both(*takes: Callable[[Record], None]) -> Callable[[Record], None]:
    """Each takes in a record, in turn."""

    def taken(record: Record) -> None:
        for take in takes:
            take(record)

    return taken
