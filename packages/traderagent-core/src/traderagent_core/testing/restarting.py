"""Restarts in the middle of a run: the engine saved as text, thrown away and restored."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np

from traderagent_core.engine.engine import Effects, Engine
from traderagent_core.engine.snapshot import restore, snapshot
from traderagent_core.model import event as ev

EARLY_STEPS = 40
LATE_RESTARTS = 25


def now_and_then(steps: int) -> Callable[[int], bool]:
    """After which of so many steps to restart: all early ones, when little is to be saved, and some of the others."""
    late = np.linspace(EARLY_STEPS, max(steps - 1, EARLY_STEPS), LATE_RESTARTS)
    return frozenset((*range(EARLY_STEPS), *(int(step) for step in late))).__contains__


class RestartingEngine:
    """An engine that is now and then replaced by a fresh one with the saved state, by way of JSON text."""

    def __init__(self, make: Callable[[], Engine], is_due: Callable[[int], bool] | None) -> None:
        self.present = make()
        self._make = make
        self._is_due = is_due
        self._steps = 0

    def step(self, event: ev.Event) -> Effects:
        """Step the present engine, which may be a new one by now."""
        if self._is_due is not None and self._is_due(self._steps):
            text = json.dumps(snapshot(self.present))
            self.present = self._make()
            restore(self.present, json.loads(text))
        self._steps += 1
        return self.present.step(event)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.present, name)
