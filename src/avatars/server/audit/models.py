"""The table of audit events."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from avatars.server.db import Base, utc_now


class Action(StrEnum):
    """What is recorded; the names are stable."""

    LOGGED_IN = "user.logged_in"
    LOGIN_FAILED = "user.login_failed"
    LOGGED_OUT = "user.logged_out"
    USER_CREATED = "user.created"
    USER_ENABLED = "user.enabled"
    USER_DISABLED = "user.disabled"
    USER_DELETED = "user.deleted"
    RESET_LINK_MADE = "user.reset_link_made"
    PASSWORD_CHANGED = "user.password_changed"  # noqa: S105 - a name of an event
    DATASET_CREATED = "dataset.created"
    DATASET_DECLARED = "dataset.declared"
    DATASET_DOWNLOADED = "dataset.downloaded"
    SENSITIVE_DATASET_DOWNLOADED = "sensitive_dataset.downloaded"
    """The unshuffled avatars: with the originals at hand, the link between the two."""
    DATASET_DELETED = "dataset.deleted"
    JOB_CREATED = "job.created"
    JOB_CANCELLED = "job.cancelled"
    JOB_DELETED = "job.deleted"
    ASSESSMENT_CREATED = "assessment.created"
    """Asked for; those that follow an avatarization by themselves are not recorded."""
    AVATARS_RELEASED = "avatars.released"
    """By an admin, in spite of their assessment."""
    REPORT_CREATED = "report.created"
    REPORT_DOWNLOADED = "report.downloaded"
    PROJECTIONS_READ = "projections.read"
    """Coordinates of the originals."""
    AUDIT_READ = "audit.read"
    PURGED = "data.purged"
    AUDIT_PURGED = "audit.purged"


class AuditEvent(Base):
    """One event. It outlives what it is about, so nothing refers to other tables, and it holds ids and no content."""

    __tablename__ = "audit_events"
    __table_args__ = (Index(None, "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(default=utc_now)
    action: Mapped[str] = mapped_column(String(64))
    actor_id: Mapped[UUID | None]
    """The user; none for operators at the command line, and for logins that failed."""
    subject_id: Mapped[UUID | None]
    """What it happened to: a dataset, a job, or a user."""
    request_id: Mapped[str | None] = mapped_column(String(64))
    """As in the answer's ``X-Request-ID`` and in the log."""
