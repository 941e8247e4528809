"""One release, attacked and measured; the same of people who were in nobody's table."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from avatars.engine.parameters import Parameters
from avatars.evaluation import assess as gatekeepers
from avatars.evaluation.assessment import Assessment
from avatars.evaluation.evaluate import Evaluation, evaluate
from avatars.evaluation.request import Request
from avatars.evaluation.split import split
from evidence.cohorts import Cohort
from evidence.releases import Make, Way

ATTACKS = (
    "nearest_auc",
    "nearest_tpr",
    "density_auc",
    "isolated_auc",
    "shadow_auc",
    "shadow_tpr",
    "linkage_nearest",
    "linkage_regenerated",
    "inference_mean",
    "inference_worst",
    "singling_out",
    "copies",
)
UTILITY = (
    "hellinger_mean",
    "correlation_difference_ratio",
    "bivariate_accuracy",
    "trivariate_accuracy",
    "association_difference",
    "discriminator_auc",
    "prediction_score",
)


@dataclass(frozen=True)
class Row:
    """What came out for one way of making releases."""

    way: str
    assessment: Assessment
    evaluation: Evaluation


def measure(cohort: Cohort, way: Way, seed: int) -> Row:
    """Attack a release of one half of a cohort, the other half being the measure."""
    members, others = split(cohort.table, seed)
    return _row(cohort, way.name, members, others, way.make(members, seed), seed, way.make, linked=way.is_linked)


def fresh_people(cohort: Cohort, seed: int) -> Row:
    """Attack people who are in neither table, in the place of a release: what there is to find where nothing is."""
    half, others = split(cohort.table, seed)
    members, strangers = split(half, seed + 1)
    return _row(cohort, "fresh people", members, others, strangers, seed, None, linked=False)


def _row(
    cohort: Cohort,
    name: str,
    members: pa.Table,
    others: pa.Table,
    release: pa.Table,
    seed: int,
    make: Make | None,
    *,
    linked: bool,
) -> Row:
    threshold = cohort.to_categorical_threshold
    attacked = gatekeepers.attack(
        members, release, others, linked=linked, make=make, seed=seed, to_categorical_threshold=threshold
    )
    request = Request(target=cohort.target, shuffled=not linked, thorough=True, privacy=False)
    parameters = Parameters(k=2, seed=seed)
    judged = evaluate(
        members, release, parameters, to_categorical_threshold=threshold, held_out=others, request=request
    )
    return Row(name, attacked, judged)
