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
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from avatars import models as wire
from avatars.engine.errors import EngineError, unknown_column
from avatars.server.accounts.models import User
from avatars.server.audit.models import Action
from avatars.server.audit.service import record
from avatars.server.datasets import ingest, normal_form, upload
from avatars.server.datasets.description import ColumnDescription
from avatars.server.datasets.models import Dataset, DatasetKind
from avatars.server.db import Database, owned
from avatars.server.errors import BadRequest, Conflict, PayloadTooLarge, Unavailable
from avatars.server.housekeeping import discard
from avatars.server.jobs.compute import Compute, NoWorkers, WorkerLost
from avatars.server.jobs.guard import OutOfMemory
from avatars.server.jobs.models import UNFINISHED, Job, JobKind
from avatars.server.jobs.workers import Lane
from avatars.server.settings import Settings
from avatars.server.storage import Storage

log = structlog.get_logger(__name__)


async def create(
    request: Request,
    user: User,
    database: Database,
    storage: Storage,
    compute: Compute,
    settings: Settings,
    *,
    raw: bool = False,
    name: str | None = None,
    idempotency_key: str | None = None,
) -> Dataset:
    """Take in an upload: into the storage, through a worker, into the database, or nowhere.

    Parameters
    ----------
    raw
        Whether the body may also be the file itself instead of a form.
    name
        The dataset's name where the form does not say it.
    idempotency_key
        The same file that comes with it again, because the answer was lost, is the dataset that it became at first.

    Raises
    ------
    BadRequest, PayloadTooLarge
        The form or the table in it cannot be used, or the user has no room for it.
    Conflict
        Another file came with this key.
    Unavailable
        There is no worker to read it.
    StorageError
        It cannot be kept.
    """
    dataset_id = uuid4()
    max_bytes = await run_in_threadpool(_room, database, user.id, settings)
    dataset: Dataset | None = None
    try:
        received = await upload.receive(request, storage, normal_form.upload_key(dataset_id), max_bytes, raw=raw)
        dataset = await run_in_threadpool(_earlier, database, user.id, idempotency_key, received.hash)
        if dataset is not None:
            return dataset
        read: normal_form.Written = await by_worker(
            compute,
            f"ingest-{dataset_id}",
            ingest.ingest,
            storage,
            dataset_id,
            received.content,
            settings.max_upload_bytes,
        )
        made = Dataset(
            id=dataset_id,
            user_id=user.id,
            kind=DatasetKind.ORIGINAL,
            name=received.name or name,
            hash=received.hash,
            filetype=read.filetype,
            nb_lines=read.nb_lines,
            columns=read.columns,
            size=read.size,
            idempotency_key=idempotency_key or None,
        )
        dataset = await run_in_threadpool(_add, database, made)
    finally:
        if dataset is None or dataset.id != dataset_id:
            await run_in_threadpool(discard, database, storage, normal_form.folder_key(dataset_id))
    log.info("dataset.created", dataset_id=str(dataset.id), user_id=str(user.id), nb_lines=dataset.nb_lines)
    return dataset


def find(database: Database, user: User, dataset_id: UUID) -> Dataset:
    """Give a dataset of this user; raises ``NotFound``."""
    with database.read() as session:
        return owned(session, user.id, Dataset, dataset_id)


def look_up(database: Database, user: User, dataset_id: UUID, base_url: str) -> wire.Dataset:
    """Describe a dataset of this user; raises ``NotFound``."""
    with database.read() as session:
        dataset = owned(session, user.id, Dataset, dataset_id)
        return describe(dataset, base_url, in_analysis=dataset_id in _in_analysis(session, user.id))


def look_up_all(database: Database, user: User, base_url: str) -> list[wire.Dataset]:
    """Describe all datasets of this user, the newest first."""
    with database.read() as session:
        datasets = session.scalars(
            select(Dataset).where(Dataset.user_id == user.id).order_by(Dataset.created_at.desc(), Dataset.id)
        ).all()
        in_analysis = _in_analysis(session, user.id)
    return [describe(dataset, base_url, in_analysis=dataset.id in in_analysis) for dataset in datasets]


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
    columns: list[ColumnDescription] = await by_worker(
        compute, f"declare-{uuid4()}", ingest.declare, storage, dataset_id, types
    )

    def save() -> Dataset:
        with database.write() as session:
            row = owned(session, user.id, Dataset, dataset_id)
            if row.columns != columns:
                # What was found out about the columns was about other types.
                row.summary = row.analysis_duration = None
            row.columns = columns
            record(session, Action.DATASET_DECLARED, user.id, dataset_id)
            return row

    return await run_in_threadpool(save)


def analyse(database: Database, user: User, dataset_id: UUID, base_url: str) -> wire.Dataset:
    """Have the columns of a dataset described by a job, unless they are already or soon will be."""
    with database.write() as session:
        dataset = owned(session, user.id, Dataset, dataset_id)
        in_analysis = dataset_id in _in_analysis(session, user.id)
        if dataset.summary is None and not in_analysis:
            kind = JobKind.ANALYSIS
            session.add(Job(user_id=user.id, kind=kind, parameters={}, dataset_id=dataset_id, request_hash=""))
            in_analysis = True
        return describe(dataset, base_url, in_analysis=in_analysis)


