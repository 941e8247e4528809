"""The wire's form of jobs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from avatars import models as wire
from avatars.server.assessments.describe import assessments_of, progress_of
from avatars.server.datasets import service as datasets
from avatars.server.datasets.models import Dataset
from avatars.server.dependencies import Audience
from avatars.server.jobs.models import Job, JobKind, JobState

AnyJob = wire.AvatarizationJob | wire.PrivacyMetricsJob | wire.SignalMetricsJob

_RESULTS_DELETED = "What this job made was deleted."


def describe(session: Session, job: Job, audience: Audience) -> AnyJob:
    """Give the wire's form of one job."""
    return describe_all(session, [job], audience)[0]


def describe_all(session: Session, jobs: Sequence[Job], audience: Audience) -> list[AnyJob]:
    """Give the wire's form of jobs; one query for all that they made, and one for what attacks found."""
    ids = {id for job in jobs for id in _made(job)}
    made = {dataset.id: dataset for dataset in session.scalars(select(Dataset).where(Dataset.id.in_(ids)))}
    assessed = assessments_of(session, [job for job in jobs if job.kind == JobKind.AVATARIZATION])
    return [_describe(job, made, assessed.get(job.id), audience) for job in jobs]


def _describe(job: Job, made: dict[UUID, Dataset], assessment: wire.Assessment | None, audience: Audience) -> AnyJob:
    common: dict[str, Any] = {
        "id": job.id,
        "kind": wire.JobKind(job.kind),
        "created_at": job.created_at,
        "status": _status(job, audience),
        "error_message": job.error_message,
        "current_progress": progress_of(job),
    }
    left_out = None if job.details is None else job.details.get("columns_left_out")
    match JobKind(job.kind):
        case JobKind.PRIVACY_METRICS:
            return wire.PrivacyMetricsJob(
                **common,
                parameters=wire.PrivacyMetricsParameters.model_validate(job.parameters),
                result=_privacy_metrics(job),
                columns_left_out=left_out,
            )
        case JobKind.SIGNAL_METRICS:
            return wire.SignalMetricsJob(
                **common,
                parameters=wire.SignalMetricsParameters.model_validate(job.parameters),
                result=_signal_metrics(job),
                columns_left_out=left_out,
            )
        case _:
            result = _result(job, made, assessment, audience)
            if result is None and job.status == JobState.SUCCESS:
                common["error_message"] = _RESULTS_DELETED
            return wire.AvatarizationJob(
                **common, parameters=wire.AvatarizationParameters.model_validate(job.parameters), result=result
            )


def _status(job: Job, audience: Audience) -> wire.JobStatus:
    status = wire.JobStatus(job.status)
    if status is wire.JobStatus.killed and not audience.knows_killed:
        return wire.JobStatus.failure
    return status


def _made(job: Job) -> list[UUID]:
    ids = (job.avatars_dataset_id, job.sensitive_unshuffled_avatars_dataset_id)
    return [id for id in ids if id is not None]


def _result(
    job: Job, made: dict[UUID, Dataset], assessment: wire.Assessment | None, audience: Audience
) -> wire.AvatarizationResult | None:
    found = [datasets.describe(made[id], audience.base_url) for id in _made(job) if id in made]
    privacy, signal = _privacy_metrics(job), _signal_metrics(job)
    if len(found) != 2 or privacy is None or signal is None:
        return None
    return wire.AvatarizationResult(
        privacy_metrics=privacy,
        signal_metrics=signal,
        avatars_dataset=found[0],
        sensitive_unshuffled_avatars_datasets=found[1],
        assessment=assessment,
    )


def _privacy_metrics(job: Job) -> wire.PrivacyMetrics | None:
    return None if job.privacy_metrics is None else wire.PrivacyMetrics.model_validate(job.privacy_metrics)


def _signal_metrics(job: Job) -> wire.SignalMetrics | None:
    return None if job.signal_metrics is None else wire.SignalMetrics.model_validate(job.signal_metrics)
