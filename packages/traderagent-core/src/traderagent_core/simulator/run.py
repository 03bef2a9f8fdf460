"""Runs a prepared simulation to its last close."""

from collections.abc import Callable

from traderagent_core.model.position import money_context
from traderagent_core.simulator.gathering import gather
from traderagent_core.simulator.outcome import Outcome
from traderagent_core.simulator.preparing import Prepared


def run(prepared: Prepared, prepare_again: Callable[[], Prepared]) -> Outcome:
    """Run to the last close and gather the outcome; the same run may be prepared again to be looked at closely."""
    with money_context():
        prepared.driver.run(prepared.end_ms)
        return gather(prepared, prepare_again)
