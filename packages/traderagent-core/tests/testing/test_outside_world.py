"""Clocks, chance, files and threads are noticed however they are reached; pure calculation is not."""

import datetime
import gc
import os
import random
import secrets
import threading
import time
import uuid
from pathlib import Path
from time import monotonic as imported_by_another_name

import numpy as np
import pytest
from traderagent_core.testing.outside_world import Watchman, other_world


def start_a_thread():
    thread = threading.Thread(target=int)
    thread.start()
    thread.join()


@pytest.mark.parametrize(
    ("act", "what"),
    [
        (time.time, "time.time"),
        (imported_by_another_name, "time.monotonic"),
        (lambda: datetime.datetime.now(datetime.UTC), "datetime.now"),
        (lambda: datetime.date.today(), "date.today"),  # noqa: DTZ011
        (random.random, "random.random"),
        (lambda: random.choice([1, 2]), "random.getrandbits"),
        (uuid.uuid4, "os.urandom"),
        (lambda: secrets.token_hex(4), "os.urandom"),
        (lambda: os.environ.get("HOME"), "os.environ"),
        (lambda: os.getenv("HOME"), "os.environ"),
        (lambda: Path(__file__).read_text(encoding="utf-8"), "open"),
        (start_a_thread, "starting a thread"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_outside_world_is_noticed(act, what):
    watchman = Watchman()
    with watchman.watching("on_candle"):
        act()
    assert any(seen.startswith(f"on_candle uses {what} (") for seen in watchman.seen), watchman.seen


def test_calculation_is_not_noticed():
    watchman = Watchman()
    with watchman.watching("on_candle"):
        sorted(np.arange(5).tolist())
        datetime.datetime.fromtimestamp(0, datetime.UTC).isoformat()
        random.Random(3)
        time.gmtime(0)
    assert watchman.seen == []


def test_clocks_that_others_hang_on_the_garbage_collector_are_not_noticed():
    def read_a_clock(phase, info):
        time.perf_counter()

    thresholds = gc.get_threshold()
    gc.callbacks.append(read_a_clock)
    gc.set_threshold(1)
    watchman = Watchman()
    try:
        with watchman.watching("on_candle"):
            kept = [[number] for number in range(1000)]
    finally:
        gc.set_threshold(*thresholds)
        gc.callbacks.remove(read_a_clock)
    assert len(kept) == 1000
    assert watchman.seen == []
    assert gc.isenabled()


def test_nothing_is_noticed_outside_the_block():
    watchman = Watchman()
    with watchman.watching("on_candle"):
        pass
    time.time()
    assert watchman.seen == []


def test_other_worlds_differ_and_leave_this_one_as_it_was():
    random.seed(5)
    np.random.seed(5)
    expected = (random.random(), np.random.random())
    random.seed(5)
    np.random.seed(5)
    drawn = []
    for seed in (1, 2):
        with other_world(seed):
            drawn.append((random.random(), np.random.random()))
    assert drawn[0] != drawn[1]
    assert (random.random(), np.random.random()) == expected
