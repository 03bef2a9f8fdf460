from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from attrs import evolve
from traderagent_core.data.catalogue import Catalogue
from traderagent_core.data.choosing import Offer, Wish, choose_offer
from traderagent_core.data.columns import checksum
from traderagent_core.data.csv_writing import write_csv
from traderagent_core.data.funding import FundingRates
from traderagent_core.data.importing import import_files
from traderagent_core.data.loading import load_for_backtest
from traderagent_core.data.names import SeriesKey
from traderagent_core.errors import DataError
from traderagent_core.model.candle import Candles

Market = Callable[..., Candles]
HOUR_MS = 3_600_000
START_MS = 1_704_067_200_000


@pytest.fixture
def folder(tmp_path: Path, market: Market) -> Path:
    """Hours and minutes of BTC, hours of ETH on two exchanges, funding of one."""
    place = tmp_path / "folder"
    place.mkdir()
    write_csv(market(), place / "bybit_linear_BTC-USDT_1h_20240101-20240109.csv.gz")
    minutes = market(timeframe="1m", rows=2 * 1440)
    write_csv(minutes, place / "bybit_linear_BTC-USDT_1m_20240101-20240102.csv.gz")
    write_csv(market(seed=1), place / "bybit_linear_ETH-USDT_1h_20240101-20240109.csv.gz")
    write_csv(market(seed=2), place / "binance_spot_ETH-USDT_1h_20240101-20240109.csv.gz")
    rates = [f"{START_MS + n * 8 * HOUR_MS},0.000{n % 9 + 1}" for n in range(20)]
    name = "bybit_linear_BTC-USDT_funding_20240101-20240107.csv"
    (place / name).write_text("\n".join(["timestamp,funding_rate", *rates]))
    return place


@pytest.fixture(params=["folder", "catalogue"])
def place(request: pytest.FixtureRequest, folder: Path, tmp_path: Path) -> Path:
    """The same data as a folder of files and as a catalogue."""
    if request.param == "folder":
        return folder
    import_files(Catalogue(tmp_path / "imported"), [folder], imported_at_ms=1)
    return tmp_path / "imported"


def test_finest_data_are_used_and_what_reaches_further_is_told(place: Path) -> None:
    loaded = load_for_backtest(place, ["BTC/USDT"], "1h")
    assert loaded.candles["BTC/USDT"].timeframe == "1m"
    assert any("coarser ones reach further: bybit linear BTC/USDT 1h" in note for note in loaded.notes)


def test_data_that_cover_the_period_win_over_finer_ones(place: Path) -> None:
    loaded = load_for_backtest(place, ["BTC/USDT"], "4h", START_MS, START_MS + 150 * HOUR_MS)
    candles = loaded.candles["BTC/USDT"]
    assert (candles.timeframe, len(candles)) == ("1h", 150)
    assert any(
        "finer ones do not cover the period: bybit linear BTC/USDT 1m" in note for note in loaded.notes
    )
    within = load_for_backtest(place, ["BTC/USDT"], "4h", START_MS, START_MS + 40 * HOUR_MS)
    assert (within.candles["BTC/USDT"].timeframe, len(within.candles["BTC/USDT"])) == ("1m", 2_400)
    assert not any("finer" in note for note in within.notes)


def test_period_that_nothing_covers_takes_what_covers_most(place: Path) -> None:
    loaded = load_for_backtest(
        place, ["BTC/USDT"], "1h", START_MS - 1000 * HOUR_MS, START_MS + 1000 * HOUR_MS
    )
    assert len(loaded.candles["BTC/USDT"]) == 200


def test_the_settlement_at_the_end_is_part_of_the_period(place: Path) -> None:
    until = load_for_backtest(place, ["BTC/USDT"], "1h", START_MS, START_MS + 24 * HOUR_MS)
    assert until.funding["BTC/USDT"].time_ms.tolist()[-1] == START_MS + 24 * HOUR_MS
    assert until.candles["BTC/USDT"].open_time[-1] < START_MS + 24 * HOUR_MS


def test_earlier_candles_are_kept_to_warm_up_on(place: Path) -> None:
    start_ms = START_MS + 24 * HOUR_MS
    warm = load_for_backtest(place, ["BTC/USDT"], "1h", start_ms, start_ms + 12 * HOUR_MS, with_earlier=True)
    assert warm.candles["BTC/USDT"].open_time[0] == START_MS
    assert warm.candles["BTC/USDT"].open_time[-1] < start_ms + 12 * HOUR_MS
    assert warm.funding["BTC/USDT"].time_ms[0] < start_ms


def test_funding_comes_from_the_market_of_the_candles(place: Path) -> None:
    loaded = load_for_backtest(place, ["BTC/USDT"], "1h", START_MS, START_MS + 24 * HOUR_MS - 1)
    assert loaded.funding["BTC/USDT"].rate.tolist() == [0.0001, 0.0002, 0.0003]
    assert load_for_backtest(place, ["ETH/USDT"], "1h", exchange="binance").funding == {}


