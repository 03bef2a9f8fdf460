"""What is wrong with a configuration: one record a problem, all of them in one error."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from attrs import asdict, frozen

from traderagent_core.errors import ConfigError

KeyPath = tuple[str | int, ...]
BOT_DEFAULTS = "bot_defaults"

_PLAIN_KEY = re.compile(r"^[A-Za-z_][A-Za-z0-9_-]*$")
_SECRET_KEY = re.compile(
    r"secret|token|passw|passphrase|api_?key|encryption_key|private|database_url|dsn", re.IGNORECASE
)
_LONGEST_VALUE = 60


def key_text(path: KeyPath) -> str:
    """A key path as people write it: `bots[0].grid.grid_levels`."""
    text = ""
    for part in path:
        if isinstance(part, str) and _PLAIN_KEY.match(part):
            text += f".{part}" if text else part
        else:
            text += f"[{part!r}]" if isinstance(part, str) else f"[{part}]"
    return text


def is_secret(path: KeyPath) -> bool:
    """Whether the value under this key must never be shown."""
    return any(isinstance(part, str) and _SECRET_KEY.search(part) for part in path)


def shorten(text: str) -> str:
    """At most 60 characters of a value."""
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…"


@frozen
class ConfigProblem:
    """One thing to mend, or to know. Lines and columns count from 1; None where there is no file.

    `rule` says what was expected, `value` what was found (secrets masked), `hint` how to mend it.
    """

    file: str
    line: int | None
    column: int | None
    key: str
    rule: str
    value: str | None = None
    hint: str = ""

    @property
    def position(self) -> str:
        """`file:line:column`, as editors and terminals link it."""
        return self.file if self.line is None else f"{self.file}:{self.line}:{self.column}"

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    def __str__(self) -> str:
        key = f"{self.key}: " if self.key else ""
        found = f"; found {self.value}" if self.value is not None else ""
        hint = "".join(f"\n    {line.strip()}" for line in self.hint.splitlines())
        return f"{self.position}: {key}{self.rule}{found}{hint}"


class InvalidConfigError(ConfigError):
    """A configuration that cannot be used; `problems` are all that were found, in the order of the file.

    Those of its presets follow those of the configuration itself.
    """

    def __init__(self, problems: Iterable[ConfigProblem]) -> None:
        self.problems: tuple[ConfigProblem, ...] = tuple(problems)
        super().__init__("\n".join(self._lines()))

    def _lines(self) -> Sequence[str]:
        lines = [str(problem) for problem in self.problems]
        files = " and ".join(dict.fromkeys(problem.file for problem in self.problems))
        return lines if len(lines) < 2 else [*lines, f"{len(lines)} problems in {files}"]
