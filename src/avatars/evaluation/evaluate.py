"""All metrics of one table and its avatars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from avatars.engine import missing
from avatars.engine.batches import single_threaded_blas
from avatars.engine.columns import Column, Encoded, Kind, detect, encode
from avatars.engine.errors import InvalidParameter
from avatars.engine.excluded import as_they_are, without
from avatars.engine.features import Features
from avatars.engine.parameters import Parameters, excluded_columns
from avatars.engine.progress import Part, Progress, Silent
from avatars.engine.projection import Projection
from avatars.engine.run import Avatarization, fit_projection
from avatars.engine.spots import Spots
from avatars.engine.workspace import IN_MEMORY, Workspace
from avatars.evaluation import catalogue
from avatars.evaluation.alignment import aligned, check_rows
from avatars.evaluation.metric import Metric
from avatars.evaluation.pair import Pair, Side
from avatars.evaluation.plausibility import remarks
from avatars.evaluation.privacy.link import STEP
from avatars.evaluation.privacy.measure import measure_privacy
from avatars.evaluation.request import Request
from avatars.evaluation.utility.measure import measure_utility

PRIVACY_TARGETS = {name: metric.target for name, metric in catalogue.PRIVACY.items() if metric.target is not None}
SIGNAL_TARGETS = {name: metric.target for name, metric in catalogue.UTILITY.items() if metric.target is not None}


@dataclass(frozen=True)
class PrivacyMetrics:
    """The values of the privacy metrics; see ``evaluation.privacy`` for each one's definition.

    Finite numbers, always; None where a metric was not computed: ``Evaluation`` says why.
    """

    hidden_rate: float
    local_cloaking: float
    distance_to_closest: float
    closest_distances_ratio: float
    closest_rate: float | None = None
    column_direct_match_protection: float | None = None
    row_direct_match_protection: float | None = None
    categorical_hidden_rate: float | None = None
    correlation_protection_rate: float | None = None
    inference_continuous: float | None = None
    inference_categorical: float | None = None


@dataclass(frozen=True)
class SignalMetrics:
    """The values of the utility metrics; see ``evaluation.utility`` for each one's definition."""

    hellinger_mean: float
    hellinger_std: float
    correlation_difference_ratio: float | None
    univariate_accuracy: float | None = None
    bivariate_accuracy: float | None = None
    trivariate_accuracy: float | None = None
    association_difference: float | None = None
    discriminator_auc: float | None = None
    prediction_score: float | None = None


@dataclass(frozen=True)
class Evaluation:
    """What avatars are worth: privacy and utility.

    Attributes
    ----------
    metrics
        Every metric that there is, with its value or why it has none; ``evaluation["hidden_rate"]`` is one of them.
    remarks
        Sentences for people: what the figures themselves say against the comparison.
    sensitive_pair
        SENSITIVE: the tables themselves, for whoever goes on with them; it is not pickled along.
    """

    metrics: tuple[Metric, ...]
    remarks: tuple[str, ...] = ()
    sensitive_pair: Pair | None = field(default=None, repr=False, compare=False)

    def __getstate__(self) -> dict[str, object]:
        """Leave the tables behind."""
        return {**self.__dict__, "sensitive_pair": None}

    def __getitem__(self, name: str) -> Metric:
        """Return a metric by name; raises ``KeyError``."""
        return {metric.name: metric for metric in self.metrics}[name]

    @property
    def privacy_metrics(self) -> PrivacyMetrics:
        """The values of the privacy metrics.

        Raises ``InvalidParameter`` for shuffled avatars, of which two of the four that are always there cannot be
        known: read the others by name.
        """
        values = {name: self[name].value for name in catalogue.PRIVACY}
        if values["hidden_rate"] is None:
            raise InvalidParameter(
                "Of shuffled avatars hidden_rate and local_cloaking cannot be known: read the other metrics by name, "
                "such as evaluation['closest_rate'].value.",
                code="avatars_are_shuffled",
            )
        return PrivacyMetrics(**values)  # type: ignore[arg-type]  # the first four are there now

    @property
    def signal_metrics(self) -> SignalMetrics:
        """The values of the utility metrics."""
        return SignalMetrics(**{name: self[name].value for name in catalogue.UTILITY})  # type: ignore[arg-type]  # likewise