def test_sources_tell_checksum_and_files_of_what_is_used(place: Path, market: Market) -> None:
    loaded = load_for_backtest(place, ["ETH/USDT"], "1h", START_MS, START_MS + 10 * HOUR_MS, exchange="bybit")
    (source,) = loaded.sources
    assert source.checksum == checksum(market(seed=1)[:10]) == checksum(loaded.candles["ETH/USDT"])
    assert (source.exchange, source.market, source.kind, source.rows) == ("bybit", "linear", "1h", 10)
    assert (source.first_ms, source.last_ms) == (START_MS, START_MS + 9 * HOUR_MS)
    assert [name for name, _ in source.files] == ["bybit_linear_ETH-USDT_1h_20240101-20240109.csv.gz"]


def test_several_exchanges_are_ambiguous_unless_one_is_named_or_preferred(
    place: Path, market: Market
) -> None:
    with pytest.raises(
        DataError, match=r"several exchanges have ETH/USDT in .*binance.*bybit.*data_exchange: binance"
    ):
        load_for_backtest(place, ["ETH/USDT"], "1h")
    for options in ({"exchange": "binance"}, {"market": "spot"}, {"prefer": ("binance", "spot")}):
        loaded = load_for_backtest(place, ["ETH/USDT"], "1h", **options)
        assert checksum(loaded.candles["ETH/USDT"]) == checksum(market(seed=2))
    assert (
        load_for_backtest(place, ["BTC/USDT"], "1h", prefer=("binance", "spot")).sources[0].exchange
        == "bybit"
    )


def test_both_positions_of_a_pair_get_its_series_under_their_names(place: Path) -> None:
    symbols = ["BTC/USDT:long", "BTC/USDT:short"]
    loaded = load_for_backtest(place, symbols, "1h")
    pair = load_for_backtest(place, ["BTC/USDT"], "1h")
    for found, whole in ((loaded.candles, pair.candles), (loaded.funding, pair.funding)):
        assert [series.symbol for series in found.values()] == list(found) == symbols
        assert {checksum(series) for series in found.values()} == {checksum(whole["BTC/USDT"])}
    assert loaded.sources == pair.sources


def test_missing_symbol_lists_what_is_there(place: Path) -> None:
    with pytest.raises(DataError, match=r"no candles of SOL/USDT in .*; there: BTC/USDT, ETH/USDT"):
        load_for_backtest(place, ["SOL/USDT"], "1h")
    with pytest.raises(
        DataError, match=r"no binance candles of BTC/USDT in .*; there: bybit .*; choose another"
    ):
        load_for_backtest(place, ["BTC/USDT"], "1h", exchange="binance")


def test_several_markets_of_one_exchange_are_ambiguous_too() -> None:
    offers = [
        Offer(SeriesKey("bybit", kind, "BTC/USDT", "1h"), START_MS, START_MS + HOUR_MS)
        for kind in ("spot", "linear")
    ]
    wish = Wish("BTC/USDT", "1h", None, None)
    with pytest.raises(
        DataError, match=r"several markets have BTC/USDT in here.*`market: linear` of the bot"
    ):
        choose_offer(offers, wish, prefer=None, place="here")


def test_data_too_coarse_are_told(place: Path) -> None:
    with pytest.raises(DataError, match=r"15m candles of ETH/USDT cannot be built from .*1h"):
        load_for_backtest(place, ["ETH/USDT"], "15m", exchange="bybit")


def test_period_without_data_tells_the_period_there_is(place: Path) -> None:
    with pytest.raises(
        DataError, match=r"no candles of ETH/USDT in the period asked for; .*2024-01-01T00:00Z to 2024-01-09"
    ):
        load_for_backtest(place, ["ETH/USDT"], "1h", START_MS + 10**11, exchange="bybit")


def test_files_of_other_symbols_are_not_read(folder: Path) -> None:
    (folder / "binance_spot_SOL-USDT_1h_20240101-20240102.csv").write_text("broken")
    (folder / "bybit_linear_BTC-USDT_mark-1h_20240101-20240102.csv").write_text("broken")
    assert len(load_for_backtest(folder, ["BTC/USDT"], "1h").candles) == 1
    with pytest.raises(DataError, match=r"there: BTC/USDT, ETH/USDT, SOL/USDT"):
        load_for_backtest(folder, ["XRP/USDT"], "1h")


def test_broken_file_that_is_needed_is_told_with_its_line(folder: Path) -> None:
    path = folder / "binance_spot_SOL-USDT_1h_20240101-20240102.csv"
    path.write_text(f"timestamp,open,high,low,close,volume\n{START_MS},1,2,1,x,1\n")
    with pytest.raises(DataError, match=rf"{path}:2: close is 'x'"):
        load_for_backtest(folder, ["SOL/USDT"], "1h")


