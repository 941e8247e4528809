"""Where a job stands, and how far it is."""

from __future__ import annotations

from datetime import datetime
from enum import Enum

from avatars.models.base import Response


class JobStatus(str, Enum):
    """Where a job stands; ``success``, ``failure`` and ``killed`` are final."""

    pending = "pending"
    started = "started"
    success = "success"
    failure = "failure"
    killed = "killed"
    """Cancelled. Clients up to 0.2.1 do not know it, and are never sent it."""
    unknown = "unknown"

    @property
    def is_over(self) -> bool:
        """True where nothing more will happen to the job."""
        return self not in (JobStatus.pending, JobStatus.started)


class JobProgress(Response):
    """How far a job is."""

    completion_rate_100: int
    """Percent of the whole job, 0 to 100."""
    name: str | None = None
    """The step at hand."""
    created_at: datetime
