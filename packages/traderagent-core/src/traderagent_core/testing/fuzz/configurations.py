"""Spoilt configurations: each loads, or is refused with a place in the file."""

import re
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from random import Random

from traderagent_core.config.load import InvalidConfigError, load_config
from traderagent_core.errors import TraderAgentError
from traderagent_core.testing.fuzz.examining import MEASURED_EVERY, Tally, examine
from traderagent_core.testing.fuzz.spoiling import junk, spoilt

_ENTRY = re.compile(r"^(?P<indent>[ -]*)(?P<key>[\w./]+):(?P<value>.*)$")
_TAGS = (
    "!!python/object/apply:os.system ",
    "!!binary ",
    "!!set ",
    "!!int ",
    "!!float ",
    "!secret ",
    "!!omap ",
)
_STRANGE_KEYS = ("? [a, b]", "{a: 1}", "!!int 1", "~", "<<", "1", "true", "'", "*none", "&here", "x" * 5_000)
_REACHING = (
    "preset",
    "plugins",
    "bot_defaults",
    "bots",
    "simulation",
    "coordinator",
    "filters",
    "risk_modes",
)

Lines = list[str]


def fuzz_configurations(
    configurations: Sequence[Path], presets: Sequence[Path], folder: Path, seeds: range
) -> Tally:
    """Examine a spoilt copy of one of the files for each seed; copies are written into the folder.

    A preset is laid under the first of the configurations, because it is none by itself.
    """
    tally = Tally()
    path = folder / "spoilt.yaml"
    for seed in seeds:
        random = Random(seed)
        source = random.choice([*configurations, *presets])
        path.write_bytes(spoilt_configuration(source.read_text(encoding="utf-8"), random))
        if source in presets:
            call = partial(load_config, configurations[0], presets=[path], environ={})
        else:
            call = partial(load_config, path, environ={})
        measured = seed % MEASURED_EVERY == 0
        examine(tally, f"seed {seed} ({source.name})", call, _lack, measures_memory=measured)
    return tally


def _lack(error: TraderAgentError) -> str:
    """What an error does not tell although it should."""
    if not isinstance(error, InvalidConfigError):
        return f"no InvalidConfigError: {type(error).__name__}: {error}"[:500]
    placeless = [problem for problem in error.problems if not problem.file or not problem.rule]
    blunders = [problem for problem in error.problems if "tell the plugin's author" in problem.hint]
    if blunders:
        return f"a check that failed itself: {blunders[0]}"[:500]
    nowhere = [each for each in error.problems if each.line is None and " file " not in f" {each.rule} "]
    return "" if not (placeless or nowhere) else f"no place: {(placeless or nowhere)[0]}"[:500]


def spoilt_configuration(text: str, random: Random) -> bytes:
    """A configuration after one to three things that may happen to one."""
    lines = text.split("\n")
    for _ in range(random.choice((1, 1, 2, 3))):
        lines = random.choice(_WAYS)(lines, random)
    raw = "\n".join(lines).encode("utf-8", errors="surrogatepass")
    return spoilt(raw, random) if random.random() < 0.15 else raw


def _entry(lines: Lines, random: Random) -> int:
    """A line that has a key; any line where none has."""
    entries = [number for number, line in enumerate(lines) if _ENTRY.match(line)]
    return random.choice(entries or range(len(lines)))


def _changed(lines: Lines, number: int, *instead: str) -> Lines:
    return [*lines[:number], *instead, *lines[number + 1 :]]


def _other_value(lines: Lines, random: Random) -> Lines:
    number = _entry(lines, random)
    key = lines[number].partition(":")[0]
    value = junk(random)
    return _changed(lines, number, f"{key}: {value}" if random.random() < 0.8 else f"{key}: '{value}'")


def _inner_value(lines: Lines, random: Random) -> Lines:
    """One of the values within brackets on a line."""
    number = _entry(lines, random)
    parts = re.split(r"([{}\[\],:] ?)", lines[number])
    parts[random.randrange(len(parts))] = junk(random)
    return _changed(lines, number, "".join(parts))


def _without(lines: Lines, random: Random) -> Lines:
    return _changed(lines, _entry(lines, random))


