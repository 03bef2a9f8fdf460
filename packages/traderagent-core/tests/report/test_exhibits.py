"""Tables and drawings of plugins, and positions, in the files and on the page of a result."""

import csv
import json
import re
from decimal import Decimal as D

import pytest
from attrs import evolve
from traderagent_core.contract.exhibit import Band, Column, Exhibit, Layer, Line, Mark, Table
from traderagent_core.contract.history import RoundTrip
from traderagent_core.model.timeframe import MINUTE_MS
from traderagent_core.report.bars import bars, latest_bars
from traderagent_core.report.chartdata import charts
from traderagent_core.report.html import render
from traderagent_core.report.layers import drawn_layer
from traderagent_core.report.positions import excursions, spans
from traderagent_core.report.result import result_of
from traderagent_core.report.segments import AVERAGE, STOP, TARGET, level_prices, trip_prices
from traderagent_core.simulator.outcome import LevelRow, Shown, Study

BTC = "BTC/USDT"
START_MS = 1_704_067_200_000


class Told(Study):
    """A study with given parts."""

    def __init__(self, exhibits=(), round_trips=(), warnings=()):
        self._exhibits, self._round_trips, self._warnings = exhibits, round_trips, warnings

    @property
    def exhibits(self):
        return self._exhibits

    @property
    def round_trips(self):
        return self._round_trips

    @property
    def warnings(self):
        return self._warnings


def at(minutes):
    return START_MS + minutes * MINUTE_MS


def trip(number=1, opened=10, closed=20, **changes):
    made = RoundTrip(
        bot="grid",
        symbol=BTC,
        number=number,
        plan="deal",
        asked_ms=at(opened) - 1,
        evidence={},
        is_long=True,
        opened_ms=at(opened),
        closed_ms=None if closed is None else at(closed),
        reason="" if closed is None else "take_profit",
        entries=2,
        quantity=D(2),
        invested=D(200),
        entry_price=D(100),
        exit_price=None if closed is None else D(110),
        gross_profit=D(20),
        fees=D(1),
        funding=D(0),
        mfe=D(12),
        mae=D(5),
        averages=((at(opened), D(101)), (at(opened + 3), D(100))),
        stops=((at(opened), D(90)), (at(opened + 5), D(95)), (at(opened + 7), None)),
    )
    return evolve(made, **changes)


TABLE = Table(
    "deals",
    "Deals",
    (
        Column("begin", "Begin", "time"),
        Column("net", "Net", "money"),
        Column("won", "Won"),
        Column("rate", "Rate", "ratio"),
    ),
    [(at(0), D("1.50"), True, 0.5), (at(1), D(1) / D(3), False, None)],
    "All of them.",
)


def shown(*layers, tables=(TABLE,)):
    return Shown("grid", "strategy", "grid", Exhibit(tables, layers))


def page_data(outcome):
    text = render(result_of(outcome))
    return json.loads(
        re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)[1]
    )


# -- for programs -------------------------------------------------------------------------------------------


def test_tables_of_plugins_are_in_the_result_by_name(make_outcome):
    outcome = make_outcome()
    outcome.study = Told([shown()], warnings=["what is missing"])
    content = json.loads(result_of(outcome).to_json())
    [exhibit] = content["exhibits"]
    assert (exhibit["owner"], exhibit["kind"], exhibit["plugin"]) == ("grid", "strategy", "grid")
    table = exhibit["tables"]["deals"]
    assert table["columns"][1] == {"name": "net", "title": "Net", "kind": "money"}
    assert table["rows"] == [
        {"begin": "2024-01-01T00:00:00Z", "net": "1.50", "won": True, "rate": 0.5},
        {"begin": "2024-01-01T00:01:00Z", "net": "0.33333333333333333333", "won": False, "rate": None},
    ]
    assert content["warnings"][-1] == "what is missing"


