"""The same run gives the same bytes: in another process, and again from its manifest."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Contents = Callable[[Path], dict[str, bytes]]
MARKETS = {"BTC/USDT": "ranging", "ETH/USDT": "gappy", "XRP/USDT": "crash"}


@pytest.fixture
def shared(desk: Any, grid: Callable[..., Any], market: Callable[..., Any]) -> tuple[Path, Path]:
    """A configuration of three grids with risk modes, and its data."""
    config = grid(market="linear", leverage=3, trailing_enabled=True)
    (bot,) = config["bots"]
    config["bots"] = [{**bot, "name": symbol[:3].lower(), "symbol": symbol} for symbol in MARKETS]
    config["risk_modes"] = {"drawdown": {}, "reduced": {}}
    config["simulation"] |= {"funding_rate": "0.0001", "latency_ms": 300}
    for symbol, kind in MARKETS.items():
        data = desk.write(market(kind, symbol=symbol, rows=400), "linear")
    return desk.configure(config), data


def test_two_processes_with_other_hash_seeds_write_the_same_bytes(
    desk: Any, shared: tuple[Path, Path], contents: Contents
) -> None:
    config, data = shared
    for seed in ("1", "2"):
        args = ("--config", config, "--data", data, "--out", f"out{seed}", "--bounds")
        done = desk.start("backtest", *args, PYTHONHASHSEED=seed)
        assert done.returncode == 0, done.stderr
    one, other = contents(desk.folder / "out1"), contents(desk.folder / "out2")
    assert one.keys() >= {"result.json", "report.html", "fills.csv", "trades.csv", "orders.csv", "equity.csv"}
    assert one == other
    assert len(one["fills.csv"].splitlines()) > 50


def test_a_run_again_from_its_manifest_is_the_same(
    desk: Any, shared: tuple[Path, Path], contents: Contents
) -> None:
    config, data = shared
    period = ("--from", "2024-01-03T05:00", "--to", "2024-01-15", "--path", "pessimistic")
    books = desk.backtest(json.loads(config.read_text()), data, *period, out="first")
    config.unlink()
    again = (
        "backtest",
        "--manifest",
        desk.folder / "first" / "result.json",
        "--data",
        data,
        "--out",
        "second",
    )
    done = desk.start(*again, PYTHONHASHSEED="7")
    assert done.returncode == 0, done.stderr
    assert contents(desk.folder / "second") == contents(desk.folder / "first")
    packages = books.result["manifest"]["versions"]["packages"]
    assert packages.keys() == {"traderagent-core", "traderagent-grid"}


def test_one_other_candle_is_refused(desk: Any, shared: tuple[Path, Path]) -> None:
    config, data = shared
    desk.backtest(json.loads(config.read_text()), data, out="first")
    changed = data / "test_linear_ETH-USDT_1h.csv"
    lines = changed.read_text().splitlines()
    time, *prices, volume = lines[200].split(",")
    lines[200] = ",".join([time, *prices, str(float(volume) + 1)])
    changed.write_text("\n".join([*lines, ""]))
    done = desk.start("backtest", "--manifest", "first/result.json", "--data", data, "--out", "second")
    assert done.returncode == 2
    assert "Error: ETH/USDT 1h: these are not the data of the run to be repeated" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (desk.folder / "second").exists()
