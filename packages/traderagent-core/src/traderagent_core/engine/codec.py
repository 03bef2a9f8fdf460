"""Turns a graph of plain values, enums and attrs objects into JSON-able data and back, shared parts shared.

What is restored is built without running any constructor, and only from classes of the packages that the caller
allows, so that a saved state cannot name arbitrary code.
"""

from collections import deque
from collections.abc import Iterable
from decimal import Decimal
from enum import Enum
from functools import cache
from importlib import import_module
from typing import Any

import attrs

from traderagent_core.errors import TraderAgentError

PLAIN = frozenset({type(None), bool, int, float, str})
SEQUENCES = frozenset({tuple, list, deque, set, frozenset})


class StateError(TraderAgentError):
    """A state cannot be saved or taken back: its author, or whoever damaged it, has to mend it."""


def encode(root: Any) -> dict[str, Any]:
    """The graph under `root`; raises StateError for a value that cannot be saved, such as an array."""
    return _Encoder().run(root)


def decode(data: dict[str, Any], packages: Iterable[str]) -> Any:
    """The graph again; classes must live in one of the top-level `packages`."""
    return _Decoder(data, frozenset(packages)).run()


class _Encoder:
    def __init__(self) -> None:
        self._numbers: dict[int, int] = {}
        self._kept: list[Any] = []
        self._objects: list[dict[str, Any]] = []

    def run(self, root: Any) -> dict[str, Any]:
        encoded = self._value(root)
        return {"root": encoded, "objects": self._objects}

    def _value(self, value: Any) -> Any:
        kind: Any = type(value)
        if kind in PLAIN:
            return value
        if kind is Decimal:
            return {"d": str(value)}
        if kind in SEQUENCES:
            of = self._value
            return {kind.__name__: [item if type(item) in PLAIN else of(item) for item in value]}
        if isinstance(value, Enum):
            return {"e": [_name(kind), value._name_]}
        if kind is dict:
            of = self._value
            return {"dict": [[of(key), of(item)] for key, item in value.items()]}
        return {"r": self._object(value)}

    def _object(self, value: Any) -> int:
        known = self._numbers.get(id(value))
        if known is not None:
            return known
        number = len(self._objects)
        self._numbers[id(value)] = number
        self._kept.append(value)  # An id is only unique while its object lives.
        fields: dict[str, Any] = {}
        self._objects.append({"class": _name(value.__class__), "fields": fields})
        for name in _fields(value):
            field = getattr(value, name)
            fields[name] = field if type(field) in PLAIN else self._value(field)
        return number


class _Decoder:
    def __init__(self, data: dict[str, Any], packages: frozenset[str]) -> None:
        self._data = data
        self._packages = packages
        self._made: list[Any] = []

    def run(self) -> Any:
        names = [entry["class"] for entry in self._data["objects"]]
        classes = {name: self._class(name) for name in dict.fromkeys(names)}
        self._made = [classes[name].__new__(classes[name]) for name in names]
        for made, entry in zip(self._made, self._data["objects"], strict=True):
            for name, value in entry["fields"].items():
                object.__setattr__(made, name, self._value(value))
        return self._value(self._data["root"])

    def _class(self, name: str) -> Any:
        module, _, path = name.partition(":")
        if module.partition(".")[0] not in self._packages:
            raise StateError(
                f"a saved state names the class {name}, which is not of {', '.join(sorted(self._packages))}"
            )
        found: Any = import_module(module)
        for part in path.split("."):
            found = getattr(found, part)
        return found

    def _value(self, data: Any) -> Any:
        if type(data) is not dict:
            return data
        ((kind, content),) = data.items()
        if kind == "r":
            return self._made[content]
        if kind == "d":
            return Decimal(content)
        if kind == "e":
            return self._class(content[0])[content[1]]
        if kind == "dict":
            return {self._value(key): self._value(item) for key, item in content}
        return _CONTAINERS[kind](self._value(item) for item in content)


_CONTAINERS: dict[str, Any] = {
    "tuple": tuple,
    "list": list,
    "deque": deque,
    "set": set,
    "frozenset": frozenset,
}


@cache
def _name(cls: Any) -> str:
    return f"{cls.__module__}:{cls.__qualname__}"


def _fields(value: Any) -> Iterable[str]:
    """The names of what is saved of an object."""
    names = _declared(value.__class__)
    if names is not None:
        return names
    if type(value).__module__.startswith("traderagent_core.account"):
        # What is private there follows from the rest.
        return [name for name in vars(value) if not name.startswith("_")]
    raise StateError(
        "a state may hold numbers, text, Decimals, enums, tuples, dicts and attrs objects, but not "
        f"{type(value).__name__} ({value!r:.60})"
    )


@cache
def _declared(cls: Any) -> tuple[str, ...] | None:
    """The names of the fields of an attrs class, None for another one."""
    return tuple(field.name for field in attrs.fields(cls)) if attrs.has(cls) else None
