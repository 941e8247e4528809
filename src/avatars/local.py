"""Avatars in this process, without a server."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, get_args

import pandas as pd
import pyarrow as pa

from avatars import _arguments as arguments
from avatars._bar import progress_bar
from avatars.engine.columns import Kind, detect
from avatars.engine.errors import AvatarsWarning
from avatars.engine.estimate import Estimate, estimate_run
from avatars.engine.frames import to_arrow, to_frame
from avatars.engine.parameters import Identifiers, Method, Parameters, one_of
from avatars.engine.run import Avatarization, run
from avatars.evaluation import assess as gatekeepers
from avatars.evaluation import evaluate as judges
from avatars.evaluation.assessment import Assessment, Thoroughness
from avatars.evaluation.attacks.figure import Verdict
from avatars.evaluation.auto_k import Choice
from avatars.evaluation.estimate import with_assessment
from avatars.evaluation.evaluate import Evaluation
from avatars.evaluation.request import Request
from avatars.results import Anonymized, Evaluated, evaluated
from avatars.running import BarProgress, advise, with_chosen_k

if TYPE_CHECKING:
    from avatars.models import ExcludeCategoricalParameters, ExcludeVariablesParameters, ImputationParameters

ColumnKind = Literal["int", "float", "bool", "category", "datetime"]


def anonymize(
    df: pd.DataFrame,
    k: int | Literal["auto"] | None = None,
    *,
    seed: int | None = None,
    method: Method = "local",
    groups: Sequence[Sequence[Hashable]] = (),
    identifiers: Identifiers = "refuse",
    ncp: int | None = None,
    column_weights: Mapping[Hashable, float] | None = None,
    imputation: Mapping[str, Any] | ImputationParameters | None = None,
    exclude_variables: Mapping[str, Any] | ExcludeVariablesParameters | None = None,
    exclude_categorical: Mapping[str, Any] | ExcludeCategoricalParameters | None = None,
    use_categorical_reduction: bool = False,
    return_data_imputed: bool = False,
    types: Mapping[Hashable, ColumnKind] | None = None,
    to_categorical_threshold: int | None = None,
    assess: Thoroughness | None = "quick",
    progress: bool = True,
) -> Anonymized:
    """Turn a sensitive table about people into avatars, in this process.

    Parameters
    ----------
    df
        One row a person. It is not changed; its index is neither used nor kept.
    k
        Neighbours that each avatar is drawn from: 2 or more, and fewer than the rows. The more, the better people are
        hidden. A fifth of the rows, from 10 to 100, if left out. ``"auto"``: the smallest of a ladder that attacks let
        pass on two splits of the table, see ``choice`` of the result; it takes about ten times as long.
    seed
        Makes the run reproducible: same table, parameters and seed, same avatars. Fresh entropy if left out.
    method
        ``"local"``: our draw, which withstands attacks; ``"avatar"``: the published one. See docs/method.md.
    groups
        Columns whose relation is to come out as it is, such as ``[["time", "event", "arm"]]``; with ``"local"`` alone.
    identifiers
        What becomes of a column of which no value is shared by enough people, such as a name: ``"refuse"`` the table,
        or ``"replace"`` it by the numbers of the avatars. With ``"local"`` alone.
    ncp
        Components in which neighbours are searched; 5, or as many as the table has.
    column_weights
        By column, 1 where not given: squared distances in the column are multiplied by it; 0 leaves the column out of
        the search.
    imputation
        How missing cells are filled in before they are emptied again, such as ``{"method": "knn", "k": 5}``;
        ``fast_knn`` if left out.
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
    assess
        Attack the method on this table: avatars of one half of it are made with the same parameters, and the other half
        tells what an attacker finds by chance. ``"quick"`` takes about as long as the run, ``"thorough"`` tries every
        attack; None leaves it out. See docs/attacks.md.
    progress
        False silences the progress bar, which is shown on terminals only.

    Raises
    ------
    avatars.engine.errors.EngineError
        A ``ValueError`` whose text names the column and the way out.

    Warns
    -----
    avatars.engine.errors.AvatarsWarning
        Something was adjusted, or the assessment's verdict is BLOCK.

    Notes
    -----
    Cost: O(n log n) time; about four times the table's memory.
    """
    table, manifest = to_arrow(df)
    parameters = Parameters(
        k=None if k == "auto" else k,
        ncp=ncp,
        seed=seed,
        column_weights=arguments.by_name(column_weights, manifest),
        imputation=arguments.imputation(imputation),
        method=method,
        groups=tuple(arguments.group(group, manifest) for group in groups),
        identifiers=identifiers,
        exclude_variables=arguments.exclude_variables(exclude_variables, manifest),
        exclude_categorical=arguments.exclude_categorical(exclude_categorical),
        use_categorical_reduction=use_categorical_reduction,
        return_data_imputed=return_data_imputed,
    )
    made, metrics, assessment, choice = _anonymize(
        table,
        parameters,
        types=arguments.kinds(arguments.by_name(types, manifest)),
        to_categorical_threshold=to_categorical_threshold,
        auto_k=k == "auto",
        assess=assess,
        progress=progress,
    )
    assert made.parameters.seed is not None
    if assessment is not None and assessment.verdict is Verdict.BLOCK:
        said = f"Do not publish these avatars: attacks found too much. {assessment.reasons[0]} See .assessment."
        warnings.warn(said, AvatarsWarning, 2)
    return Anonymized(
        to_frame(made.avatars, manifest),
        to_frame(made.sensitive_unshuffled_avatars, manifest),
        metrics.privacy_metrics,
        metrics.signal_metrics,
        made.parameters.seed,
        evaluated(metrics, made.parameters, seed_was_given=seed is not None, replaced=made.replaced),
        assessment,
        choice,
    )


def attack(
    original: pd.DataFrame,
    synthetic: pd.DataFrame,
    *,
    holdout: pd.DataFrame,
    thoroughness: Thoroughness = "thorough",
    linked: bool = False,
    make: Callable[[pd.DataFrame, int], pd.DataFrame] | None = None,
    seed: int = 0,
    types: Mapping[Hashable, ColumnKind] | None = None,
    to_categorical_threshold: int | None = None,
    progress: bool = True,
) -> Assessment:
    """Attack a synthetic table made by anyone, and return what was found with a verdict.

    Parameters
    ----------
    original
        The people that the synthetic table was made from.
    synthetic
        Any number of rows, of the same columns.
    holdout
        People like the originals, none of whom is among them: what an attacker finds of them is found by chance. Best
        drawn from the same table at random before anything was made.
    thoroughness
        ``"quick"`` or ``"thorough"``.
    linked
        Row i of the synthetic table belongs to row i of the originals: allows the attacks that link them.
    make
        ``make(frame, seed)`` makes such a table, row i from row i: allows the attacks that rehearse.
    seed
        Says who is measured where people are many.
    types, to_categorical_threshold, progress
        As for ``anonymize``.

    Raises
    ------
    avatars.engine.errors.EngineError
        The tables do not fit, or the held-out people are among the originals.

    Notes
    -----
    Cost: O(n) time for each of a few thousand people measured. Exact and seeded: the same on any number of threads.
    """
    table, manifest = to_arrow(original)
    with progress_bar("reading the table", shown=progress) as update:
        return gatekeepers.attack(
            table,
            to_arrow(synthetic)[0],
            to_arrow(holdout)[0],
            thoroughness,
            types=arguments.kinds(arguments.by_name(types, manifest)),
            to_categorical_threshold=to_categorical_threshold,
            linked=linked,
            make=None if make is None else lambda each, number: to_arrow(make(to_frame(each, manifest), number))[0],
            seed=seed,
            progress=BarProgress(update),
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
) -> Evaluated:
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
        k=2,
        ncp=ncp,
        column_weights=arguments.by_name(column_weights, manifest),
        imputation=arguments.imputation(imputation),
    )
    request = Request(
        known_variables=arguments.names("known_variables", known_variables, manifest),
        target=None if target is None else manifest.name_of(target),
        closest_rate_percentage_threshold=closest_rate_percentage_threshold,
        closest_rate_ratio_threshold=closest_rate_ratio_threshold,
        categorical_hidden_rate_variables=arguments.names(
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
            types=arguments.kinds(arguments.by_name(types, manifest)),
            to_categorical_threshold=to_categorical_threshold,
            held_out=None if holdout is None else to_arrow(holdout)[0],
            request=request,
            progress=BarProgress(update),
        )
    for remark in judged.remarks:
        warnings.warn(remark, AvatarsWarning, 2)
    return evaluated(judged, None)


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
    columns = detect(table, arguments.kinds(arguments.by_name(types, manifest)), to_categorical_threshold)
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
    k: int | None = None,
    *,
    ncp: int | None = None,
    types: Mapping[Hashable, ColumnKind] | None = None,
    to_categorical_threshold: int | None = None,
    assess: Thoroughness | None = "quick",
) -> Estimate:
    """Return what ``anonymize`` would take in memory, disk and time, with the column that costs most.

    ``seconds`` are those of the run with its metrics, ``assessment`` those of the attacks after it. The arguments are
    those of ``anonymize``. Raises ``avatars.engine.errors.EngineError`` where it would refuse the table or the types.
    Cost: a few passes over the table.
    """
    if assess is not None:
        one_of("thoroughness of assess", assess, get_args(Thoroughness))
    table, manifest = to_arrow(df)
    columns = detect(table, arguments.kinds(arguments.by_name(types, manifest)), to_categorical_threshold)
    return with_assessment(estimate_run(columns, table.num_rows, Parameters(k=k, ncp=ncp)), assess)


def _anonymize(
    table: pa.Table,
    parameters: Parameters,
    *,
    types: Mapping[str, Kind] | None = None,
    to_categorical_threshold: int | None = None,
    auto_k: bool,
    assess: Thoroughness | None = "quick",
    progress: bool = True,
) -> tuple[Avatarization, Evaluation, Assessment | None, Choice | None]:
    """Run the engine on an Arrow table, judge what came out and attack the method, under a progress bar."""
    if assess is not None:
        one_of("thoroughness of assess", assess, get_args(Thoroughness))
    with progress_bar("reading the table", shown=progress) as update:
        bar = BarProgress(update)
        parameters, choice = with_chosen_k(
            table,
            parameters,
            auto_k=auto_k,
            types=types,
            to_categorical_threshold=to_categorical_threshold,
            progress=bar,
        )
        made = run(
            table,
            parameters,
            types=types,
            to_categorical_threshold=to_categorical_threshold,
            progress=bar,
            announce=lambda expected: advise(parameters, expected.rows),
        )
        metrics = judges.evaluate_run(made, progress=bar)
        assessment = None
        if assess is not None:
            assessment = gatekeepers.assess(
                table,
                parameters,
                assess,
                types=types,
                to_categorical_threshold=to_categorical_threshold,
                progress=bar,
            )
        update("done", 1.0)
    return made, metrics, assessment, choice
