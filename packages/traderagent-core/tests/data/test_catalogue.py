import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from attrs import evolve
from traderagent_core.data.catalogue import Catalogue, default_root
from traderagent_core.data.columns import checksum
from traderagent_core.data.funding import FundingRates
from traderagent_core.data.names import SeriesKey
from traderagent_core.data.series_info import Source
from traderagent_core.errors import DataError
from traderagent_core.model.candle import Candles

Market = Callable[..., Candles]
KEY = SeriesKey("binance", "spot", "BTC/USDT", "1h")
HOUR_MS = 3_600_000


def source(name: str = "a.csv", *, imported: int = 1_000, downloaded: int | None = None) -> Source:
    return Source(name, f"sha-{name}", imported, downloaded)


def restated(candles: Candles, index: int, close: float) -> Candles:
    column = candles.close.copy()
    column[index] = close
    return evolve(candles, close=column)


def test_loads_what_was_written_to_the_last_bit(catalogue: Catalogue, market: Market) -> None:
    candles = market()
    result = catalogue.write(KEY, candles, source=source())
    loaded = catalogue.load("BTC/USDT", "1h")
    assert checksum(loaded) == checksum(candles) == result.info.checksum
    assert (loaded.symbol, loaded.timeframe, result.added) == ("BTC/USDT", "1h", 200)


