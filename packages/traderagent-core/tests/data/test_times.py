import numpy as np
import pytest
from traderagent_core.data.times import epoch_to_ms, iso, parse_time_ms, text_to_ms
from traderagent_core.errors import DataError

NEW_YEAR_MS = 1_704_067_200_000


@pytest.mark.parametrize(
    "text",
    [
        "2024-01-01",
        "2024-01-01T00:00",
        "2024-01-01 00:00:00Z",
        "2024-01-01T02:00+02:00",
        "1704067200",
        "1704067200000",
    ],
)
def test_time_by_hand_in_any_usual_way(text: str) -> None:
    assert parse_time_ms(text) == NEW_YEAR_MS


@pytest.mark.parametrize("text", ["yesterday", "01.02.2024", "17", ""])
def test_time_by_hand_that_cannot_be_read_is_told(text: str) -> None:
    with pytest.raises(DataError, match=f"{text!r}"):
        parse_time_ms(text)


@pytest.mark.parametrize("factor", [1, 1000, 1_000_000, 1_000_000_000])
def test_unit_of_epoch_is_told_by_size(factor: int) -> None:
    values = np.array([NEW_YEAR_MS // 1000, NEW_YEAR_MS // 1000 + 60]) * factor
    assert epoch_to_ms(values, str).tolist() == [NEW_YEAR_MS, NEW_YEAR_MS + 60_000]


def test_part_of_a_millisecond_is_not_rounded_away() -> None:
    values = np.array([NEW_YEAR_MS * 1000, NEW_YEAR_MS * 1000 + 1])
    with pytest.raises(DataError, match="row 1: time 1704067200000001 is not a whole millisecond"):
        epoch_to_ms(values, lambda row: f"row {row}")


def test_dates_with_zone_make_no_note() -> None:
    notes: list[str] = []
    assert text_to_ms(["2024-01-01T00:00:00-05:00"], str, notes).tolist() == [NEW_YEAR_MS + 5 * 3_600_000]
    assert notes == []


def test_iso_shows_seconds_only_where_there_are_any() -> None:
    assert iso(NEW_YEAR_MS) == "2024-01-01T00:00Z"
    assert iso(NEW_YEAR_MS + 1) == "2024-01-01T00:00:00.001Z"
