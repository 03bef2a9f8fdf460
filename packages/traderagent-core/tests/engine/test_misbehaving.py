"""Strategies that misbehave in every callback, while they hold a position."""

from decimal import Decimal, getcontext
from typing import Any

import pytest
from traderagent_core.model.position import MONEY, money_context
from traderagent_core.testing.fuzz.plugins import MISDEEDS, fuzz_plugins
from traderagent_core.testing.scripted import BOT, ScriptedVenue


def test_whatever_a_strategy_does_the_engine_goes_on_and_the_stop_holds() -> None:
    tally = fuzz_plugins()
    assert len(MISDEEDS) >= 40
    assert not tally.wrong, "\n".join(tally.wrong)


def failing(error: BaseException) -> ScriptedVenue:
    def fail(context: Any, _: Any) -> None:
        raise error

    return ScriptedVenue({"on_timer": fail}).start()


def test_what_would_end_the_process_is_a_failure_of_the_plugin() -> None:
    venue = failing(SystemExit(3))
    venue.timer("t")
    assert venue.told("plugin_failed") == [
        (BOT, "on_timer", "PluginError: SystemExit: 3, which would end the process")
    ]


def test_ctrl_c_is_the_users_and_ends_the_process() -> None:
    with pytest.raises(KeyboardInterrupt):
        failing(KeyboardInterrupt()).timer("t")


def test_nobody_can_make_money_less_exact() -> None:
    def round_up(context: Any, _: Any) -> None:
        getcontext().prec = 2

    venue = ScriptedVenue({"on_timer": round_up}).start()
    venue.timer("t")
    with money_context():
        assert Decimal("1.23456789") + 0 == Decimal("1.23456789")
    assert MONEY.prec == 40
