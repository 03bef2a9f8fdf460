"""What a run makes that leaves no record: where the engine's stops stood, what filters were asked and answered.

A stop that the engine holds is a price watch, and of a verdict only the reason is recorded. Noting either down costs
next to nothing beside making it, so every run does.
"""

from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple

from attrs import Factory, define

from traderagent_core.contract.entry_filter import Verdict
from traderagent_core.contract.history import Judged
from traderagent_core.model.plan import Plan
from traderagent_core.simulator.packed import Packed
from traderagent_core.simulator.plan_log import PlanLog

MOST_STOPS, MOST_ANSWERS, BLOCK = 50_000, 5_000, 512
"""A move of a stop takes some 250 bytes, an answer with its plan ten times as much."""


class StopMove(NamedTuple):
    """A stop set, moved or taken away (None) when so many records had been written."""

    position: int
    time_ms: int
    bot: str
    price: Decimal | None


class Answer(NamedTuple):
    """A verdict, given when so many records had been written; `bot` asked, at this price.

    Answers of several filters to one plan have the same `question`, the place of that plan among those asked about.
    """

    position: int
    question: int
    time_ms: int
    filter: str
    bot: str
    symbol: str
    plan_name: str
    price: Decimal
    verdict: Verdict


class JudgedPlan(Judged):
    """A verdict as plugins read it, made with what gives the plan in its place: it is called when somebody looks."""

    __slots__ = ("_give",)
    _give: Callable[[], Plan]

    @property
    def plan(self) -> Plan:
        """What was asked for."""
        return self._give()

    @plan.setter
    def plan(self, give: Any) -> None:
        object.__setattr__(self, "_give", give)


@define(eq=False)
class Heard:
    """What was heard; in order of time."""

    stops: Packed[StopMove] = Factory(lambda: Packed(MOST_STOPS, BLOCK))
    answers: Packed[Answer] = Factory(lambda: Packed(MOST_ANSWERS, BLOCK))
    plans: PlanLog = Factory(lambda: PlanLog(MOST_ANSWERS, BLOCK))
    """What was asked about. Few who read answers look at it, and it takes far longer to unpack than all else."""
    counts: Counter[str] = Factory(Counter)
    """How many answers each filter gave."""
    _asked: tuple[int, str, Plan | None] = (0, "", None)

    def answered(
        self,
        position: int,
        time_ms: int,
        name: str,
        bot: str,
        symbol: str,
        plan: Plan,
        price: Decimal,
        verdict: Verdict,
    ) -> None:
        """Note down a verdict of the filter `name`."""
        if self._asked[:2] != (position, bot) or self._asked[2] is not plan:
            self._asked = (position, bot, plan)
            self.plans.append(plan)
        self.counts[name] += 1
        question = len(self.plans) - 1
        self.answers.append(Answer(position, question, time_ms, name, bot, symbol, plan.name, price, verdict))
