"""Jobs: what is asked for, how far it is, what came out."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from avatars.models.base import Request, Response
from avatars.models.datasets import Dataset
from avatars.models.metrics import PrivacyMetrics, SignalMetrics
from avatars.models.parameters import AvatarizationParameters, ImputationParameters


class JobKind(str, Enum):
    """What a job computes."""

    avatarization = "avatarization"
    privacy_metrics = "privacy_metrics"
    signal_metrics = "signal_metrics"


class JobStatus(str, Enum):
    """Where a job stands; ``success``, ``failure`` and ``killed`` are final."""

    pending = "pending"
    started = "started"
    success = "success"
    failure = "failure"
    killed = "killed"
    """Cancelled. Clients up to 0.2.1 do not know it, and are never sent it."""
    unknown = "unknown"

    @property
    def is_over(self) -> bool:
        """True where nothing more will happen to the job."""
        return self not in (JobStatus.pending, JobStatus.started)


class AvatarizationJobCreate(Request):
    """Asks for one avatarization."""

    parameters: AvatarizationParameters
    kind: Literal[JobKind.avatarization] = JobKind.avatarization


class PrivacyMetricsParameters(Request):
    """The parameters of one computation of privacy metrics."""

    original_id: UUID
    """The dataset of the originals."""
    unshuffled_avatars_id: UUID
    """SENSITIVE: the dataset whose row i is the avatar of record i."""
    job_id: UUID | None = None
    """The avatarization that the avatars come from."""
    ncp: int | None = Field(default=None, ge=1)
    """Components of the projection that distances are measured in (5 by default)."""
    imputation: ImputationParameters | None = None
    seed: int | None = Field(default=None, ge=-(2**63), lt=2**64)
    """Makes a run reproducible; fresh entropy by default."""


class PrivacyMetricsJobCreate(Request):
    """Asks for the privacy metrics of originals and their avatars."""

    parameters: PrivacyMetricsParameters
    kind: Literal[JobKind.privacy_metrics] = JobKind.privacy_metrics


class SignalMetricsParameters(Request):
    """The parameters of one computation of utility metrics."""

    original_id: UUID
    """The dataset of the originals."""
    avatars_id: UUID
    """The dataset of the avatars, in any order."""
    job_id: UUID | None = None
    """The avatarization that the avatars come from."""
    seed: int | None = Field(default=None, ge=-(2**63), lt=2**64)
    """Makes a run reproducible; fresh entropy by default."""


class SignalMetricsJobCreate(Request):
    """Asks for the utility metrics of originals and avatars."""

    parameters: SignalMetricsParameters
    kind: Literal[JobKind.signal_metrics] = JobKind.signal_metrics


class JobProgress(Response):
    """How far a job is."""

    completion_rate_100: int
    """Percent of the whole job, 0 to 100."""
    name: str | None = None
    """The step at hand."""
    created_at: datetime


class AvatarizationResult(Response):
    """What an avatarization gives."""

    privacy_metrics: PrivacyMetrics
    signal_metrics: SignalMetrics
    avatars_dataset: Dataset
    """The avatars, in an order that carries no trace of the originals."""
    sensitive_unshuffled_avatars_datasets: Dataset
    """SENSITIVE: row i is the avatar of record i."""


class Job(Response):
    """What all kinds of jobs have in common."""

    id: UUID
    kind: JobKind
    created_at: datetime
    status: JobStatus
    error_message: str | None = None
    traceback: str | None = None
    """Always null; kept for old clients."""
    current_progress: JobProgress | None = None


class AvatarizationJob(Job):
    """One avatarization on the platform."""

    kind: JobKind = JobKind.avatarization
    result: AvatarizationResult | None = None
    parameters: AvatarizationParameters


class PrivacyMetricsJob(Job):
    """One computation of privacy metrics on the platform."""

    kind: JobKind = JobKind.privacy_metrics
    result: PrivacyMetrics | None = None
    columns_left_out: list[str] | None = None
    """Columns that only one of the two datasets has; once it is over."""
    parameters: PrivacyMetricsParameters


class SignalMetricsJob(Job):
    """One computation of utility metrics on the platform."""

    kind: JobKind = JobKind.signal_metrics
    result: SignalMetrics | None = None
    columns_left_out: list[str] | None = None
    """Columns that only one of the two datasets has; once it is over."""
    parameters: SignalMetricsParameters


class GenericParameters(Response):
    """The parameters of a job of any kind, as they are."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="allow")


class GenericResult(Response):
    """The result of a job of any kind, as it is."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="allow")


class GenericJob(Job):
    """A job of any kind, as lists have it."""

    result: GenericResult | None = None
    parameters: GenericParameters
