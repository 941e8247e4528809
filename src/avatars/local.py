"""Avatars in this process, without a server."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd
import pyarrow as pa

from avatars._bar import Update, progress_bar
from avatars._extras import missing_extra
from avatars.engine.columns import Kind, detect
from avatars.engine.errors import AvatarsWarning, EngineError, InvalidParameter
from avatars.engine.estimate import Estimate, estimate_run
from avatars.engine.files import check_disk, read_table, write_table
from avatars.engine.frames import FrameManifest, to_arrow, to_frame
from avatars.engine.machine import available_memory
from avatars.engine.parameters import ExcludeCategorical, ExcludeVariables, Imputation, Method, Parameters, one_of
from avatars.engine.progress import completion
from avatars.engine.run import Avatarization, run
from avatars.engine.workspace import Workspace
from avatars.evaluation import evaluate as judges
from avatars.evaluation.evaluate import Evaluation, PrivacyMetrics, SignalMetrics
from avatars.evaluation.request import Request

if TYPE_CHECKING:
    from _typeshed import DataclassInstance
    from pydantic import BaseModel

    from avatars.models import ExcludeCategoricalParameters, ExcludeVariablesParameters, ImputationParameters

ColumnKind = Literal["int", "float", "bool", "category", "datetime"]
# The rest is left to other programs, and to the estimate's own error.
_SHARE_OF_MEMORY = 0.7


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
    exclude_variables: Mapping[str, Any] | ExcludeVariablesParameters | None = None,
    exclude_categorical: Mapping[str, Any] | ExcludeCategoricalParameters | None = None,
    use_categorical_reduction: bool = False,
    return_data_imputed: bool = False,
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
    exclude_variables
        Columns that the method leaves alone, such as ``{"variable_names": ["ward"]}``. Avatars get original cells of
        theirs: those of a record like them (``"replacement_strategy": "coordinate_similarity"``, the default), or
        SENSITIVE those of their own record (``"row_order"``).
    exclude_categorical
        The same for all columns of many levels: ``{"exclude_cardinality_threshold": 50}``, with
        ``exclude_replacement_strategy`` as above; their levels of at most ``rare_occurrence_threshold`` records are
        replaced before, as ``rare_replacement_strategy`` says (``most_similar``, ``probabilistic``, ``missing``);
        ``number_reference_records`` bounds the records that ``most_similar`` looks at.
    use_categorical_reduction
        Project columns of more than 20 levels as 20 numbers each: quicker, and less swayed by rare levels.
    return_data_imputed
        Leave cells that were filled in as they are: the avatars have no missing cells.
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
        exclude_variables=_exclude_variables(exclude_variables, manifest),
        exclude_categorical=_exclude_categorical(exclude_categorical),
        use_categorical_reduction=use_categorical_reduction,
        return_data_imputed=return_data_imputed,
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
    holdout: pd.DataFrame | None = None,
    known_variables: Sequence[Hashable] = (),
    target: Hashable | None = None,
    closest_rate_percentage_threshold: float = 0.3,
    closest_rate_ratio_threshold: float = 0.3,
    categorical_hidden_rate_variables: Sequence[Hashable] = (),
    shuffled: bool = False,
    thorough: bool = True,
    ncp: int | None = None,
    column_weights: Mapping[Hashable, float] | None = None,
    imputation: Mapping[str, Any] | ImputationParameters | None = None,
    types: Mapping[Hashable, ColumnKind] | None = None,
    to_categorical_threshold: int | None = None,
    progress: bool = True,
) -> Evaluation:
    """Return every metric of originals and avatars, made here or anywhere: its value, or why it was not computed.

    Parameters
    ----------
    original, unshuffled_avatars
        Tables of the same columns. Row i of both belongs together, unless the avatars are ``shuffled`` after all.
    holdout
        People like those of the originals, none of whom is among them: figures are read beside theirs.
    known_variables
        Columns that an attacker is assumed to know of everyone.
    target
        The column that the attacker wants to know, and that a model learnt from the avatars is to predict.
    closest_rate_percentage_threshold, closest_rate_ratio_threshold
        An avatar is suspiciously close to one record if it is nearer than this percentile of the originals' own
        distances to each other, and this ratio nearer than to the second closest record.
    categorical_hidden_rate_variables
        The categorical columns to link by; all of them if left out.
    shuffled
        The avatars are in another order than the originals, as published ones are: metrics that need the link are not
        computed. The rows may be more or fewer then.
    thorough
        False leaves out the utility metrics that take longer than the rest.
    ncp, column_weights, imputation, types, to_categorical_threshold, progress
        As for ``anonymize``.

    Raises
    ------
    avatars.engine.errors.EngineError
        The tables do not fit, or a column or a threshold that was named cannot be.

    Warns
    -----
    avatars.engine.errors.AvatarsWarning
        The figures themselves say that these are not avatars of this table, or not in this order.

    Notes
    -----
    Cost: O(n log n) time; when thorough, O(n) more for each pair and triple of columns.
    """
    table, manifest = to_arrow(original)
    parameters = Parameters(
        k=2, ncp=ncp, column_weights=_by_name(column_weights, manifest), imputation=_imputation(imputation)
    )
    request = Request(
        known_variables=_names("known_variables", known_variables, manifest),
        target=None if target is None else manifest.name_of(target),
        closest_rate_percentage_threshold=closest_rate_percentage_threshold,
        closest_rate_ratio_threshold=closest_rate_ratio_threshold,
        categorical_hidden_rate_variables=_names(
            "categorical_hidden_rate_variables", categorical_hidden_rate_variables, manifest
        ),
        shuffled=shuffled,
        thorough=thorough,
    )
    with progress_bar("reading the table", shown=progress) as update:
        judged = judges.evaluate(
            table,
            to_arrow(unshuffled_avatars)[0],
            parameters,
            types=_kinds(_by_name(types, manifest)),
            to_categorical_threshold=to_categorical_threshold,
            held_out=None if holdout is None else to_arrow(holdout)[0],
            request=request,
            progress=BarProgress(update),
        )
    for remark in judged.remarks:
        warnings.warn(remark, AvatarsWarning, 2)
    return judged


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


def estimate(
    df: pd.DataFrame,
    k: int,
    *,
    ncp: int | None = None,
    types: Mapping[Hashable, ColumnKind] | None = None,
    to_categorical_threshold: int | None = None,
) -> Estimate:
    """Return what ``anonymize`` would take in memory, disk and time, with the column that costs most.

    The arguments are those of ``anonymize``. Raises ``avatars.engine.errors.EngineError`` where it would refuse the
    table or the types. Cost: a few passes over the table.
    """
    table, manifest = to_arrow(df)
    columns = detect(table, _kinds(_by_name(types, manifest)), to_categorical_threshold)
    return estimate_run(columns, table.num_rows, Parameters(k=k, ncp=ncp))


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


def anonymize_file(
    data: Path,
    output: Path,
    parameters: Parameters,
    *,
    types: Mapping[str, Kind] | None = None,
    to_categorical_threshold: int | None = None,
    encoding: str | None = None,
    memory: int | None = None,
    work_folder: Path | None = None,
    scheduler: str | None = None,
    announce: Callable[[Estimate], None] | None = None,
    progress: bool = True,
) -> tuple[int, Evaluation]:
    """Write avatars of the table in one file to another; return how many, and what they are worth.

    ``memory`` is what may be used, in bytes; most of what is free if None. A run that is estimated to need more keeps
    its arrays in files of ``work_folder`` (the system's folder for temporary files if None), and gives the same bytes.
    ``scheduler`` is the address of a Dask scheduler whose workers see ``work_folder`` under the same path: they compute
    what is large. ``announce`` is told the estimate before work starts. The output appears when it is complete.
    """
    if memory is None and (free := available_memory()) is not None:
        memory = int(_SHARE_OF_MEMORY * free)
    with (
        progress_bar("reading the file", shown=progress) as update,
        Workspace(work_folder, memory, shared=scheduler is not None) as workspace,
        _computing_on(scheduler),
    ):
        bar = BarProgress(update)
        source = read_table(data, encoding=encoding, workspace=workspace, progress=bar)

        def check_and_announce(expected: Estimate) -> None:
            check_disk(output, expected.least_output)
            if announce is not None:
                announce(expected)

        made = run(
            source.table,
            parameters,
            types=types,
            to_categorical_threshold=to_categorical_threshold,
            progress=bar,
            workspace=workspace,
            announce=check_and_announce,
        )
        metrics = judges.evaluate_run(made, progress=bar, workspace=workspace)
        write_table(made.published, output, source.format, bar)
        update("done", 1.0)
    return made.published.num_rows, metrics


def _computing_on(scheduler: str | None) -> AbstractContextManager[None]:
    if scheduler is None:
        return nullcontext()
    try:
        from avatars.cluster import working_on_scheduler
    except ModuleNotFoundError as error:
        raise EngineError(missing_extra("server"), code="missing_extra") from error
    return working_on_scheduler(scheduler)


def evaluate_files(
    original: Path,
    avatars: Path,
    parameters: Parameters,
    *,
    holdout: Path | None = None,
    request: Request,
    types: Mapping[str, Kind] | None = None,
    to_categorical_threshold: int | None = None,
    encoding: str | None = None,
    progress: bool = True,
) -> Evaluation:
    """Return the metrics of the tables in files."""
    with progress_bar("reading the file", shown=progress) as update:
        return judges.evaluate(
            read_table(original, encoding=encoding).table,
            read_table(avatars, encoding=encoding).table,
            parameters,
            types=types,
            to_categorical_threshold=to_categorical_threshold,
            held_out=None if holdout is None else read_table(holdout, encoding=encoding).table,
            request=request,
            progress=BarProgress(update),
        )


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


def _names(what: str, labels: Sequence[Hashable], manifest: FrameManifest) -> tuple[str, ...]:
    if isinstance(labels, str):
        raise InvalidParameter(f"{what} must be a list of columns.", code="invalid_parameter")
    return tuple(manifest.name_of(label) for label in labels)


def _kinds(types: Mapping[str, str]) -> dict[str, Kind]:
    for kind in types.values():
        one_of("type of a column", kind, [kind.value for kind in Kind])
    return {name: Kind(kind) for name, kind in types.items()}


def _imputation(given: Mapping[str, Any] | ImputationParameters | None) -> Imputation:
    return Imputation(**_said("imputation", given, Imputation)) if given is not None else Imputation()


def _exclude_variables(
    given: Mapping[str, Any] | ExcludeVariablesParameters | None, manifest: FrameManifest
) -> ExcludeVariables | None:
    if given is None:
        return None
    said = _said("exclude_variables", given, ExcludeVariables)
    labels = said["variable_names"]
    names = labels if isinstance(labels, str) else tuple(manifest.name_of(label) for label in labels)
    return ExcludeVariables(**{**said, "variable_names": names})


def _exclude_categorical(given: Mapping[str, Any] | ExcludeCategoricalParameters | None) -> ExcludeCategorical | None:
    return ExcludeCategorical(**_said("exclude_categorical", given, ExcludeCategorical)) if given is not None else None


def _said(what: str, given: Mapping[str, Any] | BaseModel, kind: type[DataclassInstance]) -> dict[str, Any]:
    """Return the fields of ``kind`` that a mapping or a model names, or refuse it."""
    said = dict(given) if isinstance(given, Mapping) else given.model_dump(mode="json")
    if "rare_occurence_threshold" in said:  # as the wire spells it
        said["rare_occurrence_threshold"] = said.pop("rare_occurence_threshold")
    known = [field.name for field in fields(kind)]
    unknown = sorted(set(said) - set(known))
    if unknown:
        raise InvalidParameter(
            f"{what} has no parameter {unknown[0]!r}: it knows {', '.join(known[:-1])} and {known[-1]}.",
            code="unknown_parameter",
        )
    said = {name: value for name, value in said.items() if value is not None}
    for field in fields(kind):
        if field.default is MISSING and field.name not in said:
            raise InvalidParameter(f"{what} needs {field.name}.", code="missing_parameter")
    return said
