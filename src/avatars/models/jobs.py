"""Jobs: what is asked for, how far it is, what came out."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from avatars.models.assessments import Assessment
from avatars.models.base import Request, Response
from avatars.models.datasets import Dataset
from avatars.models.metrics import PrivacyMetrics, SignalMetrics
from avatars.models.parameters import AvatarizationParameters, ImputationParameters
from avatars.models.status import JobProgress, JobStatus


class JobKind(str, Enum):
    """What a job computes."""

    avatarization = "avatarization"
    privacy_metrics = "privacy_metrics"
    signal_metrics = "signal_metrics"


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
    avatarization_job_id: UUID | None = None
    """Another name of ``job_id``."""
    holdout_id: UUID | None = None
    """The dataset of people like the originals, none of whom is among them: figures are read beside theirs."""
    ncp: int | None = Field(default=None, ge=1)
    """Components of the projection that distances are measured in (5 by default)."""
    imputation: ImputationParameters | None = None
    use_categorical_reduction: bool | None = None
    """Project columns of more than 20 levels as 20 numbers each."""
    known_variables: list[str] | None = None
    """Columns that the attacker is assumed to know of everyone."""
    target: str | None = None
    """The column that the attacker wants to know."""
    closest_rate_percentage_threshold: float | None = Field(default=None, ge=0, le=100)
    """See ``closest_rate`` (0.3 by default)."""
    closest_rate_ratio_threshold: float | None = Field(default=None, ge=0, le=1)
    """The same (0.3 by default)."""
    categorical_hidden_rate_variables: list[str] | None = None
    """Categorical columns to link by; all of them by default."""
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
    avatarization_job_id: UUID | None = None
    """Another name of ``job_id``."""
    holdout_id: UUID | None = None
    """The dataset of people like the originals, none of whom is among them: figures are read beside theirs."""
    thorough: bool | None = None
    """Take the metrics that take longer too: accuracies, associations, discriminator, and what fresh people reach."""
    target: str | None = None
    """The column that a model learnt from the avatars is to predict, where ``thorough``."""
    seed: int | None = Field(default=None, ge=-(2**63), lt=2**64)
    """Makes a run reproducible; fresh entropy by default."""


class SignalMetricsJobCreate(Request):
    """Asks for the utility metrics of originals and avatars."""

    parameters: SignalMetricsParameters
    kind: Literal[JobKind.signal_metrics] = JobKind.signal_metrics


class AvatarizationResult(Response):
    """What an avatarization gives."""

    privacy_metrics: PrivacyMetrics
    signal_metrics: SignalMetrics
    avatars_dataset: Dataset
    """The avatars, in an order that carries no trace of the originals."""
    sensitive_unshuffled_avatars_datasets: Dataset
    """SENSITIVE: row i is the avatar of record i."""
    assessment: Assessment | None = None
    """What attacks find in avatars that are made this way. It follows the job: look at its ``status``."""


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
