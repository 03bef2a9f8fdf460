"""Grids on real market series; skipped without TRADERAGENT_DATA."""

import csv
import gzip
import shutil
from collections.abc import Callable
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.data

MINUTE_MS = 60_000
SPOT: dict[str, Any] = {"exchange": {"exchange_id": "binance"}}


def copied(folder: Path, source: Path, *names: str) -> Path:
    """A folder with some of the files."""
    folder.mkdir(exist_ok=True)
    for name in names:
        shutil.copy(source / name, folder / name)
    return folder


def milliseconds(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def rows_of(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture
def xrp(grid: Callable[..., Any]) -> dict[str, Any]:
    made: dict[str, Any] = grid(
        symbol="XRP/USDT", lower_price="0.45", upper_price="0.70", grid_levels=40, amount_per_grid=100, **SPOT
    )
    return made


def test_xrp_hourly_out_of_the_whole_folder(desk: Any, xrp: dict[str, Any], real_data: Path) -> None:
    books = desk.backtest(xrp, real_data, "--from", "2024-06-15", "--to", "2024-11-01")
    books.check()
    (source,) = books.result["manifest"]["data"]
    assert (source["symbol"], source["timeframe"], source["source"]) == ("XRP/USDT", "1h", "binance spot")
    assert (source["first"], source["last"]) == ("2018-05-04T08:00:00Z", "2024-10-31T23:00:00Z")
    assert books.result["metrics"]["start"] == "2024-06-15T00:00:00Z"
    assert books.result["metrics"]["end"] == "2024-11-01T00:00:00Z"
    assert books.result["metrics"]["cycles"] > 100
    assert len(books.equity) == 139 * 24


def test_the_finest_series_that_covers_the_period_is_used(
    desk: Any, xrp: dict[str, Any], real_data: Path
) -> None:
    for first, last, timeframe in (
        ("2024-02-01", "2024-02-08", "1m"),
        ("2021-01-05", "2021-01-20", "5m"),
        ("2024-02-01", "2024-09-01", "1h"),
    ):
        books = desk.backtest(xrp, real_data, "--from", first, "--to", last, out=timeframe)
        books.check()
        assert [row["timeframe"] for row in books.result["manifest"]["data"]] == [timeframe]


def test_twin_files_count_once(
    desk: Any, xrp: dict[str, Any], real_data: Path, contents: Callable[[Path], dict[str, bytes]]
) -> None:
    pytest.importorskip("pyarrow")
    name = "binance_spot_XRP-USDT_1h_20221201-20241231"
    alone = copied(desk.folder / "alone", real_data, f"{name}.csv.gz")
    twins = copied(desk.folder / "twins", real_data, f"{name}.csv.gz", f"{name}.parquet")
    for data in (alone, twins):
        desk.backtest(xrp, data, "--from", "2024-01-01", out=f"out-{data.name}").check()
    assert contents(desk.folder / "out-alone") == contents(desk.folder / "out-twins")
    parquet = copied(desk.folder / "parquet", real_data, f"{name}.parquet")
    desk.backtest(xrp, parquet, "--from", "2024-01-01")
    assert contents(desk.folder / "out") == contents(desk.folder / "out-alone")


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("binance_spot_BTC-USDT_5m_20210515-20210524.csv.gz", "2021-05-15", "2021-05-24"),
        ("binance_spot_BTC-USDT_1h_20240101-20241231.csv.gz", "2024-01-01", "2024-04-01"),
    ],
)
def test_btc_from_one_file(
    desk: Any, grid: Callable[..., Any], real_data: Path, name: str, first: str, last: str
) -> None:
    config = grid(lower_price=34000, upper_price=60000, grid_levels=60, amount_per_grid=150)
    books = desk.backtest(config, real_data / "sample" / name, "--from", first, "--to", last)
    books.check()
    assert books.cycles() == [
        (row["bot"], row["slot"], Fraction(row["gross_profit"])) for row in books.trades
    ]
    assert len(books.trades) == books.result["metrics"]["cycles"] > 50
    assert books.open_gain() == books.money("trend_pnl")


def test_an_ambiguous_exchange_is_settled_by_the_bots_own(
    desk: Any, grid: Callable[..., Any], real_data: Path
) -> None:
    config = grid(lower_price=15000, upper_price=20000, **SPOT)
    data = copied(
        desk.folder / "data",
        real_data,
        "bybit_spot_BTC-USDT_1m_20221213-20221213.csv.gz",
        "binance_spot_BTC-USDT_1h_20221201-20241231.csv.gz",
    )
    books = desk.backtest(config, data, "--from", "2022-12-13", "--to", "2022-12-14")
    assert [row["source"] for row in books.result["manifest"]["data"]] == ["binance spot"]
    config["bots"][0]["exchange"] = {"exchange_id": "simulated"}
    desk.configure(config)
    done = desk.start("backtest", "--config", "grid.yaml", "--data", data)
    assert done.returncode == 2
    assert "several exchanges have BTC/USDT" in done.stderr
    assert "`simulation: {data_exchange: binance}`" in done.stderr
    config["simulation"] = {**config.get("simulation", {}), "data_exchange": "binance"}
    chosen = desk.backtest(config, data, "--from", "2022-12-13", "--to", "2022-12-14")
    assert chosen.result["manifest"]["data"] == books.result["manifest"]["data"]


