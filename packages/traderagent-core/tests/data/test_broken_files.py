"""Every broken file is refused with a message that names place and remedy, and leaves nothing behind."""

import gzip
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from traderagent_core.data.catalogue import Catalogue

Spoil = Callable[[list[str]], list[str] | str | bytes]

HEADER = "timestamp,open,high,low,close,volume"
NAME = "binance_spot_BTC-USDT_1h_20240101-20240102.csv"


def with_field(row: int, column: int, text: str) -> Spoil:
    """Replaces one field; row 0 stands at line 2."""

    def spoil(rows: list[str]) -> list[str]:
        fields = rows[row].split(",")
        fields[column] = text
        return [HEADER, *rows[:row], ",".join(fields), *rows[row + 1 :]]

    return spoil


def with_header(header: str) -> Spoil:
    return lambda rows: [header, *rows]


def in_seconds(rows: list[str]) -> list[str]:
    return [HEADER, *rows[:6], *(f"{row[:10]}{row[13:]}" for row in rows[6:])]


def with_dates(rows: list[str]) -> list[str]:
    return [HEADER, *(f"2024-01-01T{n:02}:00:00{row[13:]}" for n, row in enumerate(rows))]


BROKEN: dict[str, tuple[str, Spoil, list[str]]] = {
    "truncated gzip": (
        "binance_spot_BTC-USDT_1h.csv",
        lambda rows: gzip.compress("\n".join([HEADER, *rows]).encode(), mtime=0)[:-20],
        ["binance_spot_BTC-USDT_1h.csv: ", "cut off", "download the file again"],
    ),
    "damaged gzip": (
        NAME,
        lambda rows: b"\x1f\x8b\x08\x00" + b"\xff" * 60,
        [f"{NAME}: ", "damaged", "download the file again"],
    ),
    "empty": (NAME, lambda rows: "", ["the file is empty", "download it again"]),
    "blank lines only": (NAME, lambda rows: "\n \n\n", ["the file is empty", "download it again"]),
    "header only": (NAME, lambda rows: HEADER, ["a header and no row", "download it again"]),
    "comments only": (NAME, lambda rows: "# a\n# b\n", ["only comments", "download it again"]),
    "binary": (NAME, lambda rows: b"PK\x03\x04" + bytes(range(256)), ["binary data", "renamed"]),
    "other encoding": (
        NAME,
        lambda rows: (HEADER + ",näme\n").encode("latin-1"),
        [f"{NAME}:1: ", "not UTF-8", "save it as UTF-8"],
    ),
    "UTF-16": (
        NAME,
        lambda rows: "\n".join([HEADER, *rows]).encode("utf-16"),
        ["UTF-16", "save it as UTF-8"],
    ),
    "missing column": (
        NAME,
        with_header("timestamp,open,high,low,last,volume"),
        [f"{NAME}:1: ", "no column for close", "found timestamp, open, high, low, last, volume"],
    ),
    "missing time": (
        NAME,
        with_header("what,open,high,low,close,volume"),
        [f"{NAME}:1: ", "no column of time", "expected timestamp"],
    ),
    "two columns of one meaning": (
        NAME,
        lambda rows: [HEADER + ",Close", *(f"{row},1" for row in rows)],
        [f"{NAME}:1: ", "'close' and 'Close' both mean close", "remove or rename"],
    ),
    "two columns of dates": (
        NAME,
        lambda rows: [
            "date,open,high,low,close,volume,datetime",
            *(f"{row},x" for row in with_dates(rows)[1:]),
        ],
        [f"{NAME}:1: ", "both mean the time", "remove or rename"],
    ),
    "odd number of columns without header": (
        NAME,
        lambda rows: [f"{row},1,2" for row in rows],
        [f"{NAME}:1: ", "8 columns and no header", "write a header line"],
    ),
    "text in a number": (
        NAME,
        with_field(4, 2, "abc"),
        [f"{NAME}:6: ", "high is 'abc'", "expected a number"],
    ),
    "quote that is not closed": (
        NAME,
        with_field(4, 4, '101.5"'),
        [f"{NAME}:6: ", "close is", "expected a number"],
    ),
    "quote that is opened before a number": (
        NAME,
        with_field(4, 5, '"1.125'),
        [f"{NAME}:6: ", "a quote that is not closed", "close it"],
    ),
    "field without end": (
        NAME,
        with_field(4, 2, "x" * 200_000),
        [f"{NAME}:6: ", "cannot be cut into fields", "expected short fields"],
    ),
    "time too large for any date": (
        NAME,
        with_field(4, 0, "9" * 25),
        [f"{NAME}:6: ", "time is '9999999999999999999999999'", "expected a whole number"],
    ),
    "time with an exponent": (
        NAME,
        with_field(4, 0, "1e999"),
        [f"{NAME}:6: ", "time is '1e999'", "expected a whole number"],
    ),
    "no times at all": (
        NAME,
        lambda rows: [HEADER, *(f"NaN{row[13:]}" for row in rows)],
        [f"{NAME}:2: ", "'NaN' is no date"],
    ),
    "digits of another script": (
        NAME,
        with_field(4, 4, "\N{ARABIC-INDIC DIGIT THREE}"),
        [f"{NAME}:6: ", "close is", "expected a number"],
    ),
    "line ends that nobody sees": (
        NAME,
        lambda rows: [f"{line}\x85" for line in [HEADER, *rows]],
        [f"{NAME}:2: ", "volume is '1.125\\x85'", "expected a number"],
    ),
    "underscore in a number": (NAME, with_field(4, 4, "1_01"), [f"{NAME}:6: ", "close is '1_01'"]),
    "NaN": (NAME, with_field(4, 4, "NaN"), [f"{NAME}:6: ", "close is missing or not a number", "download"]),
    "empty field": (
        NAME,
        with_field(4, 1, ""),
        [f"{NAME}:6: ", "open is missing or not a number", "download"],
    ),
    "infinite": (NAME, with_field(4, 2, "inf"), [f"{NAME}:6: ", "high is infinite", "mend the row"]),
    "negative price": (NAME, with_field(4, 3, "-5"), [f"{NAME}:6: ", "low is -5", "prices above zero"]),
    "zero price": (NAME, with_field(0, 3, "0"), [f"{NAME}:2: ", "low is 0", "prices above zero"]),
    "negative volume": (NAME, with_field(4, 5, "-1"), [f"{NAME}:6: ", "volume is -1", "zero or more"]),
    "high below low": (
        NAME,
        with_field(4, 2, "90"),
        [f"{NAME}:6: ", "high 90", "low <= open, close <= high"],
    ),
    "close above high": (NAME, with_field(4, 4, "150"), [f"{NAME}:6: ", "close 150", "2024-01-01T04:00Z"]),
    "rows out of order": (
        NAME,
        lambda rows: [HEADER, *rows[:5], rows[7], rows[6], *rows[8:]],
        [f"{NAME}:8: ", "the time goes back", "sort the file"],
    ),
    "conflicting duplicate": (
        NAME,
        lambda rows: [HEADER, *rows[:5], rows[4].replace(".125", ".5"), *rows[5:]],
        [f"{NAME}:7: ", "a second row of the same time", "remove the other"],
    ),
    "off-grid time": (
        NAME,
        with_field(4, 0, "1704081600001"),
        [f"{NAME}:6: ", "off the grid", "2024-01-01T04:00:00.001Z", "whole 1h steps"],
    ),
    "mixed units of time": (NAME, in_seconds, [f"{NAME}:8: ", "1704088800", "milliseconds", "one unit"]),
    "no time at all": (NAME, with_field(0, 0, "17"), [f"{NAME}:2: ", "17 is no time", "ISO date"]),
    "unparsable date": (
        NAME,
        lambda rows: [row.replace("T03:00:00", "T25:00:00") for row in with_dates(rows)],
        [f"{NAME}:5: ", "'2024-01-01T25:00:00' is no date", "ISO date"],
    ),
    "dates of unclear order": (
        NAME,
        lambda rows: [HEADER, *(f"01/02/2024 {n:02}:00{row[13:]}" for n, row in enumerate(rows))],
        [f"{NAME}:2: ", "is no date", "ISO date"],
    ),
    "date among epochs": (
        NAME,
        with_field(4, 0, "2024-01-01"),
        [f"{NAME}:6: ", "time is '2024-01-01'", "first row"],
    ),
    "wrong delimiter": (
        NAME,
        lambda rows: [line.replace(",", "|") for line in [HEADER, *rows]],
        [f"{NAME}:1: ", "no delimiter", "commas, semicolons or tabs"],
    ),
    "two delimiters": (
        NAME,
        lambda rows: [HEADER, *(row.replace(",", ";") for row in rows)],
        [f"{NAME}:2: ", "1 columns where the first line has 6", "another delimiter"],
    ),
    "decimal comma": (
        NAME,
        lambda rows: [line.replace(",", ";").replace(".", ",") for line in [HEADER, *rows]],
        [f"{NAME}:2: ", "open is '100,5'", "with a point, not a comma"],
    ),
    "decimal comma among commas": (
        NAME,
        lambda rows: [HEADER, *(row.replace(".", ",") for row in rows)],
        [f"{NAME}:2: ", "11 columns", "decimals written with a comma"],
    ),
    "separators of thousands": (
        NAME,
        lambda rows: [HEADER, *(row.replace("100.5", '"1,100.5"') for row in rows)],
        [f"{NAME}:2: ", "open is '1,100.5'", "separators of thousands"],
    ),
    "line cut off": (
        NAME,
        lambda rows: [HEADER, *rows[:-1], rows[-1][:18]],
        [f"{NAME}:13: ", "2 columns", "cut off"],
    ),
    "funding given as candles": (
        NAME,
        lambda rows: ["timestamp,funding_rate", *(f"{row[:13]},0.0001" for row in rows)],
        [f"{NAME}: ", "holds funding rates, but 1h candles were expected", "rename"],
    ),
    "candles given as funding": (
        "bybit_linear_BTC-USDT_funding_20240101-20240102.csv",
        with_header(HEADER),
        ["holds candles, but funding rates were expected", "rename"],
    ),
    "name and content say different symbols": (
        NAME,
        lambda rows: [HEADER + ",symbol", *(f"{row},ETHUSDT" for row in rows)],
        ["symbol is contradictory", "BTC/USDT", "ETH/USDT", "rename the file"],
    ),
    "several symbols": (
        NAME,
        lambda rows: [
            HEADER + ",symbol",
            *(f"{row},{'ETH' if n else 'BTC'}USDT" for n, row in enumerate(rows)),
        ],
        ["several symbols in one file", "BTCUSDT", "split it"],
    ),
    "unknown name and no options": (
        "prices.csv",
        with_header(HEADER),
        ["prices.csv: ", "neither name nor content tells the symbol", "--symbol BTC/USDT"],
    ),
    "timeframe finer than the name": (
        NAME.replace("_1h_", "_4h_"),
        with_header(HEADER),
        ["said to be 4h, but the rows are 1h apart", "--timeframe"],
    ),
    "timeframe coarser than the name": (
        NAME.replace("_1h_", "_15m_"),
        with_header(HEADER),
        ["said to be 15m, but the rows are 1h apart", "rename the file"],
    ),
    "one row and no timeframe": (
        "BTCUSDT.csv",
        lambda rows: [HEADER, rows[0]],
        ["one row does not tell the timeframe", "--timeframe 1h"],
    ),
    "trades": (
        "binance_spot_BTC-USDT_trades_20240101.csv",
        lambda rows: ["timestamp,trade_id,price,amount,side", "1704067200000,1,2,3,buy"],
        ["holds trades by its name", "expected candles or funding"],
    ),
    "corrupt parquet": (
        NAME.replace(".csv", ".parquet"),
        lambda rows: b"PAR1" + b"\x00" * 50 + b"PAR1",
        ["cannot be read as Parquet", "download the file again"],
    ),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_broken_file_is_refused_with_place_and_remedy(
    kind: str,
    tmp_path: Path,
    write: Callable[..., Path],
    lines: Callable[..., list[str]],
    run: Callable[..., tuple[int, str]],
) -> None:
    if kind == "corrupt parquet":
        pytest.importorskip("pyarrow")
    name, spoil, expected = BROKEN[kind]
    sound = write("binance_spot_ETH-USDT_1h_20240101-20240102.csv", [HEADER, *lines()])
    path = write(name, spoil(lines()))

    code, output = run("import", sound, path)

    assert code == 2
    assert str(path) in output
    for text in expected:
        assert text in output
    assert "Traceback" not in output
    assert Catalogue(tmp_path / "catalogue").series() == []
    assert list((tmp_path / "catalogue").rglob("*.npy")) == []


@pytest.mark.parametrize("kind", BROKEN)
def test_check_calls_the_same_file_broken(
    kind: str,
    write: Callable[..., Path],
    lines: Callable[..., list[str]],
    run: Callable[..., tuple[int, str]],
) -> None:
    if kind == "corrupt parquet":
        pytest.importorskip("pyarrow")
    name, spoil, expected = BROKEN[kind]

    code, output = run("check", write(name, spoil(lines())))

    assert code == 1
    assert output.startswith("BROKEN")
    assert expected[0] in output


def test_folder_in_place_of_a_file_is_searched_and_says_what_it_lacks(
    tmp_path: Path, run: Callable[..., tuple[int, str]]
) -> None:
    folder = tmp_path / "x.csv"
    folder.mkdir()
    code, output = run("import", folder)
    assert code == 2
    assert f"{folder}: no data files here; expected .csv" in output


def test_folder_whose_data_lie_deeper_names_the_inner_folders(
    write: Callable[..., Path], lines: Callable[..., list[str]], run: Callable[..., tuple[int, str]]
) -> None:
    path = write(f"deep/{NAME}", [HEADER, *lines()])
    code, output = run("import", path.parent.parent)
    assert code == 2
    assert "only in the folders deep; name one of these" in output


def test_folder_of_trades_only_is_told(
    write: Callable[..., Path], run: Callable[..., tuple[int, str]]
) -> None:
    path = write("binance_spot_BTC-USDT_trades_20240101.csv", "timestamp,price\n1,2\n")
    code, output = run("import", path.parent)
    assert code == 2
    assert "none holds candles or funding" in output


def test_missing_path_is_told(tmp_path: Path, run: Callable[..., tuple[int, str]]) -> None:
    code, output = run("import", tmp_path / "nowhere.csv")
    assert code == 2
    assert "nowhere.csv: no such file or folder" in output


def test_file_without_permission_is_told(
    write: Callable[..., Path],
    lines: Callable[..., list[str]],
    run: Callable[..., tuple[int, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = write(NAME, [HEADER, *lines()])

    def refuse(self: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "read_bytes", refuse)  # the tests may run as root, whom no mode stops
    code, output = run("import", path)
    assert code == 2
    assert f"{path}: cannot be read (Permission denied); mend its permissions" in output


def test_catalogue_that_is_a_file_is_told(
    write: Callable[..., Path], lines: Callable[..., list[str]], run: Callable[..., tuple[int, str]]
) -> None:
    path = write(NAME, [HEADER, *lines()])
    code, output = run("import", path, "--catalogue", path)
    assert code == 2
    assert "cannot be written" in output
    assert "--catalogue" in output


def test_unknown_timeframe_and_symbol_options_are_told(
    write: Callable[..., Path], lines: Callable[..., list[str]], run: Callable[..., tuple[int, str]]
) -> None:
    path = write("prices.csv", [HEADER, *lines()])
    code, output = run("import", path, "--symbol", "BTC", "--timeframe", "1h")
    assert (code, "expected BASE/QUOTE" in output) == (2, True)
    code, output = run("import", path, "--symbol", "BTC/USDT", "--timeframe", "1x")
    assert (code, "unknown timeframe '1x'" in output) == (2, True)
    code, output = run("import", path, "--symbol", "BTC/USDT", "--exchange", "../../etc")
    assert (code, "exchange '../../etc' is not understood" in output) == (2, True)


def test_parquet_without_its_extra_names_the_extra(
    write: Callable[..., Path], run: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(NAME.replace(".csv", ".parquet"), b"PAR1")
    monkeypatch.setattr("traderagent_core.data.parquet_reading.find_spec", lambda name: None)
    code, output = run("import", path)
    assert code == 2
    assert "pip install 'traderagent-core[parquet]'" in output


def test_all_broken_files_of_an_import_are_told_at_once(
    write: Callable[..., Path], lines: Callable[..., list[str]], run: Callable[..., tuple[int, str]]
) -> None:
    first = write("binance_spot_BTC-USDT_1h.csv", with_field(4, 2, "abc")(lines()))
    second = write("binance_spot_ETH-USDT_1h.csv", with_field(2, 4, "nan")(lines()))
    code, output = run("import", first.parent)
    assert code == 2
    assert f"{first}:6: " in output
    assert f"{second}:4: " in output
    assert "nothing was imported (2 of 2 files are broken)" in output


def test_write_that_fails_half_way_leaves_the_former_catalogue(
    tmp_path: Path,
    write: Callable[..., Path],
    lines: Callable[..., list[str]],
    run: Callable[..., tuple[int, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run("import", write("binance_spot_BTC-USDT_1h.csv", [HEADER, *lines(6)]))
    before = Catalogue(tmp_path / "catalogue").series()
    more = [
        write(f"binance_spot_{base}-USDT_1h_20240101-20240102.csv", [HEADER, *lines()])
        for base in ("BTC", "ETH")
    ]

    calls = []

    def full_disk(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) == 10:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    code, output = run("import", *more)
    assert code == 2
    assert "No space left on device" in output
    catalogue = Catalogue(tmp_path / "catalogue")
    assert catalogue.series() == before
    assert len(catalogue.load("BTC/USDT", "1h")) == 6
