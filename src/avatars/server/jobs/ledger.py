"""The transitions of a job's row: each is one transaction, and each but the first names the attempt that it is about.

::

    pending  --claim-->  started  --succeed-->  success
    pending  <--retry, put_back, resume--  started
    started  --fail-->  failure
    pending, started  --kill-->  killed
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, CursorResult, Subquery, Update, and_, case, func, select, update
from sqlalchemy.orm import Session, aliased

from avatars.server.datasets.description import ColumnDescription
from avatars.server.datasets.models import Dataset, DatasetKind
from avatars.server.datasets.normal_form import Written
from avatars.server.db import Database, utc_now
from avatars.server.jobs.follow_up import assessment_of
from avatars.server.jobs.models import UNFINISHED, Job, JobKind, JobState
from avatars.server.jobs.orders import Done, Outputs

REMEMBERED = timedelta(days=1)
"""How far back it counts who had a turn."""

_IS_ASSESSMENT = case((Job.kind == JobKind.ASSESSMENT, 1), else_=0)

_OUTPUT_KINDS = (DatasetKind.AVATARS, DatasetKind.SENSITIVE_UNSHUFFLED_AVATARS)
"""Of ``Outputs.ids``, in their order."""


@dataclass(frozen=True)
class Claim:
    """One attempt at one job, and what it takes to carry it out."""

    job_id: UUID
    attempt: int
    user_id: UUID
    kind: JobKind
    parameters: dict[str, Any]
    dataset_id: UUID
    compared_dataset_id: UUID | None
    columns: list[ColumnDescription]


@dataclass(frozen=True)
class Advance:
    """How far an attempt is."""

    job_id: UUID
    attempt: int
    step: str
    percent: int
    at: datetime


def known_datasets(database: Database) -> set[UUID]:
    """Give the ids of all datasets."""
    with database.read() as session:
        return set(session.scalars(select(Dataset.id)))


def known_reports(database: Database) -> set[UUID]:
    """Give the ids that files of reports are kept under."""
    with database.read() as session:
        return files_of_reports(session)


def files_of_reports(session: Session) -> set[UUID]:
    """Give the same, within a transaction."""
    details = session.scalars(select(Job.details).where(Job.kind == JobKind.REPORT, Job.status == JobState.SUCCESS))
    return {UUID(each["files"]) for each in details if each is not None}


def claim(database: Database, limit: int, skipped: Iterable[UUID] = ()) -> list[Claim]:
    """Take up to ``limit`` pending jobs but for the skipped ones, and mark them as started.

    Users take turns: those with fewer jobs under way first, then those whose last start is the longest ago. The jobs of
    one user start in the order of their creation. Assessments come last: somebody waits for everything else.
    """
    ready = and_(Job.status == JobState.PENDING, Job.id.not_in(list(skipped)))
    if limit < 1 or not _any(database, ready):
        return []
    with database.write() as session:
        turns = _turns(ready)
        found = session.execute(
            select(Job, Dataset)
            .join(Dataset, Dataset.id == Job.dataset_id)
            .join(turns, turns.c.id == Job.id)
            .where(ready)
            .order_by(_IS_ASSESSMENT, turns.c.turn, turns.c.last_start.nulls_first(), Job.created_at)
            .limit(limit)
            .with_for_update(of=Job, skip_locked=True)
        ).all()
        for job, _ in found:
            job.status = JobState.STARTED
            job.attempt += 1
            job.started_at = utc_now()
            job.progress_step, job.progress_percent, job.progress_at = None, 0, None
        return [
            Claim(
                job.id,
                job.attempt,
                job.user_id,
                JobKind(job.kind),
                job.parameters,
                dataset.id,
                job.compared_dataset_id,
                dataset.columns,
            )
            for job, dataset in found
        ]


def _turns(ready: ColumnElement[bool]) -> Subquery:
    """The turn of each job: the n-th one of its user, counted from those under way; and when the user had the last."""
    other, recent = aliased(Job), aliased(Job)
    under_way = (
        select(func.count())
        .where(other.user_id == Job.user_id, other.status == JobState.STARTED)
        .correlate(Job)
        .scalar_subquery()
    )
    # Once for each user; further back than this nobody remembers.
    last = (
        select(recent.user_id, func.max(recent.started_at).label("start"))
        .where(recent.created_at >= utc_now() - REMEMBERED, recent.user_id.in_(select(Job.user_id).where(ready)))
        .group_by(recent.user_id)
        .subquery()
    )
    place = func.row_number().over(partition_by=Job.user_id, order_by=(_IS_ASSESSMENT, Job.created_at, Job.id))
    return (
        select(Job.id, (under_way + place).label("turn"), last.c.start.label("last_start"))
        .outerjoin(last, last.c.user_id == Job.user_id)
        .where(ready)
        .subquery()
    )


def _any(database: Database, wanted: ColumnElement[bool]) -> bool:
    # Asked without taking the writer's place: most of the time there is nothing to do.
    with database.read() as session:
        return session.scalar(select(Job.id).where(wanted).limit(1)) is not None


def advance(database: Database, advances: Iterable[Advance]) -> None:
    """Write down how far attempts are; those that are not the latest are ignored."""
    with database.write() as session:
        for each in advances:
            session.execute(
                _attempt(each.job_id, each.attempt).values(
                    progress_step=each.step, progress_percent=each.percent, progress_at=each.at
                )
            )


def succeed(database: Database, claim: Claim, outputs: Outputs, done: Done) -> bool:
    """Record the result, and what follows from it.

    False, and nothing recorded, where this attempt is not the latest or nobody wants it.
    """
    with database.write() as session:
        job = session.get(Job, claim.job_id, with_for_update=True)
        if job is None or job.attempt != claim.attempt:
            return False
        if job.status == JobState.SUCCESS:
            # Recorded already, if it is this result: the connection broke between the commit and its confirmation.
            return not done.datasets or job.avatars_dataset_id == outputs.avatars
        if job.status != JobState.STARTED:
            return False
        ids = dict(zip(_OUTPUT_KINDS, outputs.ids, strict=True))
        session.add_all(_dataset(claim, ids[kind], kind, written) for kind, written in done.datasets.items())
        session.flush()
        if DatasetKind.AVATARS in done.datasets:
            job.avatars_dataset_id, job.sensitive_unshuffled_avatars_dataset_id = outputs.ids
        job.status = JobState.SUCCESS
        job.finished_at = job.progress_at = utc_now()
        job.progress_step, job.progress_percent = "done", 100
        job.privacy_metrics, job.signal_metrics = done.privacy_metrics, done.signal_metrics
        job.details = done.details
        if done.summary is not None:
            _keep_summary(session, claim, done)
        if claim.kind is JobKind.AVATARIZATION:
            # In the same transaction: there are no avatars without their assessment to come.
            session.add(assessment_of(session, job))
        return True


def _keep_summary(session: Session, claim: Claim, done: Done) -> None:
    dataset = session.get(Dataset, claim.dataset_id, with_for_update=True)
    # Types that were declared in the meantime make it the summary of another table.
    if dataset is not None and dataset.columns == claim.columns:
        dataset.summary, dataset.analysis_duration = done.summary, done.seconds


def kill(session: Session, wanted: ColumnElement[bool], message: str) -> None:
    """End jobs that nobody wants any more, those that are over excepted; the runner stops those under way."""
    session.execute(
        update(Job)
        .where(wanted, Job.status.in_(UNFINISHED))
        .values(status=JobState.KILLED, finished_at=utc_now(), error_message=message),
        execution_options={"synchronize_session": "fetch"},
    )


def unwanted(database: Database, claims: Iterable[Claim]) -> set[UUID]:
    """Give the jobs among these that are killed, deleted, or in somebody else's hands by now."""
    mine = {claim.job_id: claim.attempt for claim in claims}
    with database.read() as session:
        current = session.execute(
            select(Job.id, Job.attempt).where(Job.id.in_(mine), Job.status == JobState.STARTED)
        ).all()
    return mine.keys() - {job_id for job_id, attempt in current if mine[job_id] == attempt}