def test_loaded_columns_are_memory_maps_that_cannot_be_written(catalogue: Catalogue, market: Market) -> None:
    catalogue.write(KEY, market(), source=source())
    loaded = catalogue.load("BTC/USDT", "1h")
    assert type(loaded.close) is np.ndarray
    assert isinstance(loaded.close.base, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        loaded.close[0] = 1.0


def test_record_tells_source_period_and_times(catalogue: Catalogue, market: Market) -> None:
    candles = market()
    catalogue.write(KEY, candles, source=source(imported=5_000, downloaded=4_000))
    (info,) = catalogue.series()
    assert (info.key, info.rows, info.imported_at_ms) == (KEY, 200, 5_000)
    assert (info.first_ms, info.last_ms) == (candles.open_time[0], candles.open_time[-1])
    (origin,) = info.sources
    assert (origin.name, origin.sha256, origin.downloaded_at_ms, origin.rows) == (
        "a.csv",
        "sha-a.csv",
        4_000,
        200,
    )


def test_overlapping_import_is_merged(catalogue: Catalogue, market: Market) -> None:
    candles = market()
    catalogue.write(KEY, candles[50:150], source=source("middle.csv"))
    before = catalogue.write(KEY, candles[:100], source=source("head.csv"))
    after = catalogue.write(KEY, candles[100:], source=source("tail.csv"))
    assert (before.added, after.added, after.restated) == (50, 50, 0)
    assert checksum(catalogue.load("BTC/USDT", "1h")) == checksum(candles)
    assert [origin.name for origin in after.info.sources] == ["middle.csv", "head.csv", "tail.csv"]


def test_restated_bar_is_replaced_told_and_kept_in_the_log(catalogue: Catalogue, market: Market) -> None:
    candles = market()
    newer = restated(candles, 7, float(candles.high[7]))
    catalogue.write(KEY, candles, source=source("old.csv"))
    result = catalogue.write(KEY, newer[5:10], source=source("new.csv", imported=2_000))
    assert (result.restated, result.replaced, result.added) == (1, 1, 0)
    (bar,) = result.examples
    assert (bar.time_ms, bar.old[3], bar.new[3]) == (candles.open_time[7], candles.close[7], candles.high[7])
    assert catalogue.load("BTC/USDT", "1h").close[7] == candles.high[7]
    (line,) = catalogue.restatements(result.info)
    assert line["old"] == list(bar.old)
    assert (line["stands"], line["source"], line["found_at_ms"]) == ("new", "new.csv", 2_000)


def test_keep_old_keeps_the_bar_and_logs_the_new_value(catalogue: Catalogue, market: Market) -> None:
    candles = market()
    catalogue.write(KEY, candles, source=source("old.csv"))
    newer = restated(candles, 7, float(candles.high[7]))
    result = catalogue.write(KEY, newer, source=source("new.csv"), keep_old=True)
    assert (result.restated, result.replaced) == (1, 0)
    assert checksum(catalogue.load("BTC/USDT", "1h")) == checksum(candles)
    (line,) = catalogue.restatements(result.info)
    assert line["stands"] == "old"
    assert line["new"] == list(result.examples[0].new)


def test_download_known_to_be_older_does_not_replace(catalogue: Catalogue, market: Market) -> None:
    candles = market()
    older = restated(candles, 7, float(candles.high[7]))
    catalogue.write(KEY, candles, source=source("new.csv", downloaded=900))
    result = catalogue.write(KEY, older, source=source("old.csv", imported=2_000, downloaded=800))
    assert (result.restated, result.replaced) == (1, 0)
    assert checksum(catalogue.load("BTC/USDT", "1h")) == checksum(candles)


def test_log_of_restatements_grows_over_imports(catalogue: Catalogue, market: Market) -> None:
    candles = market()
    catalogue.write(KEY, candles, source=source())
    catalogue.write(KEY, restated(candles, 7, float(candles.high[7])), source=source("b.csv"))
    result = catalogue.write(KEY, candles, source=source("c.csv"))
    assert [line["source"] for line in catalogue.restatements(result.info)] == ["b.csv", "c.csv"]
    assert result.info.restated == 2
    assert checksum(catalogue.load("BTC/USDT", "1h")) == checksum(candles)


def test_same_file_again_writes_nothing(catalogue: Catalogue, market: Market) -> None:
    first = catalogue.write(KEY, market(), source=source())
    again = catalogue.write(KEY, market(), source=source(imported=9_000))
    assert again.info == first.info


def test_open_memory_map_survives_a_later_import(catalogue: Catalogue, market: Market) -> None:
    candles = market()
    catalogue.write(KEY, candles[:100], source=source())
    opened = catalogue.load("BTC/USDT", "1h")
    catalogue.write(KEY, candles[100:], source=source("b.csv"))
    assert checksum(opened) == checksum(candles[:100])


def test_failure_in_a_common_write_leaves_every_series_as_it_was(
    catalogue: Catalogue, market: Market
) -> None:
    candles = market()
    catalogue.write(KEY, candles[:100], source=source())
    before = catalogue.series()

    def fail() -> None:
        with catalogue.writer() as writer:
            writer.write(KEY, candles[100:], source=source("b.csv"))
            writer.write(evolve(KEY, symbol="ETH/USDT"), candles, source=source("c.csv"))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert catalogue.series() == before
    assert sorted(path.name for path in catalogue.root.glob("*/*/*")) == ["BTC-USDT"]
    assert len(list(catalogue.root.rglob("v0*"))) == 1


def test_leftovers_of_a_killed_import_are_neither_read_nor_in_the_way(
    catalogue: Catalogue, market: Market
) -> None:
    candles = market()
    info = catalogue.write(KEY, candles[:100], source=source()).info
    folder = next(catalogue.root.rglob("series.json")).parent
    (folder / "v000002").mkdir()
    (folder / "v000002" / "close.npy").write_bytes(b"half")
    (folder / "series.json.draft").write_text("{")
    assert catalogue.series() == [info]
    catalogue.write(KEY, candles[100:], source=source("b.csv"))
    assert checksum(catalogue.load("BTC/USDT", "1h")) == checksum(candles)


def test_several_writes_to_one_series_become_one_version(catalogue: Catalogue, market: Market) -> None:
    candles = market()
    with catalogue.writer() as writer:
        for start in range(0, 200, 50):
            writer.write(KEY, candles[start : start + 50], source=source(f"{start}.csv"))
        assert catalogue.series() == []
    assert checksum(catalogue.load("BTC/USDT", "1h")) == checksum(candles)
    assert len(list(catalogue.root.rglob("v0*"))) == 1


def test_second_writer_is_refused_while_one_writes(catalogue: Catalogue) -> None:
    pytest.importorskip("fcntl")
    with catalogue.writer(), pytest.raises(DataError, match="another import is writing"), catalogue.writer():
        pass


def test_several_exchanges_of_one_symbol_must_be_told_apart(catalogue: Catalogue, market: Market) -> None:
    for exchange, seed in (("binance", 1), ("bybit", 2)):
        catalogue.write(evolve(KEY, exchange=exchange), market(seed=seed), source=source())
    with pytest.raises(
        DataError, match=r"several series of BTC/USDT 1h in .*: binance spot, bybit spot; say which"
    ):
        catalogue.load("BTC/USDT", "1h")
    assert checksum(catalogue.load("BTC/USDT", "1h", exchange="bybit")) == checksum(market(seed=2))


def test_missing_series_names_what_is_there(catalogue: Catalogue, market: Market) -> None:
    with pytest.raises(DataError, match="nothing yet"):
        catalogue.load("BTC/USDT", "1h")
    catalogue.write(KEY, market(), source=source())
    with pytest.raises(DataError, match=r"no data of BTC/USDT 5m .*there: binance spot BTC/USDT 1h"):
        catalogue.load("BTC/USDT", "5m")
    with pytest.raises(DataError, match=r"no data of bybit ETH/USDT 1h .*there: BTC/USDT"):
        catalogue.load("ETH/USDT", "1h", exchange="bybit")


def test_mark_prices_and_funding_are_series_of_their_own(catalogue: Catalogue, market: Market) -> None:
    rates = FundingRates(
        "BTC/USDT", np.arange(3, dtype=np.int64) * 8 * HOUR_MS, np.array([0.0001, -0.0002, 0.0003])
    )
    catalogue.write(evolve(KEY, market="linear", kind="mark-1h"), market(), source=source())
    catalogue.write(evolve(KEY, market="linear", kind="funding"), rates, source=source())
    assert checksum(catalogue.load_mark("BTC/USDT")) == checksum(market())
    assert catalogue.load_funding("BTC/USDT", exchange="binance").rate.tolist() == [0.0001, -0.0002, 0.0003]
    with pytest.raises(DataError, match="no data of BTC/USDT 1h"):
        catalogue.load("BTC/USDT", "1h")


def test_damaged_column_is_told(catalogue: Catalogue, market: Market) -> None:
    info = catalogue.write(KEY, market(), source=source()).info
    path = next(catalogue.root.rglob("close.npy"))
    np.save(path, np.load(path) + 1.0)
    assert not catalogue.is_intact(info)
    np.save(path, np.load(path)[:-1])
    with pytest.raises(DataError, match="199 rows where binance spot BTC/USDT 1h should have 200"):
        catalogue.load("BTC/USDT", "1h")
    path.unlink()
    with pytest.raises(DataError, match=r"close\.npy: a column .* cannot be read"):
        catalogue.load("BTC/USDT", "1h")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 1}'])
def test_damaged_record_is_told(catalogue: Catalogue, market: Market, text: str) -> None:
    catalogue.write(KEY, market(), source=source())
    next(catalogue.root.rglob("series.json")).write_text(text)
    with pytest.raises(DataError, match=r"series\.json: the record of a series is damaged"):
        catalogue.series()


def test_record_of_a_later_format_asks_for_a_newer_version(catalogue: Catalogue, market: Market) -> None:
    catalogue.write(KEY, market(), source=source())
    path = next(catalogue.root.rglob("series.json"))
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 2}))
    with pytest.raises(DataError, match="catalogue format 2; expected 1; install a newer"):
        catalogue.series()


def test_default_root_is_told_by_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TRADERAGENT_CATALOGUE", str(tmp_path))
    assert Catalogue().root == default_root() == tmp_path
    monkeypatch.delenv("TRADERAGENT_CATALOGUE")
    assert default_root() == Path.home() / ".traderagent" / "catalogue"
