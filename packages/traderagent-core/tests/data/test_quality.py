from collections.abc import Callable

import numpy as np
import pytest
from attrs import evolve
from traderagent_core.data.columns import Columns, columns_of
from traderagent_core.data.quality import QualityReport, infer_timeframe, inspect_series, mended
from traderagent_core.data.quality_checks import Severity
from traderagent_core.errors import DataError
from traderagent_core.model.candle import Candles

Market = Callable[..., Candles]
HOUR_MS = 3_600_000


def inspect(columns: Columns, timeframe: str = "1h") -> QualityReport:
    return inspect_series(columns, timeframe=timeframe, name="x.csv", place=lambda row: f"x.csv:{row + 2}")


def take(candles: Candles, rows: list[int]) -> Columns:
    return {name: column[rows] for name, column in columns_of(candles).items()}


def kinds(report: QualityReport) -> dict[str, int]:
    return {finding.kind: finding.count for finding in report.findings}


def test_sound_series_has_no_findings(market: Market) -> None:
    report = inspect(columns_of(market(jumps=0, annual_volatility=0.3)))
    assert report.findings == ()
    assert report.require_sound() is report
    assert (report.rows, report.first_ms) == (200, market().open_time[0])


def test_gap_is_told_with_its_length_and_place(market: Market) -> None:
    rows = [*range(10), *range(13, 30), *range(31, 40)]
    report = inspect(take(market(jumps=0), rows))
    assert kinds(report) == {"gap": 2}
    (finding,) = report.findings
    assert [place.found for place in finding.places] == [
        "3 candles missing before this one",
        "1 candle missing before this one",
    ]
    assert finding.places[0].where == "x.csv:12"
    assert finding.places[0].time_ms == market().open_time[13]
    assert report.is_sound


def test_identical_duplicates_are_repaired_and_told(market: Market) -> None:
    candles = market(rows=20, jumps=0)
    columns = take(candles, [0, 1, 1, 1, *range(2, 20)])
    report = inspect(columns)
    assert kinds(report) == {"identical_duplicate": 2}
    assert report.of(Severity.REPAIRED) == report.findings
    assert mended(columns)["open_time"].tolist() == candles.open_time.tolist()


def test_reversed_rows_are_turned_round_and_places_stay_those_of_the_file(market: Market) -> None:
    candles = market(rows=20, jumps=0)
    columns = take(candles, [row for row in range(19, -1, -1) if row != 5])
    report = inspect(columns)
    assert kinds(report) == {"reversed_order": 1, "gap": 1}
    gap = next(finding for finding in report.findings if finding.kind == "gap")
    assert (gap.places[0].time_ms, gap.places[0].where) == (candles.open_time[6], "x.csv:15")
    assert (np.diff(mended(columns)["open_time"]) > 0).all()


def test_conflicting_duplicate_is_refused(market: Market) -> None:
    columns = dict(take(market(rows=20, jumps=0), [0, 1, 1, *range(2, 20)]))
    columns["volume"] = columns["volume"] + np.arange(21)
    report = inspect(columns)
    assert kinds(report) == {"conflicting_duplicate": 1}
    with pytest.raises(DataError, match=r"x\.csv:4: a second row of the same time has other values"):
        report.require_sound()


def test_disorder_is_refused_at_the_row_that_goes_back(market: Market) -> None:
    report = inspect(take(market(rows=20, jumps=0), [0, 1, 3, 2, *range(4, 20)]))
    assert report.count("disorder") == 1
    assert report.findings[0].places[0].where == "x.csv:5"
    assert not report.is_sound


