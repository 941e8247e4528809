"""Reports about one avatarization."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from avatars.models.base import Request, Response


class ReportCreate(Request):
    """Asks for the report about an avatarization."""

    job_id: UUID


class Report(Response):
    """A report; the PDF is behind ``download_url``."""

    id: UUID
    user_id: UUID
    job_id: UUID
    created_at: datetime | None = None
    download_url: str
    """Absolute address of the PDF."""
