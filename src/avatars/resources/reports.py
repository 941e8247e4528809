"""Reports about avatars: PDF, one page of HTML, or JSON."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Final, overload
from uuid import UUID, uuid4

from avatars._http import Http, as_uuid, parse
from avatars.errors import APIError, InvalidInput, UnexpectedAnswer
from avatars.models import Report, ReportCreate, ReportFormat, ReportFromDataCreate, ReportLanguage
from avatars.resources.destinations import Destination, opened

NOT_READY: Final = "report_not_ready"
"""The platform's word for: ask again."""

_BEGINS = {ReportFormat.pdf: b"%PDF", ReportFormat.html: b"<!doctype html>", ReportFormat.json: b"{"}


class Reports:
    """Reports about avatars."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def create_report(
        self, request: ReportCreate, *, idempotency_key: str | None = None, timeout: float | None = None
    ) -> Report:
        """Have the report about an avatarization written, and return at once; ``download_report`` waits for it.

        Raises
        ------
        avatars.errors.InvalidInput
            The request names no job; nothing was sent.
        avatars.errors.BadRequest
            The job, or one of the metrics jobs, has not succeeded.
        avatars.errors.NotFound
            There is no such job, or its tables are deleted.
        """
        if request.job_id is None and request.avatarization_job_id is None:
            raise InvalidInput("The report has no job: pass ReportCreate(job_id=job.id).")
        return self._create("/reports", request, idempotency_key, timeout)

    def create_report_from_data(
        self, request: ReportFromDataCreate, *, idempotency_key: str | None = None, timeout: float | None = None
    ) -> Report:
        """Have the report about avatars that were made anywhere written, by the metrics jobs about them."""
        return self._create("/reports/from_data", request, idempotency_key, timeout)

    def get_report(self, id: UUID | str, *, timeout: float | None = None) -> Report:
        """Return the latest report about the job with this id."""
        return parse(self._http.request("GET", f"/reports/jobs/{as_uuid(id)}", timeout=timeout), Report)

    @overload
    def download_report(
        self,
        id: UUID | str,
        *,
        destination: None = None,
        format: ReportFormat | str = "pdf",
        timeout: float | None = None,
    ) -> bytes: ...

    @overload
    def download_report(
        self,
        id: UUID | str,
        *,
        destination: Destination,
        format: ReportFormat | str = "pdf",
        timeout: float | None = None,
    ) -> None: ...

    def download_report(
        self,
        id: UUID | str,
        *,
        destination: Destination | None = None,
        format: ReportFormat | str = "pdf",
        timeout: float | None = None,
    ) -> bytes | None:
        """Return a report as bytes, or write it to a file; waits until it is written.

        Parameters
        ----------
        destination
            The path of a file, or a file that is open for writing bytes. The call then returns nothing.
        format
            ``"pdf"``, ``"html"`` or ``"json"``.
        timeout
            Seconds that the platform may be silent.

        Raises
        ------
        avatars.errors.Conflict
            It could not be written; the message says why.
        """
        wanted = report_format(format)
        path = f"/reports/{as_uuid(id)}/download"
        while True:
            try:
                answer = self._http.request("GET", path, params={"format": wanted.value}, timeout=timeout, attempts=1)
                break
            except APIError as error:
                # It has already waited on the platform's side.
                if error.code != NOT_READY:
                    raise
        if not answer.content.startswith(_BEGINS[wanted]):
            raise UnexpectedAnswer(f"The report did not come as {wanted.value.upper()}: check base_url.")
        if destination is None:
            return answer.content
        with opened(destination) as file:
            file.write(answer.content)
        return None

    def _create(
        self, path: str, request: ReportCreate | ReportFromDataCreate, key: str | None, timeout: float | None
    ) -> Report:
        answer = self._http.request("POST", path, json=request, timeout=timeout, idempotency_key=key or str(uuid4()))
        return parse(answer, Report)


def report_format(format: ReportFormat | str | None, destination: Destination | None = None) -> ReportFormat:
    """Return a format as it is meant: what is said, else what a path ends in, else PDF; `InvalidInput` for others."""
    if format is None:
        ending = Path(destination).suffix.removeprefix(".") if isinstance(destination, (str, PathLike)) else ""
        format = {"htm": "html", "": "pdf"}.get(ending.lower(), ending.lower())
    try:
        return ReportFormat(format)
    except ValueError:
        raise InvalidInput(f"A report is one of {', '.join(each.value for each in ReportFormat)}.") from None


def as_language(language: str) -> ReportLanguage:
    """Return a language of reports; `InvalidInput` for others."""
    try:
        return ReportLanguage(language)
    except ValueError:
        raise InvalidInput(f"language must be one of {', '.join(each.value for each in ReportLanguage)}.") from None
