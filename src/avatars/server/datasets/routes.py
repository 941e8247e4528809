"""Datasets over HTTP: uploaded, described, analysed, downloaded, deleted."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from avatars.models import Correlations, Dataset, FileType, Message, PatchDataset
from avatars.server import deletion
from avatars.server.assessments.service import check_release
from avatars.server.datasets import service, upload
from avatars.server.datasets.arrow_stream import MEDIA_TYPE
from avatars.server.dependencies import (
    CurrentUser,
    DatabaseDep,
    EmptyIsAbsent,
    LoginDep,
    RunnerDep,
    SettingsDep,
    StorageDep,
)
from avatars.server.errors import documented
from avatars.server.jobs.compute import Compute

router = APIRouter(prefix="/datasets", tags=["datasets"])

_MEDIA_TYPES = {FileType.csv: "text/csv; charset=utf-8", FileType.parquet: "application/vnd.apache.parquet"}


def _upload(*, raw: bool = False) -> dict[str, Any]:
    """The documentation of a body that is not a parameter of its route."""
    binary = {"type": "string", "format": "binary", "description": "CSV or Parquet."}
    properties = {"file": binary, "name": {"type": "string", "maxLength": upload.MAX_NAME}}
    form = {"schema": {"type": "object", "required": ["file"], "properties": properties}}
    content: dict[str, Any] = {"multipart/form-data": form}
    if raw:
        content |= {media: {"schema": binary} for media in ("text/csv", "application/octet-stream", MEDIA_TYPE)}
    return {"requestBody": {"required": True, "content": content}}


async def get_compute(runner: RunnerDep) -> Compute:
    """The workers."""
    return runner.compute


ComputeDep = Annotated[Compute, Depends(get_compute)]


_REFUSALS = documented(400, 401, 409, 413, 503, 507)

IdempotencyKey = Annotated[str | None, Header(max_length=255)]
"""Of an upload: where the answer was lost, the same file with the same key is not stored twice."""


@router.post("", responses=_REFUSALS, openapi_extra=_upload())
@router.post("/inline", responses=_REFUSALS, openapi_extra=_upload(), name="create_dataset_inline")
async def create_dataset(
    request: Request,
    user: CurrentUser,
    settings: SettingsDep,
    database: DatabaseDep,
    storage: StorageDep,
    compute: ComputeDep,
    idempotency_key: IdempotencyKey = None,
) -> Dataset:
    """Upload a table, CSV or Parquet, as the part ``file`` of a multipart form; its label does not matter.

    A large table may come as several parts, each of them Parquet. A file that is sent again with the same
    ``Idempotency-Key`` header makes no second dataset.

    Both addresses do the same: clients in R send to ``/datasets/inline``.
    """
    # The body is no parameter of this function, so that it is read after the user is known and not before.
    dataset = await service.create(request, user, database, storage, compute, settings, idempotency_key=idempotency_key)
    return service.describe(dataset, settings.base_url)


@router.post("/stream", responses=_REFUSALS, openapi_extra=_upload(raw=True))
async def create_dataset_from_stream(
    request: Request,
    user: CurrentUser,
    settings: SettingsDep,
    database: DatabaseDep,
    storage: StorageDep,
    compute: ComputeDep,
    name: Annotated[str | None, Query(max_length=upload.MAX_NAME)] = None,
    idempotency_key: IdempotencyKey = None,
) -> Dataset:
    """Upload a table as the body of the request, CSV, Parquet or an Arrow stream, or as a multipart form."""
    dataset = await service.create(
        request,
        user,
        database,
        storage,
        compute,
        settings,
        raw=True,
        name=upload.clean_name(name or ""),
        idempotency_key=idempotency_key,
    )
    return service.describe(dataset, settings.base_url)


@router.get("", responses=documented(401, 503))
async def find_all_datasets_by_user(login: LoginDep, settings: SettingsDep, database: DatabaseDep) -> list[Dataset]:
    """List your datasets, the newest first: those that you sent and those that your jobs made."""
    return await run_in_threadpool(lambda: service.look_up_all(database, login.user(), settings.base_url))


@router.get("/{id}", responses=documented(401, 404, 503))
async def get_dataset(id: UUID, login: LoginDep, settings: SettingsDep, database: DatabaseDep) -> Dataset:
    """Describe a dataset."""
    return await run_in_threadpool(lambda: service.look_up(database, login.user(), id, settings.base_url))


@router.patch("/{id}", responses=documented(400, 401, 404, 413, 503))
async def patch_dataset(
    id: UUID,
    request: PatchDataset,
    user: CurrentUser,
    settings: SettingsDep,
    database: DatabaseDep,
    storage: StorageDep,
    compute: ComputeDep,
) -> Dataset:
    """Declare the types of columns; those that are not named keep theirs."""
    dataset = await service.declare(database, storage, compute, user, id, request)
    return service.describe(dataset, settings.base_url)


@router.delete("/{id}", responses=documented(401, 404, 503))
def delete_dataset(
    id: UUID, user: CurrentUser, database: DatabaseDep, storage: StorageDep, runner: RunnerDep
) -> Message:
    """Delete a dataset for good.

    With originals go the unshuffled avatars and the coordinates that were made of them; jobs on them that are not over
    end. Avatars in their published order stay, and so do the metrics.
    """
    deletion.delete_dataset(database, storage, user.id, id)
    runner.stop_unwanted()
    return Message(message="The dataset is deleted.")


@router.post("/{id}/analyze", responses=documented(401, 404, 503))
def analyze_dataset(
    id: UUID, user: CurrentUser, settings: SettingsDep, database: DatabaseDep, runner: RunnerDep
) -> Dataset:
    """Have the columns of a dataset described; ``analysis_status`` is ``done`` when ``summary`` is there."""
    dataset = service.analyse(database, user, id, settings.base_url)
    runner.wake()
    return dataset


@router.get("/{id}/correlations", responses=documented(400, 401, 404, 503))
async def get_dataset_correlations(
    id: UUID, user: CurrentUser, database: DatabaseDep, storage: StorageDep, compute: ComputeDep
) -> Correlations:
    """Give Pearson's correlations of the numeric columns."""
    return await service.correlate(database, storage, compute, user, id)


