"""Avatarization jobs: what is asked for, how far it is, what came out."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from uuid import UUID

from pydantic import Field

from avatars.models.base import Request, Response
from avatars.models.datasets import Dataset
from avatars.models.metrics import PrivacyMetrics, SignalMetrics


class JobKind(str, Enum):
    """What a job computes."""

    avatarization = "avatarization"


class JobStatus(str, Enum):
    """Where a job stands; ``success`` and ``failure`` are final."""

    pending = "pending"
    started = "started"
    success = "success"
    failure = "failure"
    unknown = "unknown"

    @property
    def is_over(self) -> bool:
        """True where nothing more will happen to the job."""
        return self not in (JobStatus.pending, JobStatus.started)


class ImputeMethod(str, Enum):
    """How missing cells are filled in before the method runs."""

    knn = "knn"
    mode = "mode"
    median = "median"
    mean = "mean"
    fast_knn = "fast_knn"


class ImputationParameters(Request):
    """How missing cells are filled in; they are emptied again in the avatars."""

    method: ImputeMethod | None = None
    k: int | None = Field(default=None, ge=1)
    """Neighbours of the knn methods (5 by default)."""
    training_fraction: float | None = Field(default=None, gt=0, le=1)
    """Share of the rows that the knn methods learn from (1 by default)."""


class AvatarizationParameters(Request):
    """The parameters of one avatarization."""

    k: int = Field(ge=2)
    """Neighbours that each avatar is drawn from."""
    dataset_id: UUID
    column_weights: dict[str, float] | None = None
    """Weight of each column in the neighbour search (1 by default)."""
    ncp: int | None = Field(default=None, ge=1)
    """Components of the projection that neighbours are searched in (5 by default)."""
    imputation: ImputationParameters | None = None
    seed: int | None = Field(default=None, ge=-(2**63), lt=2**64)
    """Makes a run reproducible; fresh entropy by default."""
    to_categorical_threshold: int | None = Field(default=None, ge=1)
    """Numeric columns with at most this many distinct values are treated as categories."""


class AvatarizationJobCreate(Request):
    """Asks for one avatarization."""

    parameters: AvatarizationParameters
    kind: JobKind = JobKind.avatarization


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


class AvatarizationJob(Response):
    """One avatarization on the platform."""

    id: UUID
    kind: JobKind = JobKind.avatarization
    created_at: datetime
    status: JobStatus
    error_message: str | None = None
    traceback: str | None = None
    """Always null; kept for old clients."""
    result: AvatarizationResult | None = None
    parameters: AvatarizationParameters
    current_progress: JobProgress | None = None
