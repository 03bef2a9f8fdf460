"""Brings a database to the schema of this version, by migrations and by nothing else.

Alembic is only loaded where there is something to migrate: a run would carry it along for ever.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from traderagent_core.errors import StoreError
from traderagent_core.persistence.database.connect import Database

if TYPE_CHECKING:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

NEWEST = "0001"
"""The revision of this version."""

FOLDER = Path(__file__).parent / "migrations"
LOCK = 7_203_114
"""Number of PostgreSQL's advisory lock: two programs that start together migrate one after the other."""


def config(connection: Connection | None = None) -> "Config":
    """Alembic's settings; the connection is used by `migrations/env.py`."""
    from alembic.config import Config

    settings = Config()
    settings.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    settings.attributes["connection"] = connection
    return settings


def scripts() -> "ScriptDirectory":
    """All migrations that this version has."""
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(config())


async def migrate(database: Database, revision: str = "head") -> None:
    """Upgrade to a revision. Raises StoreError when a newer version has migrated the database already."""
    found = await require_known(database)
    if found == NEWEST and revision == "head":
        return
    from alembic import command

    async with database.writing() as connection:
        if database.is_postgresql:
            await connection.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
        await connection.run_sync(lambda sync: command.upgrade(config(sync), revision))


async def downgrade(database: Database, revision: str) -> None:
    """Go back to a revision, `base` for none; columns and tables that came later are lost."""
    from alembic import command

    async with database.writing() as connection:
        await connection.run_sync(lambda sync: command.downgrade(config(sync), revision))


async def revision_of(database: Database) -> str | None:
    """The revision that a database is at; None when it has none of our tables."""
    async with database.reading() as connection:
        return await connection.run_sync(_revision)


def _revision(connection: Connection) -> str | None:
    """As Alembic keeps it, in a table of its own."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


async def require_known(database: Database) -> str | None:
    """The revision that a database is at. Raises StoreError for one that this version does not know."""
    found = await revision_of(database)
    if found is not None:
        require_revision(found, f"the database {database.name}")
    return found


def require_revision(revision: str, where: str = "the backup") -> None:
    """Raises StoreError for a revision that this version does not know."""
    if revision != NEWEST and revision not in {script.revision for script in scripts().walk_revisions()}:
        raise StoreError(
            f"{where} is at revision {revision}, which this version does not know (it knows up to"
            f" {NEWEST}); upgrade traderagent-core"
        )
