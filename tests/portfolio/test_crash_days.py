"""Days on which markets fell: risk modes and the halt on real hourly candles; skipped without TRADERAGENT_DATA.

Timelines, UTC, of portfolios that commit as much as the allocator lets them:

    2020-03-12  stress was on since the 10th; 08:00 drawdown; halted at 11:00 at 18 %
    2021-05-19  halted at 12:55, at 16 %
    2022-06-13  stress since the 12th, 15:00; halted at 01:00 at 15 %; May passes without a halt, under stress
    2024-08-05  04:00 reduced; 13:00 halted at 15.6 %
"""

from datetime import UTC, datetime
from typing import Any

import pytest

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