_DOWNLOAD: dict[int | str, dict[str, Any]] = {
    **documented(401, 403, 404, 409, 503),
    200: {"description": "The table.", "content": {media.split(";")[0]: {} for media in _MEDIA_TYPES.values()}},
}


@router.get("/{id}/download", response_class=StreamingResponse, responses=_DOWNLOAD)
@router.get(
    "/{id}/download/stream", response_class=StreamingResponse, responses=_DOWNLOAD, name="download_dataset_as_stream"
)
def download_dataset(
    id: UUID,
    user: CurrentUser,
    settings: SettingsDep,
    database: DatabaseDep,
    storage: StorageDep,
    filetype: Annotated[FileType | None, EmptyIsAbsent, Query()] = None,
    as_uploaded: Annotated[bool | None, EmptyIsAbsent, Query()] = None,
    excel_safe: Annotated[bool | None, EmptyIsAbsent, Query()] = None,
) -> StreamingResponse:
    """Download the table, as CSV unless ``filetype`` is ``parquet``.

    A CSV is faithful to the cell, with commas and decimal points: every program reads it by default. With
    ``as_uploaded=true`` it is written as the file that was uploaded. Where it is to be opened in a spreadsheet,
    ``excel_safe=true`` puts an apostrophe before text that would run as a formula.
    """
    if settings.release_policy == "enforce":
        check_release(database, user, id)
    kind, pieces = service.download(
        database, storage, user, id, filetype, as_uploaded=bool(as_uploaded), excel_safe=bool(excel_safe)
    )
    headers = {"Content-Disposition": f'attachment; filename="{id}.{kind.value}"'}
    return StreamingResponse(pieces, media_type=_MEDIA_TYPES[kind], headers=headers)
