"""Brings a database to the schema of this version, by migrations and by nothing else."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from traderagent_core.errors import StoreError
from traderagent_core.persistence.database.connect import Database

FOLDER = Path(__file__).parent / "migrations"
LOCK = 7_203_114
"""Number of PostgreSQL's advisory lock: two programs that start together migrate one after the other."""


def config(connection: Connection | None = None) -> Config:
    """Alembic's settings; the connection is used by `migrations/env.py`."""
    settings = Config()
    settings.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    settings.attributes["connection"] = connection
    return settings


def newest_revision() -> str:
    """The revision of this version."""
    head = ScriptDirectory.from_config(config()).get_current_head()
    assert head is not None
    return head


async def migrate(database: Database, revision: str = "head") -> None:
    """Upgrade to a revision. Raises StoreError when a newer version has migrated the database already."""
    found = await require_known(database)
    if found == newest_revision() and revision == "head":
        return
    async with database.writing() as connection:
        if database.is_postgresql:
            await connection.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
        await connection.run_sync(lambda sync: command.upgrade(config(sync), revision))


async def downgrade(database: Database, revision: str) -> None:
    """Go back to a revision, `base` for none; columns and tables that came later are lost."""
    async with database.writing() as connection:
        await connection.run_sync(lambda sync: command.downgrade(config(sync), revision))


async def revision_of(database: Database) -> str | None:
    """The revision that a database is at; None when it has none of our tables."""
    async with database.reading() as connection:
        return await connection.run_sync(lambda sync: MigrationContext.configure(sync).get_current_revision())


async def require_known(database: Database) -> str | None:
    """The revision that a database is at. Raises StoreError for one that this version does not know."""
    found = await revision_of(database)
    if found is not None:
        require_revision(found, f"the database {database.name}")
    return found


def require_revision(revision: str, where: str = "the backup") -> None:
    """Raises StoreError for a revision that this version does not know."""
    known = {script.revision for script in ScriptDirectory.from_config(config()).walk_revisions()}
    if revision not in known:
        raise StoreError(
            f"{where} is at revision {revision}, which this version does not know (it knows up to"
            f" {newest_revision()}); upgrade traderagent-core"
        )
