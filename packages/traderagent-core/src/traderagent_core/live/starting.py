"""Starts bots as soon as they can be: a price is known, and the indicators of all their strategies are warm."""

from collections.abc import Iterable, Iterator

from attrs import define

from traderagent_core.engine.engine import Engine
from traderagent_core.engine.member import Member
from traderagent_core.engine.setup import problems_of
from traderagent_core.errors import ConfigError
from traderagent_core.live.view import LiveView


@define(eq=False)
class _Waiting:
    """A bot, its strategies, and those of them that could not have started yet."""

    bot: str
    members: tuple[Member, ...]
    unready: list[Member]


class Starts:
    """The bots that wait for their start. With `start_ms` they start at a close of their timeframe from then on.

    All strategies of a bot start together, when the last of them can.
    """

    def __init__(self, engine: Engine, view: LiveView, start_ms: int | None, bots: Iterable[str]) -> None:
        self._view = view
        self._start_ms = start_ms
        self._waiting = []
        for bot in bots:
            members = tuple(engine.director.members_of(bot))
            if not (all(each.is_started for each in members) or any(each.is_stopped for each in members)):
                self._waiting.append(_Waiting(bot, members, list(members)))

    def ready(self, time_ms: int, *, is_close: bool) -> Iterator[str]:
        """The bots that start now; raises ConfigError when one of them finds that it cannot work here."""
        for waiting in list(self._waiting):
            waiting.unready = [
                member
                for member in waiting.unready
                if not self._can_start(member, time_ms, is_close=is_close)
            ]
            if not waiting.unready:
                refuse_fatal(waiting.members, self._view)
                self._waiting.remove(waiting)
                yield waiting.bot

    def forget(self, bot: str) -> None:
        """Have a bot not started after all."""
        self._waiting = [waiting for waiting in self._waiting if waiting.bot != bot]

    @property
    def bots(self) -> tuple[str, ...]:
        """The bots that wait."""
        return tuple(waiting.bot for waiting in self._waiting)

    def awaits(self, bot: str) -> bool:
        """Whether a bot waits for its start."""
        return any(waiting.bot == bot for waiting in self._waiting)

    @property
    def are_over(self) -> bool:
        """Whether no bot waits any more."""
        return not self._waiting

    def _can_start(self, member: Member, time_ms: int, *, is_close: bool) -> bool:
        return self._is_time(member, time_ms, is_close=is_close) and self._view.is_ready(member.name)

    def _is_time(self, member: Member, time_ms: int, *, is_close: bool) -> bool:
        if self._start_ms is None:
            return True
        return is_close and time_ms >= self._start_ms and self._view.closed_at(member.name) == time_ms


def refuse_fatal(members: Iterable[Member], view: LiveView) -> None:
    """Raises ConfigError with what the strategies themselves say against starting at the price of now."""
    lines = [line for member in members for line in fatal_problems(member, view)]
    if lines:
        raise ConfigError("cannot start:\n" + "\n".join(f"  {line}" for line in lines))


def fatal_problems(member: Member, view: LiveView) -> Iterator[str]:
    """What a strategy itself says against trading at the price of now."""
    for problem in problems_of(member.setup, view.price(member.symbol)):
        if problem.is_fatal:
            remedy = f"; {problem.remedy}" if problem.remedy else ""
            yield f"bot {member.name!r}: {problem.message}{remedy}"
