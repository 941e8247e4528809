"""The table of datasets."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import JSON, BigInteger, CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from avatars.server.datasets.description import ColumnDescription
from avatars.server.db import Base, utc_now


class DatasetKind(StrEnum):
    """Where a dataset comes from, which says how sensitive it is."""

    ORIGINAL = "original"
    """Uploaded by its owner: presumably about people."""
    AVATARS = "avatars"
    """Made by a job, in an order that carries no trace of the originals."""
    SENSITIVE_UNSHUFFLED_AVATARS = "sensitive_unshuffled_avatars"
    """Made by a job: row i is the avatar of record i, so the link to the originals is obvious."""


class Dataset(Base):
    """A table on the platform. The rows are in the storage, under the dataset's id."""

    __tablename__ = "datasets"
    __table_args__ = (
        CheckConstraint("kind IN ('original', 'avatars', 'sensitive_unshuffled_avatars')", name="kind"),
        CheckConstraint("filetype IN ('csv', 'parquet')", name="filetype"),
        # Two uploads with one key make one dataset, however close they come. Those without a key are not compared.
        Index(None, "user_id", "idempotency_key", unique=True),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(32))
    name: Mapped[str | None] = mapped_column(String(255))
    hash: Mapped[str] = mapped_column(String(64))
    """SHA-256, in hexadecimal, of what was uploaded; of the file in the storage for what a job made."""
    filetype: Mapped[str] = mapped_column(String(16))
    nb_lines: Mapped[int] = mapped_column(BigInteger)
    columns: Mapped[list[ColumnDescription]] = mapped_column(JSON)
    size: Mapped[int] = mapped_column(BigInteger)
    """Bytes in the storage."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    assessments: Mapped[int] = mapped_column(default=0, server_default="0")
    """How many assessments were asked for: it counts those, too, that are deleted."""
    idempotency_key: Mapped[str | None] = mapped_column(String(255))
    """Of the upload: the same file that comes again with it is not stored twice."""

    analysis_duration: Mapped[float | None]
    """Seconds of work."""
    summary: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """As the wire's ``DatasetSummary`` has it; none until an analysis, and again when types are declared anew."""

    @property
    def nb_dimensions(self) -> int:
        """Numeric columns plus modalities of the others."""
        return sum(column["dimensions"] for column in self.columns)
