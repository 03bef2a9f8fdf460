"""Runs without looking for cyclic garbage."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_cyclic_collection() -> Iterator[None]:
    """A run makes many small records and no garbage cycles to speak of; looking for them costs a tenth.

    Freezing and thawing at the end puts all of them among the old objects at no cost, where else the next look
    would go through every one.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.freeze()
            gc.unfreeze()
            gc.enable()
