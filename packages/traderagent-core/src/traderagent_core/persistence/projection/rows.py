"""Rows on their way to the tables: each known by its key, the last word of each kept until it is written."""

from datetime import UTC, datetime, timedelta
from typing import Any

from attrs import Factory, define

Row = dict[str, Any]
Key = tuple[Any, ...]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@define(eq=False)
class Changes:
    """Rows that differ from what was written last, by table and key."""

    account: str
    rows: dict[str, dict[Key, Row]] = Factory(dict)

    def put(self, table: str, key: Key, row: Row) -> None:
        """Note a row; a former one of the same key is forgotten."""
        self.rows.setdefault(table, {})[key] = {"account": self.account, **row}

    def drain(self) -> dict[str, list[Row]]:
        """All rows noted so far, by table, as copies; none is noted afterwards."""
        rows, self.rows = self.rows, {}
        return {table: list(found.values()) for table, found in rows.items()}


def moment(time_ms: int) -> datetime:
    """A time in ms UTC as an aware datetime, exact."""
    return _EPOCH + timedelta(milliseconds=time_ms)
