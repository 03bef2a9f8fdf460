"""A progress bar for long runs, on a terminal only."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

FIRST_SHOWN_SECONDS = 1.0
REFRESH_SECONDS = 0.1
CALLS_BETWEEN_LOOKS = 256


@contextmanager
def progress_bar(start_ms: int, end_ms: int, *, is_wanted: bool) -> Iterator[Callable[[int], None] | None]:
    """Gives a function to call with the simulated time, or None when nobody is looking."""
    if not is_wanted or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    bar = Progress(console=Console(stderr=True), transient=True)
    task = bar.add_task("simulating", total=max(end_ms - start_ms, 1))
    state = {"calls": 0, "shown": time.monotonic() + FIRST_SHOWN_SECONDS}

    def tell(time_ms: int) -> None:
        state["calls"] += 1
        if state["calls"] % CALLS_BETWEEN_LOOKS:
            return
        now = time.monotonic()
        if now >= state["shown"]:
            bar.start()
            state["shown"] = now + REFRESH_SECONDS
            bar.update(task, completed=time_ms - start_ms)

    try:
        yield tell
    finally:
        bar.stop()
