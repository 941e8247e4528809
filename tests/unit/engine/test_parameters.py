"""What is said against parameters before work starts."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from avatars.engine.columns import detect
from avatars.engine.errors import InvalidParameter
from avatars.engine.parameters import Imputation, Parameters, check_parameters, check_size

COLUMNS = detect(pa.table({"age": [1, 2, 3], "weight": [1.0, 2.5, 3.0]}))


@pytest.mark.parametrize(
    ("wrong", "code", "says"),
    [
        ({"k": 1}, "invalid_k", "k must be a whole number, 2 or more"),
        ({"k": 2.5}, "invalid_k", "whole number"),
        ({"k": True}, "invalid_k", "whole number"),
        ({"ncp": 0}, "invalid_ncp", "ncp"),
        ({"seed": 1.5}, "invalid_seed", "seed"),
        ({"method": "copy"}, "invalid_parameter", "method must be one of local, avatar"),
        ({"modalities": "all"}, "invalid_parameter", "modalities"),
        ({"column_weights": {"aeg": 2.0}}, "unknown_column", "did you mean 'age'"),
        ({"column_weights": {"zzz": 2.0}}, "unknown_column", "check the spelling"),
        ({"column_weights": {"age": -1.0}}, "invalid_weight", "'age'"),
        ({"column_weights": {"age": float("nan")}}, "invalid_weight", "finite"),
        ({"column_weights": {"age": 0.0, "weight": 0.0}}, "invalid_weight", "Every column"),
        ({"imputation": Imputation(k=0)}, "invalid_imputation", "k"),
        ({"imputation": Imputation(training_fraction=0.0)}, "invalid_imputation", "training_fraction"),
        ({"imputation": Imputation(method="guess")}, "invalid_parameter", "fast_knn"),  # type: ignore[arg-type]
    ],
)
def test_refusals_say_what_to_do(wrong: dict[str, Any], code: str, says: str) -> None:
    with pytest.raises(InvalidParameter, match=says) as refused:
        check_parameters(Parameters(**{"k": 2, **wrong}), COLUMNS)
    assert refused.value.code == code


def test_good_parameters_pass() -> None:
    check_parameters(Parameters(k=2, ncp=9, seed=-5, column_weights={"age": 0.0}), COLUMNS)


@pytest.mark.parametrize(("k", "n", "code"), [(20, 20, "k_too_large"), (2, 2, "too_few_rows"), (2, 1, "too_few_rows")])
def test_k_must_be_below_the_rows(k: int, n: int, code: str) -> None:
    with pytest.raises(InvalidParameter) as refused:
        check_size(Parameters(k=k), n)
    assert refused.value.code == code


def test_the_largest_k_passes() -> None:
    check_size(Parameters(k=19), 20)
