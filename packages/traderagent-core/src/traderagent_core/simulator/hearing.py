"""What a run makes that leaves no record: where the engine's stops stood, what filters were asked and answered.

A stop that the engine holds is a price watch, and of a verdict only the reason is recorded. Noting either down costs
next to nothing beside making it, so every run does.
"""

from decimal import Decimal
from typing import NamedTuple

from attrs import Factory, define

from traderagent_core.contract.entry_filter import Verdict
from traderagent_core.model.plan import Plan


class StopMove(NamedTuple):
    """A stop set, moved or taken away (None) when so many records had been written."""

    position: int
    time_ms: int
    bot: str
    price: Decimal | None


class Answer(NamedTuple):
    """A verdict, given when so many records had been written; `bot` asked, at this price."""

    position: int
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

    stops: list[StopMove] = Factory(list)
    answers: list[Answer] = Factory(list)
