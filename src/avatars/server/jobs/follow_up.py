"""What follows an avatarization: its assessment, a job of its own that comes after everybody's other jobs."""

from __future__ import annotations

import hashlib
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from avatars.models import AssessmentThoroughness
from avatars.server.datasets.models import Dataset
from avatars.server.jobs.models import Job, JobKind


def assessment_of(
    session: Session, run: Job, thoroughness: AssessmentThoroughness = AssessmentThoroughness.quick
) -> Job:
    """Make the row of an assessment of an avatarization, and count it."""
    dataset = None if run.dataset_id is None else session.get(Dataset, run.dataset_id, with_for_update=True)
    number, seed = 1, 0
    if dataset is not None:
        dataset.assessments += 1
        session.flush()
        # The same table sent again is the same dataset here.
        number = (
            session.scalar(
                select(func.sum(Dataset.assessments)).where(
                    Dataset.user_id == run.user_id, Dataset.hash == dataset.hash
                )
            )
            or 1
        )
        seed = split_seed(dataset.hash)
    return Job(
        user_id=run.user_id,
        kind=JobKind.ASSESSMENT,
        parameters={"run": run.parameters, "thoroughness": thoroughness.value, "split_seed": seed, "number": number},
        dataset_id=run.dataset_id,
        about_id=run.id,
        request_hash=_no_request(run.id),
    )


def split_seed(content_hash: str) -> int:
    """Return the seed of a dataset's split.

    It follows from the content, so that every assessment parts the people alike, also when the table is sent again:
    who asks until a verdict pleases hears the same one.
    """
    return int.from_bytes(hashlib.sha256(f"split:{content_hash}".encode()).digest()[:8])


def _no_request(run_id: UUID) -> str:
    # Nobody asked for it over HTTP, so no key can come again; the column wants a hash.
    return hashlib.sha256(f"assessment:{run_id}".encode()).hexdigest()
