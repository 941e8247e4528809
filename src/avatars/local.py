"""Avatars in this process, without a server."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd
import pyarrow as pa

from avatars._bar import Update, progress_bar
from avatars.engine.columns import Kind, detect
from avatars.engine.errors import InvalidParameter
from avatars.engine.frames import FrameManifest, to_arrow, to_frame
from avatars.engine.parameters import Imputation, Method, Parameters, one_of
from avatars.engine.progress import completion
from avatars.engine.run import Avatarization, run
from avatars.evaluation import evaluate as judges
from avatars.evaluation.evaluate import Evaluation, PrivacyMetrics, SignalMetrics

if TYPE_CHECKING:
    from avatars.models import ImputationParameters

ColumnKind = Literal["int", "float", "bool", "category", "datetime"]


@dataclass(frozen=True, eq=False)
class Anonymized:
    """What ``anonymize`` returns.

    Attributes
    ----------
    avatars
        As many rows, the same columns and dtypes, in an order that carries no trace of the originals.
    sensitive_unshuffled_avatars
        SENSITIVE: row i is the avatar of row i of the originals. It is not for sharing.
    privacy_metrics, signal_metrics
        How well people are protected, and how well their statistics are kept.
    seed
        The seed that was used; with it, the same call gives the same avatars. Keep it to yourself.
    """

    avatars: pd.DataFrame
    sensitive_unshuffled_avatars: pd.DataFrame
    privacy_metrics: PrivacyMetrics
    signal_metrics: SignalMetrics
    seed: int


def anonymize(
    df: pd.DataFrame,
    k: int,
    *,
    seed: int | None = None,
    ncp: int | None = None,
    column_weights: Mapping[Hashable, float] | None = None,
    imputation: Mapping[str, Any] | ImputationParameters | None = None,
    method: Method = "avatar",
    types: Mapping[Hashable, ColumnKind] | None = None,
    to_categorical_threshold: int | None = None,
    progress: bool = True,
) -> Anonymized:
    """Turn a sensitive table about people into avatars, in this process.

    Parameters
    ----------
    df
        One row a person. It is not changed; its index is neither used nor kept.
    k
        Neighbours that each avatar is drawn from: 2 or more, and fewer than the rows.
    seed
        Makes the run reproducible: same table, parameters and seed, same avatars. Fresh entropy if left out.
    ncp
        Components in which neighbours are searched; 5, or as many as the table has.
    column_weights
        By column, 1 where not given: squared distances in the column are multiplied by it; 0 leaves the column out of
        the search.
    imputation
        How missing cells are filled in before they are emptied again, such as ``{"method": "knn", "k": 5}``;
        ``fast_knn`` if left out.
    method
        ``"avatar"``: the published draw.
    types
        Kinds that override detection, by column: ``{"centre": "category"}``.
    to_categorical_threshold
        Numeric columns with at most this many distinct values are treated as categories.
    progress
        False silences the progress bar, which is shown on terminals only.

    Raises
    ------
    avatars.engine.errors.EngineError
        A ``ValueError`` whose text names the column and the way out.

    Notes
    -----
    Cost: O(n log n) time; about four times the table's memory.
    """
    table, manifest = to_arrow(df)
    parameters = Parameters(
        k=k,
        ncp=ncp,
        seed=seed,
        column_weights=_by_name(column_weights, manifest),
        imputation=_imputation(imputation),
        method=method,
    )
    made, metrics = anonymize_table(
        table,
        parameters,
        types=_kinds(_by_name(types, manifest)),
        to_categorical_threshold=to_categorical_threshold,
        progress=progress,
    )
    assert made.parameters.seed is not None
    return Anonymized(
        to_frame(made.avatars, manifest),
        to_frame(made.sensitive_unshuffled_avatars, manifest),
        metrics.privacy_metrics,
        metrics.signal_metrics,
        made.parameters.seed,
    )


def evaluate(
    original: pd.DataFrame,
    unshuffled_avatars: pd.DataFrame,
    *,
    ncp: int | None = None,
    column_weights: Mapping[Hashable, float] | None = None,
    imputation: Mapping[str, Any] | ImputationParameters | None = None,
    types: Mapping[Hashable, ColumnKind] | None = None,
    to_categorical_threshold: int | None = None,
    progress: bool = True,
) -> Evaluation:
    """Return the metrics of any originals and avatars whose row i belongs together, made here or anywhere.

    Raises ``avatars.engine.errors.EngineError`` where the two do not fit. Cost: O(n log n) time.
    """
    table, manifest = to_arrow(original)
    avatars, _ = to_arrow(unshuffled_avatars)
    parameters = Parameters(
        k=2, ncp=ncp, column_weights=_by_name(column_weights, manifest), imputation=_imputation(imputation)
    )
    with progress_bar("reading the table", shown=progress) as update:
        return judges.evaluate(
            table,
            avatars,
            parameters,
            types=_kinds(_by_name(types, manifest)),
            to_categorical_threshold=to_categorical_threshold,
            progress=BarProgress(update),
        )


def schema(
    df: pd.DataFrame,
    *,
    types: Mapping[Hashable, ColumnKind] | None = None,
    to_categorical_threshold: int | None = None,
) -> pd.DataFrame:
    """Return what ``anonymize`` would take each column of a table for, and why; no cell is shown.

    One row a column of ``df``, in its order: ``column`` (the label), ``type`` (int, float, bool, category or datetime),
    ``why`` (a few words), ``missing`` (number of missing cells) and ``levels`` (number of distinct values of categories
    and bools, ``<NA>`` for numbers and datetimes). ``types`` and ``to_categorical_threshold``: as for ``anonymize``.

    Raises ``avatars.engine.errors.EngineError`` where ``anonymize`` would refuse the table or the types. Cost: a few
    passes over the table.
    """
    table, manifest = to_arrow(df)
    columns = detect(table, _kinds(_by_name(types, manifest)), to_categorical_threshold)
    levels = [None if column.levels is None else len(column.levels) for column in columns]
    return pd.DataFrame(
        {
            "column": manifest.labels.to_flat_index(),
            "type": [column.kind.value for column in columns],
            "why": [column.why for column in columns],
            "missing": [column.missing for column in columns],
            "levels": pd.array(levels, dtype="Int64"),
        }
    )


def anonymize_table(
    table: pa.Table,
    parameters: Parameters,
    *,
    types: Mapping[str, Kind] | None = None,
    to_categorical_threshold: int | None = None,
    progress: bool = True,
) -> tuple[Avatarization, Evaluation]:
    """Run the engine on an Arrow table and judge what came out, under a progress bar."""
    with progress_bar("reading the table", shown=progress) as update:
        bar = BarProgress(update)
        made = run(table, parameters, types=types, to_categorical_threshold=to_categorical_threshold, progress=bar)
        metrics = judges.evaluate_run(made, progress=bar)
        update("done", 1.0)
    return made, metrics


class BarProgress:
    """The engine's progress as one bar."""

    def __init__(self, update: Update) -> None:
        self._update = update

    def report(self, step: str, done: float, total: float) -> None:
        """Move the bar."""
        self._update(step, completion(step, done, total))

    def should_stop(self) -> bool:
        """Never: Ctrl-C ends a run in this process."""
        return False


def _by_name(given: Mapping[Hashable, Any] | None, manifest: FrameManifest) -> dict[str, Any]:
    return {manifest.name_of(label): value for label, value in (given or {}).items()}


def _kinds(types: Mapping[str, str]) -> dict[str, Kind]:
    for kind in types.values():
        one_of("type of a column", kind, [kind.value for kind in Kind])
    return {name: Kind(kind) for name, kind in types.items()}


def _imputation(given: Mapping[str, Any] | ImputationParameters | None) -> Imputation:
    if given is None:
        return Imputation()
    said = dict(given) if isinstance(given, Mapping) else given.model_dump(mode="json")
    unknown = set(said) - {"method", "k", "training_fraction"}
    if unknown:
        raise InvalidParameter(
            f"imputation has no parameter {sorted(unknown)[0]!r}: it knows method, k and training_fraction.",
            code="unknown_parameter",
        )
    return Imputation(**{name: value for name, value in said.items() if value is not None})