def _twice(lines: Lines, random: Random) -> Lines:
    number = _entry(lines, random)
    return _changed(lines, number, lines[number], lines[number])


def _renamed(lines: Lines, random: Random) -> Lines:
    number = _entry(lines, random)
    key, colon, value = lines[number].partition(":")
    indent = key[: len(key) - len(key.lstrip(" -"))]
    strange = random.choice(
        (key[:-1], key + "_", indent + random.choice(_STRANGE_KEYS), indent + junk(random))
    )
    return _changed(lines, number, f"{strange}{colon}{value}")


def _moved(lines: Lines, random: Random) -> Lines:
    number = _entry(lines, random)
    line = lines[number]
    return _changed(
        lines, number, random.choice((" " + line, line[1:], line.lstrip(), "\t" + line, f"- {line}"))
    )


def _added(lines: Lines, random: Random) -> Lines:
    """A key of another place, with anything under it."""
    key = random.choice((*_REACHING, "name", "exchange", "grid", "dca", "trend", "smc", "stops"))
    indent = " " * random.choice((0, 0, 2, 4))
    return [*lines, f"{indent}{key}: {junk(random)}"]


def _tagged(lines: Lines, random: Random) -> Lines:
    number = _entry(lines, random)
    key, _, value = lines[number].partition(":")
    return _changed(lines, number, f"{key}: {random.choice(_TAGS)}{value}")


def _anchored(lines: Lines, random: Random) -> Lines:
    """An anchor, and an alias that may stand before it, within it or behind it."""
    one, other = _entry(lines, random), _entry(lines, random)
    key, _, value = lines[one].partition(":")
    lines = _changed(lines, one, f"{key}: &a{value or ' {}'}")
    key = lines[other].partition(":")[0]
    merge = f"{' ' * (len(key) - len(key.lstrip()))}<<: *a"
    return (
        _changed(lines, other, lines[other], merge)
        if random.random() < 0.5
        else _changed(lines, other, f"{key}: *a")
    )


def _bomb(lines: Lines, random: Random) -> Lines:
    """Aliases of aliases: a few lines that stand for more than memory holds."""
    layers = ["l0: &l0 [x, x, x, x, x, x, x, x, x, x]"]
    layers += [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, random.randint(3, 30))]
    key = random.choice(_REACHING)
    return [*layers, *lines, f"{key}: *l{len(layers) - 1}"]


def _nested(lines: Lines, random: Random) -> Lines:
    number, depth = _entry(lines, random), random.choice((10, 39, 41, 500, 20_000))
    opening, closing = random.choice((("[", "]"), ("{a: ", "}"), ("- ", ""), ("? ", "")))
    key = lines[number].partition(":")[0]
    return _changed(lines, number, f"{key}: {opening * depth}1{closing * depth}")


def _multiplied(lines: Lines, random: Random) -> Lines:
    """The same item many times."""
    number = _entry(lines, random)
    return _changed(lines, number, *[lines[number]] * random.choice((50, 3_000)))


def _shuffled(lines: Lines, random: Random) -> Lines:
    one, other = random.randrange(len(lines)), random.randrange(len(lines))
    lines = list(lines)
    lines[one], lines[other] = lines[other], lines[one]
    return lines


def _several_documents(lines: Lines, random: Random) -> Lines:
    number = random.randrange(len(lines))
    mark = random.choice(("---", "...", "%YAML 9.9", "%TAG ! tag:x,2000:", "--- |", "%%"))
    return [*lines[:number], mark, *lines[number:]]


def _multiline(lines: Lines, random: Random) -> Lines:
    number = _entry(lines, random)
    key = lines[number].partition(":")[0]
    return _changed(lines, number, f"{key}: {random.choice(('|', '>', '|9', '>-', '|+2'))}", "      a", " b")


_WAYS: tuple[Callable[[Lines, Random], Lines], ...] = (
    *[_other_value] * 6,
    *[_inner_value] * 4,
    _without,
    _twice,
    _renamed,
    _renamed,
    _moved,
    _added,
    _added,
    _tagged,
    _anchored,
    _bomb,
    _nested,
    _multiplied,
    _shuffled,
    _several_documents,
    _multiline,
)
