"""What the platform remembers of who did what."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from avatars.models.base import Response


class AuditEvent(Response):
    """One event: ids, never content."""

    id: int
    """Grows with time."""
    at: datetime
    action: str
    """A stable name, such as ``sensitive_dataset.downloaded``."""
    actor_id: UUID | None = None
    """The user; null for operators at the command line, and for logins that failed."""
    subject_id: UUID | None = None
    """The dataset, job or user that it happened to."""
    request_id: str | None = None
    """As in the log."""
