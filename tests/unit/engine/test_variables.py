"""Variables and components against FactoMineR's definitions written out densely, scikit-learn and published values."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.csv
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA
from tests.unit.engine.tables import encoded, features, mixed_table, one_hot

from avatars.engine import missing, projection
from avatars.engine.features import Features
from avatars.engine.parameters import Imputation
from avatars.engine.progress import Silent
from avatars.engine.projection import Projection
from avatars.engine.variables import contributions, correlations_and_eta2, cos2

IRIS = Path(__file__).parents[3] / "fixtures" / "iris.csv"
WEIGHTS = {"height": 4.0, "sex": 0.5, "ward": 3.0}


def fit(rows: Features, weights: dict[str, float] | None = None, ncp: int = 5) -> Projection:
    return projection.fit(rows, weights or {}, ncp, Silent(), quiet=True)


def mixed(n: int = 400) -> Features:
    cells = encoded(mixed_table(n))
    return missing.fit(cells, Imputation(), 0, Silent()).fill(cells, Silent())


def iris() -> Features:
    table = pyarrow.csv.read_csv(IRIS)
    species = table["variety"].combine_chunks().dictionary_encode().indices.to_numpy()
    return features(np.column_stack([table[name].to_numpy() for name in table.column_names[:4]]), species[:, None])


def squared_correlations_and_eta2(rows: Features, coordinates: np.ndarray) -> np.ndarray:
    """From the rows: numpy's correlation, squared, and the analysis of variance of coordinates between levels."""
    table = [[np.corrcoef(x, f)[0, 1] ** 2 for f in coordinates.T] for x in rows.numeric.T]
    for codes in rows.codes.T:
        means = np.array([coordinates[codes == code].mean(axis=0) for code in codes])
        table.append(list(((means - coordinates.mean(axis=0)) ** 2).sum(axis=0) / len(codes) / coordinates.var(axis=0)))
    return np.array(table)


