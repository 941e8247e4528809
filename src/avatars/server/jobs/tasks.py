"""What workers do for jobs, one function a kind: tables in, avatars or what is known of a table out."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from avatars.engine.progress import Progress
from avatars.engine.run import run
from avatars.evaluation import assess as gatekeepers
from avatars.evaluation.evaluate import evaluate_run
from avatars.models import AvatarizationParameters
from avatars.server.datasets import analysis, normal_form
from avatars.server.datasets.description import declared_types
from avatars.server.datasets.models import DatasetKind
from avatars.server.jobs import comparison, components
from avatars.server.jobs.guard import messenger, stopper
from avatars.server.jobs.measured import keep_assessment, keep_privacy, keep_signal
from avatars.server.jobs.models import JobKind
from avatars.server.jobs.orders import Done, Order
from avatars.server.jobs.parameters import engine_parameters, metrics_parameters
from avatars.server.jobs.progress import JobProgress
from avatars.server.reports import writing
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
        privacy_metrics=keep_privacy(metrics),
        signal_metrics=keep_signal(metrics),
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


def report(storage: Storage, order: Order, progress: Progress) -> Done:
    """Write the report about originals and avatars."""
    said = order.parameters
    run = said["run"]
    if run is None:
        parameters, threshold = metrics_parameters(said["space"]), None
    else:
        wire = AvatarizationParameters.model_validate(run)
        parameters, threshold = engine_parameters(wire), wire.to_categorical_threshold
    return writing.write(storage, order, parameters, declared_types(order.columns), threshold, progress)


def assess(storage: Storage, order: Order, progress: Progress) -> Done:
    """Attack avatars of one half of a dataset, made as another job made those of the whole."""
    said = order.parameters
    wire = AvatarizationParameters.model_validate(said["run"])
    assessment = gatekeepers.assess(
        normal_form.read(storage, order.dataset_id).table,
        engine_parameters(wire),
        said["thoroughness"],
        types=declared_types(order.columns),
        to_categorical_threshold=wire.to_categorical_threshold,
        split_seed=said["split_seed"],
        progress=progress,
    )
    return Done(details={"assessment": keep_assessment(assessment)})


_TASKS: dict[JobKind, Callable[[Storage, Order, Progress], Done]] = {
    JobKind.AVATARIZATION: avatarize,
    JobKind.PRIVACY_METRICS: compare,
    JobKind.SIGNAL_METRICS: compare,
    JobKind.ANALYSIS: analyse,
    JobKind.REPORT: report,
    JobKind.ASSESSMENT: assess,
}
