"""What users may ask of datasets."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any
from uuid import UUID, uuid4

import structlog
from fastapi import Request
from fastapi.concurrency import run_in_threadpool

from avatars import models as wire
from avatars.engine.errors import EngineError, unknown_column
from avatars.server.accounts.models import User
from avatars.server.datasets import ingest, normal_form, upload
from avatars.server.datasets.description import ColumnDescription
from avatars.server.datasets.models import Dataset, DatasetKind
from avatars.server.db import Database, owned
from avatars.server.errors import BadRequest, Unavailable
from avatars.server.jobs.compute import Compute, Lane, NoWorkers, WorkerLost
from avatars.server.jobs.guard import OutOfMemory
from avatars.server.storage import Storage

log = structlog.get_logger(__name__)


async def create(
    request: Request, user: User, database: Database, storage: Storage, compute: Compute, max_bytes: int
) -> Dataset:
    """Take in an upload: to quarantine, through a worker, into the storage and the database, or nowhere.

    Raises
    ------
    BadRequest, PayloadTooLarge
        The form or the table in it cannot be used.
    Unavailable
        There is no worker to read it.
    """
    dataset_id = uuid4()
    quarantine = normal_form.quarantine_key(dataset_id)
    kept = False
    try:
        received = await upload.receive(request, storage, quarantine, max_bytes)
        read: normal_form.Written = await _by_worker(
            compute, f"ingest-{dataset_id}", ingest.ingest, storage, quarantine, dataset_id, max_bytes
        )
        dataset = Dataset(
            id=dataset_id,
            user_id=user.id,
            kind=DatasetKind.ORIGINAL,
            name=received.name,
            hash=received.hash,
            filetype=read.filetype,
            nb_lines=read.nb_lines,
            columns=read.columns,
            size=read.size,
        )
        await run_in_threadpool(_add, database, dataset)
        kept = True
    finally:
        await run_in_threadpool(storage.delete, quarantine)
        if not kept:
            await run_in_threadpool(normal_form.delete, storage, dataset_id)
    log.info("dataset.created", dataset_id=str(dataset_id), user_id=str(user.id), nb_lines=dataset.nb_lines)
    return dataset


def find(database: Database, user: User, dataset_id: UUID) -> Dataset:
    """Give a dataset of this user; raises ``NotFound``."""
    with database.read() as session:
        return owned(session, user.id, Dataset, dataset_id)


async def declare(
    database: Database, storage: Storage, compute: Compute, user: User, dataset_id: UUID, request: wire.PatchDataset
) -> Dataset:
    """Set the types of some columns, after a worker has seen that the values are of these types.

    Raises
    ------
    NotFound
        The user has no such dataset.
    BadRequest
        There is no such column, or its values are not of the declared type.
    """
    dataset = await run_in_threadpool(find, database, user, dataset_id)
    types = {column["label"]: column["type"] for column in dataset.columns}
    for said in request.columns:
        if said.label not in types:
            refused = unknown_column(said.label, types)
            raise BadRequest(refused.code, str(refused), **about(refused))
        types[said.label] = said.type.value
    columns: list[ColumnDescription] = await _by_worker(
        compute, f"declare-{uuid4()}", ingest.declare, storage, dataset_id, types
    )

    def save() -> Dataset:
        with database.write() as session:
            row = owned(session, user.id, Dataset, dataset_id)
            row.columns = columns
            return row

    return await run_in_threadpool(save)


def download(storage: Storage, user: User, dataset: Dataset, filetype: wire.FileType) -> Iterator[bytes]:
    """Give the bytes of a dataset in one of the file formats, in pieces."""
    if dataset.kind == DatasetKind.SENSITIVE_UNSHUFFLED_AVATARS:
        # Whoever has these and the originals has the link between them.
        log.warning("sensitive_dataset.downloaded", dataset_id=str(dataset.id), user_id=str(user.id))
    if filetype == wire.FileType.parquet:
        return normal_form.parquet_bytes(storage, dataset.id)
    return normal_form.csv_bytes(storage, dataset.id)


def describe(dataset: Dataset, base_url: str) -> wire.Dataset:
    """Give the wire's form of a dataset."""
    return wire.Dataset(
        id=dataset.id,
        hash=dataset.hash,
        name=dataset.name,
        columns=[
            wire.ColumnDetail(label=column["label"], type=wire.ColumnType(column["type"])) for column in dataset.columns
        ],
        download_url=f"{base_url}/datasets/{dataset.id}/download",
        nb_lines=dataset.nb_lines,
        nb_dimensions=dataset.nb_dimensions,
        filetype=wire.FileType(dataset.filetype),
        created_at=dataset.created_at,
    )


def about(error: EngineError) -> dict[str, Any]:
    """Further keys of the answer that an engine's error becomes."""
    return {} if error.column is None else {"column": error.column}


async def _by_worker(compute: Compute, name: str, task: Any, *arguments: Any) -> Any:
    """Run a task in the lane of uploads and wait for it; its errors as answers."""
    try:
        running: Future[Any] = await run_in_threadpool(compute.submit, Lane.UPLOADS, name, task, *arguments)
        return await asyncio.wrap_future(running)
    except EngineError as error:
        raise BadRequest(error.code, str(error), **about(error)) from error
    except OutOfMemory as error:
        raise BadRequest(
            "out_of_memory",
            "The table needs more memory than this platform gives to reading one: upload fewer rows or columns.",
        ) from error
    except (WorkerLost, NoWorkers) as error:
        raise Unavailable(
            "no_worker", "The platform cannot read tables at the moment: try again in a few seconds."
        ) from error


def _add(database: Database, dataset: Dataset) -> None:
    with database.write() as session:
        session.add(dataset)
