import importlib.util
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from attrs import evolve
from traderagent_core.data.catalogue import Catalogue
from traderagent_core.data.columns import checksum, file_sha256
from traderagent_core.data.csv_writing import write_csv
from traderagent_core.data.importing import import_files
from traderagent_core.data.names import NameHints, SeriesKey
from traderagent_core.errors import DataError
from traderagent_core.model.candle import Candles

Market = Callable[..., Candles]
NAME = "binance_spot_BTC-USDT_1h_20240101-20240109.csv.gz"


def test_written_csv_imports_to_the_same_bits(catalogue: Catalogue, market: Market, tmp_path: Path) -> None:
    candles = market(rows=3_000, price=0.0123)
    path = tmp_path / NAME
    write_csv(candles, path)
    result = import_files(catalogue, [path], imported_at_ms=77)
    assert checksum(catalogue.load("BTC/USDT", "1h")) == checksum(candles)
    (file,) = result.files
    assert file.key == SeriesKey("binance", "spot", "BTC/USDT", "1h")
    (source,) = file.result.info.sources
    assert (source.name, source.sha256, source.imported_at_ms) == (NAME, file_sha256(path), 77)


def test_same_candles_are_written_as_the_same_bytes(market: Market, tmp_path: Path) -> None:
    for name in ("a.csv.gz", "b.csv.gz"):
        write_csv(market(), tmp_path / name)
    assert (tmp_path / "a.csv.gz").read_bytes() == (tmp_path / "b.csv.gz").read_bytes()
    with pytest.raises(DataError, match="expected a file in a folder that exists"):
        write_csv(market(), tmp_path / "nowhere" / "a.csv")


def test_folder_is_imported_and_other_files_in_it_left_out(
    catalogue: Catalogue, market: Market, tmp_path: Path
) -> None:
    for base, seed in (("BTC", 1), ("ETH", 2)):
        write_csv(market(seed=seed), tmp_path / f"binance_spot_{base}-USDT_1h.csv.gz")
    write_csv(market(seed=3), tmp_path / "binance_spot_BTC-USDT_trades_20240101.csv")
    (tmp_path / "README.md").write_text("no data")
    result = import_files(catalogue, [tmp_path], imported_at_ms=1)
    assert [info.symbol for info in catalogue.series()] == ["BTC/USDT", "ETH/USDT"]
    assert result.notes == (
        f"{tmp_path}: 1 of its files hold neither candles nor funding by their names; left out",
    )


@pytest.mark.skipif(importlib.util.find_spec("pyarrow") is None, reason="needs the Parquet extra")
def test_twin_files_count_once_and_csv_is_read(catalogue: Catalogue, market: Market, tmp_path: Path) -> None:
    write_csv(market(), tmp_path / NAME)
    (tmp_path / NAME.replace(".csv.gz", ".parquet")).write_bytes(b"never read")
    result = import_files(catalogue, [tmp_path], imported_at_ms=1)
    assert [file.path.name for file in result.files] == [NAME]


def test_parts_of_one_series_are_joined(catalogue: Catalogue, market: Market, tmp_path: Path) -> None:
    candles = market()
    write_csv(candles[:120], tmp_path / "binance_spot_BTC-USDT_1h_20240101-20240105.csv")
    write_csv(candles[100:], tmp_path / "binance_spot_BTC-USDT_1h_20240105-20240109.csv")
    result = import_files(catalogue, [tmp_path], imported_at_ms=1)
    assert [file.result.added for file in result.files] == [120, 80]
    assert checksum(catalogue.load("BTC/USDT", "1h")) == checksum(candles)


def test_options_complete_the_name_and_say_the_kind_against_it(
    catalogue: Catalogue, market: Market, tmp_path: Path
) -> None:
    write_csv(market(), tmp_path / "prices.csv")
    write_csv(market(), tmp_path / "bybit_linear_BTC-USDT_1h.csv")
    told = NameHints(symbol="BTC/USDT", exchange="kraken", market="spot", kind="1h")
    import_files(catalogue, [tmp_path / "prices.csv"], imported_at_ms=1, told=told)
    import_files(
        catalogue,
        [tmp_path / "bybit_linear_BTC-USDT_1h.csv"],
        imported_at_ms=1,
        told=NameHints(kind="mark-1h"),
    )
    assert [str(info.key) for info in catalogue.series()] == [
        "bybit linear BTC/USDT mark-1h",
        "kraken spot BTC/USDT 1h",
    ]


def test_later_import_restates_unless_old_bars_are_kept(
    catalogue: Catalogue, market: Market, tmp_path: Path
) -> None:
    candles = market()
    volume = candles.volume.copy()
    volume[[3, 50]] += 1.0
    write_csv(candles, tmp_path / NAME)
    import_files(catalogue, [tmp_path / NAME], imported_at_ms=1)
    write_csv(evolve(candles, volume=volume), tmp_path / NAME)

    kept = import_files(catalogue, [tmp_path / NAME], imported_at_ms=2, keep_old=True).files[0].result
    assert (kept.restated, kept.replaced) == (2, 0)
    assert checksum(catalogue.load("BTC/USDT", "1h")) == checksum(candles)

    taken = import_files(catalogue, [tmp_path / NAME], imported_at_ms=3).files[0].result
    assert (taken.restated, taken.replaced) == (2, 2)
    assert catalogue.load("BTC/USDT", "1h").volume.tolist() == volume.tolist()


def test_known_time_of_download_decides_instead_of_the_order_of_imports(
    catalogue: Catalogue, market: Market, tmp_path: Path
) -> None:
    candles = market()
    older = evolve(candles, volume=candles.volume + 1.0)
    for name, series, downloaded in (("new.csv", candles, 500), ("old.csv", older, 400)):
        write_csv(series, tmp_path / name)
        told = NameHints("binance", "spot", "BTC/USDT", "1h")
        import_files(
            catalogue, [tmp_path / name], imported_at_ms=1_000, told=told, downloaded_at_ms=downloaded
        )
    assert checksum(catalogue.load("BTC/USDT", "1h")) == checksum(candles)


@pytest.mark.data
def test_every_real_series_is_sound(catalogue: Catalogue, real_data: Path) -> None:
    result = import_files(catalogue, [real_data], imported_at_ms=1)
    kinds = {finding.kind for file in result.files for finding in file.report.findings}
    assert kinds <= {"gap", "jump", "zero_volume_run"}
    assert sum(file.result.restated for file in result.files) == 0
    assert catalogue.load("XRP/USDT", "1m").open_time.size == 218_998
    waves = next(file for file in result.files if "linear_WAVES" in file.path.name)
    silence = next(finding for finding in waves.report.findings if finding.kind == "zero_volume_run")
    assert silence.places[0].found == "471 candles without volume from here on"
    rates = catalogue.load_funding("BTC/USDT")
    assert len(rates) == 1_139
    assert len(catalogue.load_mark("BTC/USDT")) == 9_120


@pytest.mark.data
def test_real_twins_hold_the_same_numbers(real_data: Path) -> None:
    pytest.importorskip("pyarrow")
    from traderagent_core.data.series_reading import read_series

    stem = "bybit_linear_BTC-USDT_15m_20231129-20241231"
    texts, packed = (read_series(real_data / f"{stem}{suffix}").data for suffix in (".csv.gz", ".parquet"))
    assert checksum(texts) == checksum(packed)
    assert np.diff(texts.between(None, None).open_time).max() == 900_000  # type: ignore[union-attr]
