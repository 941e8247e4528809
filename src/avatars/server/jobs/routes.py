"""Jobs over HTTP: created, looked at, waited for, cancelled, deleted."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, TypeVar, cast
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BeforeValidator, ConfigDict, Field, TypeAdapter

from avatars.models import (
    AvatarizationJob,
    AvatarizationJobCreate,
    Message,
    PrivacyMetricsJob,
    PrivacyMetricsJobCreate,
    SignalMetricsJob,
    SignalMetricsJobCreate,
)
from avatars.server import deletion
from avatars.server.db import Database
from avatars.server.dependencies import (
    Audience,
    AudienceDep,
    CurrentUser,
    DatabaseDep,
    EmptyIsAbsent,
    Login,
    LoginDep,
    RunnerDep,
    SettingsDep,
    StorageDep,
)
from avatars.server.errors import documented
from avatars.server.jobs import service
from avatars.server.jobs.describe import AnyJob
from avatars.server.jobs.models import JobKind
from avatars.server.jobs.runner import JobRunner

MAX_WAIT_SECONDS = 60
DAYS = 5
"""How far a list of jobs goes back by default; what existing clients say it does."""
MAX_DAYS = 36_500

router = APIRouter(prefix="/jobs", tags=["jobs"])

# Old clients send what they leave out as an empty text.
Wait = Annotated[
    float, Field(ge=0, le=MAX_WAIT_SECONDS, allow_inf_nan=False), BeforeValidator(lambda value: value or 0), Query()
]
IdempotencyKey = Annotated[str | None, Header(max_length=255)]

_CREATED = documented(400, 401, 404, 409, 413, 503)
_FOUND = documented(401, 404, 503)

# Built when it is first used, as the models are.
_JOBS: TypeAdapter[list[AnyJob]] = TypeAdapter(list[AnyJob], config=ConfigDict(defer_build=True))

JobT = TypeVar("JobT", bound=AnyJob)


class Creator:
    """Makes jobs for the user who asks, once per ``Idempotency-Key``."""

    def __init__(
        self,
        user: CurrentUser,
        audience: AudienceDep,
        database: DatabaseDep,
        runner: RunnerDep,
        settings: SettingsDep,
        idempotency_key: IdempotencyKey = None,
    ) -> None:
        self._method = settings.default_method
        self._user, self._audience = user, audience
        self._database, self._runner = database, runner
        self._key = idempotency_key

    def create(self, request: service.AnyJobCreate, _: type[JobT]) -> JobT:
        """Write the job down and wake the runner."""
        job = service.create(self._database, self._user, request, self._key, self._audience, self._method)
        self._runner.wake()
        return cast(JobT, job)


@dataclass(frozen=True)
class Finder:
    """Looks at a job of the user who asks; with ``wait``, as soon as it is over."""

    login: Login
    audience: Audience
    database: Database
    runner: JobRunner
    wait: float

    async def find(self, id: UUID, kind: JobKind | None, _: type[JobT]) -> JobT:
        """Say where the job stands, at the latest after ``wait`` seconds."""

        def look() -> AnyJob:
            return service.find(self.database, self.login.user(), id, kind, self.audience)

        # Watched before it is looked at: its end cannot fall in between.
        with self.runner.watchers.watch(id) as over:
            job = await run_in_threadpool(look)
            if self.wait and not job.status.is_over:
                with suppress(TimeoutError):
                    await asyncio.wait_for(over.wait(), self.wait)
                job = await run_in_threadpool(look)
        return cast(JobT, job)


async def get_finder(
    login: LoginDep, audience: AudienceDep, database: DatabaseDep, runner: RunnerDep, wait: Wait = 0
) -> Finder:
    """What programs ask for the most, again and again: a class would be made in a thread."""
    return Finder(login, audience, database, runner, wait)


CreatorDep = Annotated[Creator, Depends()]
FinderDep = Annotated[Finder, Depends(get_finder)]


@router.post("", responses=_CREATED)
@router.post("/avatarization", responses=_CREATED, name="create_avatarization_job")
def create_full_avatarization_job(request: AvatarizationJobCreate, creator: CreatorDep) -> AvatarizationJob:
    """Ask for avatars of a dataset, and their metrics; the answer comes at once, the job runs in the background.

    A request that is repeated with the same ``Idempotency-Key`` header makes no second job. Both addresses do the same.
    """
    return creator.create(request, AvatarizationJob)


@router.post("/metrics/privacy", responses=_CREATED)
def create_privacy_metrics_job(request: PrivacyMetricsJobCreate, creator: CreatorDep) -> PrivacyMetricsJob:
    """Ask how well avatars hide whose they are. Row i of ``unshuffled_avatars_id`` belongs to row i of ``original_id``.

    The avatars may have been made anywhere. Columns that only one of the two has are left out, and named.
    """
    return creator.create(request, PrivacyMetricsJob)


@router.post("/metrics/signal", responses=_CREATED)
def create_signal_metrics_job(request: SignalMetricsJobCreate, creator: CreatorDep) -> SignalMetricsJob:
    """Ask how well avatars keep the statistics of the originals.

    The avatars may have been made anywhere. Columns that only one of the two has are left out, and named.
    """
    return creator.create(request, SignalMetricsJob)


@router.get("", response_model=list[AnyJob], responses=documented(401, 503))
async def find_all_jobs_by_user(
    login: LoginDep,
    audience: AudienceDep,
    database: DatabaseDep,
    nb_days: Annotated[int | None, Field(ge=0, le=MAX_DAYS), EmptyIsAbsent, Query()] = None,
) -> Response:
    """List your jobs of the last days (5 by default), the newest first."""
    days = DAYS if nb_days is None else nb_days

    def write() -> bytes:
        return _JOBS.dump_json(service.find_all(database, login.user(), days, audience), by_alias=True)

    # The longest answer that is asked for often: it is written in the thread that reads it, and others are answered
    # meanwhile.
    return Response(await run_in_threadpool(write), media_type="application/json")


@router.get("/avatarization/{id}", responses=_FOUND)
async def get_avatarization_job(id: UUID, finder: FinderDep) -> AvatarizationJob:
    """Say where a job stands; with ``wait``, as soon as it is over but at the latest after that many seconds."""
    return await finder.find(id, JobKind.AVATARIZATION, AvatarizationJob)


@router.get("/{id}/metrics/privacy", responses=_FOUND)
async def get_privacy_metrics(id: UUID, finder: FinderDep) -> PrivacyMetricsJob:
    """Say where a job stands; with ``wait``, as soon as it is over but at the latest after that many seconds."""
    return await finder.find(id, JobKind.PRIVACY_METRICS, PrivacyMetricsJob)


@router.get("/{id}/metrics/signal", responses=_FOUND)
async def get_signal_metrics(id: UUID, finder: FinderDep) -> SignalMetricsJob:
    """Say where a job stands; with ``wait``, as soon as it is over but at the latest after that many seconds."""
    return await finder.find(id, JobKind.SIGNAL_METRICS, SignalMetricsJob)


@router.get("/{id}", responses=_FOUND)
async def get_job(id: UUID, finder: FinderDep) -> AnyJob:
    """Say where a job of any kind stands; ``wait`` as above."""
    return await finder.find(id, None, AvatarizationJob)


@router.post("/{id}/cancel", responses=_FOUND)
def cancel_job(id: UUID, user: CurrentUser, audience: AudienceDep, database: DatabaseDep, runner: RunnerDep) -> AnyJob:
    """End a job whose result is not wanted any more; one that is over stays as it is."""
    job = service.cancel(database, user, id, audience)
    runner.stop_unwanted()
    runner.watchers.notify(id)
    return job


@router.delete("/{id}", responses=_FOUND)
def delete_job(id: UUID, user: CurrentUser, database: DatabaseDep, storage: StorageDep, runner: RunnerDep) -> Message:
    """Delete a job for good, with the avatars and the unshuffled avatars that it made; its originals stay."""
    deletion.delete_job(database, storage, user.id, id)
    runner.stop_unwanted()
    runner.watchers.notify(id)
    return Message(message="The job is deleted, with what it made.")