def fail(database: Database, claim: Claim, message: str) -> bool:
    """Record that the job cannot be done, with a sentence for the user; False where the attempt is not the latest."""
    with database.write() as session:
        return _changed(
            session,
            _attempt(claim.job_id, claim.attempt).values(
                status=JobState.FAILURE, finished_at=utc_now(), error_message=message
            ),
        )


def retry(database: Database, claim: Claim, max_losses: int, message: str) -> bool:
    """Make the job pending again because its worker died; failed with ``message`` the ``max_losses``-th time.

    True where that was the end of it.
    """
    over = Job.worker_losses + 1 >= max_losses
    with database.write() as session:
        session.execute(
            _attempt(claim.job_id, claim.attempt).values(
                worker_losses=Job.worker_losses + 1,
                status=case((over, JobState.FAILURE.value), else_=JobState.PENDING.value),
                finished_at=case((over, utc_now()), else_=None),
                error_message=case((over, message), else_=None),
            )
        )
        return session.scalar(select(Job.status).where(Job.id == claim.job_id)) == JobState.FAILURE


def put_back(database: Database, claims: Iterable[Claim]) -> None:
    """Make jobs pending again whose attempts are given up, through no fault of theirs."""
    with database.write() as session:
        for each in claims:
            session.execute(_attempt(each.job_id, each.attempt).values(status=JobState.PENDING))


def put_back_all_but(database: Database, kept: Iterable[UUID]) -> None:
    """Make all started jobs pending again except those that are known to be under way."""
    with database.write() as session:
        session.execute(
            update(Job).where(Job.status == JobState.STARTED, Job.id.not_in(list(kept))).values(status=JobState.PENDING)
        )


def resume(database: Database, max_interruptions: int, message: str) -> None:
    """Make all jobs pending again that were under way when the platform was killed.

    Only when nobody runs them any more. The ``max_interruptions``-th time they fail, with ``message``.
    """
    over = Job.interruptions + 1 >= max_interruptions
    with database.write() as session:
        session.execute(
            update(Job)
            .where(Job.status == JobState.STARTED)
            .values(
                interruptions=Job.interruptions + 1,
                status=case((over, JobState.FAILURE.value), else_=JobState.PENDING.value),
                finished_at=case((over, utc_now()), else_=None),
                error_message=case((over, message), else_=None),
            )
        )


def _attempt(job_id: UUID, attempt: int) -> Update:
    return update(Job).where(Job.id == job_id, Job.attempt == attempt, Job.status == JobState.STARTED)


def _changed(session: Session, statement: Update) -> bool:
    result = session.execute(statement)
    assert isinstance(result, CursorResult)
    return result.rowcount == 1


def _dataset(claim: Claim, id: UUID, kind: DatasetKind, written: Written) -> Dataset:
    return Dataset(
        id=id,
        user_id=claim.user_id,
        kind=kind,
        hash=written.hash,
        filetype=written.filetype,
        nb_lines=written.nb_lines,
        columns=written.columns,
        size=written.size,
    )
