"""The parameters of one run, and what can be said against them before work starts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

import pyarrow as pa

from avatars.engine.columns import Column
from avatars.engine.errors import InvalidParameter, unknown_column
from avatars.engine.random import fresh_seed

ImputationMethod = Literal["knn", "fast_knn", "mode", "median", "mean"]
Method = Literal["local", "avatar"]
DEFAULT_NCP = 5
Identifiers = Literal["refuse", "replace"]
ModalityDraw = Literal["random", "most_probable"]
Replacement = Literal["row_order", "coordinate_similarity"]
RareReplacement = Literal["most_similar", "probabilistic", "missing"]


@dataclass(frozen=True)
class Imputation:
    """How missing cells are filled in before the method runs; ``k`` and ``training_fraction`` are the knn methods'."""

    method: ImputationMethod = "fast_knn"
    k: int = 5
    training_fraction: float = 1.0


@dataclass(frozen=True)
class ExcludeVariables:
    """Columns that the method leaves alone, and how avatars get values of theirs; see ``engine/excluded.py``.

    SENSITIVE with ``row_order``: each avatar carries the original values of the very record that it was drawn around.
    """

    variable_names: Sequence[str]
    replacement_strategy: Replacement = "coordinate_similarity"


@dataclass(frozen=True)
class ExcludeCategorical:
    """The same for categorical columns with many levels, whose rare levels are replaced before; see ``engine/rare.py``.

    Attributes
    ----------
    exclude_cardinality_threshold
        Columns with at least this many levels are excluded, whether text, bool or numbers declared categories.
    exclude_replacement_strategy
        As for ``ExcludeVariables``.
    rare_occurrence_threshold
        Levels of these columns that at most this many records have are rare; 0: none is.
    rare_replacement_strategy
        What becomes of a rare level.
    number_reference_records
        For ``most_similar``: how many records similarity is looked for among; all if None.
    """

    exclude_cardinality_threshold: int
    exclude_replacement_strategy: Replacement = "coordinate_similarity"
    rare_occurrence_threshold: int = 0
    rare_replacement_strategy: RareReplacement = "most_similar"
    number_reference_records: int | None = None


@dataclass(frozen=True)
class Parameters:
    """One run's parameters; see ``docs/method.md`` for what each does."""

    k: int | None = None  # as ``default_k`` says
    ncp: int | None = None  # 5, or all the table has
    seed: int | None = None  # fresh entropy
    column_weights: Mapping[str, float] = field(default_factory=dict)
    imputation: Imputation = field(default_factory=Imputation)
    method: Method = "local"
    groups: Sequence[Sequence[str]] = ()  # of the local draw: columns whose relation is to come out as it is
    identifiers: Identifiers = "refuse"  # likewise: columns of which no value is shared by enough people
    modalities: ModalityDraw = "random"  # of the published draw
    exclude_variables: ExcludeVariables | None = None
    exclude_categorical: ExcludeCategorical | None = None
    use_categorical_reduction: bool = False
    return_data_imputed: bool = False  # leave cells that were filled in as they are, instead of emptying some again


