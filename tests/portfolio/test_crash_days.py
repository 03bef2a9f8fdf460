"""Days on which markets fell: risk modes and the halt on real candles; skipped without TRADERAGENT_DATA.

A smaller portfolio's timelines stand in docs/explanation/coordination.md, held to what the commands say.
"""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from traderagent_core.cli.main import run

pytestmark = pytest.mark.data

FIVE = ("BTC/USDT", "ETH/USDT", "BNB/USDT", "XRP/USDT", "EOS/USDT")
EIGHT = ("BTC/USDT", "ETH/USDT", "BNB/USDT", "XRP/USDT", "ADA/USDT", "DOGE/USDT", "DOT/USDT", "SOL/USDT")
MODES: dict[str, Any] = {"halt": {}, "reduced": {}, "stress": {}, "drawdown": {}}
BOT = {
    "grid": {"bounds": "atr", "atr_multiplier": 4, "grid_levels": 8, "amount_per_grid": 90},
    "dca": {"trigger_percentage": "0.03", "amount_per_step": 135, "max_steps": 4},
}


def milliseconds(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def between(prepared: Any, kind: str, first: str, last: str) -> list[tuple[Any, ...]]:
    times = milliseconds(first), milliseconds(last)
    return [r for r in prepared.driver.records if r[0] == kind and times[0] <= r[1] <= times[1]]


@pytest.mark.parametrize(
    ("symbols", "first", "last", "begins", "ends"),
    [
        (FIVE, "2020-03-05", "2020-03-16", "2020-03-12T10:00", "2020-03-12T12:00"),
        (EIGHT, "2021-05-12", "2021-05-24", "2021-05-19T11:00", "2021-05-19T15:00"),
        (EIGHT, "2022-05-03", "2022-06-21", "2022-06-12T20:00", "2022-06-13T12:00"),
        (EIGHT, "2024-07-29", "2024-08-09", "2024-08-05T00:00", "2024-08-05T15:00"),
    ],
)
def test_an_account_is_halted_on_the_day_of_the_crash_and_trades_again_when_acknowledged(
    watched: Any,
    portfolio: Any,
    hourly: Any,
    symbols: tuple[str, ...],
    first: str,
    last: str,
    begins: str,
    ends: str,
) -> None:
    simulation = {"balance": 1000 * len(symbols), "acknowledge_halt_after_hours": 24}
    config = portfolio(symbols, BOT, risk_modes=MODES, simulation=simulation)
    prepared = watched(config, hourly(symbols, first, last), since=milliseconds(first))
    stages = [record[2] for record in between(prepared, "halt_changed", first, last)]
    assert stages == ["FREEZE", "CLOSE", "AWAIT_ACK", ""]
    assert between(prepared, "halt_changed", begins, ends)[0][2] == "FREEZE"
    modes = {record[2] for record in between(prepared, "mode_changed", first, ends)}
    assert modes >= {"halt", "reduced", "drawdown"}
    ack_ms = between(prepared, "halt_changed", first, last)[-1][1]
    assert any(record[0] == "plan_granted" and record[1] >= ack_ms for record in prepared.driver.records)


def test_symbols_that_fall_together_are_stress(watched: Any, portfolio: Any, hourly: Any) -> None:
    config = portfolio(EIGHT, BOT, risk_modes={"stress": {}}, simulation={"balance": 8000})
    candles = hourly(EIGHT, "2022-05-03", "2022-05-20")
    prepared = watched(config, candles, since=milliseconds("2022-05-03"))
    changes = between(prepared, "mode_changed", "2022-05-09", "2022-05-12")
    assert [record[3] for record in changes if record[2] == "stress"][-1]
    scaled = [
        r for r in between(prepared, "plan_granted", "2022-05-10T01:00", "2022-05-18") if r[4].stop or r[8]
    ]
    assert any("stress" in record[8] for record in scaled)


# -- the page -------------------------------------------------------------------------------------------------

PAGE = Path(__file__).parents[2] / "docs/explanation/coordination.md"
ROWS = re.findall(
    r"^\| (\d{4}-\d\d-\d\d) to (\d{4}-\d\d-\d\d) \|.*$", PAGE.read_text(encoding="utf-8"), re.MULTILINE
)


def told(time: str) -> str:
    return f"{time[5:10]} {time[11:16]}"


def row(first: str, last: str, timeline: Any) -> str:
    """The line of the page's table for a run."""
    modes = [timeline["modes"].get(name) for name in ("stress", "drawdown", "reduced")]
    begun = [told(own[0]["from"]) if own else "never" for own in modes]
    halts, depth = timeline["halts"], "–"
    if halts:
        depth = f"{float(halts[0]['evidence'].split()[2]) * 100:.2f} %"
    halt = told(halts[0]["from"]) if halts else "never"
    return f"| {first} to {last} | {' | '.join([*begun, halt, depth])} |"


@pytest.mark.parametrize(("first", "last"), ROWS)
def test_the_timelines_of_the_page_are_those_of_the_command(
    first: str,
    last: str,
    real_data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    page = PAGE.read_text(encoding="utf-8")
    blocks = re.findall(r"```yaml\n(# crash-days.yaml.*?)```", page, re.DOTALL)
    Path("crash-days.yaml").write_text(blocks[0], encoding="utf-8")
    period = ["--from", first, "--to", last]
    command = ["backtest", "--config", "crash-days.yaml", "--data", str(real_data), *period, "--out", "crash"]
    assert run(command) == 0
    timeline = json.loads(Path("crash/timeline.json").read_text(encoding="utf-8"))
    assert row(first, last, timeline) in page.splitlines()
    if timeline["halts"]:
        capsys.readouterr()
        assert run(["why", "crash", "--pair", "BTC/USDT", "--at", timeline["halts"][0]["from"]]) == 0
        printed = capsys.readouterr().out
        assert f"halt: AWAIT_ACK since {timeline['halts'][0]['from']}" in printed
        assert "modifiers: nothing may be added" in printed
