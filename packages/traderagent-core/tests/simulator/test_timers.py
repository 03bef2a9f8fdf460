"""The agenda of what is due: by time, then by phase, then in the order of asking."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from traderagent_core.simulator.timers import Agenda


def run_all(agenda: Agenda) -> list[tuple[int, int]]:
    found = []
    while (due := agenda.next()) is not None:
        assert agenda.run_next() == due[0]
        found.append(due)
    return found


def test_equal_times_go_by_phase_then_by_order_of_asking() -> None:
    agenda, done = Agenda(), []
    for name, time_ms, phase in [("a", 5, 2), ("b", 5, 0), ("c", 3, 9), ("d", 5, 2), ("e", 5, 0)]:
        agenda.add(time_ms, phase, lambda _, name=name: done.append(name))  # type: ignore[misc]
    assert run_all(agenda) == [(3, 9), (5, 0), (5, 0), (5, 2), (5, 2)]
    assert done == ["c", "b", "e", "a", "d"]


def test_a_later_entry_of_a_name_replaces_the_earlier_one() -> None:
    agenda, done = Agenda(), []
    agenda.add(1, 0, lambda _: done.append("first"), ("bot", "t"))
    agenda.add(9, 0, lambda _: done.append("second"), ("bot", "t"))
    agenda.add(2, 0, lambda _: done.append("of another bot"), ("other", "t"))
    assert run_all(agenda) == [(2, 0), (9, 0)]
    assert done == ["of another bot", "second"]


def test_a_forgotten_entry_is_not_done() -> None:
    agenda = Agenda()
    agenda.add(1, 0, lambda _: None, ("bot", "t"))
    agenda.forget(("bot", "t"))
    agenda.forget(("bot", "never asked"))
    assert agenda.next() is None


def test_an_action_may_ask_for_more_at_its_own_time() -> None:
    agenda, done = Agenda(), []

    def again(time_ms: int) -> None:
        done.append(time_ms)
        if len(done) < 3:
            agenda.add(time_ms, 1, again, ("bot", "t"))

    agenda.add(4, 1, again, ("bot", "t"))
    assert run_all(agenda) == [(4, 1)] * 3
    assert done == [4, 4, 4]


ENTRY = st.tuples(
    st.sampled_from(["add", "add", "forget"]),
    st.integers(0, 5),
    st.integers(0, 2),
    st.one_of(st.none(), st.sampled_from([("a", "t"), ("a", "u"), ("b", "t")])),
)


@given(entries=st.lists(ENTRY, max_size=30))
def test_the_order_is_that_of_a_sorted_list(entries: list[Any]) -> None:
    agenda, done = Agenda(), []
    expected: list[tuple[int, int, int, Any]] = []
    for number, (what, time_ms, phase, name) in enumerate(entries):
        expected = [entry for entry in expected if name is None or entry[3] != name]
        if what == "add":
            agenda.add(time_ms, phase, lambda _, number=number: done.append(number), name)  # type: ignore[misc]
            expected.append((time_ms, phase, number, name))
        elif name is not None:
            agenda.forget(name)
    run_all(agenda)
    assert done == [number for _, _, number, _ in sorted(expected, key=lambda entry: entry[:3])]
