"""What users may ask of the projection of an avatarization."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from avatars import models as wire
from avatars.server.accounts.models import User
from avatars.server.audit.models import Action
from avatars.server.audit.service import record
from avatars.server.db import Database
from avatars.server.errors import BadRequest, Conflict, NotFound
from avatars.server.jobs import components
from avatars.server.jobs.models import Job, JobKind, JobState
from avatars.server.jobs.service import find_owned
from avatars.server.storage import Storage


def projections(database: Database, storage: Storage, user: User, job_id: UUID) -> wire.Projections:
    """Give the points of records and avatars, after recording that somebody looked at them.

    Raises
    ------
    NotFound
        The user has no such avatarization, or its unshuffled avatars are deleted, and the points with them.
    Conflict
        The job has not succeeded.
    """
    with database.write() as session:
        job = _succeeded(session, user, job_id)
        sensitive_id = job.sensitive_unshuffled_avatars_dataset_id
        record(session, Action.PROJECTIONS_READ, user.id, job_id)
    try:
        if sensitive_id is not None:
            return wire.Projections(**components.read_points(storage, sensitive_id))
    except FileNotFoundError:
        pass
    raise NotFound(
        "The points of this job were deleted with its originals or its unshuffled avatars: create the job again.",
        "points_deleted",
    )


def variance(database: Database, user: User, job_id: UUID) -> wire.ExplainedVariance:
    """Give what each component explains; raises ``NotFound``, ``Conflict``."""
    details = _details(database, user, job_id)
    return wire.ExplainedVariance(raw=details["variance"], ratio=details["variance_ratio"])


def contributions(database: Database, user: User, job_id: UUID, dataset_id: UUID | None) -> wire.Contributions:
    """Give what each variable contributes to each component.

    Raises
    ------
    NotFound, Conflict
        As ``projections`` does.
    BadRequest
        The dataset is not one of the job's.
    """
    with database.read() as session:
        job = _succeeded(session, user, job_id)
    known = (job.dataset_id, job.avatars_dataset_id, job.sensitive_unshuffled_avatars_dataset_id)
    if dataset_id is not None and dataset_id not in known:
        raise BadRequest("other_dataset", "The dataset does not belong to this job: name its originals, or none.")
    return wire.Contributions(data=(job.details or {})["contributions"])


def _details(database: Database, user: User, job_id: UUID) -> dict[str, Any]:
    with database.read() as session:
        return _succeeded(session, user, job_id).details or {}


def _succeeded(session: Session, user: User, job_id: UUID) -> Job:
    job = find_owned(session, user, job_id, JobKind.AVATARIZATION)
    if job.status != JobState.SUCCESS or job.details is None:
        raise Conflict("job_not_successful", "The job has no result (yet): wait until its status is success.")
    return job
