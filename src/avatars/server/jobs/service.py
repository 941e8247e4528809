"""What users may ask of jobs: make them once, look at them, stop them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import pyarrow as pa
import structlog
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from avatars import models as wire
from avatars.engine.columns import Column, Kind
from avatars.engine.errors import InvalidParameter
from avatars.engine.parameters import Method, check_parameters
from avatars.evaluation.request import Request
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
from avatars.server.jobs.models import UNLISTED, Job, JobKind
from avatars.server.jobs.parameters import REQUESTED, engine_parameters

log = structlog.get_logger(__name__)

AnyJobCreate = wire.AvatarizationJobCreate | wire.PrivacyMetricsJobCreate | wire.SignalMetricsJobCreate

_CANCELLED = "The job was cancelled."


def create(
    database: Database,
    user: User,
    request: AnyJobCreate,
    idempotency_key: str | None,
    audience: Audience,
    default_method: Method = "local",
) -> AnyJob:
    """Write down a new job; with a key that came before, give the job that it made then.

    ``default_method`` is the draw of an avatarization that names none.

    Raises
    ------
    NotFound
        The user has no such dataset, or no such earlier job.
    BadRequest
        There is no dataset id, or a parameter does not fit the dataset's columns.
    Conflict
        The key came before with another request.
    """

    def make(session: Session) -> Job:
        return _new_job(session, user.id, request, default_method)

    job = write_down(database, user.id, make, request, idempotency_key)
    with database.read() as session:
        return describe(session, job, audience)


def write_down(
    database: Database,
    user_id: UUID,
    make: Callable[[Session], Job],
    request: BaseModel,
    idempotency_key: str | None,
    action: Action = Action.JOB_CREATED,
) -> Job:
    """Give the job that ``make`` makes, once for each key; raises what it raises, and ``Conflict``."""
    with database.read() as session:
        if idempotency_key and (earlier := _earlier(session, user_id, idempotency_key)):
            return _repeated(earlier, request)
        job = make(session)
    job.idempotency_key, job.request_hash = idempotency_key or None, _hash(request)
    try:
        with database.write() as session:
            session.add(job)
            session.flush()
            record(session, action, user_id, job.id)
    except IntegrityError:
        # Another request with the same key was quicker, or what the job needs has just been deleted.
        with database.read() as session:
            if idempotency_key and (earlier := _earlier(session, user_id, idempotency_key)):
                return _repeated(earlier, request)
            make(session)
            raise
    log.info("job.created", job_id=str(job.id), kind=job.kind, user_id=str(user_id))
    return job


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
            .where(Job.user_id == user.id, Job.created_at >= since, Job.kind.not_in(UNLISTED))
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
    if job.kind in UNLISTED or (kind is not None and job.kind != kind):
        raise NotFound("You have no job of this kind with this id: check the id, and the address.")
    return job


def _new_job(session: Session, user_id: UUID, request: AnyJobCreate, default_method: Method) -> Job:
    """Make the row of a job, after everything was refused that can be refused without its tables."""
    parameters: dict[str, Any] = request.parameters.model_dump(mode="json")
    compared_id: UUID | None = None
    if isinstance(request, wire.AvatarizationJobCreate):
        if (dataset_id := request.parameters.dataset_id) is None:
            raise BadRequest(
                "dataset_id_missing", "The job has no parameters.dataset_id: name the dataset to avatarize."
            )
        # What was not said is written down: a result says how it was made, whatever the default is by then.
        parameters["method"] = parameters["method"] or default_method
        _check(parameters, owned(session, user_id, Dataset, dataset_id))
    else:
        said = request.parameters
        original = owned(session, user_id, Dataset, said.original_id)
        dataset_id, compared_id = original.id, _avatars_of(said)
        owned(session, user_id, Dataset, compared_id)
        if said.holdout_id is not None:
            owned(session, user_id, Dataset, said.holdout_id)
        if (avatarization_id := said.job_id or said.avatarization_job_id) is not None:
            _as_there(parameters, owned(session, user_id, Job, avatarization_id))
        _check_request(parameters, original)
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
    for name in ("ncp", "imputation", "use_categorical_reduction"):
        if name in parameters and parameters[name] is None:
            parameters[name] = avatarization.parameters.get(name)


def _check(parameters: dict[str, Any], dataset: Dataset) -> None:
    """Refuse now what the engine would refuse whatever the rows are, so that no job is made that can only fail."""
    with _refusals():
        asked = wire.AvatarizationParameters.model_validate(parameters)
        check_parameters(engine_parameters(asked), _columns(dataset))


def _check_request(parameters: dict[str, Any], original: Dataset) -> None:
    """The same for metrics: columns that there are not, of a kind that will not do."""
    wanted = {name: parameters[name] for name in REQUESTED if parameters.get(name) is not None}
    with _refusals():
        Request(**wanted).check(_columns(original))


def _columns(dataset: Dataset) -> list[Column]:
    return [
        Column(column["label"], Kind(column["type"]), pa.null(), column["why"], column["missing"])
        for column in dataset.columns
    ]


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except InvalidParameter as error:
        raise BadRequest(error.code, str(error), **datasets.about(error)) from error


def _earlier(session: Session, user_id: UUID, idempotency_key: str) -> Job | None:
    return session.scalars(
        select(Job).where(Job.user_id == user_id, Job.idempotency_key == idempotency_key)
    ).one_or_none()


def _repeated(earlier: Job, request: BaseModel) -> Job:
    if earlier.request_hash != _hash(request):
        raise Conflict(
            "idempotency_key_reused",
            "This Idempotency-Key was used for a job with other parameters: send a new key with a new job.",
        )
    return earlier


def _hash(request: BaseModel) -> str:
    """Of what was asked for: the same whether defaults were spelled as null or left out."""
    meaning = json.dumps(request.model_dump(mode="json", exclude_none=True), sort_keys=True)
    return hashlib.sha256(meaning.encode()).hexdigest()
