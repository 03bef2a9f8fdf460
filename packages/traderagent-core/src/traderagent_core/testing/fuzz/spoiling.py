"""Ways to spoil any text, and values that nobody expects."""

from random import Random

JUNK = (
    "",
    "null",
    "~",
    "true",
    "0",
    "-1",
    "-0",
    "0.1",
    "1e999",
    "1e40",
    "-1e-40",
    "9" * 400,
    "1" + "0" * 41,
    "0x7fffffffffffffff",
    ".nan",
    "NaN",
    ".inf",
    "-Infinity",
    "1_000",
    "1,5",
    "5 %",
    "[]",
    "{}",
    "[1, 2, [3]]",
    "{a: {b: c}}",
    "text",
    "'",
    '"',
    "BTC/USDT",
    "2024-01-31",
    "12:30:45",
    "${HOME}",
    "${",
    "$$",
    "é" * 30,
    "\N{RIGHT-TO-LEFT OVERRIDE}oken",
    "\N{ZERO WIDTH SPACE}",
    "\N{FULLWIDTH DIGIT ONE}\N{FULLWIDTH DIGIT TWO}",
    "\N{ARABIC-INDIC DIGIT THREE}",
    "\N{GRINNING FACE}",
    "x" * 70_000,
    "../../etc/passwd",
    "__class__",
)
_CONTROLS = (
    b"\x00",
    b"\x07",
    b"\x1b",
    b"\x7f",
    b"\xff",
    b"\xfe\xff",
    b"\xc3",
    b"\r",
    b"\x85",
    b"\xed\xa0\x80",
)


def junk(random: Random) -> str:
    """A value that nobody expects."""
    return random.choice(JUNK)


def spoilt(raw: bytes, random: Random) -> bytes:
    """A text that was cut, doubled, overwritten or mixed with what is no text, one to three times."""
    for _ in range(random.randint(1, 3)):
        raw = random.choice((_cut_off, _cut_out, _doubled, _overwritten, _controlled, _swapped))(raw, random)
    return raw


def _span(raw: bytes, random: Random, most: int) -> tuple[int, int]:
    start = random.randint(0, len(raw))
    return start, min(len(raw), start + random.randint(0, most))


def _cut_off(raw: bytes, random: Random) -> bytes:
    return raw[: random.randint(0, len(raw))]


def _cut_out(raw: bytes, random: Random) -> bytes:
    start, end = _span(raw, random, 60)
    return raw[:start] + raw[end:]


def _doubled(raw: bytes, random: Random) -> bytes:
    start, end = _span(raw, random, 200)
    return raw[:end] + raw[start:end] * random.choice((1, 1, 50)) + raw[end:]


def _overwritten(raw: bytes, random: Random) -> bytes:
    start, end = _span(raw, random, 12)
    return raw[:start] + junk(random).encode() + raw[end:]


def _controlled(raw: bytes, random: Random) -> bytes:
    start, _ = _span(raw, random, 0)
    return raw[:start] + random.choice(_CONTROLS) + raw[start:]


def _swapped(raw: bytes, random: Random) -> bytes:
    start, end = _span(raw, random, 4)
    return raw[:start] + raw[start:end][::-1] + raw[end:]
