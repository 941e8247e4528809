"""What workers do for jobs, one function a kind: tables in, avatars or what is known of a table out."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

from avatars.engine.parameters import ExcludeCategorical, ExcludeVariables, Imputation, Parameters
from avatars.engine.progress import Progress
from avatars.engine.run import run
from avatars.evaluation.evaluate import evaluate_run
from avatars.models import (
    AvatarizationParameters,
    ExcludeCategoricalParameters,
    ExcludeVariablesParameters,
    ImputationParameters,
    ImputeMethod,
)
from avatars.server.datasets import analysis, normal_form
from avatars.server.datasets.description import declared_types
from avatars.server.datasets.models import DatasetKind
from avatars.server.jobs import comparison, components
from avatars.server.jobs.guard import messenger, stopper
from avatars.server.jobs.models import JobKind
from avatars.server.jobs.orders import Done, Order
from avatars.server.jobs.progress import JobProgress
from avatars.server.storage import Storage


def perform(storage: Storage, order: Order) -> Done:
    """Carry out an order; raises the engine's errors, and ``Cancelled``."""
    started = time.monotonic()
    progress = JobProgress(order.job_id, order.attempt, messenger(), stopper())
    done = _TASKS[order.kind](storage, order, progress)
    return replace(done, seconds=time.monotonic() - started)


def avatarize(storage: Storage, order: Order, progress: Progress) -> Done:
    """Make avatars of a dataset and measure them."""
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
    ids, like = order.outputs, (source.format, order.columns)
    components.write_points(storage, ids.sensitive_unshuffled_avatars, made)
    return Done(
        datasets={
            DatasetKind.AVATARS: normal_form.write_like(storage, ids.avatars, made.avatars, *like),
            DatasetKind.SENSITIVE_UNSHUFFLED_AVATARS: normal_form.write_like(
                storage, ids.sensitive_unshuffled_avatars, made.sensitive_unshuffled_avatars, *like
            ),
        },
        privacy_metrics=asdict(metrics.privacy_metrics),
        signal_metrics=asdict(metrics.signal_metrics),
        details=components.describe(made),
    )


def compare(storage: Storage, order: Order, progress: Progress) -> Done:
    """Measure avatars, made anywhere, against originals."""
    return comparison.compare(
        storage, order, metrics_parameters(order.parameters), declared_types(order.columns), progress
    )


def analyse(storage: Storage, order: Order, progress: Progress) -> Done:
    """Say what is in the columns of a dataset."""
    table = normal_form.read(storage, order.dataset_id).table
    return Done(summary=analysis.summarise(table, declared_types(order.columns), progress))


_TASKS: dict[JobKind, Callable[[Storage, Order, Progress], Done]] = {
    JobKind.AVATARIZATION: avatarize,
    JobKind.PRIVACY_METRICS: compare,
    JobKind.SIGNAL_METRICS: compare,
    JobKind.ANALYSIS: analyse,
}


def engine_parameters(wire: AvatarizationParameters) -> Parameters:
    """Translate from the wire; what is not said there keeps the engine's default."""
    said = {
        "ncp": wire.ncp,
        "seed": wire.seed,
        "column_weights": wire.column_weights,
        "imputation": None if wire.imputation is None else _imputation(wire.imputation),
        "exclude_variables": None if wire.exclude_variables is None else _exclude_variables(wire.exclude_variables),
        "exclude_categorical": (
            None if wire.exclude_categorical is None else _exclude_categorical(wire.exclude_categorical)
        ),
        "use_categorical_reduction": wire.use_categorical_reduction,
        "return_data_imputed": wire.return_data_imputed,
    }
    return Parameters(k=wire.k, **_given(said))


def metrics_parameters(wire: dict[str, Any]) -> Parameters:
    """Translate the parameters of a metrics job; no neighbours are drawn from, so k is any."""
    said = {name: wire.get(name) for name in ("ncp", "seed")}
    imputation = wire.get("imputation")
    if imputation is not None:
        said["imputation"] = _imputation(ImputationParameters.model_validate(imputation))
    return Parameters(k=2, **_given(said))


def _imputation(wire: ImputationParameters) -> Imputation:
    # The tutorial promises knn to whoever asks for an imputation without naming a method.
    method = wire.method or ImputeMethod.knn
    return Imputation(**_given({"method": method.value, "k": wire.k, "training_fraction": wire.training_fraction}))


def _exclude_variables(wire: ExcludeVariablesParameters) -> ExcludeVariables:
    return ExcludeVariables(tuple(wire.variable_names), wire.replacement_strategy.value)


def _exclude_categorical(wire: ExcludeCategoricalParameters) -> ExcludeCategorical:
    said = {
        "exclude_cardinality_threshold": wire.exclude_cardinality_threshold,
        "exclude_replacement_strategy": wire.exclude_replacement_strategy.value,
        "rare_occurrence_threshold": wire.rare_occurence_threshold,
        "rare_replacement_strategy": wire.rare_replacement_strategy and wire.rare_replacement_strategy.value,
        "number_reference_records": wire.number_reference_records,
    }
    return ExcludeCategorical(**_given(said))


def _given(said: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in said.items() if value is not None}
