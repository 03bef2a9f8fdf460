"""Repeated timing in one process: wall and user CPU time after a warm-up, medians, best, slopes over sizes."""

import gc
import os
import time
from collections.abc import Callable, Mapping, Sequence
from resource import RUSAGE_SELF, getrusage
from statistics import median
from typing import TypeVar

import numpy as np
from attrs import astuple, frozen

Key = TypeVar("Key")


@frozen
class Timing:
    """Times of several repetitions of one thing, in seconds.

    `user` is the processor time of this process outside the kernel: other people's work and the zeroing of fresh
    memory pages, which differs by machine, are not in it.
    """

    wall: tuple[float, ...]
    user: tuple[float, ...]

    def read(self) -> "Reading":
        """Median and best of both."""
        return Reading(median(self.wall), min(self.wall), median(self.user), min(self.user))


@frozen
class Reading:
    """Medians and bests in seconds, or in whatever they have been scaled to."""

    wall: float
    wall_best: float
    user: float
    user_best: float

    def scaled(self, factor: float) -> "Reading":
        """In another unit."""
        return Reading(*(value * factor for value in astuple(self)))


def measure(work: Mapping[Key, Callable[[], object]], repetitions: int) -> dict[Key, Timing]:
    """Time several things in turns, after one warm-up round, so that a busy moment does not hit only one."""
    times: dict[Key, list[tuple[float, float]]] = {key: [] for key in work}
    for turn in range(repetitions + 1):
        for key, call in work.items():
            spent = _once(call)
            if turn:
                times[key].append(spent)
    return {key: Timing(*zip(*spent, strict=True)) for key, spent in times.items()}


def _once(call: Callable[[], object]) -> tuple[float, float]:
    gc.collect()
    user, wall = _user_seconds(), time.perf_counter()
    result = call()
    spent = time.perf_counter() - wall, _user_seconds() - user
    del result
    return spent


def _user_seconds() -> float:
    return getrusage(RUSAGE_SELF).ru_utime


def slope(sizes: Sequence[float], timings: Sequence[Timing]) -> Reading:
    """Seconds per unit of size: least squares over sizes, with an intercept, of each median and each best."""
    columns = zip(*(astuple(timing.read()) for timing in timings), strict=True)
    return Reading(*(float(np.polyfit(np.asarray(sizes, dtype=float), column, 1)[0]) for column in columns))


def load_average() -> float:
    """Processes that wanted a processor over the last minute; other people's work makes medians worse."""
    return os.getloadavg()[0]
