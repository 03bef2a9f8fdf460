"""Column types that mean the same on every database: exact money, aware times, text that is always accepted."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import DateTime, Dialect, Numeric, Text
from sqlalchemy.types import TypeDecorator, TypeEngine

from traderagent_core.errors import StoreError

_ISO = "%Y-%m-%dT%H:%M:%S.%f"


class Money(TypeDecorator[Decimal]):
    """An exact decimal: NUMERIC without limits where the database has it, text where it has not (SQLite).

    Text sorts as text there: sums and comparisons of amounts are made in Python.
    """

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """NUMERIC on PostgreSQL."""
        return dialect.type_descriptor(Numeric() if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        """Raises StoreError for what is no finite Decimal."""
        if value is None:
            return None
        if type(value) is not Decimal or not value.is_finite():
            raise StoreError(f"an amount must be a finite Decimal, not {value!r}")
        return value if dialect.name == "postgresql" else f"{value:f}"

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:  # noqa: ARG002
        """A Decimal again."""
        return None if value is None else Decimal(value)


class UtcTime(TypeDecorator[datetime]):
    """An aware time in UTC, to the microsecond: timestamptz, or on SQLite ISO text, which sorts by time."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """timestamptz on PostgreSQL."""
        is_native = dialect.name == "postgresql"
        return dialect.type_descriptor(DateTime(timezone=True) if is_native else Text())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Raises StoreError for a time without a zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise StoreError(f"a time must be aware of its zone; {value!r} is not")
        utc = value.astimezone(UTC)
        return utc if dialect.name == "postgresql" else f"{utc.strftime(_ISO)}Z"

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Aware, in UTC."""
        if value is None:
            return None
        if dialect.name == "postgresql":
            return value.astimezone(UTC)  # type: ignore[no-any-return]
        return datetime.strptime(value, f"{_ISO}Z").replace(tzinfo=UTC)


class Words(TypeDecorator[str]):
    """Text from anywhere: what a database would refuse (NUL, half a surrogate pair) is written as an escape."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Escape what cannot be stored."""
        if value is None:
            return None
        return value.replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode("utf-8")
