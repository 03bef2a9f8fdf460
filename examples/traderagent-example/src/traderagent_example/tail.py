"""An event sink: writes what happens in a live run to a file, a JSON object a line."""

import json
from collections.abc import Collection

from traderagent_core import EventSink, Fact

from traderagent_example.config import TailConfig


class Tail(EventSink):
    """Appends each event that is asked for; in a thread of its own, so the run waits for no disk."""

    config: TailConfig

    def __init__(self, config: TailConfig) -> None:
        super().__init__(config)
        self._file = config.path.open("a", encoding="utf-8")  # A folder that is not there stops the start.

    def topics(self) -> Collection[str]:
        """The events of the configuration; all when it names none."""
        return self.config.events

    def take(self, fact: Fact) -> None:
        """Write a line at once, so that nothing is lost with the process."""
        self._file.write(json.dumps(fact.to_payload()) + "\n")
        self._file.flush()

    def close(self) -> None:
        """The run is over."""
        self._file.close()