def default_k(rows: int) -> int:
    """Return the neighbours for who does not choose: a fifth of the rows, from 10 to 100, fewer than the rows."""
    return min(max(10, min(rows // 5, 100)), max(2, rows - 1))


def settled(parameters: Parameters, rows: int) -> Parameters:
    """Return the parameters with what was left open: a seed, and k."""
    seed = fresh_seed() if parameters.seed is None else parameters.seed
    return replace(parameters, seed=seed, k=default_k(rows) if parameters.k is None else parameters.k)


def advice(parameters: Parameters, rows: int) -> str | None:
    """Return what is to be said of a k that is allowed but unwise; nothing of tables in which no k is wise."""
    least = {"local": 10, "avatar": 5}[parameters.method]
    if parameters.k is None or parameters.k >= least or rows < 3 * least:
        return None
    return f"k is {parameters.k}: so few neighbours protect people badly. Take {default_k(rows)}, or leave k out."


def excluded_columns(parameters: Parameters, columns: Sequence[Column]) -> dict[str, Replacement]:
    """Return how each excluded column is given back, in the table's order."""
    named, rule = parameters.exclude_variables, parameters.exclude_categorical
    ruled = [column.name for column in columns_with_many_levels(parameters, columns)]
    found: dict[str, Replacement] = {}
    for column in columns:
        if named is not None and column.name in named.variable_names:
            found[column.name] = named.replacement_strategy
        elif rule is not None and column.name in ruled:
            found[column.name] = rule.exclude_replacement_strategy
    return found


def columns_with_many_levels(parameters: Parameters, columns: Sequence[Column]) -> list[Column]:
    """Return the columns that ``exclude_categorical`` excludes, those left out that are excluded by name anyway."""
    rule, named = parameters.exclude_categorical, parameters.exclude_variables
    if rule is None:
        return []
    return [
        column
        for column in columns
        if column.levels is not None
        and len(column.levels) >= rule.exclude_cardinality_threshold
        and (named is None or column.name not in named.variable_names)
    ]


def check_parameters(parameters: Parameters, columns: Sequence[Column]) -> None:
    """Refuse what cannot work whatever the rows are; raises ``InvalidParameter``."""
    _require(
        parameters.k is None or (_whole(parameters.k) and parameters.k >= 2),
        "invalid_k",
        "k must be a whole number, 2 or more, or left out.",
    )
    _require(
        parameters.ncp is None or (_whole(parameters.ncp) and parameters.ncp >= 1),
        "invalid_ncp",
        "ncp must be a whole number, 1 or more.",
    )
    _require(
        parameters.seed is None or _whole(parameters.seed),
        "invalid_seed",
        "seed must be a whole number, or left out.",
    )
    one_of("method", parameters.method, get_args(Method))
    one_of("treatment of identifiers", parameters.identifiers, get_args(Identifiers))
    one_of("modalities", parameters.modalities, get_args(ModalityDraw))
    one_of("imputation method", parameters.imputation.method, get_args(ImputationMethod))
    _require(
        _whole(parameters.imputation.k) and parameters.imputation.k >= 1,
        "invalid_imputation",
        "The imputation's k must be a whole number, 1 or more.",
    )
    _require(
        0 < parameters.imputation.training_fraction <= 1,
        "invalid_imputation",
        "The imputation's training_fraction must be above 0 and at most 1.",
    )
    names = [column.name for column in columns]
    _check_exclude_variables(parameters, names)
    _check_groups(parameters, names)
    _check_exclude_categorical(parameters, columns)
    excluded = excluded_columns(parameters, columns)
    modelled = [name for name in names if name not in excluded]
    _require(
        bool(modelled),
        "nothing_left",
        "Every column is excluded: leave at least one column to make avatars from.",
    )
    for name, weight in parameters.column_weights.items():
        if name not in names:
            raise unknown_column(name, names, where="column_weights: ")
        if not (math.isfinite(weight) and weight >= 0):
            raise InvalidParameter(
                f"The weight of column {name!r} must be a finite number, 0 or more.",
                code="invalid_weight",
                column=name,
            )
    _require(
        any(parameters.column_weights.get(name, 1.0) > 0 for name in modelled),
        "invalid_weight",
        f"Every column{' that is not excluded' if excluded else ''} has weight 0: "
        "leave at least one column with a weight above 0.",
    )


def _check_groups(parameters: Parameters, names: Sequence[str]) -> None:
    found: set[str] = set()
    for group in parameters.groups:
        _require(
            not isinstance(group, str) and len(group) > 1,
            "invalid_group",
            "Each of the groups must be a list of two columns or more.",
        )
        for name in group:
            if name not in names:
                raise unknown_column(name, names, where="groups: ")
            excluded = parameters.exclude_variables
            if excluded is not None and name in excluded.variable_names:
                raise InvalidParameter(
                    f"groups: Column {name!r} is excluded: leave it out of the group.",
                    code="invalid_group",
                    column=name,
                )
            if name in found:
                raise InvalidParameter(
                    f"groups: Column {name!r} is named twice: a column can be in one group, once.",
                    code="invalid_group",
                    column=name,
                )
            found.add(name)
    _require(
        not found or parameters.method == "local",
        "invalid_group",
        'groups are of method="local": leave them out, or choose that method.',
    )


def _check_exclude_variables(parameters: Parameters, names: Sequence[str]) -> None:
    asked = parameters.exclude_variables
    if asked is None:
        return
    one_of("replacement strategy of exclude_variables", asked.replacement_strategy, get_args(Replacement))
    _require(
        not isinstance(asked.variable_names, str),
        "invalid_parameter",
        "The variable_names of exclude_variables must be a list of columns.",
    )
    for name in asked.variable_names:
        if name not in names:
            raise unknown_column(name, names, where="exclude_variables: ")
        if name in parameters.column_weights:
            raise InvalidParameter(
                f"Column {name!r} is excluded and has a weight, which would do nothing: leave one of the two out.",
                code="weight_of_excluded",
                column=name,
            )


def _check_exclude_categorical(parameters: Parameters, columns: Sequence[Column]) -> None:
    rule = parameters.exclude_categorical
    if rule is None:
        return
    for field_name, value, least in (
        ("exclude_cardinality_threshold", rule.exclude_cardinality_threshold, 1),
        ("rare_occurrence_threshold", rule.rare_occurrence_threshold, 0),
        ("number_reference_records", rule.number_reference_records, 1),
    ):
        _require(
            (value is None and field_name == "number_reference_records")
            or (isinstance(value, int) and _whole(value) and value >= least),
            "invalid_threshold",
            f"The {field_name} of exclude_categorical must be a whole number, {least} or more.",
        )
    strategies = (rule.exclude_replacement_strategy, rule.rare_replacement_strategy)
    one_of("replacement strategy of exclude_categorical", strategies[0], get_args(Replacement))
    one_of("rare replacement strategy of exclude_categorical", strategies[1], get_args(RareReplacement))
    if rule.rare_occurrence_threshold and rule.rare_replacement_strategy == "missing":
        for column in columns_with_many_levels(parameters, columns):
            if not _can_miss(column):
                raise InvalidParameter(
                    f"Column {column.name!r} is whole numbers or booleans without a missing cell, so rare ones cannot "
                    "become missing: choose most_similar or probabilistic, or exclude the column by its name.",
                    code="cannot_be_missing",
                    column=column.name,
                )


def _can_miss(column: Column) -> bool:
    """Whether a frame can surely hold missing cells in the column: whole numbers and bools may be unable to."""
    return column.missing > 0 or not (pa.types.is_integer(column.type) or pa.types.is_boolean(column.type))


def check_size(parameters: Parameters, n: int) -> None:
    """Refuse a ``k`` that ``n`` rows cannot serve: each needs k others; raises ``InvalidParameter``."""
    if n < 3:
        raise InvalidParameter(
            f"The table has {n} row{'s' if n != 1 else ''}: avatars need at least 3.", code="too_few_rows"
        )
    if parameters.k is not None and parameters.k >= n:
        raise InvalidParameter(
            f"k is {parameters.k}, but the table has {n} rows: k must be at most {n - 1}, one less than the rows.",
            code="k_too_large",
        )


def one_of(what: str, value: str, allowed: Sequence[str]) -> None:
    """Refuse a word that is not among those allowed; raises ``InvalidParameter``."""
    _require(value in allowed, "invalid_parameter", f"The {what} must be one of {', '.join(allowed)}.")


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _require(holds: bool, code: str, message: str) -> None:
    if not holds:
        raise InvalidParameter(message, code=code)
