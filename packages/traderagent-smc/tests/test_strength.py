"""The parts of a zone's strength, on numbers worked by hand."""

from math import nan

import pytest
from traderagent_smc.chart import Chart
from traderagent_smc.settings import Weights
from traderagent_smc.strength import mean_volume, merits, narrowness


def chart_of(volumes: list[float]) -> Chart:
    chart = Chart(50)
    for time, volume in enumerate(volumes):
        chart.extend([[value] for value in (time, 1.0, 1.0, 1.0, 1.0, volume)])
    return chart


def measured(volumes: list[float], atr: float = 2.0, kind: str | None = "BOS", body: float = 3.0) -> float:
    found = merits(
        chart_of(volumes),
        len(volumes) - 1,
        Weights(),
        height=4.0,
        body=body,
        volume=10.0,
        break_kind=kind,
        has_grab=False,
        atr=atr,
    )
    return found.strength(0)


def test_all_parts_add_up() -> None:
    # D 3 / (1.5 · 2) = 1, S 0.7, C 0, V 10 / (2 · 10) = 0.5, N two ATR of height = 0.5.
    assert measured([10.0] * 20) == pytest.approx(100 * (0.25 + 0.2 * 0.7 + 0.15 * 0.5 + 0.15 * 0.5))


@pytest.mark.parametrize(("kind", "share"), [("CHOCH", 1.0), ("BOS", 0.7), (None, 0.3)])
def test_structure_tells_change_of_character_from_break(kind: str | None, share: float) -> None:
    assert measured([10.0] * 20, kind=kind) == pytest.approx(100 * (0.25 + 0.2 * share + 0.15))


def test_without_volume_the_other_weights_are_scaled_up() -> None:
    wanted = 100 * (0.25 + 0.2 * 0.7 + 0.15 * 0.5) / 0.85
    assert measured([0.0] * 20) == pytest.approx(wanted)
    assert measured([10.0] * 19) == pytest.approx(wanted)


def test_without_atr_so_are_the_others() -> None:
    assert measured([10.0] * 20, atr=nan) == pytest.approx(100 * (0.2 * 0.7 + 0.15 * 0.5) / 0.6)


@pytest.mark.parametrize(("height", "share"), [(0.1, 1.0), (1.0, 1.0), (2.0, 0.5), (3.0, 0.0), (9.0, 0.0)])
def test_narrowness_falls_from_one_atr_to_three(height: float, share: float) -> None:
    assert narrowness(height) == share


def test_the_mean_volume_is_of_the_last_twenty() -> None:
    assert mean_volume(chart_of([1000.0, *[4.0] * 20]), 20) == 4.0
