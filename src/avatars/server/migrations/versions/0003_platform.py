"""Metrics jobs, analyses, resets of passwords, mails, audit; counters for everything that is limited."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from avatars.server.db import Base

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

OLD_STATUSES = "('pending', 'started', 'success', 'failure')"
NEW_STATUSES = "('pending', 'started', 'success', 'failure', 'killed')"
OLD_KINDS = "('avatarization')"
NEW_KINDS = "('avatarization', 'privacy_metrics', 'signal_metrics', 'analysis')"


def upgrade() -> None:
    """Make the new tables, widen the old ones."""
    op.add_column("datasets", sa.Column("analysis_duration", sa.Double(), nullable=True))
    op.add_column("datasets", sa.Column("summary", sa.JSON(), nullable=True))
    with op.batch_alter_table("jobs", copy_from=_jobs(OLD_STATUSES, OLD_KINDS)) as jobs:
        jobs.alter_column("dataset_id", existing_type=sa.Uuid(), nullable=True)
        jobs.add_column(sa.Column("compared_dataset_id", sa.Uuid(), nullable=True))
        jobs.add_column(sa.Column("details", sa.JSON(), nullable=True))
        for name, values in (("status", NEW_STATUSES), ("kind", NEW_KINDS)):
            jobs.drop_constraint(op.f(f"ck_jobs_{name}"), type_="check")
            jobs.create_check_constraint(name, f"{name} IN {values}")
        jobs.drop_constraint(op.f("fk_jobs_dataset_id_datasets"), type_="foreignkey")
        for column in ("dataset_id", "compared_dataset_id"):
            jobs.create_foreign_key(
                op.f(f"fk_jobs_{column}_datasets"), "datasets", [column], ["id"], ondelete="SET NULL"
            )
    op.create_index(None, "jobs", ["compared_dataset_id"])
    op.create_index(None, "jobs", ["user_id", "created_at"])
    op.drop_table("login_failures")
    op.create_table(
        "counters",
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("window_ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index(None, "counters", ["window_ends_at"])
    op.create_table(
        "password_resets",
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("hash"),
    )
    op.create_index(None, "password_resets", ["user_id"])
    op.create_table(
        "mails",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("letter", sa.String(32), nullable=False),
        sa.Column("address", sa.String(254), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(None, "mails", ["due_at"])
    op.create_table(
        "audit_events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("action", sa.String(64), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("request_id", sa.String(64), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(None, "audit_events", ["at"])


def downgrade() -> None:
    """Take it all back; jobs that the older version does not know are dropped."""
    for table in ("audit_events", "mails", "password_resets", "counters"):
        op.drop_table(table)
    op.create_table(
        "login_failures",
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("window_ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index(None, "login_failures", ["window_ends_at"])
    op.execute("DELETE FROM jobs WHERE kind <> 'avatarization' OR status = 'killed' OR dataset_id IS NULL")
    op.drop_index(op.f("ix_jobs_compared_dataset_id"), "jobs")
    op.drop_index(op.f("ix_jobs_user_id_created_at"), "jobs")
    added: list[sa.Column[Any]] = [sa.Column("compared_dataset_id", sa.Uuid()), sa.Column("details", sa.JSON())]
    with op.batch_alter_table("jobs", copy_from=_jobs(NEW_STATUSES, NEW_KINDS, *added)) as jobs:
        for name, values in (("status", OLD_STATUSES), ("kind", OLD_KINDS)):
            jobs.drop_constraint(op.f(f"ck_jobs_{name}"), type_="check")
            jobs.create_check_constraint(name, f"{name} IN {values}")
        jobs.drop_constraint(op.f("fk_jobs_dataset_id_datasets"), type_="foreignkey")
        if op.get_bind().dialect.name == "postgresql":
            jobs.drop_constraint(op.f("fk_jobs_compared_dataset_id_datasets"), type_="foreignkey")
        jobs.create_foreign_key(
            op.f("fk_jobs_dataset_id_datasets"), "datasets", ["dataset_id"], ["id"], ondelete="CASCADE"
        )
        jobs.alter_column("dataset_id", existing_type=sa.Uuid(), nullable=False)
        jobs.drop_column("compared_dataset_id")
        jobs.drop_column("details")
    op.drop_column("datasets", "summary")
    op.drop_column("datasets", "analysis_duration")


def _jobs(statuses: str, kinds: str, *added: sa.Column[Any]) -> sa.Table:
    """The table as SQLite has to copy it: it cannot be asked for its checks."""
    metadata = sa.MetaData(naming_convention=Base.metadata.naming_convention)
    for name in ("users", "datasets"):
        sa.Table(name, metadata, sa.Column("id", sa.Uuid(), primary_key=True))
    return sa.Table(
        "jobs",
        metadata,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("dataset_id", sa.Uuid(), nullable=False),
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
        sa.Column("avatars_dataset_id", sa.Uuid(), nullable=True),
        sa.Column("sensitive_unshuffled_avatars_dataset_id", sa.Uuid(), nullable=True),
        *added,
        sa.CheckConstraint(f"status IN {statuses}", name="status"),
        sa.CheckConstraint(f"kind IN {kinds}", name="kind"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["dataset_id"], ["datasets.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["avatars_dataset_id"], ["datasets.id"], ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["sensitive_unshuffled_avatars_dataset_id"], ["datasets.id"], ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("user_id", "idempotency_key"),
        sa.Index(None, "status", "created_at"),
        sa.Index(None, "dataset_id"),
    )
