"""Event sinks of a live run: each is told in a thread of its own, and the trading does not notice."""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from attrs import define, field

from traderagent_core.config.loaded import Config, SinkPart
from traderagent_core.contract.event_sink import EventSink
from traderagent_core.errors import PluginError
from traderagent_core.live.driver import Driver
from traderagent_core.live.running import Keeper
from traderagent_core.model.fact import Fact

MOST_WAITING = 1_000
FAILURES_ALLOWED = 3
FAILURE_WINDOW_SECONDS = 600.0
LAST_SECONDS = 2.0
"""How long the end of a run waits for a sink to take what is left."""
LOOK_SECONDS = 60.0
"""How often it is told that a sink does not keep up."""

Tell = Callable[[str, dict[str, Any]], None]


@define(eq=False)
class Line:
    """The way of facts to one sink: a queue that drops its oldest, and the thread that empties it.

    `tell` is called in that thread, about failures.
    """

    name: str
    sink: EventSink
    topics: frozenset[str]
    tell: Tell = lambda *_: None
    taken: int = 0
    dropped: int = 0
    failures: int = 0
    last_error: str = ""
    is_quarantined: bool = False
    _waiting: deque[Fact] = field(factory=deque)
    _failed_at: deque[float] = field(factory=deque)
    _is_over: bool = False
    _news: threading.Condition = field(factory=threading.Condition)
    _thread: threading.Thread | None = None

    def put(self, fact: Fact) -> None:
        """Have a fact wait; never blocks for longer than it takes to look."""
        if self.is_quarantined or (self.topics and fact.name not in self.topics):
            return
        with self._news:
            if len(self._waiting) >= MOST_WAITING:
                self._waiting.popleft()
                self.dropped += 1
            self._waiting.append(fact)
            self._news.notify()

    def start(self, tell: Tell) -> None:
        """Begin to tell. A thread that hangs does not keep the process from ending."""
        self.tell = tell
        self._thread = threading.Thread(target=self._work, name=f"event sink {self.name}", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """No more facts will come; what waits is still told."""
        with self._news:
            self._is_over = True
            self._news.notify()

    @property
    def is_done(self) -> bool:
        """Whether the thread has ended."""
        return self._thread is None or not self._thread.is_alive()

    def describe(self) -> dict[str, Any]:
        """As JSON-able values."""
        return {
            "name": self.name,
            "state": "quarantined" if self.is_quarantined else "up",
            "taken": self.taken,
            "waiting": len(self._waiting),
            "dropped": self.dropped,
            "failures": self.failures,
            "last_error": self.last_error,
        }

    # -- in the thread --------------------------------------------------------------------------------------

    def _work(self) -> None:
        while not self.is_quarantined and (fact := self._next()) is not None:
            try:
                self.sink.take(fact)
                self.taken += 1
            except (Exception, SystemExit) as error:
                self._failed(error)
        try:
            self.sink.close()
        except Exception as error:
            self._note(error)

    def _next(self) -> Fact | None:
        with self._news:
            while not self._waiting and not self._is_over:
                self._news.wait()
            return self._waiting.popleft() if self._waiting else None

    def _failed(self, error: BaseException) -> None:
        self._note(error)
        now = time.monotonic()
        self._failed_at.append(now)
        while self._failed_at[0] < now - FAILURE_WINDOW_SECONDS:
            self._failed_at.popleft()
        if len(self._failed_at) >= FAILURES_ALLOWED:
            self.is_quarantined = True
            self._waiting.clear()
            self.tell("sink_quarantined", {"sink": self.name, "error": self.last_error})

    def _note(self, error: BaseException) -> None:
        self.failures += 1
        self.last_error = f"{type(error).__name__}: {error}"
        self.tell("sink_failed", {"sink": self.name, "error": self.last_error})


def build_lines(config: Config) -> list[Line]:
    """The sinks of a configuration; raises PluginError for one that cannot be built."""
    return [_line(part, config) for part in config.event_sinks]


def _line(part: SinkPart, config: Config) -> Line:
    try:
        sink = part.spec.factory(part.config)
        return Line(part.name, sink, frozenset(sink.topics()))
    except Exception as error:
        raise PluginError(
            f"event sink {part.name!r} of {_origin(part, config)} cannot be built: {type(error).__name__}: {error}; "
            "mend its section in event_sinks, or remove it",
            plugin=part.name,
        ) from error


def _origin(part: SinkPart, config: Config) -> str:
    plugins = () if config.host is None else config.host.plugins
    found = (info.label for info in plugins if any(offer.spec is part.spec for offer in info.offers))
    return next(found, "an unknown plugin")


def keep_sinks(lines: Sequence[Line]) -> Keeper:
    """Tell every sink what happens, until the run ends; then each may take what is left, if it is quick."""

    async def keep(driver: Driver) -> None:
        loop, bus = asyncio.get_running_loop(), driver.observer.bus

        def tell(what: str, values: dict[str, Any]) -> None:
            with suppress(RuntimeError):  # The loop has ended before the thread.
                loop.call_soon_threadsafe(lambda: driver.observer.sink_failed(what, values))

        driver.observer.sinks = lines
        for line in lines:
            line.start(tell)
            bus.join(line)
        try:
            await _look_after(driver, lines)
        finally:
            for line in lines:
                bus.leave(line)
                line.end()
            await _wait(lines)

    return keep


async def _look_after(driver: Driver, lines: Sequence[Line]) -> None:
    """Tell from time to time which sinks do not keep up."""
    told = {line.name: 0 for line in lines}
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        for line in lines:
            if line.dropped != told[line.name]:
                driver.options.tell("sink_behind", sink=line.name, dropped=line.dropped - told[line.name])
                told[line.name] = line.dropped


async def _wait(lines: Sequence[Line]) -> None:
    end = time.monotonic() + LAST_SECONDS
    while time.monotonic() < end and not all(line.is_done for line in lines):
        await asyncio.sleep(0.01)
