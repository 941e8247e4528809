"""The middle counts against counting around everybody."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from avatars.engine import middle, spots
from avatars.engine.middle import middle_counts
from avatars.engine.progress import Silent
from avatars.engine.spots import Spots

COORDINATES = st.one_of(st.integers(-2, 2).map(float), st.floats(-10, 10).map(lambda x: round(x, 6)))


@pytest.fixture(params=["compiled", "all distances"], autouse=True, scope="module")
def way(request: pytest.FixtureRequest) -> object:
    with pytest.MonkeyPatch.context() as patch:
        # Samples of few places: brackets are narrow, and wrong at times.
        patch.setattr(middle, "_FIRST_SAMPLE", 16)
        patch.setattr(middle, "_GROWTH", 4)
        if request.param == "compiled":
            patch.setattr(spots, "SMALL", 0)
        yield request.param


def assert_as_defined(queries: np.ndarray, radii: np.ndarray, points: np.ndarray) -> None:
    far = np.sqrt(((queries[:, None] - points[None]) ** 2).sum(axis=2))
    counts = np.sort((far <= radii[:, None] * (1 + 1e-12)).sum(axis=1))
    found = middle_counts(queries, radii, Spots.of(points), step="measuring privacy", progress=Silent())
    assert found == (counts[(len(counts) - 1) // 2], counts[len(counts) // 2])


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_equals_the_middle_of_all_counts(data: st.DataObject) -> None:
    d = data.draw(st.sampled_from([1, 3]))
    queries = data.draw(arrays.arrays(np.float64, (data.draw(st.integers(1, 80)), d), elements=COORDINATES))
    points = data.draw(arrays.arrays(np.float64, (data.draw(st.integers(1, 90)), d), elements=COORDINATES))
    # Radii that are distances to points, so that ties are the rule.
    to = data.draw(arrays.arrays(np.int64, len(queries), elements=st.integers(0, len(points) - 1)))
    assert_as_defined(queries, np.sqrt(((queries - points[to]) ** 2).sum(axis=1)), points)


@pytest.mark.parametrize("d", [1, 3])
@pytest.mark.parametrize("shape", ["a cloud", "a lattice", "many at one place", "far and near"])
def test_larger_clouds(d: int, shape: str) -> None:
    random = np.random.default_rng(d)
    points, queries = random.normal(size=(2, 3001, d))
    if shape == "a lattice":
        points, queries = np.round(points), np.round(queries)
    elif shape == "many at one place":
        points[::3] = points[0]
    elif shape == "far and near":
        points[::2] *= 1000
    radii = np.sqrt(((queries - random.permutation(points)) ** 2).sum(axis=1))
    assert_as_defined(queries, radii, points)
    assert_as_defined(queries[:-1], radii[:-1] * random.uniform(0, 1, 3000), points)


@pytest.mark.parametrize("margin", [0.0, 0.1])
def test_a_bracket_beside_the_median_is_noticed(margin: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(middle, "_ERRORS", margin)
    random = np.random.default_rng(1)
    points, queries = random.normal(size=(2, 2000, 3))
    assert_as_defined(queries, np.sqrt(((queries - points) ** 2).sum(axis=1)), points)
