"""All metrics of one table and its avatars."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from avatars.engine import missing
from avatars.engine.batches import single_threaded_blas
from avatars.engine.columns import Encoded, Kind, detect, encode
from avatars.engine.errors import InvalidTable
from avatars.engine.features import Features
from avatars.engine.neighbors import Spots
from avatars.engine.parameters import Parameters
from avatars.engine.progress import Progress, Silent, advance
from avatars.engine.projection import Projection
from avatars.engine.run import Avatarization, fit_projection
from avatars.evaluation.privacy.closeness import measure_closeness
from avatars.evaluation.privacy.link import measure_link
from avatars.evaluation.utility.correlation import correlation_difference_ratio
from avatars.evaluation.utility.hellinger import hellinger_by_column


@dataclass(frozen=True)
class PrivacyMetrics:
    """See ``evaluation.privacy`` for each one's definition; finite numbers, always."""

    hidden_rate: float
    local_cloaking: float
    distance_to_closest: float
    closest_distances_ratio: float


@dataclass(frozen=True)
class SignalMetrics:
    """See ``evaluation.utility`` for each one's definition."""

    hellinger_mean: float
    hellinger_std: float
    correlation_difference_ratio: float | None


PRIVACY_TARGETS = {
    "hidden_rate": "> 90",
    "local_cloaking": "> 5",
    "distance_to_closest": "> 0.2",
    "closest_distances_ratio": "> 0.3",
}
SIGNAL_TARGETS = {"hellinger_mean": "< 0.1", "correlation_difference_ratio": "< 10"}


@dataclass(frozen=True)
class Evaluation:
    """What avatars are worth: privacy and utility."""

    privacy_metrics: PrivacyMetrics
    signal_metrics: SignalMetrics


def evaluate_run(run: Avatarization, *, progress: Progress | None = None) -> Evaluation:
    """Return the metrics of a run, in the projection of the originals. Cost: O(n log n)."""
    progress = progress or Silent()
    with single_threaded_blas():
        # Metrics look at cells, not at indicators of missing ones: with such, the search's own space will not do.
        space = (
            fit_projection(run.complete, run.parameters, progress) if len(run.imputer.incomplete) else run.projection
        )
        return _judge(run.original, run.sensitive_unshuffled, run.complete, run.imputer, space, progress)


def evaluate(
    original: pa.Table,
    sensitive_unshuffled_avatars: pa.Table,
    parameters: Parameters,
    *,
    types: Mapping[str, Kind] | None = None,
    to_categorical_threshold: int | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Return the metrics of any pair of tables whose row i belongs together, in the projection of the originals.

    Of ``parameters``, ``ncp``, ``column_weights`` and ``imputation`` count. Raises ``InvalidTable`` where the two
    tables do not fit. Cost: O(n log n).
    """
    progress = progress or Silent()
    avatars = _aligned(original, sensitive_unshuffled_avatars)
    with single_threaded_blas():
        # Levels that only the avatars have are levels too: of share 0 in the originals.
        columns = detect(pa.concat_tables([original, avatars]).unify_dictionaries(), types, to_categorical_threshold)
        encoded = encode(original, columns)
        imputer = missing.fit(encoded, parameters.imputation, parameters.seed or 0, progress)
        complete = imputer.fill(encoded, progress)
        space = fit_projection(complete, parameters, progress)
        return _judge(encoded, encode(avatars, columns), complete, imputer, space, progress)


def _judge(
    original: Encoded,
    unshuffled: Encoded,
    complete: Features,
    imputer: missing.Imputer,
    space: Projection,
    progress: Progress,
) -> Evaluation:
    records = space.transform(complete, Silent())
    avatars = space.transform(imputer.fill(unshuffled, Silent()), Silent())
    avatar_spots, record_spots = Spots.of(avatars), Spots.of(records)
    link = measure_link(records, avatars, avatar_spots, progress)
    closeness = measure_closeness(record_spots, avatar_spots, progress)
    hellinger = np.array(list(hellinger_by_column(original, unshuffled).values()))
    difference = correlation_difference_ratio(original, unshuffled)
    advance(progress, "measuring utility", 1, 1)
    return Evaluation(
        PrivacyMetrics(
            link.hidden_rate, link.local_cloaking, closeness.distance_to_closest, closeness.closest_distances_ratio
        ),
        SignalMetrics(float(hellinger.mean()), float(hellinger.std()), difference),
    )


def _aligned(original: pa.Table, avatars: pa.Table) -> pa.Table:
    """Return the avatars with the originals' columns, order and types, or refuse."""
    lost = [name for name in original.column_names if name not in avatars.column_names]
    added = [name for name in avatars.column_names if name not in original.column_names]
    if lost or added:
        names = ", ".join(repr(name) for name in lost or added)
        raise InvalidTable(
            f"The avatars {'lack' if lost else 'have'} the column(s) {names}, unlike the originals: "
            "compare tables of the same columns.",
            code="different_columns",
            column=(lost or added)[0],
        )
    if original.num_rows != avatars.num_rows:
        raise InvalidTable(
            f"The originals have {original.num_rows} rows and the avatars {avatars.num_rows}: "
            "row i of one must belong to row i of the other.",
            code="different_rows",
        )
    columns = []
    for field in original.schema:
        try:
            columns.append(avatars[field.name].cast(field.type))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise InvalidTable(
                f"Column {field.name!r} is {field.type} in the originals and {avatars[field.name].type} "
                "in the avatars: give both the same type.",
                code="different_types",
                column=field.name,
            ) from error
    return pa.table(columns, schema=original.schema)
