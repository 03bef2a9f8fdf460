"""A machine clock that somebody sets ahead: everything seems due at once, and nothing is entered by it."""

from collections import deque

import pytest
from traderagent_core.testing.faults.kinds import Mix
from traderagent_core.testing.faults.run import Run, Trial
from traderagent_core.testing.faults.setting import scripted
from traderagent_core.testing.faults.world import START_MS

SET_MS = START_MS + 33_000
AHEAD_MS = 1_800_000


@pytest.mark.parametrize("script", ["ladder", "dealer", "trender"])
def test_a_clock_that_was_set_ahead_bars_entries_before_anything_seems_due(script: str) -> None:
    run = Run(Trial(1, scripted(script), Mix({})))
    run.world.events = deque(maxlen=None)

    def set_ahead() -> None:
        assert run.present is not None
        run.present.clock._offset_ms = AHEAD_MS
        run.world.tell("the clock is set")

    run.world.at(SET_MS, set_ahead)
    assert run.report().failure == ""
    told = [event.split(maxsplit=1) for event in run.world.events]
    since = next(place for place, (_, text) in enumerate(told) if text == "the clock is set")
    barred = next(
        place for place, (_, text) in enumerate(told) if text.startswith("log entries_barred reason=clock")
    )
    assert float(told[barred][0]) - float(told[since][0]) < 30
    entries = [text for _, text in told[since:barred] if text.startswith("venue OrderAccepted")]
    assert entries == []
    allowed = [float(at) for at, text in told if text.startswith("log entries_allowed reason=clock")]
    assert allowed
    assert min(allowed) > 510, "the clock is right again when faults stop"
