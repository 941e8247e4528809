"""What users may ask of jobs."""

from __future__ import annotations

import hashlib
import json
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
from avatars.server.datasets import service as datasets
from avatars.server.datasets.models import Dataset
from avatars.server.db import Database, owned
from avatars.server.errors import BadRequest, Conflict
from avatars.server.jobs.models import Job, JobState
from avatars.server.jobs.tasks import engine_parameters

log = structlog.get_logger(__name__)


def create(
    database: Database, user_id: UUID, request: wire.AvatarizationJobCreate, idempotency_key: str | None, base_url: str
) -> wire.AvatarizationJob:
    """Write down a new job; with a key that came before, give the job that it made then.

    Raises
    ------
    NotFound
        The user has no such dataset.
    BadRequest
        A parameter does not fit the dataset's columns.
    Conflict
        The key came before with another request.
    """
    parameters = request.parameters
    with database.read() as session:
        if idempotency_key and (earlier := _earlier(session, user_id, idempotency_key)):
            return _repeated(session, earlier, request, base_url)
        dataset = owned(session, user_id, Dataset, parameters.dataset_id)
    _check(parameters, dataset)
    job = Job(
        user_id=user_id,
        kind=request.kind.value,
        parameters=parameters.model_dump(mode="json"),
        dataset_id=dataset.id,
        idempotency_key=idempotency_key or None,
        request_hash=_hash(request),
    )
    try:
        with database.write() as session:
            session.add(job)
            session.flush()
            described = describe(session, job, base_url)
    except IntegrityError:
        # Another request with the same key was quicker, or the dataset has just been deleted.
        with database.read() as session:
            if idempotency_key and (earlier := _earlier(session, user_id, idempotency_key)):
                return _repeated(session, earlier, request, base_url)
            owned(session, user_id, Dataset, parameters.dataset_id)
            raise
    log.info("job.created", job_id=str(job.id), user_id=str(user_id))
    return described


def find(database: Database, user_id: UUID, job_id: UUID, base_url: str) -> wire.AvatarizationJob:
    """Describe a job of this user; raises ``NotFound``."""
    with database.read() as session:
        return describe(session, owned(session, user_id, Job, job_id), base_url)


def describe(session: Session, job: Job, base_url: str) -> wire.AvatarizationJob:
    """Give the wire's form of a job."""
    return wire.AvatarizationJob(
        id=job.id,
        kind=wire.JobKind(job.kind),
        created_at=job.created_at,
        status=wire.JobStatus(job.status),
        error_message=job.error_message,
        result=_result(session, job, base_url),
        parameters=wire.AvatarizationParameters.model_validate(job.parameters),
        current_progress=_progress(job),
    )


def _progress(job: Job) -> wire.JobProgress | None:
    if job.progress_at is None:
        return None
    return wire.JobProgress(
        completion_rate_100=job.progress_percent, name=job.progress_step, created_at=job.progress_at
    )


def _result(session: Session, job: Job, base_url: str) -> wire.AvatarizationResult | None:
    ids = (job.avatars_dataset_id, job.sensitive_unshuffled_avatars_dataset_id)
    if job.status != JobState.SUCCESS or None in ids:
        return None
    avatars, sensitive_unshuffled_avatars = (
        datasets.describe(owned(session, job.user_id, Dataset, id), base_url) for id in ids if id is not None
    )
    return wire.AvatarizationResult(
        privacy_metrics=wire.PrivacyMetrics.model_validate(job.privacy_metrics),
        signal_metrics=wire.SignalMetrics.model_validate(job.signal_metrics),
        avatars_dataset=avatars,
        sensitive_unshuffled_avatars_datasets=sensitive_unshuffled_avatars,
    )


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


def _repeated(
    session: Session, earlier: Job, request: wire.AvatarizationJobCreate, base_url: str
) -> wire.AvatarizationJob:
    if earlier.request_hash != _hash(request):
        raise Conflict(
            "idempotency_key_reused",
            "This Idempotency-Key was used for a job with other parameters: send a new key with a new job.",
        )
    return describe(session, earlier, base_url)


def _hash(request: wire.AvatarizationJobCreate) -> str:
    """Of what was asked for: the same whether defaults were spelled as null or left out."""
    meaning = json.dumps(request.model_dump(mode="json", exclude_none=True), sort_keys=True)
    return hashlib.sha256(meaning.encode()).hexdigest()
