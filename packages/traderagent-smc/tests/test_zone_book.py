"""Lives of zones: touches as entries, decay, age, and the order in which causes of death are looked at."""

from typing import Any

import pytest
from traderagent_smc.settings import CLOSE, LifeRules
from traderagent_smc.zone_book import ZoneBook
from traderagent_smc.zones import AGE, BLOCK, FILLED, GAP, MITIGATED, TOUCHES, Merits, Zone, decay, lifetime

MERITS = Merits(fixed=0.75, confluence=0.25, known=1.0, has_grab=False)
OUTSIDE = (13.0, 14.0, 12.5, 13.5)
INSIDE = (13.0, 13.5, 11.5, 12.5)


def a_zone(direction: int = 1, kind: str = BLOCK, **changes: Any) -> Zone:
    """A zone 10 … 12 (bullish) or -12 … -10 (bearish), known at candle 0."""
    top, bottom = (12.0, 10.0) if direction > 0 else (-10.0, -12.0)
    keys = {"number": 1, "known_at": 0, **changes}
    return Zone(kind, direction, 0, top, bottom, known_ms=900_000, near=12.0, far=10.0, merits=MERITS, **keys)


def live(
    zone: Zone, candles: list[tuple[float, float, float, float]], rules: LifeRules | None = None
) -> ZoneBook:
    """A zone born at the first candle lives through the others; all are mirrored when it is bearish."""
    book = ZoneBook(rules or LifeRules(least_decay=0.0))
    rows = candles if zone.direction > 0 else [(-o, -low, -h, -c) for o, h, low, c in candles]
    book.add(zone, rows[0][2], rows[0][1])
    for t, row in enumerate(rows[1:], start=1):
        book.update(t, *row)
    return book


@pytest.mark.parametrize("direction", [1, -1])
def test_the_second_entry_kills_and_staying_inside_is_one_touch(direction: int) -> None:
    zone = a_zone(direction)
    flags = [0, 0, 1, 1, 1, 0, 1]
    book = live(zone, [INSIDE if flag else OUTSIDE for flag in flags])
    assert (zone.touched_at, zone.dead_at, zone.cause) == ((2, 6), 6, TOUCHES)
    assert not book.alive
    (kept,) = book.dead
    assert (kept.kind, kept.touches, kept.dead_at, kept.cause) == (BLOCK, 2, 6, TOUCHES)


def test_being_inside_at_birth_is_no_touch() -> None:
    zone = a_zone()
    live(zone, [INSIDE, INSIDE, OUTSIDE, INSIDE])
    assert zone.touched_at == (3,)
    assert zone.dead_at is None


def test_touching_the_edge_is_not_entering() -> None:
    zone = a_zone()
    live(zone, [OUTSIDE, (13.0, 13.0, 12.0, 12.5)])
    assert (zone.touches, zone.reached_at) == (0, 1)


@pytest.mark.parametrize("direction", [1, -1])
@pytest.mark.parametrize(
    ("mitigation", "candle", "dies"),
    [
        ("wick", (11.0, 12.5, 9.9, 11.0), True),
        ("wick", (11.0, 12.5, 10.0, 11.0), False),
        (CLOSE, (11.0, 12.5, 9.0, 11.0), False),
        (CLOSE, (9.9, 12.5, 9.0, 11.0), True),
        (CLOSE, (11.0, 12.5, 9.0, 9.9), True),
    ],
)
def test_a_block_is_mitigated_beyond_its_far_edge(
    direction: int, mitigation: str, candle: tuple[float, float, float, float], dies: bool
) -> None:
    zone = a_zone(direction)
    live(zone, [OUTSIDE, candle], LifeRules(mitigation, least_decay=0.0))
    assert (zone.cause == MITIGATED) is dies
    assert zone.touches == 1


def test_mitigation_comes_before_touches() -> None:
    zone = a_zone()
    live(zone, [OUTSIDE, INSIDE, OUTSIDE, (13.0, 13.0, 9.0, 9.5)])
    assert (zone.touched_at, zone.cause) == ((1, 3), MITIGATED)


def test_a_gap_fills_and_never_empties_again() -> None:
    zone = a_zone(kind=GAP)
    live(zone, [OUTSIDE, (13.0, 13.0, 11.5, 12.5), (13.0, 14.0, 12.9, 13.5)], LifeRules("wick", 9))
    assert zone.fill == 0.25
    assert zone.half_at is None
    zone = a_zone(kind=GAP)
    live(zone, [OUTSIDE, (13.0, 13.0, 11.0, 12.5), (12.0, 12.0, 10.0, 11.0)], LifeRules("wick", 9))
    assert (zone.half_at, zone.filled_at, zone.cause, zone.fill) == (1, 2, FILLED, 1.0)


def test_decay_is_one_then_a_half_then_nothing() -> None:
    rules = LifeRules()
    assert [decay(rules, touches, 0) for touches in (0, 1, 2, 3)] == [1.0, 0.5, 0.0, 0.0]
    assert decay(rules, 0, 200) == 0.5
    assert decay(rules, 1, 400) == 0.125


def test_age_kills_at_the_first_candle_with_too_little_decay() -> None:
    rules = LifeRules(half_life=10)
    for touches in (0, 1):
        life = lifetime(rules, touches)
        assert life is not None
        assert decay(rules, touches, life) < 0.05 <= decay(rules, touches, life - 1)
    zone = a_zone()
    live(zone, [OUTSIDE] * 60, rules)
    assert (zone.dead_at, zone.cause) == (lifetime(rules, 0), AGE)


def test_a_touch_shortens_the_rest_of_the_life() -> None:
    rules = LifeRules(half_life=10)
    zone = a_zone()
    live(zone, [OUTSIDE, INSIDE, *[OUTSIDE] * 60], rules)
    assert (zone.dead_at, zone.cause) == (lifetime(rules, 1), AGE)
    late = a_zone()
    shortened = lifetime(rules, 1)
    assert shortened is not None
    live(late, [*[OUTSIDE] * (shortened + 2), INSIDE], rules)
    assert (late.dead_at, late.cause, late.touches) == (shortened + 2, AGE, 1)


def test_without_a_least_decay_nothing_dies_of_age() -> None:
    assert lifetime(LifeRules(least_decay=0.0), 0) is None


def test_only_the_last_dead_zones_are_kept() -> None:
    book = ZoneBook(LifeRules(half_life=1, dead_kept=3))
    for number in range(1, 10):
        book.add(a_zone(number=number, known_at=number), 12.5, 14.0)
        book.update(number, *OUTSIDE)
    for t in range(10, 30):
        book.update(t, *OUTSIDE)
    assert [zone.known_at for zone in book.dead] == [7, 8, 9]


def test_strength_counts_overlaps_and_a_grab_up_to_two() -> None:
    assert [MERITS.strength(n) for n in (0, 1, 2, 5)] == [75.0, 87.5, 100.0, 100.0]
    grabbed = Merits(0.75, 0.25, 1.0, has_grab=True)
    assert grabbed.strength(0) == 87.5


def test_unknown_parts_scale_the_others_up() -> None:
    assert Merits(0.6, 0.25, 0.85, has_grab=False).strength(2) == pytest.approx(100.0)
