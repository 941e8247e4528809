"""The parameters of one run, and what can be said against them before work starts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

from avatars.engine.columns import Column
from avatars.engine.errors import InvalidParameter, unknown_column

ImputationMethod = Literal["knn", "fast_knn", "mode", "median", "mean"]
Method = Literal["avatar"]
DEFAULT_NCP = 5
ModalityDraw = Literal["random", "most_probable"]


@dataclass(frozen=True)
class Imputation:
    """How missing cells are filled in before the method runs; ``k`` and ``training_fraction`` are the knn methods'."""

    method: ImputationMethod = "fast_knn"
    k: int = 5
    training_fraction: float = 1.0


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
        any(parameters.column_weights.get(name, 1.0) > 0 for name in names),
        "invalid_weight",
        "Every column has weight 0: leave at least one column with a weight above 0.",
    )


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
