"""Rows that are made when somebody looks at them, and kept where one is asked for by its place."""

import pytest
from traderagent_core.simulator.lazy_rows import LazyRows


def test_counting_makes_nothing_and_looking_makes_them_once() -> None:
    made = []

    def build() -> list[str]:
        made.append(1)
        return ["a", "b", "c"]

    rows = LazyRows(3, build)
    assert (len(rows), bool(rows), made) == (3, True, [])
    assert (rows[0], rows[-1], rows[1:], list(rows)) == ("a", "c", ["b", "c"], ["a", "b", "c"])
    assert made == [1]
    assert "b" in rows
    with pytest.raises(IndexError):
        rows[3]


def test_going_through_all_of_them_keeps_none() -> None:
    rows = LazyRows(None, lambda: ([each] for each in "ab"))
    first, second = [*iter(rows)], [*iter(rows)]
    assert first == second == [["a"], ["b"]]
    assert first[0] is not second[0]
    assert rows[0] is next(iter(rows))


def test_the_last_ones_are_had_without_the_others() -> None:
    rows = LazyRows(9, lambda: pytest.fail("all were made"), lambda count: ["b", "c"][-count:])
    assert (rows[-2:], rows[-1:]) == (["b", "c"], ["c"])
