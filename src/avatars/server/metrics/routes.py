"""The projection of an avatarization over HTTP."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from avatars.models import Contributions, ExplainedVariance, Projections
from avatars.server.dependencies import CurrentUser, DatabaseDep, EmptyIsAbsent, StorageDep
from avatars.server.errors import documented
from avatars.server.metrics import service

router = APIRouter(tags=["metrics"])

_REFUSALS = documented(401, 404, 409, 503)


@router.get("/projections/{job_id}", responses=_REFUSALS)
def get_job_projections(job_id: UUID, user: CurrentUser, database: DatabaseDep, storage: StorageDep) -> Projections:
    """Give originals and avatars as points. SENSITIVE: the points of the originals are about people.

    No avatar stands at the place of its own record: avatars come in the order in which they are published. Of more than
    10,000 rows it is a random sample, and ``nb_lines`` says of how many.
    """
    return service.projections(database, storage, user, job_id)


@router.get("/contributions", responses=documented(400, 401, 404, 409, 503))
def get_variable_contributions(
    user: CurrentUser,
    database: DatabaseDep,
    job_id: Annotated[UUID, Query()],
    dataset_id: Annotated[UUID | None, EmptyIsAbsent, Query()] = None,
) -> Contributions:
    """Say how much each variable contributes to each component, in percent."""
    return service.contributions(database, user, job_id, dataset_id)


@router.get("/variance/{job_id}", responses=_REFUSALS)
def get_explained_variance(job_id: UUID, user: CurrentUser, database: DatabaseDep) -> ExplainedVariance:
    """Say how much of the variance each component explains."""
    return service.variance(database, user, job_id)
