"""Saves a graph of the detectors' objects as plain JSON values and builds it again, shared objects shared."""

from collections import deque
from collections.abc import Callable, Collection, Mapping
from math import isfinite
from typing import Any

import attrs
from traderagent_core.indicators import Atr, IndicatorState, Running

from traderagent_smc.analysis import ATR_PERIOD, TimeframeAnalysis
from traderagent_smc.chart import Chart
from traderagent_smc.extremes import WindowRange
from traderagent_smc.order_blocks import BlockFinder, Origin
from traderagent_smc.pattern_structure import PatternEvent, PatternStructure, Watched
from traderagent_smc.pools import Group, Pool, PoolSide
from traderagent_smc.settings import LifeRules, Settings, Weights
from traderagent_smc.structure import LiveStructure
from traderagent_smc.swings import Swing, Swings
from traderagent_smc.zone_book import ZoneBook, ZoneSide
from traderagent_smc.zones import DeadZone, Merits, Zone

_CLASSES: Mapping[str, type[Any]] = {
    each.__name__: each
    for each in (
        *(
            TimeframeAnalysis,
            Chart,
            WindowRange,
            BlockFinder,
            Origin,
            PatternEvent,
            PatternStructure,
            Watched,
        ),
        *(
            Group,
            Pool,
            PoolSide,
            LifeRules,
            Settings,
            Weights,
            LiveStructure,
            Swing,
            Swings,
            ZoneBook,
            ZoneSide,
        ),
        *(Merits, Zone),
    )
}
_OBJECT, _LIST, _TUPLE, _DEQUE, _MAP, _FLOAT, _ATR, _DEAD = "o", "l", "t", "d", "m", "f", "a", "z"
_AS_IS = frozenset((type(None), bool, int, str))
_SERIES: Mapping[type[Any], str] = {list: _LIST, tuple: _TUPLE, deque: _DEQUE}


def save(root: Any) -> dict[str, Any]:
    """The graph under an object; `load` gives an equal one."""
    saver = _Saver()
    value = saver.value(root)
    return {"root": value, "classes": saver.classes, "objects": saver.objects}


def load(saved: Mapping[str, Any]) -> Any:
    """The graph that `save` gave; raises ValueError when it holds something of another version."""
    for name, fields in saved["classes"].items():
        kind = _CLASSES.get(name)
        if kind is None or [a.name for a in attrs.fields(kind)] != fields:
            raise ValueError(f"cannot restore a {name} of another version; let the filter start anew")
    return _Loader(saved["classes"], saved["objects"]).value(saved["root"])


class _Saver:
    def __init__(self) -> None:
        self.objects: list[Any] = []
        self.classes: dict[str, list[str]] = {}
        self._places: dict[int, int] = {}

    def value(self, value: Any) -> Any:
        """A value in JSON: numbers and text as they are, all else as a list that begins with its kind."""
        kind = type(value)
        if kind in _AS_IS:
            return value
        if kind is float:
            return value if isfinite(value) else [_FLOAT, repr(value)]
        if kind in _SERIES:
            if value and type(value[0]) is DeadZone:
                return [_DEAD, *zip(*value, strict=True)]
            return [_SERIES[kind], *(value if _is_plain(value) else map(self.value, value))]
        if kind is dict:
            return [_MAP, *([self.value(key), self.value(each)] for key, each in value.items())]
        if isinstance(value, Running):
            state = value.snapshot()
            return [_ATR, state.key, [self.value(each) for each in state.values]]
        return [_OBJECT, self._place(value)]

    def _place(self, value: Any) -> int:
        place = self._places.get(id(value))
        if place is None:
            place = self._places[id(value)] = len(self.objects)
            self.objects.append(None)
            name = type(value).__name__
            fields = self.classes.get(name)
            if fields is None:
                fields = self.classes[name] = [a.name for a in attrs.fields(type(value))]
            self.objects[place] = [name, *[self.value(getattr(value, field)) for field in fields]]
        return place


def _is_plain(values: Collection[Any]) -> bool:
    """Whether there are only finite floats, or only whole numbers: most of what is saved are such columns."""
    kinds = set(map(type, values))
    return kinds == {int} or (kinds == {float} and isfinite(sum(values)))


class _Loader:
    def __init__(self, classes: Mapping[str, list[str]], objects: list[Any]) -> None:
        self._classes = classes
        self._saved = objects
        self._built: dict[int, Any] = {}

    def value(self, saved: Any) -> Any:
        """The value of what `_Saver.value` gave."""
        return _BUILDERS[saved[0]](self, saved[1:]) if isinstance(saved, list) else saved

    def values(self, saved: list[Any]) -> list[Any]:
        """Several of them."""
        return [self.value(each) for each in saved]

    def built(self, place: int) -> Any:
        """An object, built when it is first met; its fields may refer back to it."""
        if place in self._built:
            return self._built[place]
        name, *values = self._saved[place]
        made = self._built[place] = object.__new__(_CLASSES[name])
        for field, value in zip(self._classes[name], values, strict=True):
            object.__setattr__(made, field, self.value(value))
        return made


def _atr(loader: _Loader, parts: list[Any]) -> Running:
    running = Atr(ATR_PERIOD).start()
    running.restore(IndicatorState(parts[0], tuple(loader.values(parts[1]))))
    return running


_BUILDERS: Mapping[str, Callable[[_Loader, list[Any]], Any]] = {
    _OBJECT: lambda loader, parts: loader.built(parts[0]),
    _LIST: lambda loader, parts: loader.values(parts),
    _TUPLE: lambda loader, parts: tuple(loader.values(parts)),
    _DEQUE: lambda loader, parts: deque(loader.values(parts)),
    _MAP: lambda loader, parts: {loader.value(key): loader.value(each) for key, each in parts},
    _DEAD: lambda _, parts: deque(map(DeadZone._make, zip(*parts, strict=True))),
    _FLOAT: lambda _, parts: float(parts[0]),
    _ATR: _atr,
}