def test_file_that_tells_no_symbol_is_left_out_of_a_folder_and_told(folder: Path, market: Market) -> None:
    write_csv(market(), folder / "prices.csv")
    notes = load_for_backtest(folder, ["ETH/USDT"], "1h", exchange="bybit").notes
    assert any(
        note.startswith(f"left out: {folder / 'prices.csv'}: neither name nor content") for note in notes
    )


def test_single_file_is_used_whatever_its_exchange(folder: Path, market: Market) -> None:
    path = folder / "binance_spot_ETH-USDT_1h_20240101-20240109.csv.gz"
    loaded = load_for_backtest(path, ["ETH/USDT"], "4h", prefer=("bybit", "linear"))
    assert checksum(loaded.candles["ETH/USDT"]) == checksum(market(seed=2))
    with pytest.raises(DataError, match=r"no candles of BTC/USDT in .*; there: ETH/USDT"):
        load_for_backtest(path, ["BTC/USDT"], "1h")


def test_single_file_without_symbol_is_taken_for_the_one_wanted(tmp_path: Path, market: Market) -> None:
    path = tmp_path / "prices.csv"
    write_csv(market(), path)
    loaded = load_for_backtest(path, ["SOL/USDT"], "1h")
    assert loaded.candles["SOL/USDT"].symbol == "SOL/USDT"
    assert f"{path}: taken to be SOL/USDT, as nothing in it tells" in loaded.notes
    with pytest.raises(DataError, match="neither name nor content tells the symbol"):
        load_for_backtest(path, ["SOL/USDT", "BTC/USDT"], "1h")


def test_parts_of_a_series_are_joined_and_contradictions_refused(tmp_path: Path, market: Market) -> None:
    candles = market()
    names = [f"binance_spot_BTC-USDT_1h_2024010{n}-20240109.csv" for n in (1, 2, 3)]
    write_csv(candles[150:], tmp_path / names[2])
    write_csv(candles[:90], tmp_path / names[0])
    write_csv(candles[90:150], tmp_path / names[1])
    assert checksum(load_for_backtest(tmp_path, ["BTC/USDT"], "1h").candles["BTC/USDT"]) == checksum(candles)
    write_csv(candles[80:150], tmp_path / names[1])
    assert checksum(load_for_backtest(tmp_path, ["BTC/USDT"], "1h").candles["BTC/USDT"]) == checksum(candles)
    write_csv(evolve(candles, volume=candles.volume + 1.0)[80:150], tmp_path / names[1])
    with pytest.raises(
        DataError, match=r"differs from another file .* \(10 such bars\).*import them into a catalogue"
    ):
        load_for_backtest(tmp_path, ["BTC/USDT"], "1h")


def test_no_data_and_no_extra_are_two_messages(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(DataError, match=r"no data: the catalogue .* is empty; fill it with"):
        load_for_backtest(Catalogue(tmp_path / "empty"), ["BTC/USDT"], "1h")
    monkeypatch.setenv("TRADERAGENT_CATALOGUE", str(tmp_path / "other"))
    with pytest.raises(DataError, match=r"no data: the catalogue .*other is empty"):
        load_for_backtest(None, ["BTC/USDT"], "1h")
    with pytest.raises(DataError, match="no such file or folder"):
        load_for_backtest(tmp_path / "nowhere", ["BTC/USDT"], "1h")
    parquet = tmp_path / "parquet" / "binance_spot_BTC-USDT_1h_20240101-20240109.parquet"
    parquet.parent.mkdir()
    parquet.write_bytes(b"PAR1")
    monkeypatch.setattr("traderagent_core.data.parquet_reading.find_spec", lambda name: None)
    for path in (parquet, parquet.parent):
        with pytest.raises(
            DataError, match=r"an extra that is not installed: pip install 'traderagent-core\[parquet\]'"
        ):
            load_for_backtest(path, ["BTC/USDT"], "1h")


def test_between_of_funding_is_half_open() -> None:
    rates = FundingRates("BTC/USDT", np.array([10, 20, 30], dtype=np.int64), np.array([0.1, 0.2, 0.3]))
    assert rates.between(10, 30).rate.tolist() == [0.1, 0.2]
    assert len(rates.between(None, None)) == 3


@pytest.mark.data
def test_real_folder_gives_candles_and_funding(real_data: Path) -> None:
    loaded = load_for_backtest(
        real_data,
        ["BTC/USDT", "SOL/USDT"],
        "1h",
        START_MS,
        START_MS + 240 * HOUR_MS,
        exchange="bybit",
        market="linear",
    )
    assert {symbol: (c.timeframe, len(c)) for symbol, c in loaded.candles.items()} == {
        "BTC/USDT": ("15m", 960),
        "SOL/USDT": ("15m", 960),
    }
    assert {symbol: len(rates) for symbol, rates in loaded.funding.items()} == {
        "BTC/USDT": 31,
        "SOL/USDT": 31,
    }