@pytest.mark.parametrize(
    ("column", "value", "kind"),
    [
        ("close", np.nan, "not_a_number"),
        ("volume", np.nan, "not_a_number"),
        ("high", np.inf, "not_a_number"),
        ("low", 0.0, "non_positive_price"),
        ("low", -3.0, "non_positive_price"),
        ("volume", -0.5, "negative_volume"),
        ("high", 1.0, "broken_candle"),
        ("open", 1e9, "broken_candle"),
        ("close", 1.0, "broken_candle"),
    ],
)
def test_impossible_value_is_refused(market: Market, column: str, value: float, kind: str) -> None:
    columns = {name: values.copy() for name, values in columns_of(market(rows=20, jumps=0)).items()}
    columns[column][8] = value
    report = inspect(columns)
    refused = {finding.kind: finding for finding in report.of(Severity.REFUSED)}
    assert refused[kind].count == 1
    assert refused[kind].places[0].where == "x.csv:10"


def test_report_counts_all_places_and_shows_the_first(market: Market) -> None:
    columns = {name: values.copy() for name, values in columns_of(market(rows=50)).items()}
    columns["volume"][10:40] = -1.0
    finding = inspect(columns).of(Severity.REFUSED)[0]
    assert (finding.count, len(finding.places)) == (30, 5)
    assert "(30 such places)" in str(finding)


def test_off_grid_times_are_refused(market: Market) -> None:
    columns = dict(columns_of(market(rows=20, jumps=0)))
    columns["open_time"] = columns["open_time"] + 60_000
    assert inspect(columns).count("off_grid") == 20


def test_weeks_lie_on_mondays(market: Market) -> None:
    columns = dict(columns_of(market(timeframe="1w", rows=20)))
    assert inspect(columns, "1w").count("off_grid") == 0
    columns["open_time"] = columns["open_time"] + 3 * 24 * HOUR_MS
    assert inspect(columns, "1w").count("off_grid") == 20


def test_long_silence_is_told_and_short_or_constant_silence_is_not(market: Market) -> None:
    columns = dict(columns_of(market(rows=60, jumps=0)))
    volume = columns["volume"].copy()
    volume[5:14] = 0.0
    assert inspect({**columns, "volume": volume}).count("zero_volume_run") == 0
    volume[20:32] = 0.0
    volume[40:55] = 0.0
    report = inspect({**columns, "volume": volume})
    (finding,) = (each for each in report.findings if each.kind == "zero_volume_run")
    assert [place.found for place in finding.places] == [
        "15 candles without volume from here on",
        "12 candles without volume from here on",
    ]
    assert inspect({**columns, "volume": volume * 0}).count("zero_volume_run") == 0


def test_jump_is_told_and_a_move_during_a_gap_is_not(market: Market) -> None:
    candles = market(rows=100, jumps=0, annual_volatility=0.2)
    factor = np.where(np.arange(100) < 50, 1.0, 1.5)
    names = ("open", "high", "low", "close")
    jumped = evolve(candles, **{name: getattr(candles, name) * factor for name in names})
    report = inspect(columns_of(jumped))
    assert kinds(report) == {"jump": 1}
    assert report.findings[0].places[0].time_ms == candles.open_time[50]
    assert "after a close of" in report.findings[0].places[0].found
    assert kinds(inspect(take(jumped, [*range(45), *range(50, 100)]))) == {"gap": 1}


def test_large_funding_rate_is_told_and_a_missing_one_refused() -> None:
    times = np.arange(4, dtype=np.int64) * 8 * HOUR_MS
    told = inspect({"time_ms": times, "rate": np.array([0.0001, 0.5, 0.0001, 0.0])}, "")
    assert (kinds(told), told.is_sound) == ({"jump": 1}, True)
    assert not inspect({"time_ms": times, "rate": np.array([0.0001, np.nan, 0.0001, 0.0])}, "").is_sound


def test_timeframe_is_the_most_common_step() -> None:
    times = np.array([0, 1, 2, 5, 6, 7, 20]) * 300_000
    assert infer_timeframe(times, "x.csv") == "5m"
    with pytest.raises(DataError, match="the most common step is no timeframe"):
        infer_timeframe(np.array([0, 30_000, 60_000]), "x.csv")
