"""Faults that a test switches on: lost replies, rate answers, silent sockets; seeded, so that a run repeats."""

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from random import Random
from typing import Any

from attrs import define, field, fields
from attrs.validators import ge, in_, instance_of, le, optional

REST_KINDS = (
    "delay",
    "lose_request",
    "lose_reply",
    "http_status",
    "ret_code",
    "broken_json",
    "garble",
    "hide_orders",
    "reject",
)
SOCKET_KINDS = ("garble", "drop", "duplicate", "delay_push", "reorder", "mute", "close", "refuse")


@define
class Fault:
    """One rule. It applies to what matches, with a probability, after so many matches, so many times.

    For REST, `match` is a pattern of the path; for sockets, of the topic (`refuse`: of the path). `is_executed` tells
    whether a request that is answered by `http_status` or `ret_code` has its effect all the same. `delay_ms` is wall
    time, but for `hide_orders`, where it is virtual: how long a new order is not shown by reads.
    """

    kind: str = field(validator=in_(REST_KINDS + SOCKET_KINDS))
    match: str = field(default="*", validator=instance_of(str))
    account: str = field(default="*", validator=instance_of(str))
    probability: float = field(default=1.0, validator=[instance_of((int, float)), ge(0), le(1)])
    after: int = field(default=0, validator=[instance_of(int), ge(0)])
    count: int | None = field(default=None, validator=optional(instance_of(int)))
    delay_ms: int = field(default=0, validator=[instance_of(int), ge(0)])
    status: int = field(default=502, validator=instance_of(int))
    code: int = field(default=10006, validator=instance_of(int))
    message: str = field(default="Too many visits. Exceeded the API Rate Limit.", validator=instance_of(str))
    is_executed: bool = field(default=False, validator=instance_of(bool))
    matched: int = field(default=0, init=False)
    applied: int = field(default=0, init=False)
    random: Random = field(factory=Random, init=False)

    def row(self) -> dict[str, Any]:
        """The rule with its counts, for the control surface."""
        return {each.name: getattr(self, each.name) for each in fields(type(self)) if each.name != "random"}


class Faults:
    """The rules in force. Chance is drawn for each rule by itself, in the order of what matches it."""

    def __init__(self) -> None:
        self.rules: list[Fault] = []

    def replace(self, rows: Iterable[Mapping[str, Any]], seed: int) -> None:
        """Put other rules in force; raises TypeError or ValueError for a wrong one, and changes nothing then."""
        rules = [Fault(**row) for row in rows]
        for index, rule in enumerate(rules):
            rule.random.seed(f"{seed}/{index}")
        self.rules = rules

    def draw(self, kinds: Iterable[str], what: str, account: str) -> list[Fault]:
        """The rules of these kinds that apply to something now."""
        wanted = set(kinds)
        return [rule for rule in self.rules if rule.kind in wanted and _applies(rule, what, account)]

    def first(self, kind: str, what: str, account: str) -> Fault | None:
        """The first rule of a kind that applies now."""
        return next(iter(self.draw((kind,), what, account)), None)


def _applies(rule: Fault, what: str, account: str) -> bool:
    if not fnmatchcase(what, rule.match) or not fnmatchcase(account, rule.account):
        return False
    rule.matched += 1
    is_drawn = rule.random.random() < rule.probability
    is_spent = rule.count is not None and rule.applied >= rule.count
    if not is_drawn or is_spent or rule.matched <= rule.after:
        return False
    rule.applied += 1
    return True
