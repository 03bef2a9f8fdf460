"""Imports what trading needs, in the process that `lives` forks all others from."""

import aiosqlite  # noqa: F401
import alembic.command  # noqa: F401
import asyncpg  # noqa: F401
import sqlalchemy.ext.asyncio  # noqa: F401
from lives import configuration
from traderagent_core.persistence.database.migrating import migrate  # noqa: F401
from traderagent_core.persistence.database.mirror import Mirror  # noqa: F401

configuration()  # Plugins are imported when they are found.