def test_drawings_are_written_whole(make_outcome, tmp_path):
    outcome = make_outcome()
    layer = Layer("Zones", BTC, bands=(Band(at(1), at(2), 1.0, 2.0, "up", "a zone"),), timeframe="1h")
    outcome.study = Told([shown(layer)])
    result_of(outcome).write(tmp_path)
    [written] = json.loads((tmp_path / "drawings.json").read_text())
    assert (written["owner"], written["title"], written["timeframe"]) == ("grid", "Zones", "1h")
    assert written["bands"] == [
        {"from_ms": at(1), "to_ms": at(2), "low": 1.0, "high": 2.0, "tone": "up", "text": "a zone"}
    ]


def test_positions_have_a_file(make_outcome, tmp_path):
    outcome = make_outcome()
    outcome.study = Told(round_trips=[trip(), trip(2, 30, None)])
    result_of(outcome).write(tmp_path)
    first, second = csv.DictReader((tmp_path / "positions.csv").read_text().splitlines())
    assert (first["opened"], first["closed"]) == ("2024-01-01T00:10:00Z", "2024-01-01T00:20:00Z")
    assert (first["net"], first["mfe_ratio"], first["mae_ratio"]) == ("19", "0.12", "0.05")
    assert second["closed"] == second["exit"] == ""


def test_a_row_that_does_not_fit_its_columns_is_refused():
    with pytest.raises(ValueError, match="table 'deals' has 4 columns, but a row of 1 cells"):
        evolve(TABLE, rows=[(1,)])


# -- on the page --------------------------------------------------------------------------------------------