def test_the_files_of_one_market_are_joined(desk: Any, grid: Callable[..., Any], real_data: Path) -> None:
    config = grid(lower_price=15000, upper_price=25000, simulation={"data_exchange": "binance"})
    data = copied(
        desk.folder / "data",
        real_data,
        "bybit_spot_BTC-USDT_1m_20221213-20221213.csv.gz",
        "binance_spot_BTC-USDT_1h_20170817-20220930.csv.gz",
        "binance_spot_BTC-USDT_1h_20221201-20241231.csv.gz",
    )
    books = desk.backtest(config, data, "--from", "2022-09-20", "--to", "2022-12-10")
    (used,) = books.result["manifest"]["data"]
    assert (used["source"], used["first"][:10], used["last"][:10]) == (
        "binance spot",
        "2017-08-17",
        "2022-12-09",
    )


def test_symbols_with_candles_of_other_days_are_noted(
    desk: Any, grid: Callable[..., Any], real_data: Path
) -> None:
    config = grid(lower_price=15000, upper_price=25000)
    config["bots"].append({**config["bots"][0], "name": "other", "symbol": "SOL/USDT"})
    data = copied(
        desk.folder / "data",
        real_data / "sample",
        "binance_spot_BTC-USDT_1h_20200301-20200331.csv.gz",
        "binance_spot_SOL-USDT_1h_20240101-20241231.csv.gz",
    )
    desk.configure(config)
    done = desk.start("backtest", "--config", "grid.yaml", "--data", data, "--to", "2024-01-05")
    assert "BTC/USDT 2020-03-01 to 2020-03-31; SOL/USDT 2024-01-01 to 2024-01-04" in done.stderr


def test_funding_is_quantity_times_last_price_times_rate_at_each_settlement(
    desk: Any, grid: Callable[..., Any], real_data: Path
) -> None:
    config = grid(
        market="linear", leverage=3, lower_price=52000, upper_price=70000, grid_levels=60, amount_per_grid=400
    )
    sample = real_data / "sample"
    candles, rates = (
        "bybit_linear_BTC-USDT_15m_20240701-20240930.csv.gz",
        "bybit_linear_BTC-USDT_funding_20240101-20241231.csv.gz",
    )
    data = copied(desk.folder / "data", sample, candles, rates)
    books = desk.backtest(config, data, "--to", "2024-09-30")
    books.check()
    closes = {
        int(row["timestamp"]) + 15 * MINUTE_MS: Fraction(row["close"]) for row in rows_of(sample / candles)
    }
    fills = [(milliseconds(fill["time"]), books.signed(fill)) for fill in books.fills]
    last_ms = milliseconds("2024-09-30T00:00:00+00:00")
    expected, settlements = Fraction(0), 0
    for row in rows_of(sample / rates):
        time_ms = int(row["timestamp"])
        if time_ms not in closes or time_ms > last_ms:
            continue
        # A fill at the open of the candle that begins then comes after the settlement; none is at its very time here.
        held = sum((signed for at_ms, signed in fills if at_ms < time_ms), Fraction(0))
        assert not any(at_ms == time_ms for at_ms, _ in fills)
        expected -= held * closes[time_ms] * Fraction(repr(float(row["funding_rate"])))
        settlements += held != 0
    assert settlements > 250
    assert books.money("funding") == expected != 0
    assert books.result["assumptions"]["instruments"]["BTC/USDT"]["funding"] == "from its series"
    assert {row["timeframe"] for row in books.result["manifest"]["data"]} == {"15m", "funding"}


def test_a_repeated_run_needs_its_funding_too(desk: Any, grid: Callable[..., Any], real_data: Path) -> None:
    names = [
        f"bybit_linear_BTC-USDT_{kind}.csv.gz"
        for kind in ("15m_20240701-20240930", "funding_20240101-20241231")
    ]
    config = grid(market="linear", lower_price=52000, upper_price=70000)
    data = copied(desk.folder / "data", real_data / "sample", *names)
    desk.backtest(config, data, "--to", "2024-07-10")
    (data / names[1]).unlink()
    done = desk.start("backtest", "--manifest", "out/result.json", "--data", data)
    assert done.returncode == 2
    assert "BTC/USDT funding: these are not the data of the run to be repeated" in done.stderr
    assert "here is none" in done.stderr


@pytest.mark.parametrize("venue", ["spot", "linear"])
def test_the_crash_of_march_2020_ends_at_the_stop(
    desk: Any, grid: Callable[..., Any], real_data: Path, venue: str
) -> None:
    source = real_data / "sample" / "binance_spot_BTC-USDT_1h_20200301-20200331.csv.gz"
    data = desk.folder / f"binance_{venue}_BTC-USDT_1h_20200301-20200331.csv.gz"
    shutil.copy(source, data)
    keys = {
        "market": venue,
        "lower_price": 7200,
        "upper_price": 9400,
        "grid_levels": 23,
        "amount_per_grid": 300,
        "leverage": 1 if venue == "spot" else 2,
        "direction": "long",
    }
    stopped = desk.backtest(grid(**keys, stop_loss_price=7000, simulation={"slippage": "0.001"}), data)
    stopped.check()
    last = stopped.fills[-1]
    assert (last["purpose"], last["side"]) == ("STOP_LOSS" if venue == "linear" else "EXIT", "SELL")
    assert last["time"].startswith("2020-03-12T")
    assert 0 < Fraction(last["price"]) <= 7000
    assert Fraction(stopped.result["money"][0]["quantity"]) == 0
    assert stopped.trades[-1]["kind"] == "exit"
    assert stopped.open_gain() == 0
    after = [row["equity"] for row in stopped.equity if row["time"] > last["time"]]
    assert len(set(after)) == 1
    held = desk.backtest(grid(**keys, simulation={"slippage": "0.001"}), data, out="held")
    held.check()
    lowest = [min(float(row["equity"]) for row in books.equity) for books in (stopped, held)]
    assert lowest[0] > lowest[1]
