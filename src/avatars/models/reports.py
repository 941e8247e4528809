"""Reports about avatars."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from uuid import UUID

from avatars.models.base import Request, Response
from avatars.models.status import JobStatus


class ReportLanguage(str, Enum):
    """Of a report and its figures."""

    en = "en"
    fr = "fr"


class ReportFormat(str, Enum):
    """How a report can be had."""

    pdf = "pdf"
    html = "html"
    json = "json"


class ReportCreate(Request):
    """Asks for the report about an avatarization, by ``job_id`` or ``avatarization_job_id``.

    Its figures are those of the avatarization, unless metrics jobs are named: of avatars that were changed afterwards.
    """

    job_id: UUID | None = None
    """The avatarization."""
    avatarization_job_id: UUID | None = None
    """Another name of the same."""
    privacy_job_id: UUID | None = None
    """The privacy metrics that the report is to show."""
    signal_job_id: UUID | None = None
    """The utility metrics that it is to show."""
    language: ReportLanguage | None = None
    """The platform's own by default."""


class ReportFromDataCreate(Request):
    """Asks for the report about avatars that were made anywhere, by the metrics jobs about them."""

    dataset_id: UUID
    """The dataset of the originals."""
    avatars_dataset_id: UUID
    """The dataset of the avatars, in any order."""
    privacy_job_id: UUID
    signal_job_id: UUID
    language: ReportLanguage | None = None
    """The platform's own by default."""


class Report(Response):
    """A report; it is behind ``download_url`` when its ``status`` is success, and asking for it waits for that."""

    id: UUID
    user_id: UUID
    job_id: UUID
    """The job that it is about, and is deleted with."""
    created_at: datetime | None = None
    download_url: str
    """Absolute address of the PDF; with ``?format=html`` or ``json``, of the other forms."""
    language: ReportLanguage = ReportLanguage.en
    status: JobStatus = JobStatus.success
    error_message: str | None = None
    """Why it could not be written."""
