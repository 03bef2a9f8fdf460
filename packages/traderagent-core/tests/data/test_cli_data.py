import json
from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import evolve
from traderagent_core.data.catalogue import Catalogue
from traderagent_core.data.columns import checksum
from traderagent_core.data.csv_writing import write_csv
from traderagent_core.data.series_reading import read_series
from traderagent_core.model.candle import Candles

Market = Callable[..., Candles]
Run = Callable[..., tuple[int, str]]


@pytest.fixture
def hours(tmp_path: Path, market: Market) -> Path:
    path = tmp_path / "binance_spot_BTC-USDT_1h_20240101-20240109.csv.gz"
    write_csv(market(jumps=0), path)
    return path


def test_import_list_and_check_go_together(run: Run, hours: Path) -> None:
    assert run("list")[1].startswith("no data yet in")
    code, output = run("import", hours)
    assert code == 0
    assert "binance spot BTC/USDT 1h, 200 rows, 200 new" in output
    assert output.endswith("imported 1 file into 1 series\n")
    code, output = run("list")
    assert (code, output.splitlines()[0].split()[:4]) == (0, ["exchange", "market", "symbol", "kind"])
    assert "2024-01-09T07:00Z" in output
    assert run("check") == (0, "ok: binance spot BTC/USDT 1h, 200 rows\n")


def test_import_tells_restated_bars_with_examples(run: Run, hours: Path, market: Market) -> None:
    run("import", hours)
    candles = market(jumps=0)
    volume = candles.volume.copy()
    volume[5] += 1.0
    write_csv(evolve(candles, volume=volume), hours)
    _, output = run("import", hours, "--json")
    (file,) = json.loads(output)["files"]
    assert (file["added"], file["restated"], file["replaced"]) == (0, 1, 1)
    (example,) = file["restated_examples"]
    assert (example["old"][-1], example["new"][-1]) == (candles.volume[5], volume[5])
    write_csv(candles, hours)
    _, output = run("import", hours, "--keep-old")
    assert "1 restated bar, 0 replaced:" in output
    assert f"2024-01-01T05:00Z old {candles.open[5]:.15g}" in output
    assert "1 restated bar, both values kept in the log" in run("check")[1]


def test_time_of_download_can_be_told(run: Run, hours: Path, tmp_path: Path) -> None:
    run("import", hours, "--downloaded-at", "2024-02-01")
    (info,) = Catalogue(tmp_path / "catalogue").series()
    assert info.sources[0].downloaded_at_ms == 1_706_745_600_000
    assert info.imported_at_ms > info.sources[0].downloaded_at_ms


def test_list_and_check_as_json(run: Run, hours: Path) -> None:
    run("import", hours)
    (series,) = json.loads(run("list", "--json")[1])["series"]
    assert (series["symbol"], series["kind"], series["rows"]) == ("BTC/USDT", "1h", 200)
    checked = json.loads(run("check", "--json")[1])
    assert checked["is_sound"]
    assert checked["checked"][0]["report"]["findings"] == []


def test_check_finds_damage_in_the_catalogue(run: Run, hours: Path, tmp_path: Path) -> None:
    run("import", hours)
    path = next((tmp_path / "catalogue").rglob("close.npy"))
    raw = bytearray(path.read_bytes())
    raw[-3] ^= 1
    path.write_bytes(bytes(raw))
    code, output = run("check")
    assert code == 1
    assert output.startswith("BROKEN: binance spot BTC/USDT 1h")
    assert "do not fit their checksum; import the series again" in output


def test_check_of_an_empty_catalogue_says_how_to_fill_it(run: Run) -> None:
    code, output = run("check")
    assert code == 2
    assert "fill it with `traderagent data import PATH`" in output


def test_check_of_files_imports_nothing(run: Run, hours: Path, tmp_path: Path) -> None:
    assert run("check", hours, hours.parent)[0] == 0
    assert not (tmp_path / "catalogue").exists()


def test_generate_into_a_file_that_imports_again(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "generated_spot_BTC-USDT_5m.csv.gz"
    arguments = [
        "generate",
        "--symbol",
        "BTC/USDT",
        "--timeframe",
        "5m",
        "--rows",
        500,
        "--seed",
        4,
        "--gaps",
        2,
    ]
    assert run(*arguments, "--out", out)[0] == 0
    assert run(*arguments)[0] == 0
    loaded = Catalogue(tmp_path / "catalogue").load("BTC/USDT", "5m", exchange="generated")
    assert checksum(loaded) == checksum(read_series(out).data)
    assert len(loaded) == 500


def test_generate_refuses_what_makes_no_sense(run: Run, tmp_path: Path) -> None:
    arguments = ["generate", "--symbol", "BTC/USDT", "--rows", 5, "--seed", 4]
    code, output = run(*arguments, "--out", tmp_path / "x.csv", "--catalogue", tmp_path)
    assert (code, "exclude each other" in output) == (2, True)
    code, output = run(*arguments, "--start", "2024-01-01T00:00:30Z")
    assert (code, "off the grid" in output) == (2, True)
    code, output = run(*arguments, "--price", "nan")
    assert (code, "price is nan" in output) == (2, True)
