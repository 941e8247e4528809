"""Missing cells: filled in, drawn with an indicator, emptied again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from tests.unit.engine.tables import encoded, mixed_table

from avatars.engine import missing
from avatars.engine.parameters import Imputation, ImputationMethod, Method, Parameters
from avatars.engine.progress import Silent
from avatars.engine.run import run

METHODS: list[ImputationMethod] = ["knn", "fast_knn", "mode", "median", "mean"]


def filled(table: pa.Table, imputation: Imputation) -> tuple[np.ndarray, np.ndarray]:
    cells = encoded(table)
    complete = missing.fit(cells, imputation, 0, Silent()).fill(cells, Silent())
    return complete.numeric, complete.codes


@pytest.mark.parametrize("method", METHODS)
def test_every_cell_is_filled_and_known_cells_stay(method: ImputationMethod) -> None:
    table = mixed_table(300, missing=0.2)
    cells = encoded(table)
    numeric, codes = filled(table, Imputation(method))
    assert np.isfinite(numeric).all()
    assert (codes >= 0).all()
    known = ~np.isnan(cells.numeric)
    np.testing.assert_array_equal(numeric[known], cells.numeric[known])
    np.testing.assert_array_equal(codes[cells.codes >= 0], cells.codes[cells.codes >= 0])


@pytest.mark.parametrize(("method", "expected"), [("mean", 4.0), ("median", 2.0), ("mode", 1.0)])
def test_plain_methods(method: ImputationMethod, expected: float) -> None:
    table = pa.table({"x": pa.array([1.0, 1.0, 2.0, 4.0, 12.0, None]), "y": pa.array([*"aaabb", None])})
    cells = encoded(table)
    numeric, codes = filled(table, Imputation(method))
    origin = cells.numeric_columns[0]
    assert numeric[5, 0] - cells.numeric[0, 0] + 1.0 == pytest.approx(expected), origin
    assert codes[5, 0] == codes[0, 0]


@pytest.mark.parametrize("method", ["knn", "fast_knn"])
def test_neighbours_know_better_than_the_mean(method: ImputationMethod) -> None:
    whole = mixed_table(1000)
    gaps = np.random.default_rng(1).random(1000) < 0.2
    column = pa.array(whole["weight"].to_numpy(), mask=gaps)
    table = whole.set_column(1, "weight", column)
    truth = encoded(whole).numeric[gaps, 1]
    offset = encoded(whole).numeric[~gaps, 1][0] - encoded(table).numeric[~gaps, 1][0]
    by_neighbours = filled(table, Imputation(method))[0][gaps, 1] + offset
    by_mean = filled(table, Imputation("mean"))[0][gaps, 1] + offset
    assert np.abs(by_neighbours - truth).mean() < 0.75 * np.abs(by_mean - truth).mean()


def test_the_column_itself_does_not_choose_its_donors() -> None:
    # y depends on x alone; y's own values must not pull the donors towards its mean.
    random = np.random.default_rng(2)
    x = random.normal(size=800)
    y = 10 * x
    gaps = random.random(800) < 0.3
    table = pa.table({"x": x, "y": pa.array(y, mask=gaps)})
    cells = encoded(table)
    known = ~gaps
    numeric = filled(table, Imputation("knn", k=3))[0]
    guess = numeric[gaps, 1] - cells.numeric[known, 1][0] + y[known][0]
    middle = np.abs(x[gaps]) < 2
    assert np.abs(guess - y[gaps])[middle].max() < 2.0


def test_training_fraction_uses_fewer_donors_reproducibly() -> None:
    table = mixed_table(400, missing=0.2)
    part = Imputation("knn", training_fraction=0.1)
    np.testing.assert_array_equal(filled(table, part)[0], filled(table, part)[0])
    assert (filled(table, part)[0] != filled(table, Imputation("knn"))[0]).any()


def test_columns_without_any_cell_survive() -> None:
    table = mixed_table(60).append_column("empty", pa.nulls(60, pa.float64())).append_column("none", pa.nulls(60))
    made = run(table, Parameters(k=5, seed=1))
    assert made.avatars.schema == table.schema
    assert made.avatars["empty"].null_count == made.avatars["none"].null_count == 60


def test_avatars_keep_the_share_of_missing_cells_but_not_the_cells() -> None:
    table = mixed_table(2000, missing=0.15)
    made = run(table, Parameters(k=10, seed=1))
    for name in table.column_names:
        before, after = table[name].is_null().to_numpy(), made.sensitive_unshuffled_avatars[name].is_null().to_numpy()
        assert abs(before.mean() - after.mean()) < 0.04
        assert (before != after).any()


def test_no_cell_is_missing_where_none_was() -> None:
    made = run(mixed_table(500), Parameters(k=10, seed=1))
    assert all(column.null_count == 0 for column in made.avatars.columns)


def test_new_rows_are_filled_from_the_originals() -> None:
    cells = encoded(mixed_table(300, missing=0.2))
    imputer = missing.fit(cells, Imputation(), 0, Silent())
    empty = replace(cells, numeric=np.full_like(cells.numeric, np.nan), codes=np.full_like(cells.codes, -1))
    complete = imputer.fill(empty, Silent())
    assert np.isfinite(complete.numeric).all()
    assert (complete.codes >= 0).all()


@pytest.mark.parametrize("method", ["avatar", "local"])
def test_imputed_cells_can_be_kept_but_never_invented(method: Method) -> None:
    table = mixed_table(300, missing=0.1).append_column("nothing", pa.nulls(300, pa.int64()))
    table = table.append_column("no text", pa.nulls(300, pa.string()))
    kept = run(table, Parameters(k=5, seed=1, method=method, return_data_imputed=True)).sensitive_unshuffled_avatars
    emptied = run(table, Parameters(k=5, seed=1, method=method)).sensitive_unshuffled_avatars
    assert kept.schema == table.schema
    for name in table.column_names:
        if name in ("nothing", "no text"):
            assert kept[name].null_count == 300
            continue
        assert kept[name].null_count == 0
        assert emptied[name].null_count > 0
        if method == "avatar":
            there = emptied[name].is_valid()
            assert kept[name].filter(there).equals(emptied[name].filter(there))
