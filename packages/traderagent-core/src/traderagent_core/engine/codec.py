"""Turns a graph of plain values, enums and attrs objects into JSON-able data and back, shared parts shared.

What is restored is built without running any constructor, and only from classes of the packages that the caller
allows, so that a saved state cannot name arbitrary code. A field that came later, and has a plain default, has that.
"""

import json
from collections import deque
from collections.abc import Callable, Iterable
from decimal import Decimal
from enum import Enum
from functools import cache
from importlib import import_module
from json.encoder import encode_basestring_ascii as _quoted
from math import isfinite
from operator import attrgetter
from typing import Any

import attrs

from traderagent_core.errors import TraderAgentError


class StateError(TraderAgentError):
    """A state cannot be saved or taken back: its author, or whoever damaged it, has to mend it."""


def encode(root: Any) -> dict[str, Any]:
    """The graph under `root`; raises StateError for a value that cannot be saved, such as an array."""
    encoded: dict[str, Any] = json.loads(to_json(root))
    return encoded


def to_json(root: Any) -> str:
    """As `encode`, as JSON text on one line of ASCII; the same graph gives the same text."""
    return f"{{{members(root)}}}"


def members(root: Any) -> str:
    """The members of what `encode` gives, as JSON text, for an object that has others too."""
    encoder = _Encoder()
    (text,) = encoder.texts((root,))
    return f'"root":{text},"objects":[{",".join(encoder.objects)}]'


def decode(data: dict[str, Any], packages: Iterable[str]) -> Any:
    """The graph again; classes must live in one of the top-level `packages`."""
    return _Decoder(data, frozenset(packages)).run()


class _Encoder:
    """Writes text at once, as values in between would cost as much again. `objects` are those met so far."""

    def __init__(self) -> None:
        self.objects: list[str] = []
        self._numbers: dict[int, int] = {}
        self._kept: list[Any] = []

    def texts(self, values: Iterable[Any]) -> list[str]:
        """The text of each value."""
        plain, other = _PLAIN.get, self._other
        return [other(value) if (text := plain(type(value))) is None else text(value) for value in values]

    def _other(self, value: Any) -> str:
        number = self._numbers.get(id(value))
        if number is not None:
            return f'{{"r":{number}}}'
        kind: Any = type(value)
        if kind in SEQUENCES:
            return f'{{"{kind.__name__}":[{",".join(self.texts(value))}]}}'
        if kind is dict:
            pairs = [f"[{','.join(self.texts(pair))}]" for pair in value.items()]
            return f'{{"dict":[{",".join(pairs)}]}}'
        if isinstance(value, Enum):
            return f'{{"e":["{_name(kind)}",{_quoted(value._name_)}]}}'
        return self._object(value)

    def _object(self, value: Any) -> str:
        form, fields = _form_and_fields(value)
        number = self._numbers[id(value)] = len(self.objects)
        self._kept.append(value)  # An id is only unique while its object lives.
        self.objects.append("")
        self.objects[number] = form % tuple(self.texts(fields))
        return f'{{"r":{number}}}'


def _float(value: float) -> str:
    return float.__repr__(value) if isfinite(value) else json.dumps(value)


_PLAIN: dict[type, Callable[[Any], str]] = {
    type(None): lambda _: "null",
    bool: {False: "false", True: "true"}.__getitem__,
    int: int.__repr__,
    float: _float,
    str: _quoted,
    Decimal: lambda value: f'{{"d":"{value!s}"}}',
}
SEQUENCES = frozenset({tuple, list, deque, set, frozenset})


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
            fields = entry["fields"]
            cls: Any = type(made)
            for name, value in fields.items():
                object.__setattr__(made, name, self._value(value))
            for name, default in _plain_defaults(cls):
                if name not in fields:
                    object.__setattr__(made, name, default)
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
def _plain_defaults(cls: Any) -> tuple[tuple[str, Any], ...]:
    """Fields that an object saved by an older version may lack, with their defaults."""
    if not attrs.has(cls):
        return ()
    plain = (type(None), bool, int, str, Decimal)
    return tuple((each.name, each.default) for each in attrs.fields(cls) if isinstance(each.default, plain))


@cache
def _name(cls: Any) -> str:
    return f"{cls.__module__}:{cls.__qualname__}"


def _form_and_fields(value: Any) -> tuple[str, Iterable[Any]]:
    """The text of an object with places for the texts of its fields, and these fields."""
    cls: Any = type(value)
    declared = _declared(cls)
    if declared is not None:
        form, fields_of = declared
        return form, fields_of(value)
    if cls.__module__.startswith("traderagent_core.account"):
        # What is private there follows from the rest.
        fields = {name: field for name, field in vars(value).items() if not name.startswith("_")}
        return _form(cls, fields), fields.values()
    raise StateError(
        "a state may hold numbers, text, Decimals, enums, tuples, dicts and attrs objects, but not "
        f"{cls.__name__} ({value!r:.60})"
    )


@cache
def _declared(cls: Any) -> tuple[str, Callable[[Any], Iterable[Any]]] | None:
    """The form of an attrs class and what gives the fields of its objects; None for another class."""
    if not attrs.has(cls):
        return None
    names = [field.name for field in attrs.fields(cls)]
    # Of one name attrgetter gives no tuple, and of none it cannot be made.
    fields_of = (
        attrgetter(*names) if len(names) > 1 else lambda value: [getattr(value, name) for name in names]
    )
    return _form(cls, names), fields_of


def _form(cls: Any, names: Iterable[str]) -> str:
    return f'{{"class":"{_name(cls)}","fields":{{{",".join([f"{_quoted(name)}:%s" for name in names])}}}}}'
