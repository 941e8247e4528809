"""Jobs: launch an avatarization, wait for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from avatars import models
from avatars._http import Http, as_uuid, parse
from avatars.errors import JobFailed
from avatars.models import AvatarizationJobCreate, JobStatus
from avatars.resources import waiting


class AvatarizationJob(models.AvatarizationJob):
    """One avatarization on the platform.

    ``result`` is None until the job is over; where the job failed, reading it raises
    `avatars.errors.JobFailed` with the platform's own message, which ``error_message`` has too.
    """

    if not TYPE_CHECKING:  # for a type checker `result` is the field that it inherits

        def __getattribute__(self, name: str) -> Any:
            if name == "result" and self.status is JobStatus.failure:
                raise JobFailed(self.error_message or "The job failed without saying why.", self.id)
            return super().__getattribute__(name)


class Jobs:
    """Jobs on the platform."""

    def __init__(self, http: Http, *, progress: bool = True) -> None:
        self._http = http
        self._progress = progress

    def create_avatarization_job(
        self, request: AvatarizationJobCreate, *, timeout: float | None = None
    ) -> AvatarizationJob:
        """Launch an avatarization and return at once, without waiting for it.

        The request carries an idempotency key: when its answer is lost it is sent again, and makes one job.

        Raises
        ------
        avatars.errors.InvalidRequest
            A parameter has a value that cannot be.
        avatars.errors.NotFound
            There is no such dataset, or it belongs to somebody else.
        """
        answer = self._http.request(
            "POST", "/jobs/avatarization", json=request, timeout=timeout, idempotency_key=str(uuid4())
        )
        return parse(answer, AvatarizationJob)

    def get_avatarization_job(
        self,
        id: UUID | str,
        *,
        per_request_timeout: float | None = None,
        timeout: float | None = None,
        progress: bool | None = None,
    ) -> AvatarizationJob:
        """Wait for a job and return it.

        On a terminal a bar shows the step at hand. An interrupt (Ctrl-C) ends the waiting, not the job: call
        again to come back to it. A connection that is lost meanwhile is taken up again.

        Parameters
        ----------
        per_request_timeout
            Seconds that the platform may be silent before it is asked anew; 10 by default.
        timeout
            Seconds to wait in all. The job is then returned as last seen, over or not: see ``job.status``.
            0 looks once. By default the call waits until the job is over.
        progress
            False hides the bar; by default as the client was told.

        Raises
        ------
        avatars.errors.NotFound
            There is no such job, or it belongs to somebody else.
        avatars.errors.ConnectionFailed
            The platform did not answer even once within ``timeout``, or for five minutes without one.
        """
        job_id = as_uuid(id)
        return waiting.wait(
            lambda seconds: self._look(job_id, seconds),
            job_id,
            timeout=timeout,
            per_request_timeout=per_request_timeout,
            progress=self._progress if progress is None else progress,
        )

    def _look(self, job_id: UUID, seconds: float) -> AvatarizationJob:
        path = f"/jobs/avatarization/{job_id}"
        return parse(self._http.request("GET", path, timeout=seconds, attempts=1), AvatarizationJob)
