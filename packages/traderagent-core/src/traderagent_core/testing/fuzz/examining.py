"""Gives spoilt input to what reads it, and tells what became of each case."""

import signal
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from attrs import define, field

from traderagent_core.errors import TraderAgentError

LONGEST_SECONDS = 10.0
"""Of processor time, so that a busy machine changes nothing."""

LONGEST_WAIT = 30
"""How many times as long a case may take by the clock, waiting for whatever it waits for."""

AGAIN_SECONDS = 1.0
"""An alarm inside of what Python calls by itself, such as a finalizer, is lost: it is given again."""

MOST_MEGABYTES = 200
MEASURED_EVERY = 20
"""Memory is measured in one case of so many, because it takes several times as long."""

_MEGABYTE = 1_000_000


class HangError(KeyboardInterrupt):
    """A case took too long. As if somebody had pressed Ctrl-C: no handler is to swallow it."""


@define
class Tally:
    """What became of many cases: how many ended in which way, what is wrong, and the slowest and hungriest."""

    ends: Counter[str] = field(factory=Counter)
    wrong: list[str] = field(factory=list)
    slowest_seconds: float = 0.0
    most_megabytes: float = 0.0

    @property
    def cases(self) -> int:
        """All that were examined."""
        return sum(self.ends.values())

    def count(self, name: str, end: str, problem: str = "") -> None:
        """One more case, and what is wrong with it."""
        self.ends[end] += 1
        if problem:
            self.wrong.append(f"{name}: {problem}")


@contextmanager
def limited(seconds: float = LONGEST_SECONDS) -> Iterator[None]:
    """Raise HangError in the main thread when the time is over."""

    def ring(*_: object) -> None:
        raise HangError(f"took more than {seconds:g} s")

    timers = {signal.ITIMER_VIRTUAL: signal.SIGVTALRM, signal.ITIMER_REAL: signal.SIGALRM}
    before = {number: signal.signal(number, ring) for number in timers.values()}
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds, AGAIN_SECONDS)
    signal.setitimer(signal.ITIMER_REAL, seconds * LONGEST_WAIT, AGAIN_SECONDS)
    try:
        yield
    finally:
        for timer, number in timers.items():
            signal.setitimer(timer, 0)
            signal.signal(number, before[number])


def examine(
    tally: Tally,
    name: str,
    call: Callable[[], object],
    refusal: Callable[[TraderAgentError], str],
    *,
    measures_memory: bool = False,
) -> None:
    """Run one case: it may end well or raise an error of ours; `refusal` says what that error lacks, if anything."""
    begun = time.monotonic()
    if measures_memory:
        tracemalloc.start()
    try:
        with limited():
            call()
        tally.count(name, "accepted")
    except TraderAgentError as error:
        tally.count(name, "refused", refusal(error))
    except (Exception, HangError) as error:
        tally.count(name, "broken", f"{type(error).__name__}: {error}"[:500])
    finally:
        tally.slowest_seconds = max(tally.slowest_seconds, time.monotonic() - begun)
        if measures_memory:
            _weigh(tally, name)


def _weigh(tally: Tally, name: str) -> None:
    megabytes = tracemalloc.get_traced_memory()[1] / _MEGABYTE
    tracemalloc.stop()
    tally.most_megabytes = max(tally.most_megabytes, megabytes)
    if megabytes > MOST_MEGABYTES:
        tally.wrong.append(f"{name}: took {megabytes:.0f} MB")
