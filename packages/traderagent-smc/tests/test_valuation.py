"""What zones are worth at a price, over several timeframes."""

from collections.abc import Callable

import pytest
from attrs import evolve
from traderagent_core import Candles
from traderagent_smc.analysis import TimeframeAnalysis
from traderagent_smc.settings import Settings
from traderagent_smc.valuation import Valuation, value_zones
from traderagent_smc.zones import BLOCK, GAP, Merits, Zone

MERITS = Merits(fixed=0.6, confluence=0.4, known=1.0, has_grab=False)


@pytest.fixture
def analyses(walk: Callable[..., Candles]) -> list[TimeframeAnalysis]:
    """An hour and a quarter of an hour, both past their warm-up and without zones."""
    found = []
    for timeframe in ("1h", "15m"):
        analysis = TimeframeAnalysis(timeframe, Settings(3, has_zones=False))
        analysis.feed(walk(60, 1, timeframe))
        found.append(evolve_zones(analysis))
    return found


def evolve_zones(analysis: TimeframeAnalysis) -> TimeframeAnalysis:
    analysis.atr = 2.0
    return analysis


def put(analysis: TimeframeAnalysis, bottom: float, top: float, direction: int = 1, **keys: object) -> Zone:
    """A zone that has just become known."""
    number = len(analysis.book.alive) + 1
    near, far = (top, bottom) if direction > 0 else (-bottom, -top)
    now = analysis.count - 1
    defaults = {"kind": BLOCK, "known_at": now, "merits": MERITS, **keys}
    zone = Zone(
        direction=direction, idx=now, top=top, bottom=bottom, known_ms=number, near=near, far=far,
        number=number, **defaults,  # type: ignore[arg-type]
    )  # fmt: skip
    analysis.book.alive[number] = zone
    return zone


def valued(analyses: list[TimeframeAnalysis]) -> Valuation:
    return value_zones(analyses, 0.25)


def worths(analyses: list[TimeframeAnalysis]) -> list[float]:
    side = valued(analyses).bullish
    return [side.worth(placed) for placed in side.placed]


def test_overlaps_raise_the_strength_and_a_higher_timeframe_counts_twice(
    analyses: list[TimeframeAnalysis],
) -> None:
    hour, quarter = analyses
    put(hour, 90.0, 100.0)
    put(quarter, 98.0, 102.0)
    put(quarter, 102.0, 104.0)  # Only touches the one before.
    side = valued(analyses).bullish
    assert [side.overlaps(placed) for placed in side.placed] == [1.0, 2.0, 0.0]
    assert [side.strength(placed) for placed in side.placed] == pytest.approx([80.0, 100.0, 60.0])


def test_opposite_zones_add_nothing(analyses: list[TimeframeAnalysis]) -> None:
    put(analyses[0], 90.0, 100.0)
    put(analyses[0], 90.0, 100.0, -1)
    side = valued(analyses).bullish
    assert [side.overlaps(placed) for placed in side.placed] == [0.0]


def test_confidence_is_decay_times_quality(analyses: list[TimeframeAnalysis]) -> None:
    fresh = put(analyses[1], 90.0, 100.0)
    assert worths(analyses) == [pytest.approx(0.6)]
    fresh.touches = 1
    assert worths(analyses) == [pytest.approx(0.3)]
    fresh.known_at -= 40
    fresh.merits = evolve(MERITS, has_grab=True)
    half_lives = 40 / 200
    assert worths(analyses) == [pytest.approx(0.5 * 0.5**half_lives * 0.8)]


def test_a_half_filled_gap_is_a_quarter_less(analyses: list[TimeframeAnalysis]) -> None:
    put(analyses[1], 90.0, 100.0, kind=GAP, extreme=95.0)
    assert worths(analyses) == [pytest.approx(0.6 * 0.75)]


@pytest.mark.parametrize(("price", "is_near"), [(89.5, True), (89.49, False), (100.5, True), (100.51, False)])
def test_a_zone_reaches_a_quarter_atr_beyond_its_edges(
    analyses: list[TimeframeAnalysis], price: float, is_near: bool
) -> None:
    put(analyses[1], 90.0, 100.0)
    side = valued(analyses).bullish
    assert bool(side.relevant(price)) is is_near
    assert side.best([price], 0.5)[0] == [pytest.approx(0.6) if is_near else 0.5]


def test_the_best_zone_of_each_price_counts(analyses: list[TimeframeAnalysis]) -> None:
    put(analyses[1], 90.0, 100.0, merits=evolve(MERITS, fixed=0.1))
    put(analyses[1], 97.0, 99.0)
    side = valued(analyses).bullish
    confidence, used = side.best([80.0, 92.0, 98.0], 0.5)
    assert confidence == pytest.approx([0.5, 0.3, 0.8])
    assert [placed.zone.bottom for placed in used] == [97.0, 90.0]
    assert [placed.zone.bottom for placed in side.relevant(98.0)] == [97.0, 90.0]


def test_only_zones_that_hold_the_price_oppose(analyses: list[TimeframeAnalysis]) -> None:
    put(analyses[1], 90.0, 100.0, -1)
    side = valued(analyses).bearish
    assert side.strongest_around(95.0)[0] == pytest.approx(0.6)
    for price in (90.0, 100.0, 100.2):
        assert side.strongest_around(price) == (0.0, None)


def test_a_timeframe_without_enough_candles_tells_no_zones(walk: Callable[..., Candles]) -> None:
    analysis = TimeframeAnalysis("15m", Settings(10))
    analysis.feed(walk(29, 1))
    assert analysis.book.alive
    assert not valued([analysis]).bullish.placed
    analysis.feed(walk(30, 1)[29:])
    assert valued([analysis]).bullish.placed or valued([analysis]).bearish.placed
