"""Database URLs as people write them, turned into what SQLAlchemy's asynchronous drivers take."""

from importlib.util import find_spec
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from traderagent_core.errors import StoreError

EXPECTED = "expected sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME"
DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}


def parse_url(text: str) -> URL:
    """The URL with its driver. Raises StoreError for one that is not of a database that can be used."""
    try:
        url = make_url(text)
    except ArgumentError:
        raise StoreError(f"the database URL cannot be read; {EXPECTED}") from None
    backend, _, driver = url.drivername.partition("+")
    wanted = DRIVERS.get(backend)
    if wanted is None or (driver and f"{backend}+{driver}" not in DRIVERS.values()):
        raise StoreError(f"database URLs with {url.drivername}:// are not known; {EXPECTED}")
    if backend == "sqlite" and url.database in (None, "", ":memory:"):
        raise StoreError(f"a database in memory keeps nothing; {EXPECTED}")
    if backend != "sqlite":
        require_asyncpg()
    return url.set(drivername=wanted)


def require_asyncpg() -> None:
    """Raises StoreError when the driver of PostgreSQL, an optional extra, is missing."""
    if find_spec("asyncpg") is None:
        raise StoreError("PostgreSQL needs an extra: pip install 'traderagent-core[postgres]'")


def make_file(url: URL) -> None:
    """Make an SQLite file that can be opened, empty if there is none. Raises StoreError when it cannot be had.

    Found out here, since the driver leaves a thread behind when its own opening fails.
    """
    path = Path(url.database or "")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab"):
            pass
    except OSError as error:
        raise StoreError(f"the database {path} cannot be opened: {error}") from error
