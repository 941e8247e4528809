"""All utility metrics of a pair, each beside what fresh people reach where that was asked for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Generic

import numpy as np

from avatars.engine.columns import Encoded
from avatars.engine.features import Features
from avatars.engine.progress import Progress, advance
from avatars.evaluation.metric import Metric, not_computed
from avatars.evaluation.pair import Pair, Side
from avatars.evaluation.request import Request
from avatars.evaluation.rows import cells
from avatars.evaluation.utility.accuracy import accuracies, combinations, drawn_note
from avatars.evaluation.utility.association import association_differences
from avatars.evaluation.utility.bins import Bins
from avatars.evaluation.utility.ceiling import Ceiling, Measure, T, mean
from avatars.evaluation.utility.correlation import correlation_differences
from avatars.evaluation.utility.discriminator import discriminator_auc
from avatars.evaluation.utility.hellinger import hellinger_by_column
from avatars.evaluation.utility.prediction import prediction_score
from avatars.evaluation.wording import said

STEP = "measuring utility"
ACCURACIES = ("univariate_accuracy", "bivariate_accuracy", "trivariate_accuracy")
THOROUGH = (*ACCURACIES, "association_difference", "discriminator_auc", "prediction_score")
"""Metrics that cost more than the others."""
_NOT_ASKED = said("not asked for, since this takes longer: avatars.evaluate computes it, with thorough=True")
_LARGE_IS_GOOD = {*ACCURACIES, "prediction_score"}


@dataclass(frozen=True)
class Tables(Generic[T]):
    """Originals, avatars and people who were held out, in one of the forms that measures take."""

    original: T
    avatars: T
    held_out: T | None


def measure_utility(pair: Pair, request: Request, progress: Progress) -> list[Metric]:
    """Return all utility metrics, in the catalogue's order; those that cost much where the request is thorough.

    Cost: O(n log n) time a column; when thorough, O(n) a pair and a triple of columns, and some regressions.
    """
    tables = Tables(pair.original.cells, pair.avatars.cells, pair.held_out.cells if pair.held_out is not None else None)
    ceiling = None
    if request.thorough:
        held_out = None if pair.held_out is None else len(pair.held_out)
        ceiling = Ceiling.among(len(pair.original), len(pair.avatars), held_out)
    hellinger = _metric("hellinger_mean", hellinger_by_column, tables, ceiling, said("the table has no column"))
    metrics = [
        hellinger,
        Metric("hellinger_std", float(np.std(list(hellinger.parts.values())))),
        _metric(
            "correlation_difference_ratio",
            correlation_differences,
            tables,
            ceiling,
            said("the table has fewer than two numeric columns"),
        ),
    ]
    advance(progress, STEP, 1, 1)
    if ceiling is None:
        return [*metrics, *(not_computed(name, _NOT_ASKED) for name in THOROUGH)]
    return [*metrics, *_thorough(pair, request, tables, ceiling, progress)]


def _thorough(
    pair: Pair, request: Request, tables: Tables[Encoded], ceiling: Ceiling, progress: Progress
) -> list[Metric]:
    bins = Bins.of(tables.original)
    binned = Tables(
        bins.bin(tables.original),
        bins.bin(tables.avatars),
        None if tables.held_out is None else bins.bin(tables.held_out),
    )
    metrics = []
    for together, name in enumerate(ACCURACIES, start=1):
        metrics.append(_accuracy(name, together, binned, ceiling))
        advance(progress, STEP, 1, 1)
    metrics.append(
        _metric(
            "association_difference",
            association_differences,
            tables,
            ceiling,
            said("the table has fewer than two columns"),
        )
    )
    advance(progress, STEP, 1, 1)
    too_few = said("there are too few rows to learn from and to judge")
    metrics.append(_metric("discriminator_auc", discriminator_auc, _with_points(pair, binned), ceiling, too_few))
    advance(progress, STEP, 1, 1)
    if request.target is None:
        metrics.append(not_computed("prediction_score", said("say which column is to be predicted: target")))
    elif len(bins.names) < 2:
        metrics.append(not_computed("prediction_score", said("the table has only one column")))
    else:
        to_learn = _with_target(tables, binned, request.target)
        constant = said("the target is missing, or the same for all people")
        metrics.append(_metric("prediction_score", prediction_score, to_learn, ceiling, constant))
    advance(progress, STEP, 1, 1)
    return metrics


def _metric(name: str, measure: Measure[T], tables: Tables[T], ceiling: Ceiling | None, nothing: str) -> Metric:
    """Return the mean of a measure's figures as a metric; ``nothing`` is why there are none."""
    figures = measure(tables.original, tables.avatars)
    if not figures:
        return not_computed(name, nothing)
    baseline = None if ceiling is None else ceiling.of(measure, tables.original, tables.avatars, tables.held_out)
    worst_first = sorted(figures.items(), key=lambda figure: figure[1], reverse=name not in _LARGE_IS_GOOD)
    return Metric(name, mean(figures), baseline=baseline, parts={names: value for names, value in worst_first if names})


def _accuracy(name: str, together: int, binned: Tables[Features], ceiling: Ceiling) -> Metric:
    wanted = combinations(len(binned.original.names), together)

    def measure(original: Features, avatars: Features) -> dict[tuple[str, ...], float]:
        return accuracies(original, avatars, wanted)

    too_few = said("the table has fewer than {together} columns", together=together)
    metric = _metric(name, measure, binned, ceiling, too_few)
    return replace(metric, note=drawn_note(list(metric.parts.values()), len(binned.original.names), together))


def _with_points(pair: Pair, binned: Tables[Features]) -> Tables[Features]:
    """Return the bins with the rows' coordinates in the originals' projection for numbers."""

    def placed(side: Side, bins: Features) -> Features:
        return replace(bins, numeric=side.spots.places[side.spots.spot_of])

    held_out = None if pair.held_out is None or binned.held_out is None else placed(pair.held_out, binned.held_out)
    return Tables(placed(pair.original, binned.original), placed(pair.avatars, binned.avatars), held_out)


def _with_target(tables: Tables[Encoded], binned: Tables[Features], target: str) -> Tables[Features]:
    """Return the bins of the other columns, with the target as the only number or as the last code."""
    place = binned.original.names.index(target)
    others = [column for column in range(len(binned.original.names)) if column != place]
    is_number = place < tables.original.numeric.shape[1]
    kept = others if is_number else [*others, place]

    def chosen(table: Encoded, bins: Features) -> Features:
        return Features(
            cells(table, target).astype(np.float64)[:, None] if is_number else np.empty((len(bins), 0)),
            bins.codes[:, kept],
            tuple(bins.sizes[column] for column in kept),
            tuple(bins.names[column] for column in kept),
        )

    held_out = None
    if tables.held_out is not None and binned.held_out is not None:
        held_out = chosen(tables.held_out, binned.held_out)
    return Tables(chosen(tables.original, binned.original), chosen(tables.avatars, binned.avatars), held_out)
