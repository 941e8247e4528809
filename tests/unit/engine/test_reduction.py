"""Columns with many levels as a few numbers each."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from tests.unit.engine.tables import features, mixed_table

from avatars.engine import projection, reduction
from avatars.engine.errors import AvatarsWarning
from avatars.engine.features import Features
from avatars.engine.parameters import Parameters
from avatars.engine.progress import Silent
from avatars.engine.run import run
from avatars.engine.variables import contributions, correlations_and_eta2
from avatars.evaluation.evaluate import evaluate_run


def with_cities(n: int = 3000, levels: int = 60, seed: int = 0) -> Features:
    """Two numbers and two categories; the second one, of many levels, goes with the first number and the category."""
    random = np.random.default_rng(seed)
    numbers = random.normal(size=(n, 2))
    few = random.integers(3, size=n)
    rank = np.argsort(np.argsort(numbers[:, 0] + 0.7 * few + 0.5 * random.normal(size=n))) / n
    return features(numbers, np.column_stack([few, (rank * levels).astype(int)]))


def fitted(data: Features, ncp: int = 5, **weights: float) -> projection.Projection:
    return reduction.fit(data, weights, ncp, Silent(), quiet=True)


def test_what_hangs_together_is_projected_as_without_reduction() -> None:
    # The other columns have fewer than 20 dimensions, so all that the cities share with them is kept.
    data = with_cities()
    whole, reduced = projection.fit(data, {}, 8, Silent(), quiet=True), fitted(data, 8)
    shared = whole.eigenvalues > 1.001
    assert shared.sum() >= 2
    np.testing.assert_allclose(reduced.eigenvalues[: shared.sum()], whole.eigenvalues[shared], rtol=1e-9)
    np.testing.assert_allclose(
        np.abs(reduced.transform(data, Silent())[:, : shared.sum()]),
        np.abs(whole.transform(data, Silent())[:, shared]),
        atol=1e-7,
    )
    assert reduced.total_variance < whole.total_variance


def test_it_is_a_projection_like_any_other() -> None:
    data = with_cities()
    space = fitted(data)
    coordinates = space.transform(data, Silent())
    np.testing.assert_allclose(space.axes.T @ space.axes, np.eye(space.ncp), atol=1e-9)
    np.testing.assert_allclose(coordinates.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(coordinates.T @ coordinates / len(data), np.diag(space.eigenvalues), atol=1e-6)
    np.testing.assert_allclose(contributions(space).sum(axis=0), 100)
    assert space.sizes == data.sizes
    assert space.axes.shape == (data.dimensions, space.ncp)


def test_relations_of_the_columns_are_those_of_their_levels() -> None:
    data = with_cities()
    space = fitted(data)
    coordinates = space.transform(data, Silent())
    expected = []
    for codes, size in zip(data.codes.T, data.sizes, strict=True):
        counts = np.bincount(codes, minlength=size)
        means = np.stack([np.bincount(codes, weights=axis, minlength=size) / counts for axis in coordinates.T], axis=1)
        expected.append((counts[:, None] * means**2).sum(axis=0) / (coordinates**2).sum(axis=0))
    np.testing.assert_allclose(correlations_and_eta2(space)[2:], expected, atol=1e-6)


def test_few_levels_change_nothing() -> None:
    data = with_cities(levels=reduction.DIMENSIONS)
    whole, reduced = projection.fit(data, {}, 5, Silent()), fitted(data)
    np.testing.assert_array_equal(reduced.axes, whole.axes)


def test_a_missing_level_counts_as_the_mean() -> None:
    data = with_cities()
    space = fitted(data)
    gone = data.codes.copy()
    gone[:, 1] = -1
    alone = Features(data.numeric, gone, data.sizes, data.names)
    expected = space.transform(data, Silent()) - space.share(data, 3).T
    np.testing.assert_allclose(space.transform(alone, Silent()), expected, atol=1e-12)


def test_two_columns_with_many_levels_know_of_each_other() -> None:
    # Nothing but the two: groups of towns in groups of regions.
    random = np.random.default_rng(1)
    group = random.integers(8, size=4000)
    data = features(np.empty((4000, 0)), np.column_stack([5 * group + random.integers(5, size=4000) for _ in range(2)]))
    space = fitted(data, 7)
    points = space.transform(data, Silent())
    between = np.stack([points[group == g].mean(axis=0) for g in range(8)])
    within = np.concatenate([points[group == g] - between[g] for g in range(8)])
    # The groups are seven dimensions; two columns that share them give each an eigenvalue of 2.
    assert (space.eigenvalues > 1.9).all()
    assert (within**2).sum() < 0.05 * (points**2).sum()


def test_weights_count_for_the_column_and_for_what_it_tells_the_others() -> None:
    data = with_cities()
    light, heavy = fitted(data, 3, c1=0.1), fitted(data, 3, c1=10.0)
    assert contributions(light)[3, 0] < contributions(heavy)[3, 0]
    out = fitted(data, 3, c1=0.0)
    without = projection.fit(features(data.numeric, data.codes[:, :1]), {}, 3, Silent())
    np.testing.assert_allclose(out.eigenvalues, without.eigenvalues)
    np.testing.assert_allclose(contributions(out)[3], 0, atol=1e-12)
    # With all others out, the cities have nothing to go with: no variance, and no harm.
    lonely = fitted(data, 3, x0=0.0, x1=0.0, c0=0.0)
    assert lonely.transform(data, Silent()).shape == (3000, lonely.ncp)
    np.testing.assert_array_equal(lonely.transform(data, Silent()), 0)


def test_a_number_of_components_that_there_is_not_warns_as_ever() -> None:
    with pytest.warns(AvatarsWarning, match="ncp is 99"):
        reduction.fit(with_cities(), {}, 99, Silent())


@pytest.mark.parametrize("missing", [0.0, 0.1])
def test_a_run_draws_levels_and_can_be_judged(missing: float) -> None:
    table = mixed_table(800, missing=missing)
    random = np.random.default_rng(2)
    cities = [f"city {i}" for i in (random.random(800) ** 2 * 70).astype(int)]
    table = table.append_column("city", pa.array(cities, mask=random.random(800) < missing))
    made = run(table, Parameters(k=10, seed=1, use_categorical_reduction=True, column_weights={"city": 2.0}))
    assert made.avatars.schema == table.schema
    assert set(made.avatars["city"].to_pylist()) <= {*cities, *([None] if missing else [])}
    plain = run(table, Parameters(k=10, seed=1, column_weights={"city": 2.0}))
    # The fewer dimensions have less variance, and what they are for looks the same.
    assert made.projection.total_variance < plain.projection.total_variance
    np.testing.assert_allclose(made.projection.eigenvalues[:2], plain.projection.eigenvalues[:2], rtol=0.01)
    if missing:
        assert made.imputer.space is not None
        assert plain.imputer.space is not None
        assert made.imputer.space.total_variance < plain.imputer.space.total_variance
    assert evaluate_run(made).privacy_metrics.hidden_rate > 70


@pytest.mark.parametrize("distinct", [100, 25], ids=["all different", "25 levels"])
def test_a_table_of_one_column_survives(distinct: int) -> None:
    table = pa.table({"name": [f"person {i % distinct}" for i in range(100)]})
    out = run(table, Parameters(k=5, seed=1, method="avatar", use_categorical_reduction=True)).avatars
    assert out.schema == table.schema
    assert out.num_rows == 100
