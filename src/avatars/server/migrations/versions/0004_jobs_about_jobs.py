"""Jobs about another job: reports and assessments; releases in spite of the latter."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from avatars.server.db import Base

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

OLD_KINDS = "('avatarization', 'privacy_metrics', 'signal_metrics', 'analysis')"
NEW_KINDS = "('avatarization', 'privacy_metrics', 'signal_metrics', 'analysis', 'report', 'assessment')"


def upgrade() -> None:
    """Let a job be a report or an assessment, and datasets count the latter."""
    with op.batch_alter_table("jobs", copy_from=_jobs(OLD_KINDS)) as jobs:
        jobs.add_column(sa.Column("about_id", sa.Uuid(), nullable=True))
        jobs.add_column(sa.Column("release", sa.JSON(), nullable=True))
        jobs.drop_constraint(op.f("ck_jobs_kind"), type_="check")
        jobs.create_check_constraint("kind", f"kind IN {NEW_KINDS}")
        jobs.create_foreign_key(op.f("fk_jobs_about_id_jobs"), "jobs", ["about_id"], ["id"], ondelete="CASCADE")
    op.create_index(None, "jobs", ["about_id"])
    op.add_column("datasets", sa.Column("assessments", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    """Drop the reports and assessments; files are swept up at the next start."""
    op.drop_column("datasets", "assessments")
    op.execute("DELETE FROM jobs WHERE kind IN ('report', 'assessment')")
    op.drop_index(op.f("ix_jobs_about_id"), "jobs")
    with op.batch_alter_table(
        "jobs", copy_from=_jobs(NEW_KINDS, sa.Column("about_id", sa.Uuid()), sa.Column("release", sa.JSON()))
    ) as jobs:
        jobs.drop_constraint(op.f("ck_jobs_kind"), type_="check")
        jobs.create_check_constraint("kind", f"kind IN {OLD_KINDS}")
        if op.get_bind().dialect.name == "postgresql":
            jobs.drop_constraint(op.f("fk_jobs_about_id_jobs"), type_="foreignkey")
        jobs.drop_column("release")
        jobs.drop_column("about_id")


def _jobs(kinds: str, *added: sa.Column[Any]) -> sa.Table:
    """The table as SQLite has to copy it: it cannot be asked for its checks."""
    metadata = sa.MetaData(naming_convention=Base.metadata.naming_convention)
    for name in ("users", "datasets"):
        sa.Table(name, metadata, sa.Column("id", sa.Uuid(), primary_key=True))
    datasets = [
        sa.ForeignKeyConstraint([column], ["datasets.id"], ondelete="SET NULL")
        for column in (
            "dataset_id",
            "compared_dataset_id",
            "avatars_dataset_id",
            "sensitive_unshuffled_avatars_dataset_id",
        )
    ]
    return sa.Table(
        "jobs",
        metadata,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("dataset_id", sa.Uuid(), nullable=True),
        sa.Column("compared_dataset_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("idempotency_key", sa.String(255), nullable=True),
        sa.Column("request_hash", sa.String(64), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("worker_losses", sa.Integer(), nullable=False),
        sa.Column("interruptions", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("progress_step", sa.String(100), nullable=True),
        sa.Column("progress_percent", sa.Integer(), nullable=False),
        sa.Column("progress_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("privacy_metrics", sa.JSON(), nullable=True),
        sa.Column("signal_metrics", sa.JSON(), nullable=True),
        sa.Column("details", sa.JSON(), nullable=True),
        sa.Column("avatars_dataset_id", sa.Uuid(), nullable=True),
        sa.Column("sensitive_unshuffled_avatars_dataset_id", sa.Uuid(), nullable=True),
        *added,
        sa.CheckConstraint("status IN ('pending', 'started', 'success', 'failure', 'killed')", name="status"),
        sa.CheckConstraint(f"kind IN {kinds}", name="kind"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], ondelete="CASCADE"),
        *datasets,
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("user_id", "idempotency_key"),
        sa.Index(None, "status", "created_at"),
        sa.Index(None, "user_id", "created_at"),
        sa.Index(None, "dataset_id"),
        sa.Index(None, "compared_dataset_id"),
    )
