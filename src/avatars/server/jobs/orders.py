"""What is handed to a worker for a job, and what it hands back. No database here: a worker gets all that it needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from avatars.server.datasets.description import ColumnDescription
from avatars.server.datasets.models import DatasetKind
from avatars.server.datasets.normal_form import Written
from avatars.server.jobs.models import JobKind
from avatars.server.storage import Storage


@dataclass(frozen=True)
class Outputs:
    """The ids of the datasets that an attempt may make; they are its own, so attempts never write over each other."""

    avatars: UUID
    sensitive_unshuffled_avatars: UUID

    @property
    def ids(self) -> tuple[UUID, UUID]:
        """Both."""
        return self.avatars, self.sensitive_unshuffled_avatars


@dataclass(frozen=True)
class Order:
    """One attempt at one job."""

    job_id: UUID
    attempt: int
    kind: JobKind
    dataset_id: UUID
    compared_dataset_id: UUID | None
    parameters: dict[str, Any]
    """As the wire model of this kind has them."""
    columns: list[ColumnDescription]
    outputs: Outputs


@dataclass(frozen=True)
class Done:
    """What an attempt gives; tables are in the storage, under the ids of the order's outputs."""

    datasets: dict[DatasetKind, Written] = field(default_factory=dict)
    privacy_metrics: dict[str, Any] | None = None
    signal_metrics: dict[str, Any] | None = None
    details: dict[str, Any] | None = None
    summary: dict[str, Any] | None = None
    """Of an analysis, for its dataset."""
    seconds: float = 0.0
    """Of work."""


def perform(storage: Storage, order: Order) -> Done:
    """Carry out an order, in a worker; the platform, which only hands it on, never loads what that takes."""
    from avatars.server.jobs import tasks

    return tasks.perform(storage, order)
