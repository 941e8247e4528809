"""Assessments over HTTP: looked at, asked for, and overruled."""

from __future__ import annotations

import asyncio
import time
from uuid import UUID

from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool

from avatars.models import Assessment, AssessmentCreate, ReleaseCreate
from avatars.server.assessments import service
from avatars.server.dependencies import Admin, CurrentUser, DatabaseDep, RunnerDep
from avatars.server.errors import documented
from avatars.server.jobs.routes import Wait

LOOK_SECONDS = 0.25
"""How often it is looked at while somebody waits."""

router = APIRouter(prefix="/jobs", tags=["assessments"])


@router.get("/{id}/assessment", responses=documented(401, 404, 503))
async def get_assessment(id: UUID, user: CurrentUser, database: DatabaseDep, wait: Wait = 0) -> Assessment:
    """Say what attacks find in avatars made as this job made its own; with ``wait``, as soon as that is over.

    Of several assessments the most thorough one counts.
    """
    until = time.monotonic() + wait
    while True:
        found = await run_in_threadpool(service.find, database, user, id)
        left = until - time.monotonic()
        if found.status.is_over or left <= 0:
            return found
        await asyncio.sleep(min(left, LOOK_SECONDS))


@router.post("/{id}/assessment", responses=documented(400, 401, 404, 503))
def create_assessment(
    id: UUID, request: AssessmentCreate, user: CurrentUser, database: DatabaseDep, runner: RunnerDep
) -> Assessment:
    """Have the way in which this job made avatars attacked again, by default with every attack.

    The people are parted as before: the same attacks find the same, and the dataset counts how often it was asked.
    """
    service.create(database, user, id, request.thoroughness)
    runner.wake()
    return service.find(database, user, id)


@router.post("/{id}/release", responses=documented(401, 403, 404, 409, 503))
def release_avatars(id: UUID, request: ReleaseCreate, admin: Admin, database: DatabaseDep) -> Assessment:
    """Let the avatars of anybody's job be downloaded in spite of their assessment; for admins, and recorded."""
    return service.release(database, admin, id, request.reason)
