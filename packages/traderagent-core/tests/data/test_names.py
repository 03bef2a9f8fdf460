from pathlib import Path

import pytest
from traderagent_core.data.names import NameHints, SeriesKey, hints_from_name, split_symbol, stem_of
from traderagent_core.errors import DataError


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "binance_spot_BTC-USDT_1h_20170817-20220930.csv.gz",
            NameHints("binance", "spot", "BTC/USDT", "1h"),
        ),
        (
            "bybit_linear_BTC-USDT_mark-1h_20231218-20241231.parquet",
            NameHints("bybit", "linear", "BTC/USDT", "mark-1h"),
        ),
        (
            "bybit_linear_BTC-USDT_funding_20231218-20241231.csv",
            NameHints("bybit", "linear", "BTC/USDT", "funding"),
        ),
        ("binance_linear_1000SHIB-USDT_1h.csv", NameHints("binance", "linear", "1000SHIB/USDT", "1h")),
        ("binance_spot_XRP-ETH_trades_20191011.csv", NameHints("binance", "spot", "XRP/ETH", "trades")),
        ("BTCUSDT-1m-2024-01.csv", NameHints(symbol="BTC/USDT", kind="1m")),
        ("Binance_BTCUSDT_minute.csv", NameHints(exchange="binance", symbol="BTC/USDT", kind="1m")),
        ("Bitstamp_BTCUSD_2021_hour.csv", NameHints(exchange="bitstamp", symbol="BTC/USD", kind="1h")),
        ("BTC_USDT_USDT-1h-futures.csv", NameHints(market="linear", symbol="BTC/USDT", kind="1h")),
        ("btcusdt_15min.csv", NameHints(symbol="BTC/USDT", kind="15m")),
        ("BTC_FDUSD-1d.csv", NameHints(symbol="BTC/FDUSD", kind="1d")),
        ("BTCUSDT-1M.csv", NameHints(symbol="BTC/USDT")),
        ("prices.csv", NameHints()),
    ],
)
def test_file_name_tells_what_it_can(name: str, expected: NameHints) -> None:
    assert hints_from_name(Path(name)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("BTCBUSD", "BTC/BUSD"),
        ("eth-btc", "ETH/BTC"),
        ("SOL/USDC", "SOL/USDC"),
        ("USDT", None),
        ("my-data", None),
    ],
)
def test_symbol_is_split_at_a_known_quote(text: str, expected: str | None) -> None:
    assert split_symbol(text) == expected


def test_twins_share_their_stem() -> None:
    names = ("a_b.csv", "a_b.csv.gz", "a_b.parquet")
    assert {stem_of(Path(name)) for name in names} == {"a_b"}


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (("Binance", "spot", "BTC/USDT", "1h"), "exchange 'Binance' is not understood"),
        (("binance", "..", "BTC/USDT", "1h"), "market '..' is not understood"),
        (("binance", "spot", "BTCUSDT", "1h"), "expected BASE/QUOTE"),
        (("binance", "spot", "../USDT", "1h"), "expected BASE/QUOTE"),
        (("binance", "spot", "BTC/USDT", "1 hour"), "unknown timeframe"),
    ],
)
def test_series_key_refuses_what_cannot_be_a_folder(parts: tuple[str, str, str, str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        SeriesKey(*parts)
