"""The detectors reproduce the expected outputs of the development set exactly, and know nothing of the future."""

import csv
import gzip
import os
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from attrs import evolve
from traderagent_core import Candles
from traderagent_smc.records import Records, find_all
from traderagent_smc.settings import CLOSE, WICK, LifeRules, Settings
from traderagent_smc.zones import BLOCK, GAP, Zone

FOLDER = Path(os.environ.get("TRADERAGENT_DATA", "")) / "smc"
SERIES = {"goog_1d": "1d", "xrpusdt_4h": "4h", "btcusdt_15m": "15m"}
CASES = [("goog_1d", 5), ("goog_1d", 10), ("xrpusdt_4h", 10), ("xrpusdt_4h", 50), ("btcusdt_15m", 10)]
CUTS = (0.31, 0.77)
FOREVER = LifeRules(max_touches=0, least_decay=0.0, dead_kept=1_000_000)
AGELESS = LifeRules(least_decay=0.0, dead_kept=1_000_000)

Row = tuple[Any, ...]

needs_data = pytest.mark.skipif(not FOLDER.is_dir(), reason="TRADERAGENT_DATA has no folder smc")
pytestmark = [pytest.mark.data, needs_data]


def read(path: str) -> list[dict[str, str]]:
    with gzip.open(FOLDER / path, "rt") as file:
        return list(csv.DictReader(file))


def number(text: str) -> float | None:
    """A cell as a number; None where it is empty."""
    return float(text) if text else None


@cache
def series(name: str) -> Candles:
    rows = read(f"{name}/input.csv.gz")
    times = [datetime.fromisoformat(row["time"]).replace(tzinfo=UTC).timestamp() * 1000 for row in rows]
    columns = (
        np.array([float(row[column]) for row in rows])
        for column in ("open", "high", "low", "close", "volume")
    )
    return Candles("X/USD", SERIES[name], np.array(times, dtype=np.int64), *columns)


@cache
def found(name: str, length: int, cut: int | None = None, **changes: Any) -> Records:
    candles = series(name)
    settings = evolve(Settings(length, life=FOREVER), **changes)
    return find_all(candles if cut is None else candles[:cut], settings)


def tolerance(name: str, length: int) -> float:
    return float(read(f"{name}/L{length}/liquidity.csv.gz")[0]["tolerance"])


def swing_rows(name: str, length: int, cut: int | None = None) -> list[Row]:
    swings = found(name, length, cut).swings
    return [(s.idx, s.direction, s.level, s.confirmed_at, s.superseded_at) for s in swings]


def live_rows(name: str, length: int, cut: int | None = None) -> list[Row]:
    rows = []
    for mode in (CLOSE, WICK):
        breaks = found(name, length, cut, close_break=mode == CLOSE).breaks
        rows += [(mode, b.at, b.kind, b.direction, b.swing_idx, b.level) for b in breaks]
    return rows


def pattern_rows(name: str, length: int, cut: int | None = None) -> list[Row]:
    rows = []
    for mode in (CLOSE, WICK):
        events = found(name, length, cut, close_break=mode == CLOSE).patterns
        rows += [
            (
                mode,
                e.kind,
                e.direction,
                e.swing_idx,
                e.level,
                e.broken_at,
                e.formed_at,
                e.known_at,
                e.withdrawn_at,
            )
            for e in events
        ]
    return rows


def block_rows(name: str, length: int, cut: int | None = None) -> list[Row]:
    rows: list[Row] = []
    for lookback in (0, 50):
        by_wick = found(name, length, cut, order_block_lookback=lookback)
        life = evolve(FOREVER, mitigation=CLOSE)
        by_close = found(name, length, cut, order_block_lookback=lookback, life=life)
        zones = zip(zones_of(by_wick, BLOCK), zones_of(by_close, BLOCK), strict=True)
        for block, (wick, close) in zip(by_wick.blocks, zones, strict=True):
            rows.append(
                (
                    lookback,
                    block.direction,
                    block.idx,
                    block.top,
                    block.bottom,
                    block.formed_at,
                    block.swing_idx,
                    wick.dead_at,
                    close.dead_at,
                )
            )
    return rows


def pool_rows(name: str, length: int, cut: int | None = None) -> list[Row]:
    pools = found(name, length, cut, liquidity_tolerance=tolerance(name, length)).pools
    return [
        (
            p.direction,
            p.first_idx,
            p.level,
            p.members,
            p.end_idx,
            p.tolerance,
            p.known_at,
            p.withdrawn_at,
            p.swept_at,
        )
        for p in pools
    ]


def gap_rows(name: str, cut: int | None = None) -> list[Row]:
    zones = zones_of(found(name, 10, cut), GAP)
    return [
        (
            z.idx,
            z.direction,
            z.top,
            z.bottom,
            z.known_at,
            z.reached_at,
            z.half_at,
            z.filled_at,
            100.0 * z.fill,
        )
        for z in zones
    ]


def touch_rows(kind: str, name: str, length: int = 10, cut: int | None = None) -> list[Row]:
    zones = zones_of(found(name, length, cut, life=AGELESS), kind)
    return [
        (
            z.direction,
            z.idx,
            z.top,
            z.bottom,
            z.known_at,
            *(*z.touched_at, None, None)[:2],
            z.dead_at,
            z.cause or "alive",
        )
        for z in zones
    ]


def zones_of(records: Records, kind: str) -> list[Zone]:
    return [zone for zone in records.zones if zone.kind == kind]


def expected(path: str, *columns: str) -> list[Row]:
    words = ("break", "kind", "dead_reason")
    return [tuple(row[c] if c in words else number(row[c]) for c in columns) for row in read(path)]


