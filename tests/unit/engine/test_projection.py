"""The projection against independent ways to the same: dense one-hot tables, scikit-learn."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from sklearn.decomposition import PCA
from tests.unit.engine.tables import encoded, features, mixed_table, one_hot

from avatars.engine import missing, projection, statistics
from avatars.engine.errors import AvatarsWarning
from avatars.engine.features import Features
from avatars.engine.parameters import Imputation, Parameters
from avatars.engine.progress import Silent
from avatars.engine.run import run


def table(n: int = 500) -> Features:
    cells = encoded(mixed_table(n))
    return missing.fit(cells, Imputation(), 0, Silent()).fill(cells, Silent())


def dense_famd(rows: Features, weights: dict[str, float] | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues and Z'Z/n's own Z, written out."""
    weight = [(weights or {}).get(name, 1.0) for name in rows.names]
    q = rows.numeric.shape[1]
    z = (rows.numeric - rows.numeric.mean(axis=0)) / rows.numeric.std(axis=0)
    y = one_hot(rows.codes, rows.sizes)
    share = y.mean(axis=0)
    y = (y - share) / np.sqrt(share)
    scale = np.sqrt(np.concatenate([weight[:q], np.repeat(weight[q:], rows.sizes)]))
    z = np.hstack([z, y]) * scale
    return np.linalg.eigvalsh(z.T @ z / len(z))[::-1], z


def distances(points: np.ndarray) -> np.ndarray:
    return np.asarray(np.sqrt(((points[:, None] - points[None]) ** 2).sum(axis=2)))


def test_famd_equals_the_dense_definition() -> None:
    rows = table()
    fitted = projection.fit(rows, {}, 5, Silent())
    values, z = dense_famd(rows)
    np.testing.assert_allclose(fitted.eigenvalues, values[:5], rtol=1e-10)
    np.testing.assert_allclose(fitted.total_variance, values.sum(), rtol=1e-10)
    np.testing.assert_allclose(fitted.explained_variance_ratio, values[:5] / values.sum(), rtol=1e-10)
    np.testing.assert_allclose(fitted.transform(rows, Silent()), z @ fitted.axes, atol=2e-6)


@pytest.mark.parametrize("unit", [1e-90, 1e-45, 1e45, 1e90])
def test_a_columns_unit_does_not_matter(unit: float) -> None:
    z = np.random.default_rng(0).normal(size=(300, 3)) @ [[1, 1, 0], [0, 1, 0], [0, 0, 1]]
    expected, found = (projection.fit(features(z * [by, 1, 1]), {}, 3, Silent()) for by in (1, unit))
    np.testing.assert_allclose(
        found.transform(features(z * [unit, 1, 1]), Silent()), expected.transform(features(z), Silent()), atol=1e-6
    )


def test_all_components_keep_all_distances() -> None:
    rows = table(120)
    full = projection.fit(rows, {}, rows.dimensions, Silent(), quiet=True).transform(rows, Silent())
    np.testing.assert_allclose(distances(full), distances(dense_famd(rows)[1]), atol=1e-8)


def test_numbers_alone_are_pca() -> None:
    x = np.random.default_rng(0).normal(size=(400, 4)) @ np.random.default_rng(1).normal(size=(4, 4)) + 1e6
    fitted = projection.fit(features(x), {}, 3, Silent())
    pca = PCA(3, svd_solver="full").fit((x - x.mean(axis=0)) / x.std(axis=0))
    np.testing.assert_allclose(fitted.explained_variance_ratio, pca.explained_variance_ratio_, rtol=1e-8)
    np.testing.assert_allclose(np.abs((fitted.axes * pca.components_.T).sum(axis=0)), 1, rtol=1e-8)


def test_categories_alone_are_mca() -> None:
    # MCA's eigenvalues are those of this matrix over the number of variables (FactoMineR's convention).
    codes = np.random.default_rng(2).integers(0, 3, (300, 4))
    codes[:, 1] = np.where(np.random.default_rng(3).random(300) < 0.7, codes[:, 0], codes[:, 1])
    rows = features(np.zeros((300, 0)), codes)
    y = one_hot(rows.codes, rows.sizes)
    p = y / y.sum()
    r, c = p.sum(axis=1), p.sum(axis=0)
    inertias = np.linalg.svd((p - np.outer(r, c)) / np.sqrt(np.outer(r, c)), compute_uv=False) ** 2
    fitted = projection.fit(rows, {}, 4, Silent())
    np.testing.assert_allclose(fitted.eigenvalues / 4, inertias[:4], rtol=1e-9)


