"""Utility metrics against their definitions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from tests.unit.engine.tables import mixed_table

from avatars.engine.columns import detect, encode
from avatars.evaluation.utility.correlation import correlation_differences, correlations
from avatars.evaluation.utility.hellinger import hellinger_by_column


def pair(original: pa.Table, avatars: pa.Table) -> tuple:  # type: ignore[type-arg]
    columns = detect(pa.concat_tables([original, avatars]))
    return encode(original, columns), encode(avatars, columns)


def test_a_table_is_at_distance_zero_of_itself() -> None:
    table = mixed_table(300, missing=0.1)
    assert all(value == pytest.approx(0, abs=1e-7) for value in hellinger_by_column(*pair(table, table)).values())


def test_no_bin_in_common_is_distance_one() -> None:
    apart = pair(pa.table({"x": ["a"] * 5, "y": [1.0] * 5}), pa.table({"x": ["b"] * 5, "y": [2.0] * 5}))
    assert hellinger_by_column(*apart) == {("y",): 1.0, ("x",): 1.0}


def test_categories_by_definition_with_missing_as_a_level() -> None:
    original, avatars = pa.table({"x": ["a", "a", "b", None]}), pa.table({"x": ["a", "b", "b", "b"]})
    expected = np.sqrt(1 - (np.sqrt(0.5 * 0.25) + np.sqrt(0.25 * 0.75)))
    assert hellinger_by_column(*pair(original, avatars))[("x",)] == pytest.approx(expected)


def test_numbers_are_binned_by_the_originals_quantiles() -> None:
    x = np.arange(1000.0)
    shifted = hellinger_by_column(*pair(pa.table({"x": x}), pa.table({"x": x + 50})))[("x",)]
    # One of twenty bins is left empty and the last one, open, holds twice its share.
    expected = np.sqrt(1 - (18 / 20 + np.sqrt(1 / 20 * 2 / 20)))
    assert shifted == pytest.approx(expected, abs=0.01)


def test_correlations_are_pandas_own_with_missing_cells() -> None:
    table = mixed_table(400, missing=0.2).select(["height", "weight", "visits"])
    numbers = encode(table, detect(table)).numeric
    np.testing.assert_allclose(correlations(numbers), pd.DataFrame(numbers).corr().to_numpy(), atol=1e-12)


def test_correlation_differences_are_those_of_the_pairs() -> None:
    random = np.random.default_rng(0)
    x, y = random.normal(size=(2, 500))
    original, avatars = pa.table({"x": x, "y": x}), pa.table({"x": x, "y": y})
    expected = 100 * abs(1 - np.corrcoef(x, y)[0, 1])
    assert correlation_differences(*pair(original, avatars)) == {("x", "y"): pytest.approx(expected)}


def test_a_constant_has_no_correlation_and_one_column_no_pair() -> None:
    constant = pa.table({"x": [1.0] * 9, "y": np.arange(9.0)})
    assert correlation_differences(*pair(constant, constant)) == {("x", "y"): 0.0}
    single = pa.table({"x": np.arange(9.0), "z": ["a"] * 9})
    assert correlation_differences(*pair(single, single)) == {}
