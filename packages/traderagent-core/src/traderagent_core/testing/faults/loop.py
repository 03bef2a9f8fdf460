"""An event loop without a real clock: when nobody has anything to do, the world goes on to what is due next."""

import asyncio
import math
from collections import deque
from collections.abc import Callable
from contextvars import copy_context
from heapq import heappop, heappush
from typing import Any

from traderagent_core.testing.faults.world import World

RESOLUTION_MS = 0.01


class Turn(asyncio.Handle):
    """A call that is ready, without what the base class keeps for its debug mode: a run makes thousands of them."""

    __slots__ = ()

    def __init__(self, callback: Callable[..., object], args: Any, loop: "VirtualLoop", context: Any) -> None:
        self._context = copy_context() if context is None else context
        self._loop, self._callback, self._args = loop, callback, args
        self._cancelled, self._repr, self._source_traceback = False, None, None


class Timer(Turn, asyncio.TimerHandle):
    """The same for a call that has its time."""

    __slots__ = ()

    def __init__(
        self, when: float, callback: Callable[..., object], args: Any, loop: "VirtualLoop", context: Any
    ) -> None:
        super().__init__(callback, args, loop, context)
        self._when, self._scheduled = when, True

    def __lt__(self, other: Any) -> bool:
        return bool(self._when < other._when)


class VirtualLoop(asyncio.BaseEventLoop):
    """Runs tasks in one fixed order, and moves time instead of waiting. Threads are not started: what would run in
    one runs in its turn, `thread_delay_ms` later.
    """

    get_debug = staticmethod(bool)
    """Never; each future and each call asks."""

    def __init__(self, world: World, thread_delay_ms: Callable[[], int]) -> None:
        super().__init__()
        self._world = world
        self._thread_delay_ms = thread_delay_ms

    def time(self) -> float:
        """The monotonic time of the process, in seconds."""
        return self._world.monotonic_ms / 1000

    def _run_once(self) -> None:
        """What the base class calls until it is stopped: run what is ready, once the world has made something so."""
        ready: deque[Any] = self._ready  # type: ignore[attr-defined]
        while not self._stopping:  # type: ignore[attr-defined]
            while not ready:
                self._go_on(ready)
            for _ in range(len(ready)):
                handle = ready.popleft()
                if handle._cancelled:
                    continue
                try:
                    handle._context.run(handle._callback, *handle._args)
                except (SystemExit, KeyboardInterrupt):
                    raise
                except BaseException as error:
                    self.call_exception_handler({"message": "a callback failed", "exception": error})

    def call_soon(self, callback: Callable[..., object], *args: Any, context: Any = None) -> asyncio.Handle:  # type: ignore[override]
        """As the base class does, without the tests of its debug mode."""
        handle = Turn(callback, args, self, context)
        self._ready.append(handle)  # type: ignore[attr-defined]
        return handle

    def call_at(self, when: float, callback: Callable[..., object], *args: Any, context: Any = None) -> Timer:  # type: ignore[override]
        """As the base class does."""
        timer = Timer(when, callback, args, self, context)
        heappush(self._scheduled, timer)  # type: ignore[attr-defined]
        return timer

    def _go_on(self, ready: deque[Any]) -> None:
        """Let the world go on to its next event or to the first timer, whichever comes first."""
        timers: list[Any] = self._scheduled  # type: ignore[attr-defined]
        while timers and timers[0]._cancelled:
            heappop(timers)._scheduled = False
        world = self._world
        if not timers:
            world.go_on(None, ready)
            return
        sleep_ms = math.ceil(timers[0]._when * 1000 - RESOLUTION_MS) + world.begun_ms - world.now_ms
        if sleep_ms > 0:
            world.go_on(sleep_ms, ready)
        now = (world.now_ms - world.begun_ms + RESOLUTION_MS) / 1000
        while timers and timers[0]._when < now:
            timer = heappop(timers)
            timer._scheduled = False
            ready.append(timer)

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:  # type: ignore[override]  # noqa: ARG002
        """Call a function later, in its turn."""
        future = self.create_future()

        def call() -> None:
            try:
                result = func(*args)
            except BaseException as error:  # The process may have died in it.
                if not future.cancelled():
                    future.set_exception(error)
            else:
                if not future.cancelled():
                    future.set_result(result)

        self._world.after(self._thread_delay_ms(), call)
        return future

    def _process_events(self, event_list: list[Any]) -> None:
        """There are no files to wait for."""

    def _write_to_self(self) -> None:
        """There are no other threads."""
