"""Uploads that may be repeated; whose storage it is; files that are still to be deleted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables, and room for the keys of uploads."""
    op.add_column("datasets", sa.Column("idempotency_key", sa.String(255), nullable=True))
    op.create_index(None, "datasets", ["user_id", "idempotency_key"], unique=True)
    op.create_table(
        "installations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "remains",
        sa.Column("key", sa.String(255), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )


def downgrade() -> None:
    """Take it all back; what is still to be deleted is swept up by the next start."""
    op.drop_table("remains")
    op.drop_table("installations")
    op.drop_index(op.f("ix_datasets_user_id_idempotency_key"), "datasets")
    op.drop_column("datasets", "idempotency_key")
