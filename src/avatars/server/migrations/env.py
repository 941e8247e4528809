"""Run by Alembic: carries out migrations within the transaction that ``Database.upgrade`` has opened."""

from __future__ import annotations

from alembic import context

from avatars.server.db import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    # SQLite can undo changes of tables too, though Alembic does not expect it to: all migrations or none.
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
