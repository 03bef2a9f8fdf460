"""In lockstep bots whose strategy is chosen by regime do what they do in the simulator, with all that coordinates."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from traderagent_core import Candles, Surroundings, load_config
from traderagent_core.adapters.clocks import ManualClock
from traderagent_core.adapters.venue_adapter import VenueAdapter
from traderagent_core.coordinator.halt import Stage
from traderagent_core.data.csv_writing import write_csv
from traderagent_core.live.assembling import Assembly, conditions_of
from traderagent_core.live.control.left import describe_left
from traderagent_core.live.driver import Driver, Options
from traderagent_core.live_run import Recorded, run_recorded
from traderagent_core.model.timeframe import DAY_MS, HOUR_MS
from traderagent_core.persistence.journal.entry import EntryKind
from traderagent_core.persistence.journal.reading import read_entries
from traderagent_core.replay import replay
from traderagent_core.testing.markets import START_MS, changing_market

SECTIONS: dict[str, Any] = {
    "grid": {"bounds": "atr", "atr_multiplier": 4, "grid_levels": 8, "amount_per_grid": 100},
    "dca": {"trigger_percentage": "0.03", "amount_per_step": 100, "max_steps": 4},
    "trend": {},
}
MODES = {"halt": {"drawdown": "0.04"}, "reduced": {"daily_loss": "0.02"}, "drawdown": {"drawdown": "0.02"}}
SYMBOLS = ("BTC/USDT", "ETH/USDT", "ADA/USDT")


def config(symbols: Sequence[str], bot: dict[str, Any] | None = None, **sections: Any) -> dict[str, Any]:
    common = {"strategy": "auto", **SECTIONS, **(bot or {})}
    bots = [{"name": symbol.partition("/")[0].lower(), "symbol": symbol, **common} for symbol in symbols]
    simulation = {"balance": 5000 * len(symbols), **sections.pop("simulation", {})}
    return {"bots": bots, "simulation": simulation, **sections}


def markets(symbols: Sequence[str], days: int, seed: int) -> list[Candles]:
    return [changing_market(symbol, days, seed + place) for place, symbol in enumerate(symbols)]


def kinds(records: Sequence[str]) -> set[str]:
    told = ("regime_changed", "transition_ended", "halt_changed", "mode_changed")
    return {kind for kind in told if kind in str(records)}


@pytest.mark.parametrize(
    ("seed", "bot", "sections"),
    [
        (1, {}, {}),
        (
            20,
            {},
            {"coordinator": {"regime": {"regime_timeframe": "4h"}, "transition": {"timeout_hours": "0.5"}}},
        ),
        (
            3,
            {"market": "linear", "leverage": 3},
            {"simulation": {"latency_ms": 400, "funding_rate": "0.0003"}},
        ),
    ],
    ids=["spot", "other-timeframe", "linear"],
)
def test_records_are_those_of_the_simulator(
    seed: int, bot: Any, sections: Any, bench: Any, by_simulator: Any, of_run: Any
) -> None:
    candles, given = markets(SYMBOLS[:2], 30, seed), config(SYMBOLS[:2], bot, **sections)
    start_ms = START_MS + 5 * DAY_MS
    expected = by_simulator(given, candles, start_ms)
    assert kinds(expected) >= {"regime_changed", "transition_ended"}
    folder = bench.live(given, candles, start_ms, market=bot.get("market", "spot"))
    assert of_run(folder) == expected
    assert replay(folder).difference is None


@pytest.mark.parametrize("days", [9, 12, 15])
def test_a_run_that_is_gone_tells_regime_and_owner_of_each_pair(days: int, tmp_path: Path) -> None:
    data, folder = tmp_path / "data", tmp_path / "run"
    data.mkdir()
    for series in markets(SYMBOLS[:2], days, 1):
        write_csv(series, data / f"test_spot_{series.symbol.replace('/', '-')}_1h.csv")
    wish = Recorded(load_config(config(SYMBOLS[:2])), data, None, START_MS + 5 * DAY_MS)
    engine = run_recorded(wish, folder, lambda *_, **__: None).engine
    pairs = engine.director.pairs.values()
    known = [(pair.memory.regime and pair.memory.regime.value, pair.memory.state.owner) for pair in pairs]
    for _ in ("by the last snapshot", "by the records alone"):
        assert [(bot["regime"], bot["owner"]) for bot in describe_left(folder)["bots"]] == known
        for path in folder.glob("*.snapshot"):
            path.unlink()
    assert all(regime for regime, _ in known)


def test_a_halt_freezes_closes_and_is_acknowledged(bench: Any, by_simulator: Any, of_run: Any) -> None:
    given = config(SYMBOLS, risk_modes=MODES, simulation={"acknowledge_halt_after_hours": 30})
    candles = markets(SYMBOLS, 45, 3)
    start_ms = START_MS + 5 * DAY_MS
    expected = by_simulator(given, candles, start_ms)
    assert kinds(expected) >= {"halt_changed", "mode_changed"}
    folder = bench.live(given, candles, start_ms)
    assert of_run(folder) == expected
    assert bench.told.count("published") == bench.told.count("halt_acknowledged") == 1
    assert replay(folder).difference is None


def test_a_halt_that_nobody_has_acknowledged_is_told_again_at_a_start(tmp_path: Path) -> None:
    given = config(
        SYMBOLS[:1], {"market": "linear", "leverage": 3}, risk_modes={"halt": {"drawdown": "0.01"}}
    )
    data, told = tmp_path / "data", []
    data.mkdir()
    write_csv(changing_market(SYMBOLS[0], 20, 3), data / "test_linear_BTC-USDT_1h.csv")
    wish = Recorded(load_config(given), data, None, START_MS + 5 * DAY_MS)
    stepper = run_recorded(wish, tmp_path / "run", lambda *_, **__: None)
    assert stepper.engine.halting.state.stage is Stage.AWAIT_ACK

    async def flush() -> None:
        """Nothing has to be durable."""

    setup = next(each for each in read_entries(tmp_path / "run", 0) if each.kind is EntryKind.SETUP)
    assembly = Assembly(wish.config, conditions_of(setup.value), stepper)
    options = Options(wish.config, "1h", flush, (), tell=lambda what, **values: told.append((what, values)))
    driver = Driver(VenueAdapter({}, Surroundings(ManualClock())), assembly, options)
    driver.remind()
    reason = stepper.engine.halting.state.reason
    assert ("published", {"topic": "halt", "text": reason}) in told


@pytest.mark.parametrize("hours", [120, 130])
def test_stress_begins_and_ends_with_the_markets_moving_alike(
    hours: int, bench: Any, by_simulator: Any, of_run: Any
) -> None:
    """On a start in the midst of stress it is there from the first close on."""
    correlation = {"window": 24, "high_correlation": "0.15"}
    given = config(SYMBOLS, risk_modes={"stress": {}}, coordinator={"correlation": correlation})
    candles = [each[: 20 * 24] for each in markets(SYMBOLS, 30, 11)]
    start_ms = START_MS + hours * HOUR_MS
    expected = by_simulator(given, candles, start_ms)
    changes = [record for record in expected if "mode_changed" in record]
    assert len(changes) > 4
    assert (str(start_ms + HOUR_MS) in changes[0]) is (hours == 130)
    assert of_run(bench.live(given, candles, start_ms)) == expected
