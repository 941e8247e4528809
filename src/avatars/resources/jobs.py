"""Jobs: launch them, wait for them, take them back."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, overload
from uuid import UUID, uuid4

from pydantic import PrivateAttr

from avatars import models
from avatars._http import Http, as_uuid, parse, parse_list
from avatars._notebook import attacks_found, metrics_html
from avatars.errors import InvalidInput, JobFailed, NotFound
from avatars.models import (
    AvatarizationJobCreate,
    GenericJob,
    JobStatus,
    PrivacyMetricsJobCreate,
    ReportCreate,
    ReportFormat,
    SignalMetricsJobCreate,
)
from avatars.models.jobs import Job
from avatars.resources import waiting
from avatars.resources.assessments import Assessments
from avatars.resources.destinations import Destination
from avatars.resources.reports import Reports, as_language, report_format

if TYPE_CHECKING:

    class _ResultRaises:  # for a type checker `result` is the field that each kind of job has
        pass

else:

    class _ResultRaises:
        def __getattribute__(self, name: str) -> Any:
            if name == "result":
                if self.status is JobStatus.failure:
                    raise JobFailed(self.error_message or "The job failed without saying why.", self.id)
                if self.status is JobStatus.killed:
                    raise JobFailed("The job was cancelled: launch it again to have its result.", self.id)
            return super().__getattribute__(name)


class AvatarizationResult(models.AvatarizationResult):
    """What an avatarization gives; it writes its report, and shows its metrics in notebooks."""

    _write_report: Callable[[Destination | None, str | None, ReportFormat], bytes | None] | None = PrivateAttr(None)

    @overload
    def report(
        self, destination: None = None, *, language: str | None = None, format: ReportFormat | str | None = None
    ) -> bytes: ...

    @overload
    def report(
        self, destination: Destination, *, language: str | None = None, format: ReportFormat | str | None = None
    ) -> None: ...

    def report(
        self,
        destination: Destination | None = None,
        *,
        language: str | None = None,
        format: ReportFormat | str | None = None,
    ) -> bytes | None:
        """Have the report about this avatarization written; return it as bytes, or write it to a file.

        What attacks find in the avatars is a part of it, and is waited for.

        Parameters
        ----------
        destination
            The path of a file, or a file that is open for writing bytes. The call then returns nothing.
        language
            ``"en"`` or ``"fr"``; the platform's own by default.
        format
            ``"pdf"``, ``"html"`` or ``"json"``; by default what the path ends in, else PDF.

        Raises
        ------
        avatars.errors.InvalidInput
            There is no such format or language.
        avatars.errors.NotFound
            The job, or one of its tables, is deleted.
        """
        if self._write_report is None:
            raise InvalidInput("This result does not come from client.jobs: use client.reports.create_report.")
        return self._write_report(destination, language, report_format(format, destination))

    def _repr_html_(self) -> str:
        made = self.avatars_dataset
        families = (self.privacy_metrics, self.signal_metrics)
        details = [detail for family in families for detail in _details(family)]
        remarks = [remark for family in families for remark in family.remarks]
        if self.assessment is not None and self.assessment.verdict is not None:
            remarks = [*attacks_found(self.assessment.verdict.value, self.assessment.reasons), *remarks]
        return metrics_html(f"{made.nb_lines or 0:,} avatars, {len(made.columns or ()):,} columns", details, remarks)


def _details(family: models.PrivacyMetrics | models.SignalMetrics) -> list[dict[str, Any]]:
    if family.details:
        return [detail.model_dump() for detail in family.details]
    # An older platform has kept the values alone.
    nothing = {"target": None, "reaches_target": None, "baseline": None}
    return [{"name": name, "value": value, **nothing} for name, value in family if isinstance(value, float)]


class AvatarizationJob(_ResultRaises, models.AvatarizationJob):
    """One avatarization on the platform.

    ``result`` is None until the job is over; where the job failed or was cancelled, reading it raises
    `avatars.errors.JobFailed` with the platform's own message, which ``error_message`` has too.
    """

    result: AvatarizationResult | None = None

    def _repr_html_(self) -> str | None:
        if self.status is not JobStatus.success or self.result is None:
            return None  # the text says where it stands
        return self.result._repr_html_()


class PrivacyMetricsJob(_ResultRaises, models.PrivacyMetricsJob):
    """One computation of privacy metrics; ``result`` as for `AvatarizationJob`."""


class SignalMetricsJob(_ResultRaises, models.SignalMetricsJob):
    """One computation of utility metrics; ``result`` as for `AvatarizationJob`."""


JobT = TypeVar("JobT", bound=Job)


class Jobs:
    """Jobs on the platform."""

    def __init__(self, http: Http, *, progress: bool = True) -> None:
        self._http = http
        self._progress = progress
        self._reports = Reports(http)
        self._assessments = Assessments(http, progress=progress)

    def create_avatarization_job(
        self, request: AvatarizationJobCreate, *, idempotency_key: str | None = None, timeout: float | None = None
    ) -> AvatarizationJob:
        """Launch an avatarization and return at once, without waiting for it.

        The request carries an idempotency key: when its answer is lost it is sent again, and makes one job.

        Parameters
        ----------
        idempotency_key
            A text of one's own in place of a random one: a program that is started again with the same key finds
            the job that it launched before.

        Raises
        ------
        avatars.errors.InvalidInput
            The request names no dataset; nothing was sent.
        avatars.errors.InvalidRequest
            A parameter has a value that cannot be.
        avatars.errors.NotFound
            There is no such dataset, or it belongs to somebody else.
        """
        if request.parameters.dataset_id is None:
            raise InvalidInput("The job has no dataset: pass AvatarizationParameters(dataset_id=dataset.id, ...).")
        job = self._create("/jobs/avatarization", request, AvatarizationJob, idempotency_key, timeout)
        return self._reporting(job)

    def get_avatarization_job(
        self,
        id: UUID | str,
        *,
        per_request_timeout: float | None = None,
        timeout: float | None = None,
        progress: bool | None = None,
    ) -> AvatarizationJob:
        """Wait for a job and return it.

        On a terminal and in a notebook a table shows its steps. An interrupt (Ctrl-C) ends the waiting, not the
        job: call again to come back to it. A connection that is lost meanwhile is taken up again.

        Parameters
        ----------
        per_request_timeout
            Seconds that the platform may be silent before it is asked anew; 10 by default.
        timeout
            Seconds to wait in all. The job is then returned as last seen, over or not: see ``job.status``.
            0 looks once. By default the call waits until the job is over.
        progress
            False hides the table of progress; by default as the client was told.

        Raises
        ------
        avatars.errors.NotFound
            There is no such job, or it belongs to somebody else.
        avatars.errors.ConnectionFailed
            The platform did not answer even once within ``timeout``, or for five minutes without one.
        """
        path, way_back = f"/jobs/avatarization/{as_uuid(id)}", f'get_avatarization_job("{id}")'
        return self._reporting(self._wait(path, way_back, AvatarizationJob, per_request_timeout, timeout, progress))

    def _reporting(self, job: AvatarizationJob) -> AvatarizationJob:
        if job.status is JobStatus.success and job.result is not None:
            job.result._write_report = partial(self._write_report, job.id)
        return job

    def _write_report(
        self, job_id: UUID, destination: Destination | None, language: str | None, format: ReportFormat
    ) -> bytes | None:
        request = ReportCreate(job_id=job_id, language=None if language is None else as_language(language))
        # A report says what attacks found: they are waited for. A platform that is older than this knows of none.
        with suppress(NotFound):
            self._assessments.get_assessment(job_id)
        report = self._reports.create_report(request)
        if destination is None:
            return self._reports.download_report(report.id, format=format)
        self._reports.download_report(report.id, destination=destination, format=format)
        return None

    def create_privacy_metrics_job(
        self, request: PrivacyMetricsJobCreate, *, idempotency_key: str | None = None, timeout: float | None = None
    ) -> PrivacyMetricsJob:
        """Launch a computation of privacy metrics and return at once; see ``create_avatarization_job``."""
        return self._create("/jobs/metrics/privacy", request, PrivacyMetricsJob, idempotency_key, timeout)

    def get_privacy_metrics(
        self,
        id: UUID | str,
        *,
        per_request_timeout: float | None = None,
        timeout: float | None = None,
        progress: bool | None = None,
    ) -> PrivacyMetricsJob:
        """Wait for a computation of privacy metrics and return it; see ``get_avatarization_job``."""
        path, way_back = f"/jobs/{as_uuid(id)}/metrics/privacy", f'get_privacy_metrics("{id}")'
        return self._wait(path, way_back, PrivacyMetricsJob, per_request_timeout, timeout, progress)

    def create_signal_metrics_job(
        self, request: SignalMetricsJobCreate, *, idempotency_key: str | None = None, timeout: float | None = None
    ) -> SignalMetricsJob:
        """Launch a computation of utility metrics and return at once; see ``create_avatarization_job``."""
        return self._create("/jobs/metrics/signal", request, SignalMetricsJob, idempotency_key, timeout)

    def get_signal_metrics(
        self,
        id: UUID | str,
        *,
        per_request_timeout: float | None = None,
        timeout: float | None = None,
        progress: bool | None = None,
    ) -> SignalMetricsJob:
        """Wait for a computation of utility metrics and return it; see ``get_avatarization_job``."""
        path, way_back = f"/jobs/{as_uuid(id)}/metrics/signal", f'get_signal_metrics("{id}")'
        return self._wait(path, way_back, SignalMetricsJob, per_request_timeout, timeout, progress)

    def find_all_jobs_by_user(self, nb_days: int | None = None, *, timeout: float | None = None) -> list[GenericJob]:
        """Return one's own jobs of the last ``nb_days`` days (5 by default), the newest first."""
        params = {"nb_days": str(nb_days)} if nb_days is not None else None
        return parse_list(self._http.request("GET", "/jobs", params=params, timeout=timeout), GenericJob)

    def cancel_job(self, id: UUID | str, *, timeout: float | None = None) -> GenericJob:
        """Stop a job and return it; one that is over stays as it is."""
        return parse(self._http.request("POST", f"/jobs/{as_uuid(id)}/cancel", timeout=timeout), GenericJob)

    def delete_job(self, id: UUID | str, *, timeout: float | None = None) -> None:
        """Delete a job and what it made, for good."""
        self._http.request("DELETE", f"/jobs/{as_uuid(id)}", timeout=timeout)

    def _create(
        self,
        path: str,
        request: AvatarizationJobCreate | PrivacyMetricsJobCreate | SignalMetricsJobCreate,
        kind: type[JobT],
        idempotency_key: str | None,
        timeout: float | None,
    ) -> JobT:
        key = idempotency_key or str(uuid4())
        return parse(self._http.request("POST", path, json=request, timeout=timeout, idempotency_key=key), kind)

    def _wait(
        self,
        path: str,
        way_back: str,
        kind: type[JobT],
        per_request_timeout: float | None,
        timeout: float | None,
        progress: bool | None,
    ) -> JobT:
        def look(*, wait: float, timeout: float) -> JobT:
            params = {"wait": f"{wait:.3f}"} if wait else None
            return parse(self._http.request("GET", path, params=params, timeout=timeout, attempts=1), kind)

        return waiting.wait(
            look,
            way_back,
            timeout=timeout,
            per_request_timeout=per_request_timeout,
            progress=self._progress if progress is None else progress,
        )
