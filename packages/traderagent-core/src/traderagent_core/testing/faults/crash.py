"""Where a process ends, and what its end leaves of its files."""

from enum import Enum

from attrs import frozen


class Leave(Enum):
    """What the next process finds of what was written and not flushed."""

    KILL = "kill"
    """All of it: the machine goes on."""

    POWER_CUT = "power cut"
    """Nothing of it."""

    TORN = "torn"
    """The first half of it, in bytes."""


@frozen
class Crash:
    """The end of a process at its so many-th step. Steps lie before and after each write to the disk, before each
    request, and after each answer to one that changes something; a read changes nothing, and what follows it is the
    next step.
    """

    step: int
    leave: Leave | None = Leave.KILL
    """None lets the seed of a run draw it."""

    def __str__(self) -> str:
        return f"{self.leave.value if self.leave else 'death'} at step {self.step}"
