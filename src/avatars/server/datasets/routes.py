"""Uploading, describing and downloading datasets."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BeforeValidator

from avatars.models import Dataset, FileType, PatchDataset
from avatars.server.datasets import service
from avatars.server.dependencies import CurrentUser, DatabaseDep, RunnerDep, SettingsDep, StorageDep
from avatars.server.errors import documented
from avatars.server.jobs.compute import Compute

router = APIRouter(prefix="/datasets", tags=["datasets"])

_MEDIA_TYPES = {FileType.csv: "text/csv; charset=utf-8", FileType.parquet: "application/vnd.apache.parquet"}

_UPLOAD = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {"type": "string", "format": "binary", "description": "CSV or Parquet."},
                        "name": {"type": "string", "maxLength": 255},
                    },
                }
            }
        },
    }
}


def get_compute(runner: RunnerDep) -> Compute:
    """The workers."""
    return runner.compute


ComputeDep = Annotated[Compute, Depends(get_compute)]


@router.post("", responses=documented(400, 401, 413, 503), openapi_extra=_UPLOAD)
async def create_dataset(
    request: Request,
    user: CurrentUser,
    settings: SettingsDep,
    database: DatabaseDep,
    storage: StorageDep,
    compute: ComputeDep,
) -> Dataset:
    """Upload a table, CSV or Parquet, as the part ``file`` of a multipart form; its label does not matter."""
    # The body is no parameter of this function, so that it is read after the user is known and not before.
    dataset = await service.create(request, user, database, storage, compute, settings.max_upload_bytes)
    return service.describe(dataset, settings.base_url)


@router.get("/{id}", responses=documented(401, 404, 503))
def get_dataset(id: UUID, user: CurrentUser, settings: SettingsDep, database: DatabaseDep) -> Dataset:
    """Describe a dataset."""
    return service.describe(service.find(database, user, id), settings.base_url)


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


@router.get(
    "/{id}/download",
    response_class=StreamingResponse,
    responses={
        **documented(401, 404, 503),
        200: {"description": "The table.", "content": {media.split(";")[0]: {} for media in _MEDIA_TYPES.values()}},
    },
)
def download_dataset(
    id: UUID,
    user: CurrentUser,
    database: DatabaseDep,
    storage: StorageDep,
    # Old clients send what they leave out as an empty text.
    filetype: Annotated[FileType, BeforeValidator(lambda value: value or FileType.csv), Query()] = FileType.csv,
) -> StreamingResponse:
    """Download the table, as CSV unless ``filetype`` is ``parquet``."""
    dataset = service.find(database, user, id)
    return StreamingResponse(service.download(storage, user, dataset, filetype), media_type=_MEDIA_TYPES[filetype])
