"""A run is retraced without a difference; what was changed on its tape is named."""

import json
from pathlib import Path
from typing import Any

import pytest
from traderagent_core.cli.main import run
from traderagent_core.live.session import MANIFEST
from traderagent_core.live_run import replay
from traderagent_core.persistence.journal.entry import Entry, EntryKind, from_line, to_line
from traderagent_core.persistence.journal.segments import find_segments
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
    assert difference.recorded != difference.retraced
    assert "OrderFilled" in str(difference)


def test_a_changed_candle_is_named(bench: Any) -> None:
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

    assert replay(folder).difference is None
    rewrite(folder, change)
    assert replay(folder).difference is not None


def test_another_configuration_is_refused(bench: Any, capsys: Any) -> None:
    folder = bench.live(CONFIG, [CANDLES], START_MS)
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["configuration"]["bots"][0]["grid"]["grid_levels"] = 12
    (folder / MANIFEST).write_text(json.dumps(manifest))
    assert run(["replay", str(folder)]) == 2
    assert "configuration was changed" in capsys.readouterr().err
