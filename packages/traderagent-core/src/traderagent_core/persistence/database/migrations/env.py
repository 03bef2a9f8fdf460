"""Runs migrations on the connection that `migrating.py` gives."""

from alembic import context
from traderagent_core.persistence.database.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    compare_type=True,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
