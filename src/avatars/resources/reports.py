"""Reports about avatarizations, as PDF."""

from __future__ import annotations

from uuid import UUID

from avatars._http import Http, as_uuid, parse
from avatars.errors import UnexpectedAnswer
from avatars.models import Report, ReportCreate


class Reports:
    """Reports about avatarizations."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def create_report(self, request: ReportCreate, *, timeout: float | None = None) -> Report:
        """Have the report about an avatarization written."""
        return parse(self._http.request("POST", "/reports", json=request, timeout=timeout), Report)

    def download_report(self, id: UUID | str, *, timeout: float | None = None) -> bytes:
        """Return a report as the bytes of a PDF."""
        answer = self._http.request("GET", f"/reports/{as_uuid(id)}/download", timeout=timeout)
        if not answer.content.startswith(b"%PDF"):
            raise UnexpectedAnswer("The report did not come as a PDF: check base_url.")
        return answer.content
