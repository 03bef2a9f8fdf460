"""A run is retraced without a difference; what was changed on its tape is named."""

import json
from pathlib import Path
from typing import Any

import pytest
from traderagent_core import Candles
from traderagent_core.cli.main import run
from traderagent_core.live.session import MANIFEST
from traderagent_core.persistence.journal.entry import Entry, EntryKind, from_line, to_line
from traderagent_core.persistence.journal.segments import find_segments
from traderagent_core.replay import replay
from traderagent_core.testing import market

HOUR_MS = 3_600_000
CANDLES = market("ranging", timeframe="5m", rows=2500)
START_MS = int(CANDLES.open_time[0]) + 50 * HOUR_MS
GRID = {"upper_price": 108, "lower_price": 92, "grid_levels": 24, "amount_per_grid": 100}
CONFIG = {"bots": [{"name": "bot", "symbol": "BTC/USDT", "strategy": "grid", "grid": GRID}]}


def rewrite(folder: Path, change: Any) -> None:
    """Change entries of a journal, with checksums that fit."""
    (segment,) = find_segments(folder)
    entries = [from_line(line) for line in segment.path.read_bytes().splitlines(keepends=True)]
    lines = []
    for entry in entries:
        assert entry is not None
        text = change(entry)
        lines.append(to_line(entry.sequence, entry.durable, entry.kind, text))
    segment.path.write_bytes(b"".join(lines))


def first_fill_changed(name: str, value: str) -> Any:
    """Change a field of the first fill that is told."""
    done: list[int] = []

    def change(entry: Entry) -> str:
        if entry.kind is not EntryKind.EVENT or "OrderFilled" not in entry.payload or done:
            return entry.payload
        done.append(entry.sequence)
        payload = json.loads(entry.payload)
        payload["event"]["objects"][0]["fields"][name] = {"d": value}
        return json.dumps(payload, separators=(",", ":"))

    return change


def with_another_close(candles: Candles, row: int) -> Candles:
    """One close lies at the low."""
    close = candles.close.copy()
    close[row] = candles.low[row]
    times, opens, volume = candles.open_time, candles.open, candles.volume
    return Candles(candles.symbol, candles.timeframe, times, opens, candles.high, candles.low, close, volume)


def test_a_run_is_retraced_without_a_difference(bench: Any) -> None:
    found = replay(bench.live(CONFIG, [CANDLES], START_MS))
    assert found.difference is None
    assert found.events > 100


@pytest.mark.parametrize(("name", "value"), [("fee", "0.5"), ("price", "97.1"), ("quantity", "0.01")])
def test_a_changed_fill_is_named(bench: Any, name: str, value: str) -> None:
    folder = bench.live(CONFIG, [CANDLES], START_MS)
    rewrite(folder, first_fill_changed(name, value))
    difference = replay(folder).difference
    assert difference is not None
    assert difference.recorded is not None
    assert difference.recorded[0] == "filled"
    order_id = difference.recorded[2]
    assert difference.cause.startswith(f"{name} of fill of order {order_id}: ")
    assert difference.cause.endswith(f" recorded, {value} on the tape")
    assert "OrderFilled" in str(difference)


def test_a_changed_latency_is_named(bench: Any, capsys: Any) -> None:
    folder = bench.live(CONFIG, [CANDLES], START_MS)
    done: list[int] = []

    def later(entry: Entry) -> str:
        if entry.kind is not EntryKind.EVENT or "OrderAccepted" not in entry.payload or done:
            return entry.payload
        done.append(entry.sequence)
        payload = json.loads(entry.payload)
        payload["event"]["objects"][0]["fields"]["time_ms"] += 120
        return json.dumps(payload, separators=(",", ":"))

    rewrite(folder, later)
    assert run(["replay", str(folder)]) == 1
    told = capsys.readouterr().out
    assert "Cause: latency of order sim-" in told
    assert "120 ms apart" in told


def test_a_changed_candle_is_named(bench: Any, capsys: Any) -> None:
    trend = {"name": "bot", "symbol": "BTC/USDT", "strategy": "trend", "trend": {}}
    candles = market("rising", timeframe="5m", rows=2500)
    folder = bench.live({"bots": [trend]}, [candles], START_MS)

    def change(entry: Entry) -> str:
        if entry.kind is not EntryKind.EVENT or '"candles"' not in entry.payload:
            return entry.payload
        payload = json.loads(entry.payload)
        for row in payload["candles"]:
            if row[1] == int(candles.open_time[1200]):
                row[3:6] = [row[3] * 1.2, row[4], row[5] * 1.1]
        return json.dumps(payload, separators=(",", ":"))

    found = replay(folder)
    assert (found.difference, found.candle) == (None, "")
    rewrite(folder, change)
    found = replay(folder)
    assert found.difference is not None
    assert found.candle.startswith("candle of BTC/USDT at 2024-01-05 04:00:00.000 differs: high ")
    assert run(["replay", str(folder)]) == 1
    assert found.candle in capsys.readouterr().out


def test_a_changed_candle_is_named_though_nothing_was_decided_by_it(bench: Any, capsys: Any) -> None:
    folder = bench.live(CONFIG, [CANDLES], START_MS)
    changed = with_another_close(CANDLES, 700)
    data = bench.data(changed)
    assert run(["replay", str(folder), "--data", str(data)]) == 1
    told = capsys.readouterr().out
    assert "0 differences" in told
    assert f"differs: close {CANDLES.close[700]} on the tape, {changed.close[700]} in the data" in told


def test_the_journal_has_the_configuration_not_the_manifest(bench: Any) -> None:
    folder = bench.live(CONFIG, [CANDLES], START_MS)
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["configuration"]["bots"][0]["grid"]["grid_levels"] = 12
    (folder / MANIFEST).write_text(json.dumps(manifest))
    found = replay(folder)
    assert (found.difference, found.events > 100) == (None, True)
