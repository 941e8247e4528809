"""The parameters of one run, and what can be said against them before work starts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

import pyarrow as pa

from avatars.engine.columns import Column
from avatars.engine.errors import InvalidParameter, unknown_column

ImputationMethod = Literal["knn", "fast_knn", "mode", "median", "mean"]
Method = Literal["avatar"]
DEFAULT_NCP = 5
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

    k: int
    ncp: int | None = None  # 5, or all the table has
    seed: int | None = None
    column_weights: Mapping[str, float] = field(default_factory=dict)
    imputation: Imputation = field(default_factory=Imputation)
    method: Method = "avatar"
    modalities: ModalityDraw = "random"
    exclude_variables: ExcludeVariables | None = None
    exclude_categorical: ExcludeCategorical | None = None
    use_categorical_reduction: bool = False
    return_data_imputed: bool = False  # leave cells that were filled in as they are, instead of emptying some again


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
    _require(_whole(parameters.k) and parameters.k >= 2, "invalid_k", "k must be a whole number, 2 or more.")
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
    if parameters.k >= n:
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
