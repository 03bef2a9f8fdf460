"""Timers that the engine has asked for, and the boundaries that the driver waits for."""

from collections.abc import Iterable

from attrs import define, field

from traderagent_core.model.command import CancelTimer, SetTimer
from traderagent_core.model.event import TimerFired
from traderagent_core.simulator.cursor import BOUNDARY_PHASE, TIMER_PHASE

Name = tuple[str, str]
Due = tuple[int, int, int, Name]
"""Time in ms UTC, phase at that time, number of asking, and whose timer by which name."""


@define(eq=False)
class Timers:
    """One timer for each owner and name; the one that is due first, and was asked for first, comes first."""

    _due: dict[Name, Due] = field(factory=dict)
    _asked: int = 0

    def set(self, command: SetTimer, now_ms: int) -> None:
        """Replace the timer of a name; one of the past is due now. The engine's own is the end of a day."""
        self._asked += 1
        name = (command.owner, command.name)
        phase = TIMER_PHASE if command.owner else BOUNDARY_PHASE
        self._due[name] = (max(command.due_ms, now_ms), phase, self._asked, name)

    def forget(self, command: CancelTimer) -> None:
        """Drop a timer."""
        self._due.pop((command.owner, command.name), None)

    def fired(self, event: TimerFired) -> None:
        """A timer was told in the past; a later one of its name goes on."""
        name = (event.owner, event.name)
        if name in self._due and self._due[name][0] <= event.time_ms:
            del self._due[name]

    def pop(self, due: Due) -> TimerFired:
        """Take what `next` gave, as the event to tell."""
        time_ms, _, _, (owner, name) = self._due.pop(due[3])
        return TimerFired(time_ms, owner, name)

    def next(self) -> Due | None:
        """What is due first."""
        return min(self._due.values(), default=None)

    def save(self) -> list[list[object]]:
        """All timers as plain values, in the order of asking."""
        rows = sorted(self._due.values(), key=lambda due: due[2])
        return [[owner, name, due_ms] for due_ms, _, _, (owner, name) in rows]

    def load(self, rows: Iterable[list[object]]) -> None:
        """Take over what `save` gave."""
        for owner, name, due_ms in rows:
            self.set(SetTimer(str(owner), str(name), int(str(due_ms))), 0)
