"""drawings.json and the tables in result.json: whole while they are small, bounded however long the run."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from traderagent_core import Band, Column, Exhibit, Layer, Line, Mark, Table
from traderagent_core.report.digits import fair_limit
from traderagent_core.report.drawings import drawings_json
from traderagent_core.report.shown_tables import exhibit_dicts
from traderagent_core.simulator.outcome import Shown

BANDS = [Band(0, length, 1.0, 2.0, "up", f"{length} ms") for length in (30, 10, 20)]
LINE = Line(((0, 1.0), (5, 2.0)), label="BOS")
MARKS = [Mark(time_ms, 1.5, "square") for time_ms in range(4)]
FULL = Layer("Zones", "BTC/USDT", BANDS, [LINE], MARKS, timeframe="1h")
SMALL = Layer("Verdicts", "ETH/USDT", marks=MARKS[:1])
SHOWN = Shown("smc", "filter", "smc", Exhibit(layers=(FULL, SMALL)))


def drawn(limit: int) -> list[dict]:
    return json.loads(drawings_json([SHOWN], limit=limit))


def test_every_part_is_told_while_there_are_few() -> None:
    full, small = drawn(9)
    assert full["bands"][0] == {
        "from_ms": 0,
        "to_ms": 30,
        "low": 1.0,
        "high": 2.0,
        "tone": "up",
        "text": "30 ms",
    }
    assert full["lines"][0]["points"] == [[0, 1.0], [5, 2.0]]
    assert [len(full[kind]) for kind in ("bands", "lines", "marks")] == [3, 1, 4]
    assert (full["owner"], full["timeframe"], full["left_out"]) == ("smc", "1h", 0)
    assert (small["symbol"], small["left_out"], len(small["marks"])) == ("ETH/USDT", 0, 1)


def test_of_many_parts_the_longest_and_the_latest_stay_and_the_others_are_counted() -> None:
    full, small = drawn(7)
    assert [band["to_ms"] for band in full["bands"]] == [30, 10, 20]
    assert [mark["time_ms"] for mark in full["marks"]] == [2, 3]
    assert (full["left_out"], small["left_out"]) == (2, 0)
    (full, _) = drawn(3)
    assert [band["to_ms"] for band in full["bands"]] == [30, 20]
    assert (full["lines"], full["marks"], full["left_out"]) == ([], [], 6)


@pytest.mark.parametrize(("limit", "rows"), [(10, [0, 1, 2, 3]), (4, [1, 2, 3]), (0, [])])
def test_of_many_rows_the_latest_stay_and_all_are_counted(limit: int, rows: list[int]) -> None:
    columns = (Column("number", "No", "count"),)
    tables = (
        Table("long", "Long", columns, [(n,) for n in range(4)]),
        Table("short", "Short", columns, [(0,)]),
    )
    (found,) = exhibit_dicts([Shown("one", "strategy", "probe", Exhibit(tables))], limit=limit)
    assert [row["number"] for row in found["tables"]["long"]["rows"]] == rows
    assert found["tables"]["long"]["total"] == 4


@given(st.lists(st.integers(0, 50), max_size=8), st.integers(0, 200))
def test_a_fair_limit_keeps_to_the_total_and_cuts_nobody_without_need(lengths: list[int], total: int) -> None:
    limit = fair_limit(lengths, total)
    assert sum(min(length, limit) for length in lengths) <= total
    if sum(lengths) <= total:
        assert all(length <= limit for length in lengths)
    else:
        assert sum(min(length, limit + 1) for length in lengths) > total
