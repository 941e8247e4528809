"""What goes when something is deleted: rows in one transaction, files right after it.

Where deleting a file fails, the row is gone already and nobody can reach the file; housekeeping sweeps it up.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from avatars.server.accounts.models import User
from avatars.server.audit.models import Action
from avatars.server.audit.service import record
from avatars.server.datasets import normal_form
from avatars.server.datasets.models import Dataset, DatasetKind
from avatars.server.db import Database, owned
from avatars.server.jobs import ledger
from avatars.server.jobs.models import UNFINISHED, Job
from avatars.server.storage import Storage

log = structlog.get_logger(__name__)

_DATA_DELETED = "The job ended because a dataset that it needs was deleted."


def delete_dataset(database: Database, storage: Storage, user_id: UUID, dataset_id: UUID) -> None:
    """Delete a dataset of a user, and what is as sensitive and was made of it; raises ``NotFound``."""
    with database.write() as session:
        owned(session, user_id, Dataset, dataset_id)
        gone = _delete_rows(session, [dataset_id])
        record(session, Action.DATASET_DELETED, user_id, dataset_id)
    _delete_files(database, storage, gone)


def delete_job(database: Database, storage: Storage, user_id: UUID, job_id: UUID) -> None:
    """Delete a job of a user and the datasets that it made; raises ``NotFound``."""
    with database.write() as session:
        job = owned(session, user_id, Job, job_id)
        made = [job.avatars_dataset_id, job.sensitive_unshuffled_avatars_dataset_id]
        session.delete(job)
        session.flush()
        gone = _delete_rows(session, [dataset_id for dataset_id in made if dataset_id is not None])
        record(session, Action.JOB_DELETED, user_id, job_id)
    _delete_files(database, storage, gone)


def delete_user(database: Database, storage: Storage, user_id: UUID) -> None:
    """Delete a user with all datasets, jobs and logins; by an operator."""
    with database.write() as session:
        gone = set(session.scalars(select(Dataset.id).where(Dataset.user_id == user_id)))
        session.execute(delete(User).where(User.id == user_id))
        record(session, Action.USER_DELETED, None, user_id)
    _delete_files(database, storage, gone)


def purge(database: Database, storage: Storage, before: datetime) -> int:
    """Delete all datasets and jobs that are over and older; gives the number of datasets. By an operator.

    A dataset that a job still works on stays.
    """
    with database.write() as session:
        needed = select(Job.dataset_id).where(Job.status.in_(UNFINISHED), Job.dataset_id.is_not(None))
        compared = select(Job.compared_dataset_id).where(
            Job.status.in_(UNFINISHED), Job.compared_dataset_id.is_not(None)
        )
        old = session.scalars(
            select(Dataset.id).where(
                Dataset.created_at < before, Dataset.id.not_in(needed), Dataset.id.not_in(compared)
            )
        ).all()
        gone = _delete_rows(session, old)
        session.execute(delete(Job).where(Job.created_at < before, Job.status.not_in(UNFINISHED)))
        record(session, Action.PURGED, None)
    _delete_files(database, storage, gone)
    return len(gone)


def _delete_rows(session: Session, dataset_ids: Iterable[UUID]) -> set[UUID]:
    """Delete datasets, end the jobs that need them, and give the ids of all that are gone."""
    ids = set(dataset_ids)
    about = or_(Job.dataset_id.in_(ids), Job.compared_dataset_id.in_(ids))
    originals = select(Dataset.id).where(Dataset.id.in_(ids), Dataset.kind == DatasetKind.ORIGINAL)
    sensitive = session.scalars(
        select(Job.sensitive_unshuffled_avatars_dataset_id).where(
            Job.dataset_id.in_(originals), Job.sensitive_unshuffled_avatars_dataset_id.is_not(None)
        )
    )
    ids |= {dataset_id for dataset_id in sensitive if dataset_id is not None}
    ledger.kill(session, about, _DATA_DELETED)
    session.execute(delete(Dataset).where(Dataset.id.in_(ids)))
    return ids


def _delete_files(database: Database, storage: Storage, dataset_ids: Iterable[UUID]) -> None:
    for dataset_id in dataset_ids:
        try:
            normal_form.delete(storage, dataset_id)
        except OSError:
            log.exception("files.not_deleted", dataset_id=str(dataset_id))
    database.forget()