async def correlate(
    database: Database, storage: Storage, compute: Compute, user: User, dataset_id: UUID
) -> wire.Correlations:
    """Have a worker correlate the numeric columns of a dataset; raises ``NotFound``, ``BadRequest``."""
    dataset = await run_in_threadpool(find, database, user, dataset_id)
    found = await by_worker(compute, f"correlate-{uuid4()}", ingest.correlate, storage, dataset_id, dataset.columns)
    return wire.Correlations(data=found)


def download(
    database: Database,
    storage: Storage,
    user: User,
    dataset_id: UUID,
    filetype: wire.FileType | None,
    *,
    as_uploaded: bool = False,
    excel_safe: bool = False,
) -> tuple[wire.FileType, Iterator[bytes]]:
    """Give the bytes of a dataset in one of the file formats, in pieces, after recording that somebody took them.

    Without a ``filetype`` it is CSV, which `normal_form.csv_bytes` explains.
    """
    filetype = filetype or wire.FileType.csv
    with database.write() as session:
        dataset = owned(session, user.id, Dataset, dataset_id)
        # Whoever has these and the originals has the link between them.
        is_sensitive = dataset.kind == DatasetKind.SENSITIVE_UNSHUFFLED_AVATARS
        action = Action.SENSITIVE_DATASET_DOWNLOADED if is_sensitive else Action.DATASET_DOWNLOADED
        record(session, action, user.id, dataset_id)
    if is_sensitive:
        log.warning(action.value, dataset_id=str(dataset_id), user_id=str(user.id))
    if filetype == wire.FileType.parquet:
        return filetype, normal_form.parquet_bytes(storage, dataset.id)
    return filetype, normal_form.csv_bytes(storage, dataset.id, as_uploaded=as_uploaded, excel_safe=excel_safe)


def describe(dataset: Dataset, base_url: str, *, in_analysis: bool = False) -> wire.Dataset:
    """Give the wire's form of a dataset."""
    status = wire.AnalysisStatus.started if in_analysis else None
    if dataset.summary is not None:
        status = wire.AnalysisStatus.done
    # All at once: to make each column's model here takes three times as long, and lists of datasets have hundreds.
    return wire.Dataset.model_validate(
        {
            "id": dataset.id,
            "hash": dataset.hash,
            "name": dataset.name,
            "columns": dataset.columns,
            "download_url": f"{base_url}/datasets/{dataset.id}/download",
            "analysis_status": status,
            "analysis_duration": dataset.analysis_duration,
            "summary": dataset.summary,
            "nb_lines": dataset.nb_lines,
            "nb_dimensions": dataset.nb_dimensions,
            "filetype": dataset.filetype,
            "created_at": dataset.created_at,
        }
    )


def _in_analysis(session: Session, user_id: UUID) -> set[UUID | None]:
    """Give the datasets that a job is looking at, or will."""
    return set(
        session.scalars(
            select(Job.dataset_id).where(
                Job.user_id == user_id, Job.kind == JobKind.ANALYSIS, Job.status.in_(UNFINISHED)
            )
        )
    )


def _room(database: Database, user_id: UUID, settings: Settings) -> int:
    """Give the bytes that the user may upload at once; raises ``PayloadTooLarge`` where they have used all."""
    if settings.user_quota_bytes is None:
        return settings.max_upload_bytes
    with database.read() as session:
        used = session.scalar(select(func.coalesce(func.sum(Dataset.size), 0)).where(Dataset.user_id == user_id)) or 0
    if used >= settings.user_quota_bytes:
        raise PayloadTooLarge(
            "Your datasets take all the room that you have on this platform: delete some, then send the file again.",
            "quota_exceeded",
        )
    return settings.max_upload_bytes


def about(error: EngineError) -> dict[str, Any]:
    """Further keys of the answer that an engine's error becomes."""
    return {} if error.column is None else {"column": error.column}


async def by_worker(compute: Compute, name: str, task: Any, *arguments: Any) -> Any:
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


def _add(database: Database, dataset: Dataset) -> Dataset:
    """Write a dataset down, and give it; or the one that another request with the same key has made meanwhile."""
    user_id, key, hash = dataset.user_id, dataset.idempotency_key, dataset.hash
    try:
        with database.write() as session:
            session.add(dataset)
            session.flush()
            record(session, Action.DATASET_CREATED, user_id, dataset.id)
            return dataset
    except IntegrityError:
        earlier = _earlier(database, user_id, key, hash)
        if earlier is None:
            raise
        return earlier


def _earlier(database: Database, user_id: UUID, idempotency_key: str | None, hash: str) -> Dataset | None:
    """Give the dataset that this file became when it came with this key before; raises ``Conflict``."""
    if not idempotency_key:
        return None
    with database.read() as session:
        earlier = session.scalar(
            select(Dataset).where(Dataset.user_id == user_id, Dataset.idempotency_key == idempotency_key)
        )
    if earlier is not None and earlier.hash != hash:
        raise Conflict(
            "idempotency_key_reused",
            "This Idempotency-Key was used for another file: send a new key with a new file.",
        )
    return earlier