@pytest.mark.parametrize("few_levels", [0, 100])
def test_covariances_are_those_of_indicators(monkeypatch: pytest.MonkeyPatch, few_levels: int) -> None:
    rows = table(5000)
    monkeypatch.setattr(statistics, "_FEW_LEVELS", few_levels)
    found, q = statistics.gather(rows, Silent()), rows.numeric.shape[1]
    expected = np.cov(np.hstack([rows.numeric, one_hot(rows.codes, rows.sizes)]).T, bias=True)
    np.testing.assert_allclose(found.covariance, expected[:q, :q], atol=1e-10)
    np.testing.assert_allclose(found.level_covariance, expected[q:, :q], atol=1e-10)


def test_beyond_the_dense_limit_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = table()
    dense = projection.fit(rows, {"sex": 2.0}, 4, Silent())
    monkeypatch.setattr(projection, "DENSE_DIMENSIONS", 3)
    monkeypatch.setattr(projection, "PAIR_ROWS", 150)
    iterated = projection.fit(rows, {"sex": 2.0}, 4, Silent())
    np.testing.assert_allclose(iterated.eigenvalues, dense.eigenvalues, rtol=1e-8)
    np.testing.assert_allclose(iterated.transform(rows, Silent()), dense.transform(rows, Silent()), atol=1e-6)


def test_a_weight_multiplies_the_squared_distances_of_its_column() -> None:
    x = np.random.default_rng(4).normal(size=(50, 2))
    rows = features(x)
    z = (x - x.mean(axis=0)) / x.std(axis=0)
    weighted = projection.fit(rows, {"x0": 4.0}, 2, Silent()).transform(rows, Silent())
    np.testing.assert_allclose(distances(weighted), distances(z * [2, 1]), atol=1e-9)
    without = projection.fit(rows, {"x0": 0.0}, 2, Silent(), quiet=True).transform(rows, Silent())
    np.testing.assert_allclose(distances(without), distances(z[:, 1:]), atol=1e-9)


def test_ncp_is_clamped_to_the_rank_with_a_warning() -> None:
    x = np.random.default_rng(5).normal(size=(50, 3))
    with pytest.warns(AvatarsWarning, match="only 3 dimension"):
        assert projection.fit(features(x), {}, 7, Silent()).ncp == 3


def test_constants_and_absent_levels_count_for_nothing() -> None:
    random = np.random.default_rng(6)
    x = np.column_stack([random.normal(size=60), np.full(60, 0.1)])
    rows = features(x, np.column_stack([random.integers(0, 2, 60), np.full(60, 3)]))
    coordinates = projection.fit(rows, {}, 5, Silent(), quiet=True).transform(rows, Silent())
    assert np.isfinite(coordinates).all()
    assert coordinates.shape == (60, 2)


def test_equal_rows_get_bitwise_equal_coordinates_wherever_they_stand() -> None:
    rows = table(200)
    doubled = rows.take(np.tile(np.arange(200), 40))
    coordinates = projection.fit(rows, {}, 5, Silent()).transform(doubled, Silent())
    assert (coordinates.reshape(40, 200, -1) == coordinates[:200]).all()


def test_new_rows_are_seen_with_the_originals_statistics() -> None:
    rows = table()
    fitted = projection.fit(rows, {}, 5, Silent())
    whole = fitted.transform(rows, Silent())
    np.testing.assert_array_equal(fitted.transform(rows.take(slice(7, 9)), Silent()), whole[7:9])


def test_equal_eigenvalues_are_all_found() -> None:
    # All values differ: every eigenvalue is 1, and LAPACK's search for the largest few finds none of them.
    table = pa.table({"name": [f"person {i}" for i in range(300)]})
    made = run(table, Parameters(k=5, seed=1, method="avatar"))
    np.testing.assert_allclose(made.projection.eigenvalues, np.ones(5))
