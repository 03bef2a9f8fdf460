"""Records packed as columns, of each kind one for each argument: whoever asks for some kinds unpacks these only.

A record is a call of the account's method of its name, and what that says of its arguments tells how they are packed:
times and numbers of things as an array, texts and decimals as one text. That takes a third of pickle's time.
"""

import marshal
from array import array
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from enum import Enum
from functools import cache
from itertools import islice, repeat
from operator import itemgetter
from types import NoneType
from typing import Any, NamedTuple, get_args, get_type_hints

from traderagent_core.account.account import Account
from traderagent_core.account.state import Record
from traderagent_core.simulator.packed import dumped, loaded

BETWEEN = "\x1f"
"""Stands between texts; where one of them has it itself, texts are kept one by one."""
WHOLE: Mapping[str, int] = {}
"""Nothing is left out of records."""
Column = Sequence[Any]


class _Way(NamedTuple):
    """How a column is packed, into something that marshal takes, and unpacked."""

    pack: Callable[[Column], Any]
    unpack: Callable[[Any], Iterable[Any]]


def packed(block: Sequence[Record], shown: Mapping[str, int] = WHOLE) -> bytes:
    """Records of any kinds; of those in `shown` only so much from the beginning.

    Raises ValueError, TypeError or AttributeError for what is no record of an account.
    """
    kinds = list(map(itemgetter(0), block))
    rows: dict[str, list[Record]] = {kind: [] for kind in dict.fromkeys(kinds)}
    for kind, record in zip(kinds, block, strict=True):
        rows[kind].append(record)
    places = {kind: place for place, kind in enumerate(rows)}
    order = bytes(map(places.__getitem__, kinds))
    return marshal.dumps(
        (tuple(rows), order, [_columns(kind, own, shown.get(kind)) for kind, own in rows.items()])
    )


def unpacked(block: bytes, wanted: Collection[str] | None = None) -> Iterator[Record]:
    """The records of a block in their order, or those of some kinds."""
    kinds, order, columns = marshal.loads(block)
    if wanted is not None:
        order = order.translate(None, bytes(place for place, kind in enumerate(kinds) if kind not in wanted))
    rows = [
        _rows(kind, own) if wanted is None or kind in wanted else iter(())
        for kind, own in zip(kinds, columns, strict=True)
    ]
    return map(next, map(rows.__getitem__, order))


def places(block: bytes, wanted: Collection[str]) -> Iterator[int]:
    """Where in a block the records of some kinds are."""
    kinds, order, _ = marshal.loads(block)
    are_wanted = [kind in wanted for kind in kinds]
    return (place for place, kind in enumerate(order) if are_wanted[kind])


def _columns(kind: str, rows: Sequence[Record], most: int | None) -> list[Any]:
    """One for each argument that all of some records have, or for the first of them."""
    _, *columns = islice(zip(*rows, strict=False), most)
    return [way.pack(column) for way, column in zip(_ways(kind), columns, strict=False)]


def _rows(kind: str, columns: Sequence[Any]) -> Iterator[Record]:
    return zip(repeat(kind), *(way.unpack(column) for way, column in zip(_ways(kind), columns, strict=False)))


@cache
def _ways(kind: str) -> tuple[_Way, ...]:
    """How the arguments of a kind of record are packed."""
    told = get_type_hints(getattr(Account, kind))
    return tuple(_way(of) for name, of in told.items() if name != "return")


def _way(of: Any) -> _Way:
    if isinstance(of, type) and issubclass(of, Enum):
        return _members(of)
    if of in _WAYS:
        return _WAYS[of]
    is_decimal_or_none = set(get_args(of)) == {Decimal, NoneType}
    return _Way(_perhaps, _numbers_perhaps) if is_decimal_or_none else _Way(dumped, loaded)


def _members(of: type[Enum]) -> _Way:
    """Members are told by what they are: their own hash takes longer than all the rest."""
    members = list(of)
    numbers = {id(member): number for number, member in enumerate(members)}
    return _Way(
        lambda column: bytes(map(numbers.__getitem__, map(id, column))),
        lambda packed: map(members.__getitem__, packed),
    )


def _texts(column: Column) -> Any:
    text = BETWEEN.join(column)
    return text if text.count(BETWEEN) == len(column) - 1 else list(column)


def _each_text(packed: str | list[str]) -> list[str]:
    return packed.split(BETWEEN) if isinstance(packed, str) else packed


def _perhaps(column: Column) -> str:
    return BETWEEN.join(["" if each is None else str(each) for each in column])


def _numbers_perhaps(packed: str) -> list[Decimal | None]:
    return [Decimal(text) if text else None for text in packed.split(BETWEEN)]


_WAYS: dict[Any, _Way] = {
    int: _Way(lambda column: array("q", column).tobytes(), lambda packed: array("q", packed)),
    bool: _Way(bytes, lambda packed: map(bool, packed)),
    str: _Way(_texts, _each_text),
    Decimal: _Way(
        lambda column: BETWEEN.join(map(str, column)),
        lambda packed: map(Decimal, packed.split(BETWEEN)),
    ),
}
