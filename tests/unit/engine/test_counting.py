"""Counting within a distance against all distances, by the compiled loop and without it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from avatars.engine import spots
from avatars.engine.counting import count_within
from avatars.engine.progress import Silent
from avatars.engine.spots import Spots

COORDINATES = st.one_of(st.integers(-2, 2).map(float), st.floats(-10, 10).map(lambda x: round(x, 6)))


@pytest.fixture(params=["compiled", "all distances"], autouse=True, scope="module")
def way(request: pytest.FixtureRequest) -> object:
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "compiled":
            patch.setattr(spots, "SMALL", 0)
        yield request.param


def counted(queries: np.ndarray, radii: np.ndarray, points: np.ndarray, bound: int) -> tuple[np.ndarray, np.ndarray]:
    return count_within(queries, radii, Spots.of(points), bound, step="measuring privacy", progress=Silent())


def by_definition(queries: np.ndarray, radii: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    far = np.sqrt(((queries[:, None] - points[None]) ** 2).sum(axis=2))
    return (far <= radii[:, None] * (1 + 1e-12)).sum(axis=1), (far < radii[:, None] * (1 - 1e-12)).any(axis=1)


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_equals_all_distances(data: st.DataObject) -> None:
    d = data.draw(st.integers(1, 4))
    queries = data.draw(arrays.arrays(np.float64, (data.draw(st.integers(1, 30)), d), elements=COORDINATES))
    points = data.draw(arrays.arrays(np.float64, (data.draw(st.integers(1, 90)), d), elements=COORDINATES))
    # Radii that are distances to points, so that ties are the rule.
    to = data.draw(arrays.arrays(np.int64, len(queries), elements=st.integers(0, len(points) - 1)))
    radii = np.sqrt(((queries - points[to]) ** 2).sum(axis=1))
    within, nearer = by_definition(queries, radii, points)
    counts, found = counted(queries, radii, points, len(points))
    np.testing.assert_array_equal(counts, within)
    np.testing.assert_array_equal(found, nearer)


@pytest.mark.parametrize("bound", [0, 3, 40, 10_000])
def test_counts_are_exact_up_to_the_bound_and_above_it_beyond(bound: int) -> None:
    random = np.random.default_rng(0)
    points = random.normal(size=(3000, 3))
    queries, radii = random.normal(size=(500, 3)), random.uniform(0, 1, 500)
    within, nearer = by_definition(queries, radii, points)
    counts, found = counted(queries, radii, points, bound)
    np.testing.assert_array_equal(found, nearer)
    below = within <= bound
    np.testing.assert_array_equal(counts[below], within[below])
    assert (counts[~below] > bound).all()


def test_many_points_at_one_place_count_each() -> None:
    points = np.repeat([[0.0, 0.0], [1.0, 0.0]], 500, axis=0)
    counts, nearer = counted(np.array([[0.0, 0.0]] * 2), np.array([0.5, 1.0]), points, 1000)
    assert counts.tolist() == [500, 1000]
    assert nearer.tolist() == [True, True]
