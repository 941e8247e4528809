"""The table of jobs: what is to be done and what came of it. It is the truth; workers only carry it out."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from avatars.server.db import Base, utc_now


class JobKind(StrEnum):
    """What a job computes; the values are those of the wire's ``JobKind``, but for the last three."""

    AVATARIZATION = "avatarization"
    """Avatars of a dataset, measured."""
    PRIVACY_METRICS = "privacy_metrics"
    """How well avatars, made anywhere, hide whose they are."""
    SIGNAL_METRICS = "signal_metrics"
    """How well avatars, made anywhere, keep the statistics of the originals."""
    ANALYSIS = "analysis"
    """What is in a dataset's columns. Not listed among a user's jobs: the dataset itself says how far it is."""
    REPORT = "report"
    """The report about another job. Not listed either: it is listed among reports."""
    ASSESSMENT = "assessment"
    """Attacks on avatars that are made as another job made them. Not listed either: it is shown with that job."""


class JobState(StrEnum):
    """Where a job stands; the values are those of the wire's ``JobStatus``."""

    PENDING = "pending"
    """Waits for a free worker."""
    STARTED = "started"
    """Attempt number ``attempt`` is running, or was when the platform stopped."""
    SUCCESS = "success"
    """Over; there is exactly one result."""
    FAILURE = "failure"
    """Over; ``error_message`` says why."""
    KILLED = "killed"
    """Over: its user did not want it any more."""


UNLISTED = (JobKind.ANALYSIS, JobKind.REPORT, JobKind.ASSESSMENT)
"""What users know under another name."""

UNFINISHED = (JobState.PENDING, JobState.STARTED)


class Job(Base):
    """One piece of work on one dataset, or on one and another that it is compared with."""

    __tablename__ = "jobs"
    __table_args__ = (
        CheckConstraint("status IN ('pending', 'started', 'success', 'failure', 'killed')", name="status"),
        CheckConstraint(
            "kind IN ('avatarization', 'privacy_metrics', 'signal_metrics', 'analysis', 'report', 'assessment')",
            name="kind",
        ),
        # Two requests with one key make one job, however close they come. Jobs without a key are not compared.
        UniqueConstraint("user_id", "idempotency_key"),
        Index(None, "status", "created_at"),
        Index(None, "user_id", "created_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(32))
    status: Mapped[str] = mapped_column(String(16), default=JobState.PENDING.value)
    parameters: Mapped[dict[str, Any]] = mapped_column(JSON)
    """As the wire model has them."""
    dataset_id: Mapped[UUID | None] = mapped_column(ForeignKey("datasets.id", ondelete="SET NULL"), index=True)
    """The originals; none once they are deleted, which what came of them outlives."""
    compared_dataset_id: Mapped[UUID | None] = mapped_column(ForeignKey("datasets.id", ondelete="SET NULL"), index=True)
    """The avatars that metrics are about, where the job did not make them itself."""
    about_id: Mapped[UUID | None] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), index=True)
    """Of a report or an assessment: the job that it is about, and goes with."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    idempotency_key: Mapped[str | None] = mapped_column(String(255))
    request_hash: Mapped[str] = mapped_column(String(64))
    """SHA-256 of what was asked for: a key that comes again with something else is refused."""

    attempt: Mapped[int] = mapped_column(default=0)
    """Counts every start. What a worker did counts only while its attempt is the latest: the fence that keeps
    two workers from both delivering a result."""
    worker_losses: Mapped[int] = mapped_column(default=0)
    """How many attempts ended because their worker process died."""
    interruptions: Mapped[int] = mapped_column(default=0)
    """How many attempts ended because the platform itself was killed."""
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]

    progress_step: Mapped[str | None] = mapped_column(String(100))
    progress_percent: Mapped[int] = mapped_column(default=0)
    """Of the whole job; never falls within an attempt."""
    progress_at: Mapped[datetime | None]

    error_message: Mapped[str | None] = mapped_column(Text)
    privacy_metrics: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    signal_metrics: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    details: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """What else is known of the result: variance and contributions of the components, or columns left out."""
    avatars_dataset_id: Mapped[UUID | None] = mapped_column(ForeignKey("datasets.id", ondelete="SET NULL"))
    sensitive_unshuffled_avatars_dataset_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("datasets.id", ondelete="SET NULL")
    )
    release: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """The admin who released the avatars in spite of their assessment, when, and why."""