def evaluate_run(
    run: Avatarization, *, progress: Progress | None = None, workspace: Workspace = IN_MEMORY
) -> Evaluation:
    """Return the metrics of a run, in the projection of the originals: those that cost little beside the run.

    Distances are those of the columns that were modelled; cells are compared, and statistics taken, over all columns.
    Cost: O(n log n).
    """
    progress = progress or Silent()
    with single_threaded_blas():
        space, records = run.projection, run.spots
        if len(run.imputer.incomplete):
            # Metrics look at cells, not at indicators of missing ones: with such, the search's own space will not do.
            space = fit_projection(run.complete, run.parameters, Silent())
            records = _spots(run.complete, space, progress, workspace)
        unshuffled = run.modelled(run.sensitive_unshuffled)
        avatars = _side(run.sensitive_unshuffled, unshuffled, run.imputer, space, progress, workspace)
        pair = Pair(Side(run.original, run.complete, records), avatars, None, linked=True, space=space)
        return _judge(pair, Request(), progress)


def evaluate(
    original: pa.Table,
    avatars: pa.Table,
    parameters: Parameters,
    *,
    types: Mapping[str, Kind] | None = None,
    to_categorical_threshold: int | None = None,
    held_out: pa.Table | None = None,
    request: Request | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Return the metrics of any pair of tables, in the projection of the originals.

    Parameters
    ----------
    original, avatars
        Row i of both belongs together, unless the ``request`` says that the avatars are shuffled.
    parameters
        ``ncp``, ``column_weights``, ``imputation``, ``use_categorical_reduction`` and what is excluded count.
    held_out
        People like those of the originals, none of whom is among them: what metrics are read beside.
    request
        What is asked beyond that; by default the metrics of ``evaluate_run``.

    Raises
    ------
    InvalidTable
        The tables do not fit (``different_columns``, ``different_rows``, ``different_types``, ``empty_table``).
    InvalidParameter
        The request names columns that there are not, or thresholds that cannot be.

    Notes
    -----
    Cost: O(n log n) time; O(n) more for each pair and triple of columns when the request is thorough.
    """
    progress, request = progress or Silent(), request or Request()
    with single_threaded_blas():
        pair = compare(
            original,
            avatars,
            parameters,
            types=types,
            to_categorical_threshold=to_categorical_threshold,
            held_out=held_out,
            request=request,
            progress=progress,
        )
        return _judge(pair, request, progress, look_for_doubts=True)


def compare(
    original: pa.Table,
    avatars: pa.Table,
    parameters: Parameters,
    *,
    types: Mapping[str, Kind] | None = None,
    to_categorical_threshold: int | None = None,
    held_out: pa.Table | None = None,
    request: Request | None = None,
    progress: Progress | None = None,
) -> Pair:
    """Make two tables ready to be compared; the arguments and what is raised are those of ``evaluate``."""
    progress, request = progress or Silent(), request or Request()
    others = [("avatars", avatars)] if held_out is None else [("avatars", avatars), ("held-out people", held_out)]
    tables = aligned(original, others)
    if not request.shuffled:
        check_rows(*tables[:2])
    # Levels that only the avatars have are levels too: of share 0 in the originals.
    everybody = pa.concat_tables(tables).unify_dictionaries()
    columns: Sequence[Column] = detect(everybody, types, to_categorical_threshold)
    request.check(columns)
    excluded = excluded_columns(parameters, columns)
    columns = as_they_are(everybody, columns, excluded)
    encoded = [encode(table, columns) for table in tables]
    modelled = [without(each, excluded) for each in encoded]
    imputer = missing.fit(modelled[0], parameters.imputation, parameters.seed or 0, progress)
    complete = imputer.fill(modelled[0], progress)
    space = fit_projection(complete, parameters, progress)
    records = Side(encoded[0], complete, _spots(complete, space, progress))
    sides = [_side(*tables, imputer, space, progress) for tables in zip(encoded[1:], modelled[1:], strict=True)]
    return Pair(records, sides[0], sides[1] if held_out is not None else None, not request.shuffled, space)


def _side(
    cells: Encoded,
    modelled: Encoded,
    imputer: missing.Imputer,
    space: Projection,
    progress: Progress,
    workspace: Workspace = IN_MEMORY,
) -> Side:
    complete = imputer.fill(modelled, Silent(), workspace=workspace)
    return Side(cells, complete, _spots(complete, space, progress, workspace))


def _spots(complete: Features, space: Projection, progress: Progress, workspace: Workspace = IN_MEMORY) -> Spots:
    places = space.transform(complete, Silent(), workspace=workspace)
    return Spots.of(places, workspace, Part(progress, 0, 0), STEP)


def _judge(pair: Pair, request: Request, progress: Progress, *, look_for_doubts: bool = False) -> Evaluation:
    privacy = measure_privacy(pair, request, progress) if request.privacy else []
    utility = measure_utility(pair, request, progress) if request.utility else []
    return Evaluation((*privacy, *utility), tuple(remarks(pair)) if look_for_doubts else (), pair)
