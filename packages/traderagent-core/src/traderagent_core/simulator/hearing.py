"""What a run makes that leaves no record: where the engine's stops stood, what filters were asked and answered.

A stop that the engine holds is a price watch, and of a verdict only the reason is recorded. Noting either down costs
next to nothing beside making it, so every run does.
"""

from collections import Counter
from decimal import Decimal
from typing import NamedTuple

from attrs import Factory, define

from traderagent_core.contract.entry_filter import Verdict
from traderagent_core.model.plan import Plan
from traderagent_core.simulator.packed import Packed

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

    Answers of several filters to one plan have the same `question`.
    """

    position: int
    question: int
    time_ms: int
    filter: str
    bot: str
    symbol: str
    plan: Plan
    price: Decimal
    verdict: Verdict


@define(eq=False)
class Heard:
    """What was heard; in order of time."""

    stops: Packed[StopMove] = Factory(lambda: Packed(MOST_STOPS, BLOCK))
    answers: Packed[Answer] = Factory(lambda: Packed(MOST_ANSWERS, BLOCK))
    counts: Counter[str] = Factory(Counter)
    """How many answers each filter gave."""
    _asked: tuple[int, str, Plan | None] = (0, "", None)
    _questions: int = 0

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
            self._questions += 1
        self.counts[name] += 1
        self.answers.append(
            Answer(position, self._questions, time_ms, name, bot, symbol, plan, price, verdict)
        )
