"""Spoilt files of candles: each is imported, or refused with file and line and what was expected."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from random import Random

from traderagent_core.data.series_reading import read_series
from traderagent_core.errors import DataError, TraderAgentError
from traderagent_core.testing.fuzz.examining import MEASURED_EVERY, Tally, examine
from traderagent_core.testing.fuzz.spoiling import spoilt

ROWS = 60
NAME = "binance_spot_BTC-USDT_1h_20240101-20240104.csv"
HEADER = "timestamp,open,high,low,close,volume"
_HEADERS = (
    HEADER,
    "open_time,open,high,low,close,volume",
    "Date,Open,High,Low,Close,Volume BTC",
    "time;o;h;l;c;v",
    "timestamp,funding_rate",
    "timestamp,open,high,low,close,close,volume",
    "\ufefftimestamp,open,high,low,close,volume",
    "symbol,timestamp,open,high,low,close,volume",
    "1,2,3,4,5,6",
)
_CELLS = (
    "",
    "NaN",
    "inf",
    "-inf",
    "-1",
    "0",
    "1e999",
    "1e-400",
    "9" * 400,
    "0x10",
    "1_0",
    "1,5",
    '"1,500"',
    "1 000",
    "$5",
    "None",
    "true",
    "2024-01-31",
    "2024-13-45T99:00",
    "\N{ARABIC-INDIC DIGIT THREE}",
    "\N{FULLWIDTH DIGIT ONE}",
    "=1+1",
    '"',
    "'",
    "x" * 200_000,
    "1704067200",
    "1704067200000000000000000",
    "-9223372036854775809",
    "9223372036854775807",
    "253402300800000",
    "1.7040672e12",
)
_NAMES = (NAME, NAME, NAME, "BTCUSDT.csv", "BTCUSDT_1h.csv.gz", "bybit_linear_BTC-USDT_funding.csv", "x.csv")

Rows = list[str]


def fuzz_tables(folder: Path, seeds: range) -> Tally:
    """Examine a spoilt file of candles for each seed; files are written into the folder."""
    tally = Tally()
    for seed in seeds:
        random = Random(seed)
        path = folder / random.choice(_NAMES)
        path.write_bytes(spoilt_table(random))
        measured = seed % MEASURED_EVERY == 0
        examine(tally, f"seed {seed}", partial(read_series, path), _lack, measures_memory=measured)
        path.unlink()
    return tally


def _lack(error: TraderAgentError) -> str:
    """What an error does not tell although it should."""
    text = str(error)
    missing = [word for word in (".csv", "expected") if word not in text]
    if isinstance(error, DataError) and not missing:
        return ""
    return f"{type(error).__name__} without {' and '.join(missing) or 'being a DataError'}: {text}"[:500]


def spoilt_table(random: Random) -> bytes:
    """Candles after one or two things that may happen to a file of them."""
    rows = [HEADER, *_sound_rows(random)]
    for _ in range(random.choice((1, 1, 2))):
        if not rows:
            break
        rows = random.choice(_WAYS)(rows, random)
    raw = "\n".join(rows).encode("utf-8", errors="surrogatepass") + b"\n" * random.choice((1, 0, 3))
    return spoilt(raw, random) if random.random() < 0.3 else raw


def _sound_rows(random: Random) -> Rows:
    price, rows = 100.0, []
    for number in range(ROWS):
        opened, price = price, max(1.0, price + random.uniform(-1, 1))
        high, low = max(opened, price) + 0.5, min(opened, price) - 0.5
        time_ms = 1_704_067_200_000 + number * 3_600_000
        rows.append(f"{time_ms},{opened:.2f},{high:.2f},{low:.2f},{price:.2f},{random.uniform(0, 9):.3f}")
    return rows


def _row(rows: Rows, random: Random) -> int:
    return random.randrange(len(rows))


def _changed(rows: Rows, number: int, *instead: str) -> Rows:
    return [*rows[:number], *instead, *rows[number + 1 :]]


def _other_cell(rows: Rows, random: Random) -> Rows:
    number = _row(rows, random)
    cells = rows[number].split(",")
    cells[random.randrange(len(cells))] = random.choice(_CELLS)
    return _changed(rows, number, ",".join(cells))


def _other_column(rows: Rows, random: Random) -> Rows:
    """One cell in every row."""
    column, cell = random.randrange(6), random.choice(_CELLS)
    if len(cell) > 1_000:
        return rows
    split = [row.split(",") for row in rows[1:]]
    return [rows[0], *(",".join([*cells[:column], cell, *cells[column + 1 :]]) for cells in split)]


def _without_column(rows: Rows, random: Random) -> Rows:
    column = random.randrange(6)
    split = [row.split(",") for row in rows]
    return [",".join(cells[:column] + cells[column + 1 :]) for cells in split]


def _other_header(rows: Rows, random: Random) -> Rows:
    return [random.choice(_HEADERS), *rows[1:]]


def _more_cells(rows: Rows, random: Random) -> Rows:
    number = _row(rows, random)
    return _changed(rows, number, rows[number] + ",1" * random.choice((1, 2, 100_000)))


def _without_row(rows: Rows, random: Random) -> Rows:
    return _changed(rows, _row(rows, random))


def _twice(rows: Rows, random: Random) -> Rows:
    number = _row(rows, random)
    return _changed(rows, number, rows[number], rows[number])


def _swapped(rows: Rows, random: Random) -> Rows:
    one, other = _row(rows, random), _row(rows, random)
    rows = list(rows)
    rows[one], rows[other] = rows[other], rows[one]
    return rows


def _turned_round(rows: Rows, random: Random) -> Rows:
    start = random.choice((0, 1))
    return [*rows[:start], *rows[start:][::-1]]


def _blank(rows: Rows, random: Random) -> Rows:
    return _changed(rows, _row(rows, random), random.choice(("", " ", "\t", ",,,,,", "#", "\x0c", '"\n"')))


def _delimited(rows: Rows, random: Random) -> Rows:
    delimiter = random.choice((";", "\t", "|", " ", ",,"))
    return [row.replace(",", delimiter) for row in rows]


def _quoted(rows: Rows, random: Random) -> Rows:
    number = _row(rows, random)
    return _changed(rows, number, rows[number].replace(",", random.choice(('","', ',"', '"",""')), 1))


def _ended(rows: Rows, random: Random) -> Rows:
    end = random.choice(("\r", "\r\r", "\x00", "\u2028", "\x85"))
    return [row + end for row in rows]


def _few(rows: Rows, random: Random) -> Rows:
    return rows[: random.choice((0, 1, 2, 3))]


def _preamble(rows: Rows, random: Random) -> Rows:
    return [random.choice(("# comment", "https://data.example", "sep=,", '"', "")), *rows]


_WAYS: Sequence[Callable[[Rows, Random], Rows]] = (
    *[_other_cell] * 6,
    *[_other_column] * 4,
    _without_column,
    _other_header,
    _other_header,
    _more_cells,
    _without_row,
    _twice,
    _swapped,
    _turned_round,
    _blank,
    _delimited,
    _quoted,
    _quoted,
    _ended,
    _few,
    _preamble,
)
