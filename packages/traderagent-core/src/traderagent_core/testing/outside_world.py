"""Notices when a strategy reads a clock, draws a random number or touches files, processes or the network.

Built-in functions are seen through the interpreter's profiling hook, however they were imported; it is on only
while a callback runs. What is not built in, such as numpy's random generators, is found by running twice in two
worlds (`other_world`) that differ in nothing but their global random generators.
"""

import _thread
import builtins
import datetime
import gc
import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import numpy as np

from traderagent_core.contract.strategy import Strategy

CLOCKS = (
    "time",
    "time_ns",
    "monotonic",
    "monotonic_ns",
    "perf_counter",
    "perf_counter_ns",
    "process_time",
    "process_time_ns",
    "thread_time",
    "thread_time_ns",
    "clock_gettime",
    "clock_gettime_ns",
    "sleep",
)


def _forbidden() -> dict[Any, str]:
    found: dict[Any, str] = {getattr(time, name): f"time.{name}" for name in CLOCKS if hasattr(time, name)}
    found |= {getattr(random, name): f"random.{name}" for name in ("random", "getrandbits", "seed")}
    found |= {os.urandom: "os.urandom", os.open: "os.open", builtins.open: "open", builtins.input: "input"}
    found[_thread.start_new_thread] = "starting a thread"
    if hasattr(os, "fork"):
        found[os.fork] = "os.fork"
    return found


_FORBIDDEN = _forbidden()
_FORBIDDEN_CODE = {type(os.environ).__getitem__.__code__: "os.environ"}
_DATE_METHODS = ("now", "utcnow", "today")


def _name_of(called: Any) -> str | None:
    """What a built-in function is called if a strategy may not call it."""
    owner = getattr(called, "__self__", None)
    if isinstance(owner, type):
        is_clock = issubclass(owner, datetime.date) and called.__name__ in _DATE_METHODS
        return f"{owner.__name__}.{called.__name__}" if is_clock else None
    if isinstance(owner, random.SystemRandom):
        return "random.SystemRandom"
    if type(owner).__module__ in ("_socket", "socket"):
        return f"socket.{called.__name__}"
    try:
        return _FORBIDDEN.get(called)
    except TypeError:  # A bound method of something that cannot be hashed.
        return None


class Watchman:
    """Collects forbidden calls; `around` fits Conditions.around."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def around(self, strategy: Strategy, name: str, context: Any, call: Callable[[], Any]) -> Any:  # noqa: ARG002
        """Watch one callback."""
        with self.watching(name):
            return call()

    @contextmanager
    def watching(self, what: str) -> Iterator[None]:
        """Watch what happens inside the block.

        The garbage collector rests meanwhile: others hang clocks on it, and when it runs is nobody's doing.
        """

        def note(frame: FrameType, event: str, argument: Any) -> None:
            name = None
            if event == "c_call":
                name = _name_of(argument)
            elif event == "call":
                name = _FORBIDDEN_CODE.get(frame.f_code)
            if name is not None:
                self.seen.append(f"{what} uses {name} ({frame.f_code.co_filename}:{frame.f_lineno})")

        previous, is_collecting = sys.getprofile(), gc.isenabled()
        gc.disable()
        sys.setprofile(note)
        try:
            yield
        finally:
            sys.setprofile(previous)
            if is_collecting:
                gc.enable()


@contextmanager
def other_world(seed: int) -> Iterator[None]:
    """Inside the block the global random generators of Python and numpy give other numbers."""
    python_state, numpy_state = random.getstate(), np.random.get_state()
    random.seed(seed)
    np.random.seed(seed)
    try:
        yield
    finally:
        random.setstate(python_state)
        np.random.set_state(numpy_state)
