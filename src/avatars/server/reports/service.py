"""What users may ask of reports: have them written once, look at them, take them away."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import Session

from avatars import models as wire
from avatars.server.accounts.models import User
from avatars.server.assessments.describe import found_by_attacks
from avatars.server.audit.models import Action
from avatars.server.audit.service import record
from avatars.server.datasets.models import Dataset
from avatars.server.db import Database, owned
from avatars.server.errors import BadRequest, Conflict, NotFound, Unavailable
from avatars.server.jobs.models import UNFINISHED, Job, JobKind, JobState
from avatars.server.jobs.service import find_owned, write_down
from avatars.server.reports import files
from avatars.server.reports.wish import Wish
from avatars.server.settings import Settings
from avatars.server.storage import Storage

_SPACE = ("ncp", "imputation", "seed", "use_categorical_reduction", "holdout_id")
"""Of the parameters of privacy metrics: what the projection is made of, and whom avatars were read beside."""

_GONE = "A report is made of the originals and the avatars, and some of these were deleted: create the job again."


def create(
    database: Database, settings: Settings, user: User, request: wire.ReportCreate, idempotency_key: str | None
) -> wire.Report:
    """Have the report about an avatarization written.

    Raises
    ------
    NotFound
        The user has no such job, or its tables are deleted.
    BadRequest
        No job is named, or one has not succeeded.
    Conflict
        The key came before with another request.
    """

    def make(session: Session) -> Job:
        about_id = request.job_id or request.avatarization_job_id
        if about_id is None:
            raise BadRequest("job_id_missing", "The report has no job_id: name the avatarization that it is about.")
        run = _successful(session, user, about_id, JobKind.AVATARIZATION)
        measured = {
            kind: run if job_id is None else _successful(session, user, job_id, kind)
            for kind, job_id in (
                (JobKind.PRIVACY_METRICS, request.privacy_job_id),
                (JobKind.SIGNAL_METRICS, request.signal_job_id),
            )
        }
        privacy, signal = measured[JobKind.PRIVACY_METRICS], measured[JobKind.SIGNAL_METRICS]
        originals, avatars = _tables(run, privacy, signal)
        wish = _wish(request.language, settings, run, run, privacy, signal, found_by_attacks(session, run))
        return _job(session, user, run, originals, avatars, wish)

    return describe(_written_down(database, user, make, request, idempotency_key), settings)


def create_from_data(
    database: Database, settings: Settings, user: User, request: wire.ReportFromDataCreate, idempotency_key: str | None
) -> wire.Report:
    """Have the report about avatars that were made anywhere written; raises what ``create`` does."""

    def make(session: Session) -> Job:
        privacy = _successful(session, user, request.privacy_job_id, JobKind.PRIVACY_METRICS)
        signal = _successful(session, user, request.signal_job_id, JobKind.SIGNAL_METRICS)
        originals, avatars = (
            owned(session, user.id, Dataset, id).id for id in (request.dataset_id, request.avatars_dataset_id)
        )
        if any(job.dataset_id != originals for job in (privacy, signal)):
            raise BadRequest(
                "other_dataset", "The metrics are about other originals: name the dataset that they were computed for."
            )
        wish = _wish(request.language, settings, privacy, None, privacy, signal)
        return _job(session, user, privacy, originals, avatars, wish)

    return describe(_written_down(database, user, make, request, idempotency_key), settings)


def find(database: Database, settings: Settings, user: User, report_id: UUID) -> wire.Report:
    """Describe a report of this user; raises ``NotFound``."""
    with database.read() as session:
        return describe(_owned_report(session, user, report_id), settings)


def find_by_job(database: Database, settings: Settings, user: User, job_id: UUID) -> wire.Report:
    """Describe the latest report about a job of this user; raises ``NotFound``."""
    with database.read() as session:
        find_owned(session, user, job_id, None)
        found = _latest(session, job_id)
        if found is None:
            raise NotFound("There is no report about this job: create one.", "no_report")
        return describe(found, settings)


def for_figures(
    database: Database, settings: Settings, user: User, job_id: UUID, language: wire.ReportLanguage | None
) -> UUID:
    """Give the report that a job's figures are taken from, making one where there is none; raises as ``create``."""
    wanted = language or wire.ReportLanguage(settings.report_language)
    with database.read() as session:
        find_owned(session, user, job_id, JobKind.AVATARIZATION)
        found = _latest(session, job_id, wanted.value)
    if found is not None:
        return found.id
    return create(database, settings, user, wire.ReportCreate(job_id=job_id, language=wanted), None).id


def is_over(database: Database, user: User, report_id: UUID) -> bool:
    """Say whether a report is written, or will not be; raises ``NotFound``."""
    with database.read() as session:
        return _owned_report(session, user, report_id).status not in UNFINISHED