def assert_same(got: list[Row], wanted: list[Row], within: float = 1e-9) -> None:
    """Equal rows in any order: prices within a tolerance, all else equal."""
    assert len(got) == len(wanted)
    for mine, theirs in zip(sorted(got, key=order), sorted(wanted, key=order), strict=True):
        assert all(map(partial(is_equal, within), mine, theirs)), (mine, theirs)


def order(row: Row) -> tuple[str, ...]:
    return tuple(f"{cell:.6f}" if isinstance(cell, int | float) else str(cell) for cell in row)


def is_equal(within: float, mine: Any, theirs: Any) -> bool:
    if isinstance(mine, float) and isinstance(theirs, float):
        return abs(mine - theirs) <= within
    return bool(mine == theirs)


@pytest.mark.parametrize(("name", "length"), CASES)
def test_swings_are_those_expected(name: str, length: int) -> None:
    columns = ("idx", "type", "level", "confirmed_at", "superseded_at")
    assert_same(swing_rows(name, length), expected(f"{name}/L{length}/swings.csv.gz", *columns))


@pytest.mark.parametrize(("name", "length"), CASES)
def test_live_structure_is_that_expected(name: str, length: int) -> None:
    columns = ("break", "at", "kind", "dir", "swing_idx", "level")
    assert_same(live_rows(name, length), expected(f"{name}/L{length}/structure_live.csv.gz", *columns))


@pytest.mark.parametrize(("name", "length"), CASES)
def test_pattern_structure_is_that_expected(name: str, length: int) -> None:
    columns = (
        "break", "kind", "dir", "swing_idx", "level", "broken_at", "formed_at", "known_at", "withdrawn_at",
    )  # fmt: skip
    assert_same(pattern_rows(name, length), expected(f"{name}/L{length}/structure_pattern.csv.gz", *columns))


@pytest.mark.parametrize(("name", "length"), CASES)
def test_order_blocks_are_those_expected(name: str, length: int) -> None:
    columns = (
        "lookback", "dir", "idx", "top", "bottom", "formed_at", "swing_idx", "mitigated_wick_at",
        "mitigated_close_at",
    )  # fmt: skip
    assert_same(block_rows(name, length), expected(f"{name}/L{length}/order_blocks.csv.gz", *columns))


@pytest.mark.parametrize(("name", "length"), CASES)
def test_pools_are_those_expected(name: str, length: int) -> None:
    columns = (
        "dir", "first_idx", "level", "members", "end_idx", "tolerance", "known_at", "withdrawn_at", "swept_at",
    )  # fmt: skip
    assert_same(pool_rows(name, length), expected(f"{name}/L{length}/liquidity.csv.gz", *columns))


@pytest.mark.parametrize("name", SERIES)
def test_gaps_and_their_fill_are_those_expected(name: str) -> None:
    columns = (
        "idx", "dir", "top", "bottom", "known_at", "touched_at", "half_at", "filled_at", "fill_pct_end",
    )  # fmt: skip
    # The share of the fill is written with six digits.
    assert_same(gap_rows(name), expected(f"{name}/fvg.csv.gz", *columns), within=1e-6)


TOUCH_COLUMNS = (
    "dir", "idx", "top", "bottom", "known_at", "touch1_at", "touch2_at", "dead_at", "dead_reason",
)  # fmt: skip


@pytest.mark.parametrize("name", SERIES)
def test_touches_of_gaps_are_those_expected(name: str) -> None:
    assert_same(touch_rows(GAP, name), expected(f"{name}/fvg_touches.csv.gz", *TOUCH_COLUMNS))


@pytest.mark.parametrize(("name", "length"), CASES)
def test_touches_of_order_blocks_are_those_expected(name: str, length: int) -> None:
    path = f"{name}/L{length}/ob_touches.csv.gz"
    assert_same(touch_rows(BLOCK, name, length), expected(path, *TOUCH_COLUMNS))


def known_by(cut: int, rows: list[Row], at: int, later: tuple[int, ...]) -> list[Row]:
    """The rows known before a cut, with every later field that lies beyond it empty."""
    kept = [list(row) for row in rows if row[at] < cut]
    for row in kept:
        for place in later:
            if row[place] is not None and row[place] >= cut:
                row[place] = None
    return [tuple(row) for row in kept]


@pytest.mark.parametrize("share", CUTS)
@pytest.mark.parametrize(("name", "length"), CASES)
def test_a_cut_gives_exactly_what_was_known_by_then(name: str, length: int, share: float) -> None:
    cut = int(len(series(name)) * share)
    for rows, at, later in (
        (swing_rows, 3, (4,)),
        (live_rows, 1, ()),
        (pattern_rows, 7, (8,)),
        (block_rows, 5, (7, 8)),
    ):
        assert_same(rows(name, length, cut), known_by(cut, rows(name, length), at, later))


@pytest.mark.parametrize("share", CUTS)
@pytest.mark.parametrize("name", SERIES)
def test_a_cut_gives_the_gaps_and_touches_known_by_then(name: str, share: float) -> None:
    cut = int(len(series(name)) * share)
    gaps = [row[:8] for row in gap_rows(name, cut)]
    assert_same(gaps, known_by(cut, [row[:8] for row in gap_rows(name)], 4, (5, 6, 7)))
    for kind in (GAP, BLOCK):
        touches = [row[:8] for row in touch_rows(kind, name, cut=cut)]
        whole = [row[:8] for row in touch_rows(kind, name)]
        assert_same(touches, known_by(cut, whole, 4, (5, 6, 7)))
