"""What users may ask of jobs: make them once, look at them, stop them."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pyarrow as pa
import structlog
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from avatars import models as wire
from avatars.engine.columns import Column, Kind
from avatars.engine.errors import InvalidParameter
from avatars.engine.parameters import check_parameters
from avatars.server.accounts.models import User
from avatars.server.audit.models import Action
from avatars.server.audit.service import record
from avatars.server.datasets import service as datasets
from avatars.server.datasets.models import Dataset
from avatars.server.db import Database, owned, utc_now
from avatars.server.dependencies import Audience
from avatars.server.errors import BadRequest, Conflict, NotFound
from avatars.server.jobs import ledger
from avatars.server.jobs.describe import AnyJob, describe, describe_all
from avatars.server.jobs.models import Job, JobKind
from avatars.server.jobs.tasks import engine_parameters

log = structlog.get_logger(__name__)

AnyJobCreate = wire.AvatarizationJobCreate | wire.PrivacyMetricsJobCreate | wire.SignalMetricsJobCreate

_CANCELLED = "The job was cancelled."


def create(
    database: Database, user: User, request: AnyJobCreate, idempotency_key: str | None, audience: Audience
) -> AnyJob:
    """Write down a new job; with a key that came before, give the job that it made then.

    Raises
    ------
    NotFound
        The user has no such dataset, or no such earlier job.
    BadRequest
        There is no dataset id, or a parameter does not fit the dataset's columns.
    Conflict
        The key came before with another request.
    """
    with database.read() as session:
        if idempotency_key and (earlier := _earlier(session, user.id, idempotency_key)):
            return _repeated(session, earlier, request, audience)
        job = _new_job(session, user.id, request)
    job.idempotency_key, job.request_hash = idempotency_key or None, _hash(request)
    try:
        with database.write() as session:
            session.add(job)
            session.flush()
            record(session, Action.JOB_CREATED, user.id, job.id)
            described = describe(session, job, audience)
    except IntegrityError:
        # Another request with the same key was quicker, or the dataset has just been deleted.
        with database.read() as session:
            if idempotency_key and (earlier := _earlier(session, user.id, idempotency_key)):
                return _repeated(session, earlier, request, audience)
            _new_job(session, user.id, request)
            raise
    log.info("job.created", job_id=str(job.id), kind=job.kind, user_id=str(user.id))
    return described


def find(database: Database, user: User, job_id: UUID, kind: JobKind | None, audience: Audience) -> AnyJob:
    """Describe a job of this user, of this kind or any; raises ``NotFound``."""
    with database.read() as session:
        return describe(session, find_owned(session, user, job_id, kind), audience)


def find_all(database: Database, user: User, nb_days: int, audience: Audience) -> list[AnyJob]:
    """Describe this user's jobs of the last days, the newest first."""
    since = utc_now() - timedelta(days=nb_days)
    with database.read() as session:
        jobs = session.scalars(
            select(Job)
            .where(Job.user_id == user.id, Job.created_at >= since, Job.kind != JobKind.ANALYSIS)
            .order_by(Job.created_at.desc(), Job.id)
        ).all()
        return describe_all(session, jobs, audience)


def cancel(database: Database, user: User, job_id: UUID, audience: Audience) -> AnyJob:
    """End a job unless it is over already; raises ``NotFound``."""
    with database.write() as session:
        job = find_owned(session, user, job_id, None)
        ledger.kill(session, Job.id == job_id, _CANCELLED)
        session.refresh(job)
        record(session, Action.JOB_CANCELLED, user.id, job_id)
        return describe(session, job, audience)


def find_owned(session: Session, user: User, job_id: UUID, kind: JobKind | None) -> Job:
    """Give the row of a job of this user, of this kind or any that users know of; raises ``NotFound``."""
    job = owned(session, user.id, Job, job_id)
    if job.kind == JobKind.ANALYSIS or (kind is not None and job.kind != kind):
        raise NotFound("You have no job of this kind with this id: check the id, and the address.")
    return job


def _new_job(session: Session, user_id: UUID, request: AnyJobCreate) -> Job:
    """Make the row of a job, after everything was refused that can be refused without its tables."""
    parameters: dict[str, Any] = request.parameters.model_dump(mode="json")
    compared_id: UUID | None = None
    if isinstance(request, wire.AvatarizationJobCreate):
        if (dataset_id := request.parameters.dataset_id) is None:
            raise BadRequest(
                "dataset_id_missing", "The job has no parameters.dataset_id: name the dataset to avatarize."
            )
        _check(request.parameters, owned(session, user_id, Dataset, dataset_id))
    else:
        said = request.parameters
        dataset_id = owned(session, user_id, Dataset, said.original_id).id
        compared_id = _avatars_of(said)
        owned(session, user_id, Dataset, compared_id)
        if said.job_id is not None:
            _as_there(parameters, owned(session, user_id, Job, said.job_id))
    return Job(
        user_id=user_id,
        kind=JobKind(request.kind.value),
        parameters=parameters,
        dataset_id=dataset_id,
        compared_dataset_id=compared_id,
    )


def _avatars_of(said: wire.PrivacyMetricsParameters | wire.SignalMetricsParameters) -> UUID:
    return said.unshuffled_avatars_id if isinstance(said, wire.PrivacyMetricsParameters) else said.avatars_id


def _as_there(parameters: dict[str, Any], avatarization: Job) -> None:
    """What is not said of the space to measure in is as it was when the avatars were made."""
    for name in ("ncp", "imputation"):
        if name in parameters and parameters[name] is None:
            parameters[name] = avatarization.parameters.get(name)


def _check(parameters: wire.AvatarizationParameters, dataset: Dataset) -> None:
    """Refuse now what the engine would refuse whatever the rows are, so that no job is made that can only fail."""
    columns = [
        Column(column["label"], Kind(column["type"]), pa.null(), column["why"], column["missing"])
        for column in dataset.columns
    ]
    try:
        check_parameters(engine_parameters(parameters), columns)
    except InvalidParameter as error:
        raise BadRequest(error.code, str(error), **datasets.about(error)) from error


def _earlier(session: Session, user_id: UUID, idempotency_key: str) -> Job | None:
    return session.scalars(
        select(Job).where(Job.user_id == user_id, Job.idempotency_key == idempotency_key)
    ).one_or_none()


def _repeated(session: Session, earlier: Job, request: AnyJobCreate, audience: Audience) -> AnyJob:
    if earlier.request_hash != _hash(request):
        raise Conflict(
            "idempotency_key_reused",
            "This Idempotency-Key was used for a job with other parameters: send a new key with a new job.",
        )
    return describe(session, earlier, audience)


def _hash(request: AnyJobCreate) -> str:
    """Of what was asked for: the same whether defaults were spelled as null or left out."""
    meaning = json.dumps(request.model_dump(mode="json", exclude_none=True), sort_keys=True)
    return hashlib.sha256(meaning.encode()).hexdigest()
