"""Runs a prepared simulation to its last close."""

from traderagent_core.model.position import money_context
from traderagent_core.simulator.gathering import gather
from traderagent_core.simulator.outcome import Outcome
from traderagent_core.simulator.preparing import Prepared


def run(prepared: Prepared) -> Outcome:
    """Run to the last close and gather the outcome."""
    with money_context():
        prepared.driver.run(prepared.end_ms)
        prepared.view.forget_columns()
        prepared.engine.account.forget_ended()
        return gather(prepared)
