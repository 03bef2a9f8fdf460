"""Grid, DCA and trend crash at steps of their scenarios, and again in the recovery: the end stays the same.

The ordinary tests take a fixed share of the steps; `traderagent faults crash` takes all of them.
"""

from decimal import Decimal
from typing import Any

import pytest
from click.testing import CliRunner
from traderagent_core.cli.main import traderagent
from traderagent_core.live.aligning import Aligning
from traderagent_core.testing.faults.crash import Crash, Leave
from traderagent_core.testing.faults.exploring import Share, explore, play
from traderagent_core.testing.faults.scenarios import SCENARIOS
from traderagent_core.testing.faults.wire import Wire

EVERY, SECOND_EVERY = 61, 37
"""About fifty steps of all scenarios together, and as many in the recoveries, each with what it may leave."""

ENDS = {
    "grid-start": ("0", 4, 0),
    "counter-order": ("0", 4, 2),
    "trailing-shift": ("-1.941", 5, 2),
    "dca-ladder": ("3.030", 3, 3),
    "take-profit": ("0", 0, 3),
    "stop-loss": ("0", 0, 5),
    "trend-entry": ("87.719", 2, 1),
    "stop-move": ("0", 0, 2),
    "transition": ("1.020", 5, 1),
    "forced-transition": ("1.001", 5, 3),
    "halt": ("0", 0, 3),
    "acknowledge": ("1.000", 5, 3),
    "reconcile": ("0.500", 4, 3),
    "reload": ("1.020", 7, 1),
    "shutdown": ("2.061", 5, 2),
    "stop": ("1.000", 1, 1),
}
"""Position, and numbers of open orders and of fills, at the end of each."""


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_does_what_it_is_named_for(name: str) -> None:
    whole = play(SCENARIOS[name]())
    assert whole.failure == "", "\n".join(whole.events)
    assert whole.end is not None
    ((_, held),) = whole.end.positions.items()
    position, orders, fills = ENDS[name]
    assert (held, whole.end.orders.total(), whole.end.fills.total()) == (Decimal(position), orders, fills)
    assert whole.end.halt == ("AWAIT_ACK" if name == "halt" else "")
    if "transition" in name:
        assert whole.end.owners == {"bot": "bot:dca"}


def test_an_edit_that_a_start_finds_waits_for_a_present_price() -> None:
    """By the last price in the journal the grid would buy a level at once."""
    reload = SCENARIOS["reload"]()
    whole = play(reload)
    steps = [play(reload, [Crash(step, Leave.POWER_CUT)], whole) for step in range(108, 117)]
    assert [each.failure for each in steps] == [""] * 9
    assert all(any("configuration_reloaded" in event for event in each.events) for each in steps)


def test_a_timer_of_a_close_waits_for_its_candle() -> None:
    """After both crashes DCA looks at the next close; before its candle it would find an old price, for ever."""
    forced = SCENARIOS["forced-transition"]()
    crashes = [Crash(198), Crash(42, Leave.POWER_CUT)]
    assert play(forced, crashes, play(forced)).failure == ""


@pytest.mark.parametrize(("place", "name"), list(enumerate(SCENARIOS)))
def test_a_crash_and_another_in_the_recovery_change_no_end(place: int, name: str) -> None:
    found = explore(SCENARIOS[name](), Share(EVERY, 11 * place % EVERY, SECOND_EVERY))
    assert [str(each) for each in found.violations] == []
    assert found.first > 0


def test_the_command_tells_what_was_tried() -> None:
    arguments = [
        "faults",
        "crash",
        "grid-start",
        "stop",
        "--every",
        "50",
        "--second-every",
        "0",
        "--jobs",
        "2",
    ]
    done = CliRunner().invoke(traderagent, arguments)
    assert done.exit_code == 0, done.output
    header, *rows = [line.split() for line in done.output.splitlines()]
    assert header[:4] == ["scenario", "steps", "crashes", "second"]
    assert [row[0] for row in rows] == ["grid-start", "stop"]
    assert all(int(row[2]) >= int(row[1]) // 50 and row[3] == "0" for row in rows)


# -- what crashes have found --------------------------------------------------------------------------------


def test_a_stop_that_had_not_left_when_the_process_died_is_sent_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its absence is proved 20 s later; a position may be without a stop for 10 s."""
    scenario = SCENARIOS["counter-order"]()
    whole = play(scenario)
    step = _step_of_the_stop(monkeypatch)
    outcome = play(scenario, [Crash(step)], whole)
    assert outcome.failure == "", "\n".join(outcome.events)
    monkeypatch.setattr(Aligning, "_ask", lambda aligning, request: aligning.resolver.ask(request))
    assert "I5" in play(scenario, [Crash(step)], whole).failure


def _step_of_the_stop(monkeypatch: pytest.MonkeyPatch) -> int:
    """The step at which the first stop leaves, in the scenario `counter-order`."""
    found: list[int] = []
    with monkeypatch.context() as patched:
        write = Wire.write

        async def note(wire: Any, order: Any, arrive: Any) -> Any:
            if order.is_stop and not found:
                found.append(wire._step.__self__.steps + 1)
            return await write(wire, order, arrive)

        patched.setattr(Wire, "write", note)
        play(SCENARIOS["counter-order"]())
    return found[0]


@pytest.mark.parametrize("lost", ["request", "reply"])
def test_a_stop_without_an_answer_is_sent_again_before_it_is_looked_for(
    lost: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    travel, write, stops = Wire._travel, Wire.write, []

    async def note(wire: Any, order: Any, arrive: Any) -> Any:
        stops.append(order.is_stop and order.text.startswith("submit"))
        return await write(wire, order, arrive)

    def lose(wire: Any, reply: Any, arrive: Any) -> None:
        is_first_stop = stops.count(True) == 1 and stops[-1]
        if not is_first_stop:
            travel(wire, reply, arrive)
        elif lost == "reply":
            arrive()

    monkeypatch.setattr(Wire, "write", note)
    monkeypatch.setattr(Wire, "_travel", lose)
    outcome = play(SCENARIOS["counter-order"]())
    assert outcome.failure == "", "\n".join(outcome.events)
    assert stops.count(True) == (2 if lost == "request" else 1), "the stream has told of it"
    monkeypatch.setattr("traderagent_core.live.outbox.protects", lambda _: False)
    stops.clear()
    assert ("I5" in play(SCENARIOS["counter-order"]()).failure) is (lost == "request")
