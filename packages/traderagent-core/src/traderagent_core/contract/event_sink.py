"""Event sinks: who is told what happens in a live run, and cannot disturb it."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from traderagent_core.model.fact import Fact


class EventSink:
    """Is told the events of a run, one after the other, in a thread of its own.

    It may do I/O and take its time: what comes meanwhile waits in a queue, and when that is full the oldest events
    are dropped and counted. One that raises three times within ten minutes is told no more.
    """

    def __init__(self, config: Any) -> None:
        self.config = config

    def topics(self) -> Collection[str]:
        """Names of the events that are told; empty, as by default, for all. Asked once, before the run begins."""
        return ()

    def take(self, fact: "Fact") -> None:
        """Do something with an event."""
        raise NotImplementedError(f"{type(self).__name__} does not define take")

    def close(self) -> None:
        """The run has ended; nothing is told any more. Called in the same thread, also after a quarantine."""
