"""The effective configuration as YAML that loads again, each value with where it comes from."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from traderagent_core.config.effective import effective, effective_sinks
from traderagent_core.config.loaded import Config
from traderagent_core.config.problems import KeyPath, key_text

DEFAULT = "default"

_PLAIN_TEXT = re.compile(r"^[A-Za-z_][A-Za-z0-9_./:-]*$")
_WORDS = {"true", "false", "yes", "no", "on", "off", "y", "n", "null", "nan", "inf"}


def shown(config: Config) -> str:
    """One key a line, followed by its origin: `file:line` of the configuration or of a preset, or `default`."""
    lines = [*_lines(config, _content(config), (), "")]
    width = max(len(text) for text, _ in lines)
    return "".join(f"{text.ljust(width)}  # {origin}\n" if origin else f"{text}\n" for text, origin in lines)


def origins(config: Config) -> dict[str, str]:
    """The origin of every value, by its key."""
    return {key_text(path): _origin(config, path) for path in _values(_content(config), ())}


def _content(config: Config) -> dict[str, Any]:
    sinks = effective_sinks(config)
    return {**effective(config), **({"event_sinks": sinks} if sinks else {})}


def _origin(config: Config, path: KeyPath) -> str:
    return config.origins.get(path, DEFAULT)


def _values(value: Any, path: KeyPath) -> Iterator[KeyPath]:
    if not _is_group(value):
        yield path
        return
    for key, item in value.items() if isinstance(value, Mapping) else enumerate(value):
        yield from _values(item, (*path, key))


def _is_group(value: Any) -> bool:
    """Whether a value is shown over several lines: keys with values, or a list of such."""
    if isinstance(value, Mapping):
        return bool(value)
    return isinstance(value, list) and any(isinstance(item, Mapping) for item in value)


def _lines(config: Config, value: Any, path: KeyPath, indent: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _entry(config, item, (*path, key), f"{indent}{_scalar(str(key))}:", f"{indent}  ")
    else:
        for index, item in enumerate(value):
            inner = [*_lines(config, item, (*path, index), f"{indent}  ")]
            first, origin = inner[0]
            yield f"{indent}- {first[len(indent) + 2 :]}", origin
            yield from inner[1:]


def _entry(config: Config, item: Any, path: KeyPath, head: str, indent: str) -> Iterator[tuple[str, str]]:
    if _is_group(item):
        yield head, ""
        yield from _lines(config, item, path, indent)
    else:
        yield f"{head} {_scalar(item)}", _origin(config, path)


def _scalar(value: Any) -> str:
    if isinstance(value, str) and _PLAIN_TEXT.match(value) and value.lower() not in _WORDS:
        return value
    if isinstance(value, list):
        return f"[{', '.join(_scalar(item) for item in value)}]"
    return json.dumps(value, ensure_ascii=False)