def factominer_famd(rows: Features, weights: dict[str, float], ncp: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """$var$contrib, $var$coord and $var$cos2, as FAMD.R and PCA.R compute them: dense, by singular values."""
    q, n = rows.numeric.shape[1], len(rows)
    y = one_hot(rows.codes, rows.sizes)
    share = y.mean(axis=0)
    x = np.hstack([(rows.numeric - rows.numeric.mean(axis=0)) / rows.numeric.std(axis=0), (y - share) / share**0.5])
    variable = np.concatenate([np.arange(q), q + np.repeat(np.arange(len(rows.sizes)), rows.sizes)])
    column_weight = np.array([weights.get(rows.names[v], 1.0) for v in variable])
    u, s, v = np.linalg.svd(x * np.sqrt(column_weight) / np.sqrt(n), full_matrices=False)
    coord_var = (v.T / np.sqrt(column_weight)[:, None] * s)[:, :ncp]
    contrib = 100 * coord_var**2 * column_weight[:, None] / s[:ncp] ** 2
    summed = np.array([contrib[variable == j].sum(axis=0) for j in range(len(rows.names))])
    coord = squared_correlations_and_eta2(rows, (u * s)[:, :ncp])
    degrees = np.concatenate([np.ones(q), np.array(rows.sizes) - 1])
    return summed, coord, coord**2 / degrees[:, None]


def squares(rows: Features, fitted: Projection) -> np.ndarray:
    """What correlations_and_eta2 gives, the correlations squared: FAMD's $var$coord."""
    related = correlations_and_eta2(fitted)
    q = rows.numeric.shape[1]
    return np.vstack([related[:q] ** 2, related[q:]])


@pytest.mark.parametrize("weights", [{}, WEIGHTS])
def test_mixed_tables_equal_famd_written_out(weights: dict[str, float]) -> None:
    rows = mixed()
    fitted = fit(rows, weights)
    contrib, coord, cosines = factominer_famd(rows, weights, 5)
    np.testing.assert_allclose(contributions(fitted), contrib, atol=1e-8)
    np.testing.assert_allclose(squares(rows, fitted), coord, atol=1e-7)
    np.testing.assert_allclose(cos2(fitted), cosines, atol=1e-7)


def test_numbers_alone_equal_scikit_learns_pca() -> None:
    x = np.random.default_rng(0).normal(size=(400, 4)) @ np.random.default_rng(1).normal(size=(4, 4)) + 1e6
    rows = features(x)
    fitted = fit(rows, ncp=3)
    z = (x - x.mean(axis=0)) / x.std(axis=0)
    pca = PCA(3, svd_solver="full").fit(z)
    np.testing.assert_allclose(fitted.eigenvalues, pca.explained_variance_ * 399 / 400, rtol=1e-8)
    np.testing.assert_allclose(contributions(fitted), 100 * pca.components_.T**2, atol=1e-7)
    r = np.corrcoef(z.T, pca.transform(z).T)[:4, 4:]
    np.testing.assert_allclose(np.abs(correlations_and_eta2(fitted)), np.abs(r), atol=1e-8)
    np.testing.assert_allclose(cos2(fitted), r**2, atol=1e-8)


def test_categories_alone_equal_mca_written_out() -> None:
    # MCA.R: correspondence analysis of the indicators; eta2 = contributions x eigenvalue x number of variables.
    codes = np.random.default_rng(2).integers(0, 3, (300, 4))
    codes[:, 1] = np.where(np.random.default_rng(3).random(300) < 0.7, codes[:, 0], codes[:, 1])
    rows = features(np.zeros((300, 0)), codes)
    p = one_hot(rows.codes, rows.sizes) / 1200
    row_mass, mass = p.sum(axis=1), p.sum(axis=0)
    _, s, v = np.linalg.svd((p - np.outer(row_mass, mass)) / np.sqrt(np.outer(row_mass, mass)), full_matrices=False)
    eigenvalues, coord = s[:4] ** 2, (v.T / np.sqrt(mass)[:, None] * s)[:, :4]
    contrib = (100 * coord**2 * mass[:, None] / eigenvalues).reshape(4, 3, 4).sum(axis=1)
    fitted = fit(rows, ncp=4)
    np.testing.assert_allclose(contributions(fitted), contrib, atol=1e-8)
    np.testing.assert_allclose(correlations_and_eta2(fitted), contrib / 100 * eigenvalues * 4, atol=1e-10)
    np.testing.assert_allclose(
        correlations_and_eta2(fitted), squared_correlations_and_eta2(rows, fitted.transform(rows, Silent())), atol=1e-7
    )


def test_correlations_have_the_sign_of_the_coordinates() -> None:
    rows = mixed()
    fitted = fit(rows, WEIGHTS)
    r = np.corrcoef(rows.numeric.T, fitted.transform(rows, Silent()).T)[:3, 3:]
    np.testing.assert_allclose(correlations_and_eta2(fitted)[:3], r, atol=1e-7)


def test_iris_pca_equals_published_values() -> None:
    # Printed by factoextra's reference page of get_pca(); rows: sepal length, sepal width, petal length, petal width.
    contrib = [
        [27.150969, 14.24440565, 51.777574, 6.827052],
        [7.254804, 85.24748749, 5.972245, 1.525463],
        [33.687936, 0.05998389, 2.019990, 64.232089],
        [31.906291, 0.44812296, 40.230191, 27.415396],
    ]
    cosines = [
        [0.7924004, 0.130198208, 0.075987149, 0.0014142127],
        [0.2117313, 0.779188012, 0.008764681, 0.0003159971],
        [0.9831817, 0.000548271, 0.002964475, 0.0133055723],
        [0.9311844, 0.004095980, 0.059040571, 0.0056790544],
    ]
    fitted = fit(features(iris().numeric))
    np.testing.assert_allclose(contributions(fitted), contrib, atol=5e-7)
    np.testing.assert_allclose(cos2(fitted), cosines, atol=5e-8)
    np.testing.assert_allclose(fitted.eigenvalues, np.sum(cosines, axis=0), atol=2e-7)


def test_iris_famd_equals_factominer() -> None:
    # FactoMineR::FAMD(iris, ncp = 3)$var$coord and explained variance as printed, rounded, by the article "Summary of
    # Model Parameters" of the R package parameters (easystats).
    coord = [
        [0.75, 0.07, 0.10],
        [0.23, 0.51, 0.23],
        [0.98, 1.32e-03, 1.99e-03],
        [0.94, 0.01, 2.82e-05],
        [0.96, 0.75, 0.26],
    ]
    fitted = fit(iris(), ncp=3)
    np.testing.assert_allclose(squares(iris(), fitted), coord, atol=0.005)
    np.testing.assert_allclose(squares(iris(), fitted)[[2, 2, 3], [1, 2, 2]], [1.32e-3, 1.99e-3, 2.82e-5], rtol=5e-3)
    np.testing.assert_allclose(100 * fitted.explained_variance_ratio, [64.50, 22.37, 9.86], atol=0.005)
    # The same to more digits than are printed, written out.
    contrib, _, cosines = factominer_famd(iris(), {}, 3)
    np.testing.assert_allclose(contributions(fitted), contrib, atol=1e-8)
    np.testing.assert_allclose(cos2(fitted), cosines, atol=1e-10)


def test_a_number_and_its_halves_count_the_same() -> None:
    # The expected values of saiph's test_get_variable_contributions (itself compared with FactoMineR); by hand, with
    # r = 2 / sqrt(5) between number and level: eigenvalues 1 +- r, r^4 = eta2^2 = (eigenvalue / 2)^2.
    fitted = fit(features(np.array([[4.0], [5.0], [6.0], [7.0]]), np.array([[0], [0], [1], [1]])), ncp=2)
    np.testing.assert_allclose(fitted.eigenvalues, 1 + np.array([1, -1]) * 2 / np.sqrt(5), rtol=1e-12)
    np.testing.assert_allclose(contributions(fitted), np.full((2, 2), 50), rtol=1e-9)
    np.testing.assert_allclose(cos2(fitted), [[0.897214, 0.002786]] * 2, atol=5e-7)


def test_a_weight_of_zero_contributes_nothing_and_is_still_described() -> None:
    rows = mixed()
    fitted = fit(rows, {"weight": 0.0, "ward": 0.0})
    out = [rows.names.index("weight"), rows.names.index("ward")]
    np.testing.assert_allclose(contributions(fitted)[out], 0, atol=1e-20)
    np.testing.assert_allclose(contributions(fitted).sum(axis=0), 100)
    expected = squared_correlations_and_eta2(rows, fitted.transform(rows, Silent()))
    np.testing.assert_allclose(squares(rows, fitted), expected, atol=1e-7)
    assert expected[out].max() > 0.5


def test_constants_absent_and_single_levels_count_for_nothing() -> None:
    random = np.random.default_rng(6)
    x = np.column_stack([random.normal(size=60), np.full(60, 0.1)])
    some, single, absent = random.integers(0, 2, 60), np.zeros(60, int), np.where(random.random(60) < 0.5, 1, 3)
    fitted = fit(features(x, np.column_stack([some, single, absent])))
    kept = fit(features(x[:, :1], np.column_stack([some, absent // 2])))
    for table in (contributions, correlations_and_eta2, cos2):
        np.testing.assert_allclose(table(fitted)[[0, 2, 4]], table(kept), atol=1e-8)
        np.testing.assert_allclose(table(fitted)[[1, 3]], 0, atol=1e-20)


def test_a_table_of_constants_has_zeros_everywhere() -> None:
    fitted = fit(features(np.ones((9, 2)), np.zeros((9, 1))))
    for table in (contributions, correlations_and_eta2, cos2):
        np.testing.assert_array_equal(table(fitted), np.zeros((3, fitted.ncp)))


def test_beyond_the_dense_limit_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = mixed()
    weights = {"sex": 2.0, "ward": 0.0, "visits": 0.0}
    dense = fit(rows, weights, 3)
    monkeypatch.setattr(projection, "DENSE_DIMENSIONS", 3)
    iterated = fit(rows, weights, 3)
    for table in (contributions, correlations_and_eta2, cos2):
        np.testing.assert_allclose(table(iterated), table(dense), atol=1e-6)


@settings(deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(2, 40),
    q=st.integers(0, 3),
    c=st.integers(1, 3),
    weight=st.sampled_from([0.25, 1.0, 9.0]),
)
def test_sums_and_bounds_hold_for_any_table(seed: int, n: int, q: int, c: int, weight: float) -> None:
    random = np.random.default_rng(seed)
    rows = features(random.integers(0, 5, (n, q)), random.integers(0, 4, (n, c)))
    fitted = fit(rows, {rows.names[0]: weight}, 4)
    varied = fitted.eigenvalues > 0
    np.testing.assert_allclose(contributions(fitted).sum(axis=0), 100 * varied, atol=1e-9)
    for table in (squares(rows, fitted), cos2(fitted)):
        assert (table >= 0).all()
        assert (table <= 1 + 1e-9).all()
    # A feature's contribution is its weight times its relation to the component, in parts of the eigenvalue.
    weights = np.array([weight, *[1.0] * (q + c - 1)])[:, None]
    parts = contributions(fitted) / 100 * fitted.eigenvalues
    np.testing.assert_allclose(parts, weights * squares(rows, fitted) * varied, atol=1e-8)
