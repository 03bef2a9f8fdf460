"""Cases about taking turns: what a strategy holds goes to the next one, and comes back, without getting lost."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, ClassVar

from attrs import evolve

from traderagent_core.account.account import Account
from traderagent_core.contract.strategy import Release, Strategy
from traderagent_core.engine.codec import encode
from traderagent_core.model.candle import Candles
from traderagent_core.model.instrument import Market
from traderagent_core.model.order import Side
from traderagent_core.model.position import money_context
from traderagent_core.testing.comparing import books_problem, refuse, require_same_lines
from traderagent_core.testing.conditions import Conditions
from traderagent_core.testing.conformance.orders import Orders
from traderagent_core.testing.conformance.subjects import Subject
from traderagent_core.testing.run import Run
from traderagent_core.testing.turns import Holder, HolderConfig, start_turns

TURNS = 8
SHARES = (Decimal("0.02"), Decimal("0.2"))
"""What the partner holds when it gives, as shares of its buying power: something small, and something large."""
RESTARTS = 25
RECEIVING = ("takes_over", "on_take_over")


class Turns(Orders):
    """A strategy may be one of several on its pair; positions go from one to another."""

    _turn_runs: ClassVar[dict[tuple[str, str], tuple[Run, "_Diary"]]]

    def __init_subclass__(cls, **named: Any) -> None:
        super().__init_subclass__(**named)
        cls._turn_runs = {}

    def test_a_position_can_be_handed_over(self, subject: Subject) -> None:
        """Released in the middle of anything, the strategy answers, copes with its end, and begins again later.

        Mend: `on_release` returns a Release; allow for `on_closed` with the reason `handed_over` and nothing held.
        """
        for partner in _partners(subject):
            run, diary = self._turns(subject, partner)
            failures = [failed for failed in run.failures if failed[3] not in RECEIVING]
            if failures or diary.wrong_release:
                refuse(
                    expected="a strategy that answers on_release and begins again when it is its turn",
                    found=diary.wrong_release or f"{failures[0][3]} raised {failures[0][4]}",
                    mend="return a Release from on_release; let on_closed cope with the reason handed_over",
                )
            self.require_few_orders(run, "a market on which it takes turns")

    def test_a_position_can_be_taken_over(self, subject: Subject) -> None:
        """`takes_over` only answers; what is taken over has an order or a stop from then on, within the budget.

        Mend: let `takes_over` refuse what you would not come to hold by yourself; lay orders in `on_take_over` for
        all that `context.position` holds.
        """
        for partner in _partners(subject):
            run, diary = self._turns(subject, partner)
            failures = [failed for failed in run.failures if failed[3] in RECEIVING]
            if failures or diary.wrong_answer:
                refuse(
                    expected="True or False from takes_over, which does nothing else; an on_take_over that returns",
                    found=diary.wrong_answer or f"{failures[0][3]} raised {failures[0][4]}",
                    mend="decide from the position and the context; act in on_take_over",
                )
            neglected = _neglected(run)
            if neglected:
                refuse(
                    expected="an order or a stop that would close a position that was taken over",
                    found=neglected,
                    mend="lay an exit in on_take_over and bring a stop, or answer False in takes_over",
                )
            self.require_within_budget(run, "a market on which it takes turns")

    def test_taking_turns_survives_restarts(self, subject: Subject) -> None:
        """Saved and restored between any two events, strategies that take turns go on as before.

        Mend: what `on_take_over` finds out belongs in `self.state`, as everything that has to be known later.
        """
        for partner in _partners(subject)[:1]:
            straight, _ = self._turns(subject, partner)
            restarts = frozenset(range(0, straight.events, straight.events // RESTARTS + 1))
            conditions = Conditions(restart_at=restarts.__contains__)
            require_same_lines(
                straight.lines,
                self._take_turns(subject, partner, conditions).lines,
                what="the same records when strategies that take turns are restarted",
                mend="keep what you have to remember in self.state; other attributes are lost",
            )

    def _turns(self, subject: Subject, partner: HolderConfig) -> tuple[Run, "_Diary"]:
        """The run with a partner, made once."""
        key = (subject.label, repr(partner))
        if key not in self._turn_runs:
            diary = _Diary()
            run = self._take_turns(subject, partner, Conditions(around=diary.around))
            self._turn_runs[key] = run, diary
        return self._turn_runs[key]

    def _take_turns(self, subject: Subject, partner: HolderConfig, conditions: Conditions) -> Run:
        own = self.bot(subject, self.busiest(subject).bots[0].candles)
        other = evolve(own, strategy_class=Holder, config=partner, name="partner")
        run = start_turns(own, other, _changes(own.candles), conditions).run()
        problem = books_problem(run)
        if problem is not None:
            refuse(
                expected="ledgers, wants and orders that agree with the venue when strategies take turns",
                found=problem,
                mend="this is the engine's duty: report it with the strategy and the configuration",
            )
        return run


class _Diary:
    """What was wrong with the answers of the strategy that is examined."""

    def __init__(self) -> None:
        self.wrong_release = ""
        self.wrong_answer = ""

    def around(self, strategy: Strategy, name: str, context: Any, call: Callable[[], Any]) -> Any:
        if isinstance(strategy, Holder) or name not in ("on_release", "takes_over"):
            return call()
        before, state = len(context.actions), encode(strategy.state)
        answer = call()
        verbs = [action[0] for action in context.actions[before:]]
        if name == "takes_over" and not (
            isinstance(answer, bool) and not verbs and encode(strategy.state) == state
        ):
            self.wrong_answer = (
                f"takes_over gave {answer!r}, asked for {verbs}, and left the state {strategy.state}"
            )
        elif name == "on_release" and (verbs or not isinstance(answer, Release)):
            self.wrong_release = f"on_release gave {answer!r} and asked for {verbs}"
        return answer


def _partners(subject: Subject) -> list[HolderConfig]:
    """Whom the strategy takes turns with."""
    sides = (True,) if subject.instrument.market is Market.SPOT else (True, False)
    return [HolderConfig(share=share, is_long=is_long) for is_long in sides for share in SHARES]


def _changes(candles: Candles) -> list[int]:
    """Closes that cut a series into turns of one length."""
    length = len(candles) // TURNS
    return [int(candles.open_time[turn * length]) for turn in range(1, TURNS)]


def _neglected(run: Run) -> str:
    """A position that was taken over and had neither an order nor a stop until the next turn; empty without one."""
    bot, account = run.bots[0].name, Account()
    stops = {move.position for move in run.driver.heard.stops if move.bot == bot and move.price is not None}
    taken_ms: int | None = None
    with money_context():
        for index, record in enumerate(run.records):
            account.fold([record])
            if record[0] == "ledger_handed_over" and record[4] == bot:
                taken_ms = record[1]
            elif index + 1 in stops or (record[0] == "order_submitted" and _reduces(account, bot, record[2])):
                taken_ms = None
            elif taken_ms is not None and record[0] == "transition_began":
                break
    return "" if taken_ms is None else f"none of them for what was taken over at {taken_ms} ms"


def _reduces(account: Account, bot: str, order_id: str) -> bool:
    """Whether an order of a bot would make its position smaller."""
    order = account.orders[order_id]
    held = account.ledger(bot, order.symbol).quantity
    return order.want.plan.bot == bot and bool(held) and (held > 0) is (order.side is Side.SELL)
