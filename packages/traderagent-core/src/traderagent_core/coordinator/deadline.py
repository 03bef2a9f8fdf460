"""Actions of everything that gives somebody a time: transitions and halts."""

from attrs import frozen


@frozen
class SetDeadline:
    """Be woken at this time, ms UTC, to say that the time is out."""

    time_ms: int


@frozen
class CancelDeadline:
    """The time-out is not needed any more."""
