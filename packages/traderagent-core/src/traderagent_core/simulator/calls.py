"""The closes at which the driver has to wake: those that bots asked to be called on, and changes of what is known."""

from collections.abc import Callable, Sequence

from attrs import define

from traderagent_core.model.candle import TimeColumn
from traderagent_core.simulator.cursor import BOUNDARY_PHASE
from traderagent_core.simulator.timers import Agenda


@define(eq=False)
class Calls:
    """The closes on which one bot is called, and how far they have been done; without a bot all are told."""

    times: TimeColumn
    bot: str = ""
    position: int = 0

    def skip_to(self, time_ms: int | None) -> None:
        """Pass over all closes before a time; None passes over the rest."""
        first = len(self.times) if time_ms is None else int(self.times.searchsorted(time_ms))
        self.position = max(self.position, first)


class CallBook:
    """Keeps the next close of everybody on the agenda, where `due(time)` is called at it."""

    def __init__(self, agenda: Agenda, due: Callable[[int], None]) -> None:
        self._agenda = agenda
        self._due = due
        self._at: dict[int, list[Calls]] = {}

    def add(self, times: TimeColumn, bot: str = "") -> None:
        """Wake at these closes, ms UTC and sorted."""
        self.arm(Calls(times, bot))

    def arm(self, calls: Calls) -> None:
        """Put the next close on the agenda."""
        if calls.position < len(calls.times):
            due_ms = calls.times.item(calls.position)
            calls.position += 1
            self._at.setdefault(due_ms, []).append(calls)
            self._agenda.add(due_ms, BOUNDARY_PHASE, self._due, ("", f"{due_ms}"))
            # Several bots due at one close are called by one event: the later one replaces the earlier entry.

    def at(self, time_ms: int) -> Sequence[Calls]:
        """Who is due at a close."""
        return self._at.get(time_ms, ())

    def taken(self, time_ms: int) -> Sequence[Calls]:
        """Who was due at a close; they have to be armed anew."""
        return self._at.pop(time_ms, ())