def test_tables_are_on_the_page_before_those_of_the_run(make_outcome):
    outcome = make_outcome()
    outcome.study = Told([shown()], [trip()])
    tables = page_data(outcome)["tables"]
    assert [table["name"] for table in tables] == ["deals", "trades"]
    assert tables[0]["columns"] == [["Begin", "time"], ["Net", "money"], ["Won", "text"], ["Rate", "ratio"]]
    assert tables[0]["rows"] == [[at(0) // 1000, 1.5, True, 0.5], [at(1) // 1000, 0.3333333333, False, None]]


def test_positions_of_a_bot_that_shows_no_table_have_one(make_outcome):
    outcome = make_outcome()
    outcome.study = Told([shown(tables=())], [trip()])
    assert [table["name"] for table in page_data(outcome)["tables"]] == ["positions", "trades"]


def test_long_tables_leave_short_ones_whole(make_outcome):
    outcome = make_outcome(fills=0)
    many = evolve(TABLE, name="many", rows=[(at(i), D(i), True, 0.1) for i in range(5000)])
    outcome.study = Told([shown(tables=(many, TABLE, evolve(many, name="more")))])
    tables = page_data(outcome)["tables"]
    assert [(len(table["rows"]), table["total"]) for table in tables] == [(1499, 5000), (2, 2), (1499, 5000)]
    assert tables[0]["rows"][-1][1] == 4999.0


def test_averages_stops_and_targets_are_lines_of_their_kind():
    levels = [
        LevelRow("grid", BTC, "SELL", D(110), at(10), at(13), "TAKE_PROFIT"),
        LevelRow("grid", BTC, "SELL", D(90), at(10), at(13), "STOP_LOSS"),
    ]
    found = sorted([*(price for _, price in level_prices(levels)), *trip_prices([trip()], at(99))])
    assert found == [
        (TARGET, 110.0, at(10), at(13)),
        (STOP, 90.0, at(10), at(15)),
        (STOP, 95.0, at(15), at(17)),
        (AVERAGE, 100.0, at(13), at(20)),
        (AVERAGE, 101.0, at(10), at(13)),
    ]


def test_a_position_spans_its_bars_and_an_open_one_reaches_the_end(make_outcome):
    drawn = bars(make_outcome(count=100, fills=0).candles[BTC], 100)
    first, second = spans([trip(), trip(2, 30, None)], drawn, drawn.end_ms, 10)
    assert first[:6] == [9, 19, 1, 100.0, 110.0, 19.0]
    assert second[:5] == [29, 99, 1, 100.0, None]
    assert [span[8] for span in spans([trip(n, n, n + n) for n in range(1, 9)], drawn, 0, 3)] == [6, 7, 8]


def test_excursions_are_in_per_cent_and_the_widest_of_a_bar(make_outcome):
    drawn = bars(make_outcome(count=100, fills=0).candles[BTC], 100)
    trips = [trip(), trip(2, 10, 20, mfe=D(30), mae=D(1), fees=D(3)), trip(3, 30, None)]
    assert excursions(trips, drawn) == [[19, 30.0, 5.0, 9.0]]


def layer_of(count, **changes):
    bands = [Band(at(10 * i), at(10 * i + i), 1.0, 2.0, text=f"zone {i % 3}") for i in range(count)]
    return evolve(Layer("Zones", BTC, bands=bands), **changes)


def test_a_layer_keeps_its_longest_parts_and_counts_the_others(make_outcome):
    drawn = bars(make_outcome(count=300, fills=0).candles[BTC], 300)
    found = drawn_layer(layer_of(20), drawn, 5)
    assert [band[:2] for band in found["bands"]] == [[10 * i - 1, 11 * i - 1] for i in range(15, 20)]
    assert (found["total"], found["left_out"]) == (19, 14)
    assert [found["texts"][band[-1]] for band in found["bands"]] == [f"zone {i % 3}" for i in range(15, 20)]


def test_only_what_lies_on_a_chart_is_drawn(make_outcome):
    candles = make_outcome(count=300, fills=0).candles[BTC]
    drawn = latest_bars(candles, MINUTE_MS, 100)
    line = Line(((at(10), 1.0), (at(250), 2.0)), "bad", "dashed", "up", "told")
    layer = Layer(
        "All", BTC, layer_of(30).bands, (line,), (Mark(at(199), 1.0), Mark(at(201), 1.0, label="A"))
    )
    found = drawn_layer(layer, drawn, 100)
    assert len(found["bands"]) == sum(band.to_ms > at(200) for band in layer.bands)
    [(points, tone, stroke, label, _)] = found["lines"]
    assert (points, tone, stroke, label) == ([[0, 1.0], [49, 2.0]], 4, 1, "up")
    assert [mark[4] for mark in found["marks"]] == ["A"]


def test_layers_of_a_timeframe_are_on_charts_of_it_and_offered_on_finer_ones(make_outcome):
    outcome = make_outcome(count=30_000, fills=0)
    outcome.study = Told([shown(layer_of(5), layer_of(5, timeframe="5m"), layer_of(5, timeframe="1m"))])
    drawn = charts(outcome)["symbols"][0]["charts"]
    assert [chart["timeframe"] for chart in drawn] == ["15m", "5m", "1m"]
    on = [[(layer["timeframe"], layer["on"]) for layer in chart["layers"]] for chart in drawn]
    assert on == [
        [(None, True)],
        [(None, True), ("5m", True)],
        [(None, True), ("5m", False), ("1m", True)],
    ]


def test_a_page_full_of_drawings_stays_small(make_outcome):
    outcome = make_outcome(count=200_000, fills=4000, balance="9000000")
    told = "zone {} of many that have a text"
    bands = [
        Band(at(10 * i), at(10 * i + 90), 29_000.5, 30_000.25, text=told.format(i)) for i in range(20_000)
    ]
    many = [Layer(name, BTC, bands=bands, timeframe=name) for name in ("4h", "1h", "15m", "5m")]
    rows = [(at(i), D(i) / D(7), True, 0.1234567891) for i in range(20_000)]
    outcome.study = Told(
        [shown(*many, tables=(evolve(TABLE, rows=rows),))],
        [trip(number, number * 40, number * 40 + 30) for number in range(1, 4900)],
    )
    assert len(render(result_of(outcome)).encode()) < 2_000_000