def download(database: Database, storage: Storage, user: User, report_id: UUID, format: wire.ReportFormat) -> bytes:
    """Give one form of a report, after recording that somebody took it.

    Raises
    ------
    NotFound
        The user has no such report.
    Unavailable
        It is not written yet.
    Conflict
        It could not be written.
    """
    with database.write() as session:
        files_id = _files_of(_owned_report(session, user, report_id))
        record(session, Action.REPORT_DOWNLOADED, user.id, report_id)
    return files.read(storage, files_id, format)


def figures(database: Database, storage: Storage, user: User, report_id: UUID) -> files.Figures:
    """Give the figures of a report; raises what ``download`` does."""
    with database.read() as session:
        files_id = _files_of(_owned_report(session, user, report_id))
    return files.read_figures(storage, files_id)


def describe(report: Job, settings: Settings) -> wire.Report:
    """Give the wire's form of a report."""
    assert report.about_id is not None
    return wire.Report(
        id=report.id,
        user_id=report.user_id,
        job_id=report.about_id,
        created_at=report.created_at,
        download_url=f"{settings.base_url}/reports/{report.id}/download",
        language=wire.ReportLanguage(report.parameters["language"]),
        status=wire.JobStatus(report.status),
        error_message=report.error_message,
    )


def _written_down(database: Database, user: User, make: Any, request: BaseModel, key: str | None) -> Job:
    return write_down(database, user.id, make, request, key, Action.REPORT_CREATED)


def _successful(session: Session, user: User, job_id: UUID, kind: JobKind) -> Job:
    job = find_owned(session, user, job_id, kind)
    if job.status != JobState.SUCCESS:
        raise BadRequest(
            "job_not_successful",
            f"The {kind.value} job's status is not success but {job.status}: wait for it, or create it again.",
        )
    return job


def _tables(run: Job, privacy: Job, signal: Job) -> tuple[UUID | None, UUID | None]:
    """Give the originals and the avatars that the metrics are about: processors change both."""
    measured = next((job for job in (privacy, signal) if job is not run), None)
    if measured is not None:
        return measured.dataset_id, measured.compared_dataset_id
    return run.dataset_id, run.sensitive_unshuffled_avatars_dataset_id or run.avatars_dataset_id


def _wish(
    language: wire.ReportLanguage | None,
    settings: Settings,
    about: Job,
    run: Job | None,
    privacy: Job,
    signal: Job,
    assessment: dict[str, Any] | None = None,
) -> Wish:
    return Wish(
        language=language.value if language is not None else settings.report_language,
        made_on=about.created_at.date().isoformat(),
        run=None if run is None else run.parameters,
        space={name: privacy.parameters.get(name) for name in _SPACE},
        seed_was_given=None if run is None else run.parameters.get("seed") is not None,
        privacy=privacy.privacy_metrics,
        signal=signal.signal_metrics,
        marks={"job_id": str(about.id)},
        assessment=assessment,
    )


def _job(session: Session, user: User, about: Job, originals: UUID | None, avatars: UUID | None, wish: Wish) -> Job:
    if originals is None or avatars is None:
        raise NotFound(_GONE, "data_deleted")
    marks = {**wish.marks, "original_id": str(originals)}
    # Unshuffled avatars are nobody's to recognise; of the published ones everybody may know what they are.
    published = about.avatars_dataset_id or avatars
    if (dataset := session.get(Dataset, published)) is not None:
        marks |= {"avatars_id": str(published), "avatars_sha256": dataset.hash}
    return Job(
        user_id=user.id,
        kind=JobKind.REPORT,
        parameters={**asdict(wish), "marks": marks},
        dataset_id=originals,
        compared_dataset_id=avatars,
        about_id=about.id,
    )


def _latest(session: Session, job_id: UUID, language: str | None = None) -> Job | None:
    """Give the latest report about a job that is not known to have failed; of one language, or any."""
    reports = session.scalars(
        select(Job)
        .where(Job.about_id == job_id, Job.kind == JobKind.REPORT, Job.status.in_((*UNFINISHED, JobState.SUCCESS)))
        .order_by(Job.created_at.desc(), Job.id)
    )
    return next((each for each in reports if language in (None, each.parameters["language"])), None)


def _owned_report(session: Session, user: User, report_id: UUID) -> Job:
    report = session.scalars(
        select(Job).where(Job.id == report_id, Job.user_id == user.id, Job.kind == JobKind.REPORT)
    ).one_or_none()
    if report is None:
        raise NotFound("You have no report with this id: check the id, or create the report again.")
    return report


def _files_of(report: Job) -> UUID:
    if report.status in UNFINISHED:
        raise Unavailable("report_not_ready", "The report is still being written: ask again in a few seconds.")
    if report.status != JobState.SUCCESS or report.details is None:
        raise Conflict("report_failed", report.error_message or "The report could not be written: create it again.")
    return UUID(report.details["files"])
