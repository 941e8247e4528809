"""What workers do for a job: a table in, avatars and metrics out. No database here: a worker gets all that it needs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from avatars.engine.columns import Kind
from avatars.engine.parameters import Imputation, Parameters
from avatars.engine.progress import completion
from avatars.engine.run import run
from avatars.evaluation.evaluate import evaluate_run
from avatars.models import AvatarizationParameters, ImputationParameters, ImputeMethod
from avatars.server.datasets import normal_form
from avatars.server.datasets.description import ColumnDescription
from avatars.server.datasets.normal_form import Written
from avatars.server.jobs.guard import messenger
from avatars.server.storage import Storage

MESSAGE_SECONDS = 0.2
"""A job speaks of its progress at most this often."""


@dataclass(frozen=True)
class Outputs:
    """The ids of the datasets that an attempt makes; they are its own, so attempts never write over each other."""

    avatars: UUID
    sensitive_unshuffled_avatars: UUID

    @property
    def ids(self) -> tuple[UUID, UUID]:
        """Both."""
        return self.avatars, self.sensitive_unshuffled_avatars


@dataclass(frozen=True)
class Order:
    """One attempt at one avatarization."""

    job_id: UUID
    attempt: int
    dataset_id: UUID
    parameters: dict[str, Any]
    """As the wire model has them."""
    columns: list[ColumnDescription]
    outputs: Outputs


@dataclass(frozen=True)
class Avatarized:
    """What an attempt gives; the tables are in the storage."""

    avatars: Written
    sensitive_unshuffled_avatars: Written
    privacy_metrics: dict[str, Any]
    signal_metrics: dict[str, Any]


def avatarize(storage: Storage, order: Order) -> Avatarized:
    """Make avatars of a dataset and measure them; raises the engine's errors."""
    progress = JobProgress(order.job_id, order.attempt, messenger())
    wire = AvatarizationParameters.model_validate(order.parameters)
    source = normal_form.read(storage, order.dataset_id)
    made = run(
        source.table,
        engine_parameters(wire),
        types=declared_types(order.columns),
        to_categorical_threshold=wire.to_categorical_threshold,
        progress=progress,
    )
    metrics = evaluate_run(made, progress=progress)
    ids = order.outputs
    return Avatarized(
        avatars=normal_form.write_like(storage, ids.avatars, made.avatars, source.format, order.columns),
        sensitive_unshuffled_avatars=normal_form.write_like(
            storage,
            ids.sensitive_unshuffled_avatars,
            made.sensitive_unshuffled_avatars,
            source.format,
            order.columns,
        ),
        privacy_metrics=asdict(metrics.privacy_metrics),
        signal_metrics=asdict(metrics.signal_metrics),
    )


def engine_parameters(wire: AvatarizationParameters) -> Parameters:
    """Translate from the wire; what is not said there keeps the engine's default."""
    said = {
        "ncp": wire.ncp,
        "seed": wire.seed,
        "column_weights": wire.column_weights,
        "imputation": None if wire.imputation is None else _imputation(wire.imputation),
    }
    return Parameters(k=wire.k, **_given(said))


def _imputation(wire: ImputationParameters) -> Imputation:
    # The tutorial promises knn to whoever asks for an imputation without naming a method.
    method = wire.method or ImputeMethod.knn
    return Imputation(**_given({"method": method.value, "k": wire.k, "training_fraction": wire.training_fraction}))


def _given(said: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in said.items() if value is not None}


def declared_types(columns: list[ColumnDescription]) -> dict[str, Kind]:
    """Give the kinds that the user has changed.

    Clients declare every column of a data frame. Where they say what the engine finds by itself, it is no wish: a
    job's ``to_categorical_threshold`` still applies to that column.
    """
    return {column["label"]: Kind(column["type"]) for column in columns if column["type"] != column["detected"]}


class JobProgress:
    """The engine's progress of one attempt, as messages: never falling, a few a second at most."""

    def __init__(self, job_id: UUID, attempt: int, send: Callable[[dict[str, Any]], None]) -> None:
        self._attempt = {"job": str(job_id), "attempt": attempt}
        self._send = send
        self._lock = threading.Lock()
        self._step = ""
        self._completion = 0.0
        self._next = 0.0

    def report(self, step: str, done: float, total: float) -> None:
        """Tell the platform, unless it was told a moment ago and the step is still the same."""
        with self._lock:
            self._completion = max(self._completion, completion(step, done, total))
            now = time.monotonic()
            if step == self._step and now < self._next:
                return
            self._step, self._next = step, now + MESSAGE_SECONDS
            self._send({**self._attempt, "step": step, "completion": self._completion})

    def should_stop(self) -> bool:
        """Never: jobs run to their end."""
        return False
