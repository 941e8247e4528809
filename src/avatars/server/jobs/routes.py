"""Creating jobs and looking at them."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Query
from fastapi.concurrency import run_in_threadpool
from pydantic import BeforeValidator, Field

from avatars.models import AvatarizationJob, AvatarizationJobCreate
from avatars.server.dependencies import CurrentUser, DatabaseDep, RunnerDep, SettingsDep
from avatars.server.errors import documented
from avatars.server.jobs import service

MAX_WAIT_SECONDS = 60

router = APIRouter(prefix="/jobs", tags=["jobs"])

# Old clients send what they leave out as an empty text.
Wait = Annotated[
    float, Field(ge=0, le=MAX_WAIT_SECONDS, allow_inf_nan=False), BeforeValidator(lambda value: value or 0), Query()
]
IdempotencyKey = Annotated[str | None, Header(max_length=255)]


@router.post("/avatarization", responses=documented(400, 401, 404, 409, 413, 503))
def create_avatarization_job(
    request: AvatarizationJobCreate,
    user: CurrentUser,
    settings: SettingsDep,
    database: DatabaseDep,
    runner: RunnerDep,
    idempotency_key: IdempotencyKey = None,
) -> AvatarizationJob:
    """Ask for avatars of a dataset; the answer comes at once, the job runs in the background.

    A request that is repeated with the same ``Idempotency-Key`` header makes no second job.
    """
    job = service.create(database, user.id, request, idempotency_key, settings.base_url)
    runner.wake()
    return job


@router.get("/avatarization/{id}", responses=documented(401, 404, 503))
async def get_avatarization_job(
    id: UUID,
    user: CurrentUser,
    settings: SettingsDep,
    database: DatabaseDep,
    runner: RunnerDep,
    wait: Wait = 0,
) -> AvatarizationJob:
    """Say where a job stands; with ``wait``, as soon as it is over but at the latest after that many seconds."""

    def find() -> AvatarizationJob:
        return service.find(database, user.id, id, settings.base_url)

    if wait == 0:
        return await run_in_threadpool(find)
    # Watched before it is looked at: its end cannot fall in between.
    with runner.watchers.watch(id) as over:
        job = await run_in_threadpool(find)
        if not job.status.is_over:
            with suppress(TimeoutError):
                await asyncio.wait_for(over.wait(), wait)
            job = await run_in_threadpool(find)
    return job
