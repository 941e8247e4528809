"""What goes when something is deleted: rows in one transaction, files right after it.

The transaction also writes down which files are to go: where the storage is away, housekeeping deletes them when it is
back. Until then nobody can reach them, as their rows are gone.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from avatars.server.accounts.models import User
from avatars.server.audit.models import Action
from avatars.server.audit.service import record
from avatars.server.datasets.models import Dataset, DatasetKind
from avatars.server.datasets.normal_form import folder_key
from avatars.server.db import Database, owned
from avatars.server.housekeeping import clear, doom
from avatars.server.jobs import ledger
from avatars.server.jobs.models import UNFINISHED, Job, JobKind
from avatars.server.reports import files as report_files
from avatars.server.storage import Storage

_DATA_DELETED = "The job ended because a dataset that it needs was deleted."


def delete_dataset(database: Database, storage: Storage, user_id: UUID, dataset_id: UUID) -> None:
    """Delete a dataset of a user, and what is as sensitive and was made of it; raises ``NotFound``."""
    with database.write() as session:
        owned(session, user_id, Dataset, dataset_id)
        _delete_rows(session, [dataset_id])
        record(session, Action.DATASET_DELETED, user_id, dataset_id)
    _delete_files(database, storage)


def delete_job(database: Database, storage: Storage, user_id: UUID, job_id: UUID) -> None:
    """Delete a job of a user and the datasets that it made; raises ``NotFound``."""
    with database.write() as session:
        job = owned(session, user_id, Job, job_id)
        reports = ledger.files_of_reports(session)
        made = [job.avatars_dataset_id, job.sensitive_unshuffled_avatars_dataset_id]
        session.delete(job)
        session.flush()
        _delete_rows(session, [dataset_id for dataset_id in made if dataset_id is not None])
        record(session, Action.JOB_DELETED, user_id, job_id)
        # Reports go with the job that they are about: the database has seen to their rows.
        _doom_reports(session, reports)
    _delete_files(database, storage)


def delete_user(database: Database, storage: Storage, user_id: UUID) -> None:
    """Delete a user with all datasets, jobs and logins; by an operator."""
    with database.write() as session:
        gone = session.scalars(select(Dataset.id).where(Dataset.user_id == user_id)).all()
        doom(session, map(folder_key, gone))
        reports = ledger.files_of_reports(session)
        session.execute(delete(User).where(User.id == user_id))
        record(session, Action.USER_DELETED, None, user_id)
        _doom_reports(session, reports)
    _delete_files(database, storage)


def purge(database: Database, storage: Storage, before: datetime) -> int:
    """Delete all datasets and jobs that are over and older; gives the number of datasets. By an operator.

    A dataset that a job still works on stays; an assessment that is as old itself is no reason to keep one.
    """
    with database.write() as session:
        needed = select(Job.dataset_id).where(
            Job.status.in_(UNFINISHED),
            Job.dataset_id.is_not(None),
            or_(Job.kind != JobKind.ASSESSMENT, Job.created_at >= before),
        )
        compared = select(Job.compared_dataset_id).where(
            Job.status.in_(UNFINISHED), Job.compared_dataset_id.is_not(None)
        )
        old = session.scalars(
            select(Dataset.id).where(
                Dataset.created_at < before, Dataset.id.not_in(needed), Dataset.id.not_in(compared)
            )
        ).all()
        gone = _delete_rows(session, old)
        reports = ledger.files_of_reports(session)
        session.execute(delete(Job).where(Job.created_at < before, Job.status.not_in(UNFINISHED)))
        record(session, Action.PURGED, None)
        _doom_reports(session, reports)
    _delete_files(database, storage)
    return len(gone)


def _delete_rows(session: Session, dataset_ids: Iterable[UUID]) -> set[UUID]:
    """Delete datasets, end the jobs that need them, doom their files, and give the ids of all that are gone."""
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
    doom(session, map(folder_key, ids))
    return ids


def _doom_reports(session: Session, before: set[UUID]) -> None:
    """Doom the files of reports that were there before, and whose rows the database has deleted since."""
    doom(session, map(report_files.folder_key, before - ledger.files_of_reports(session)))


def _delete_files(database: Database, storage: Storage) -> None:
    clear(database, storage)
    database.forget()
