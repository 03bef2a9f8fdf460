"""Crashes at the steps of scripted scenarios: what a third-party author writes, and what the exploration finds."""

from decimal import Decimal
from typing import Any

import pytest
from click.testing import CliRunner
from traderagent_core import load_config
from traderagent_core.cli.main import traderagent
from traderagent_core.config.loaded import Config
from traderagent_core.engine.halting import Halting
from traderagent_core.host import PluginHost
from traderagent_core.live.aligning import Aligning
from traderagent_core.testing import Scenario, Share, explore, play
from traderagent_core.testing.faults.crash import Crash, Leave
from traderagent_core.testing.faults.scenario import ByHand, End, Offline, Shutdown, Word
from traderagent_core.testing.faults.setting import WithScripts

ZERO = Decimal(0)


def config(strategy: str) -> Config:
    """One plan, which is not taken back."""
    bot = {"name": "bot", "symbol": "BTC/USDT", "strategy": strategy, "market": "linear", "timeframe": "1m"}
    bots = [{**bot, "leverage": 5, strategy: {"shift_seconds": 3_600, "pause_seconds": 3_600}}]
    return load_config({"bots": bots}, host=WithScripts(PluginHost.discover(())))


def scenario(strategy: str, *acts: Any) -> Scenario:
    """A scripted strategy whose first level, safety order or break-even is reached after 75 s."""
    prices = ((0, 100.0), (75, 100.3 if strategy == "trender" else 99.7))
    return Scenario(strategy, config(strategy), prices, 150, acts, has_stops=True)


def test_without_a_crash_a_scenario_ends_as_its_prices_say() -> None:
    whole = play(scenario("ladder"))
    assert whole.failure == ""
    assert whole.end is not None
    assert [row[:3] for row in whole.end.fills] == [("BTC/USDT", "BUY", "99.80000")]
    assert {row[2] for row in whole.end.orders} == {"LIMIT", "STOP"}
    assert whole.end.positions["BTC/USDT"] > 0


@pytest.mark.parametrize("strategy", ["ladder", "dealer", "trender"])
def test_a_crash_at_any_step_and_another_in_the_recovery_change_no_end(strategy: str) -> None:
    found = explore(scenario(strategy), Share(every=43, offset=5, second_every=53))
    assert [str(each) for each in found.violations] == []
    assert found.first >= found.steps // 43
    assert found.second > 0


def test_each_thing_that_a_crash_may_leave_is_tried() -> None:
    seen = scenario("trender")
    whole = play(seen)
    left = [play(seen, [Crash(step)]) for step in range(50, 62, 3)]
    assert {each.lives[0].had_pending for each in left} == {True, False}
    torn = next(each for each in left if each.lives[0].had_pending)
    step = torn.lives[0].steps
    found = {play(seen, [Crash(step, leave)], whole).lives[1].found for leave in Leave}
    assert len(found) == len(Leave)


def test_an_operator_says_again_what_was_not_answered() -> None:
    halted = scenario("dealer", Word(80, "panic"))
    whole = play(halted)
    assert whole.end is not None
    assert (whole.end.halt, whole.end.positions["BTC/USDT"], whole.end.orders) == ("AWAIT_ACK", ZERO, {})
    found = explore(halted, Share(every=29, offset=2, second_every=0))
    assert [str(each) for each in found.violations] == []


def test_a_process_that_ends_as_told_is_crashed_in_both_of_its_lives() -> None:
    ended = scenario("ladder", Shutdown(80))
    whole = play(ended)
    assert [life.steps > 20 for life in whole.lives] == [True, True]
    found = explore(ended, Share(every=31, offset=1, second_every=0))
    assert found.steps == sum(life.steps for life in whole.lives)
    assert [str(each) for each in found.violations] == []


def test_what_others_do_and_a_lost_connection_belong_to_a_scenario() -> None:
    whole = play(scenario("ladder", Offline(70, 8), ByHand(30, "BTC/USDT", Decimal("0.5"))))
    assert whole.failure == ""
    assert whole.end is not None
    assert {row[2:] for row in whole.end.fills} >= {("100.0", "0.5")}
    assert any("link_lost" in line for line in whole.events)


# -- what it finds ------------------------------------------------------------------------------------------


def test_an_order_that_nobody_looks_for_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Aligning, "_ask", lambda *_: None)
    found = explore(scenario("dealer"), Share(every=17, offset=2, second_every=0))
    assert found.violations
    assert "at step" in str(found.violations[0])


def test_another_end_is_a_violation_unless_the_scenario_allows_it() -> None:
    """The price is back before the second process is there: it asks for its plan at another price."""
    prices = ((0, 100.0), (6, 98.5))
    early = Scenario("early", config("ladder"), prices, 75, has_stops=True)
    share = Share(every=12, offset=9, second_every=0)
    assert "the end is another one" in str(explore(early, share).violations[0])

    def anything(whole: End, end: End) -> bool:
        return whole.halt == end.halt

    allowing = Scenario("early", config("ladder"), prices, 75, has_stops=True, allows=anything)
    found = explore(allowing, share)
    assert (found.violations, found.other_ends > 0) == ([], True)


def test_a_halt_that_a_crash_ends_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    halted = scenario("dealer", Word(80, "panic"))
    steps = play(halted).lives[0].steps
    monkeypatch.setattr(Halting, "is_on", property(lambda _: False))
    assert "I14" in play(halted, [Crash(steps - 1)]).failure


# -- the command --------------------------------------------------------------------------------------------


def test_an_unknown_scenario_is_refused_with_those_that_there_are() -> None:
    done = CliRunner().invoke(traderagent, ["faults", "crash", "grid-star"])
    assert done.exit_code == 2
    assert "grid-start" in done.output
