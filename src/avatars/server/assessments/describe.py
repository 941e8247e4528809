"""The wire's form of assessments, and which of several counts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from avatars import models as wire
from avatars.server.jobs.models import Job, JobKind, JobState


def assessments_of(session: Session, runs: Sequence[Job]) -> dict[UUID, wire.Assessment]:
    """Give the assessment that counts of each avatarization that has one."""
    found: dict[UUID, list[Job]] = defaultdict(list)
    for job in session.scalars(
        select(Job)
        .where(Job.about_id.in_([run.id for run in runs]), Job.kind == JobKind.ASSESSMENT)
        .order_by(Job.created_at, Job.id)
    ):
        assert job.about_id is not None
        found[job.about_id].append(job)
    return {run.id: describe(_counting(found[run.id]), run) for run in runs if run.id in found}


def found_by_attacks(session: Session, run: Job) -> dict[str, Any] | None:
    """Give what the assessment that counts of an avatarization found, as it is kept; None where none is done."""
    about = select(Job).where(Job.about_id == run.id, Job.kind == JobKind.ASSESSMENT).order_by(Job.created_at, Job.id)
    jobs = session.scalars(about).all()
    return (_counting(jobs).details or {}).get("assessment") if jobs else None


def _counting(assessments: Sequence[Job]) -> Job:
    """The most thorough one that is done counts; where none is, the latest says how far it is."""
    done = [job for job in assessments if job.status == JobState.SUCCESS]
    if not done:
        return assessments[-1]
    # All of them part the people alike: one that tries more has found what the others did.
    return max(done, key=lambda job: job.parameters["thoroughness"] == wire.AssessmentThoroughness.thorough.value)


def describe(assessment: Job, run: Job) -> wire.Assessment:
    """Give the wire's form of an assessment."""
    found: dict[str, Any] = (assessment.details or {}).get("assessment", {})
    described = {
        **found,
        "status": assessment.status,
        "error_message": assessment.error_message,
        "current_progress": progress_of(assessment),
        "thoroughness": assessment.parameters["thoroughness"],
        "number": assessment.parameters["number"],
        "is_released": run.release is not None,
    }
    return wire.Assessment.model_validate(described)


def progress_of(job: Job) -> wire.JobProgress | None:
    """Give the wire's form of how far a job is."""
    if job.progress_at is None:
        return None
    return wire.JobProgress(
        completion_rate_100=job.progress_percent, name=job.progress_step, created_at=job.progress_at
    )
