"""The text of a CSV file: unpacked, checked to be text, its delimiter and its header found."""

import csv
import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from traderagent_core.errors import DataError

_GZIP_MAGIC = b"\x1f\x8b"
_UTF8_BOM = b"\xef\xbb\xbf"
_UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")
_PREAMBLES = ("#", "http", "//", "www.", "sep=")
_HEAD_BYTES = 65_536
_BLANKS = " \t\r"
_DELIMITERS = (",", ";", "\t")


@frozen
class CsvText:
    """A CSV file in memory: `body` holds the rows without header and blank lines. Lines are counted from 1.

    `line_numbers` is given only where blank lines were left out; else row n stands at line `data_line` + n.
    """

    path: Path
    body: bytes
    delimiter: str
    header: tuple[str, ...] | None
    header_line: int
    data_line: int
    first_row: tuple[str, ...]
    line_numbers: NDArray[np.int64] | None = None

    def line_number(self, row: int) -> int:
        """The line a data row stands at."""
        return self.data_line + row if self.line_numbers is None else int(self.line_numbers[row])

    def place(self, row: int) -> str:
        """`file:line` of a data row, for messages."""
        return f"{self.path}:{self.line_number(row)}"

    def rows(self) -> Iterator[list[str]]:
        """Every row cut into fields: slow, for finding the place of an error."""
        for row, line in enumerate(self.body.decode("utf-8").split("\n")):
            yield split_line(line.rstrip("\r"), self.delimiter, self.place(row))


def read_csv_text(path: Path) -> CsvText:
    """Reads a CSV file, plain or gzip. Raises DataError naming place and remedy when it is no CSV text."""
    text = _require_text(path, read_bytes(path))
    body = text.rstrip()
    if not body:
        raise DataError(
            f"{path}: the file is empty; expected a header and rows of candles; download it again"
        )
    head = _first_lines(body)
    skipped = _preamble_length(head)
    lines = head[skipped : skipped + 2]
    if not lines:
        raise DataError(
            f"{path}: only comments found; expected a header and rows of candles; download it again"
        )
    first = lines[0]
    place = f"{path}:{skipped + 1}"
    delimiter = _delimiter_of(first, place)
    fields = split_line(first, delimiter, place)
    has_header = not any(_is_number(field) for field in fields)
    data_line = skipped + 1 + has_header
    if has_header and len(lines) == 1:
        raise DataError(f"{path}: a header and no row below it; expected rows of candles; download it again")
    rows, line_numbers = _without_blank_lines(_without_lines(body, data_line - 1), data_line)
    return CsvText(
        path=path,
        body=rows,
        delimiter=delimiter,
        header=tuple(fields) if has_header else None,
        header_line=skipped + 1,
        data_line=data_line,
        first_row=tuple(split_line(_first_lines(rows)[0], delimiter, f"{path}:{data_line}")),
        line_numbers=line_numbers,
    )


def read_bytes(path: Path) -> bytes:
    """A file's bytes, unpacked when they are gzip. Raises DataError when it cannot be read or is cut off."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; expected a CSV or Parquet file") from None
    except IsADirectoryError:
        raise DataError(f"{path}: is a folder where a file was expected; name a file inside it") from None
    except OSError as error:
        raise DataError(
            f"{path}: cannot be read ({error.strerror or error}); mend its permissions"
        ) from error
    if not raw.startswith(_GZIP_MAGIC):
        return raw
    try:
        return gzip.decompress(raw)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(
            f"{path}: the gzip data are cut off or damaged ({error}); download the file again"
        ) from error


def split_line(line: str, delimiter: str, place: str) -> list[str]:
    """Cuts one line into fields; quotes are understood, blanks around fields dropped.

    Raises DataError naming the place for a line that is none, such as one with a field of 200,000 characters.
    """
    try:
        fields = next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])
    except csv.Error as error:
        raise DataError(
            f"{place}: this line cannot be cut into fields ({error}); expected short fields and lines that end in "
            "LF or CRLF; mend the line or download the file again"
        ) from None
    return [field.strip(_BLANKS) for field in fields]


def _require_text(path: Path, raw: bytes) -> bytes:
    if raw.startswith(_UTF16_BOMS):
        raise DataError(f"{path}: the text is UTF-16; expected UTF-8; save it as UTF-8 and import it again")
    if b"\0" in raw:
        raise DataError(f"{path}: binary data, no text; expected CSV; was a zip or database file renamed?")
    text = raw.removeprefix(_UTF8_BOM)
    if not text.isascii():
        try:
            text.decode("utf-8")
        except UnicodeDecodeError as error:
            line = text[: error.start].count(b"\n") + 1
            raise DataError(
                f"{path}:{line}: not UTF-8 text; expected CSV; save it as UTF-8, or unpack it first"
            ) from None
    return text


def _first_lines(body: bytes) -> list[str]:
    """The lines at the top of a file: enough to see how it is made, without cutting all of it into pieces."""
    text = body[:_HEAD_BYTES].decode("utf-8", errors="ignore")  # a character may be cut at the very end
    return [line.rstrip("\r") for line in text.split("\n")]


def _preamble_length(head: list[str]) -> int:
    """How many lines stand before the header: comments, web addresses, blank lines."""
    count = 0
    for line in head:
        text = line.strip().strip('"').lower()
        if text and not text.startswith(_PREAMBLES):
            break
        count += 1
    return count


def _delimiter_of(line: str, place: str) -> str:
    found = max(_DELIMITERS, key=line.count)
    if line.count(found) == 0:
        shown = line if len(line) <= 60 else f"{line[:60]}…"
        raise DataError(
            f"{place}: no delimiter found in {shown!r}; expected columns between commas, semicolons or tabs; "
            "rewrite the file with one of them"
        )
    return found


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text.strip("+-").lower() not in ("nan", "inf", "infinity")


def _without_lines(body: bytes, count: int) -> bytes:
    start = 0
    for _ in range(count):
        start = body.index(b"\n", start) + 1
    return body[start:]


def _without_blank_lines(body: bytes, first_line: int) -> tuple[bytes, NDArray[np.int64] | None]:
    if b"\n\n" not in body and b"\n\r\n" not in body:
        return body, None
    lines = [(number, line) for number, line in enumerate(body.split(b"\n"), first_line) if line.strip()]
    return b"\n".join(line for _, line in lines), np.array([number for number, _ in lines], dtype=np.int64)
