"""Neighbours: exact, never oneself, ties at random."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from avatars.engine import spots
from avatars.engine.neighbors import Nearby
from avatars.engine.random import BLOCK_ROWS, Purpose, RowRandom, blocks
from avatars.engine.spots import Spots


@pytest.fixture(params=["compiled", "scipy"], autouse=True, scope="module")
def way(request: pytest.FixtureRequest) -> object:
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "compiled":
            patch.setattr(spots, "SMALL", 0)
        yield request.param


def found(points: np.ndarray, k: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return the k nearest others of all rows, as rows, and their distances."""
    n, nearby = len(points), Nearby(Spots.of(points), k, RowRandom(seed, Purpose.TIES))
    members = nearby.spots.members
    near, far = np.empty((n, k), dtype=np.int64), np.empty((n, k))
    for index, block in blocks(n):
        places, distances = nearby.of(index, np.arange(block.start, block.stop))
        near[members[block]], far[members[block]] = members[places], distances
    return near, far


def brute_force(points: np.ndarray, k: int) -> np.ndarray:
    distances = np.sqrt(((points[:, None] - points[None]) ** 2).sum(axis=2))
    np.fill_diagonal(distances, np.inf)
    return np.sort(distances, axis=1)[:, :k]


def assert_exact(points: np.ndarray, k: int) -> None:
    indices, distances = found(points, k)
    assert indices.shape == distances.shape == (len(points), k)
    np.testing.assert_allclose(distances, brute_force(points, k), atol=1e-9)
    np.testing.assert_allclose(np.sqrt(((points[indices] - points[:, None]) ** 2).sum(axis=2)), distances, atol=1e-9)
    assert all(len(set(row)) == k for row in indices.tolist())
    assert not (indices == np.arange(len(points))[:, None]).any()


# Coarse numbers make ties and duplicates the rule, fine ones the exception.
COORDINATES = st.one_of(st.integers(-2, 2).map(float), st.floats(-100, 100), st.sampled_from([0.0, -0.0, 1e-200]))


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_equals_brute_force(data: st.DataObject) -> None:
    shape = data.draw(st.tuples(st.integers(3, 40), st.integers(1, 4)))
    points = data.draw(arrays.arrays(np.float64, shape, elements=COORDINATES))
    assert_exact(points, data.draw(st.integers(1, shape[0] - 1)))


@pytest.mark.parametrize("k", [1, 5, 20])
@pytest.mark.parametrize(
    "points",
    [
        np.random.default_rng(0).normal(size=(400, 5)),
        np.random.default_rng(1).integers(0, 4, (400, 2)).astype(float),
        np.repeat(np.random.default_rng(2).normal(size=(25, 3)), 16, axis=0),
        np.ones((60, 2)),
        np.arange(100.0)[:, None],
    ],
    ids=["cloud", "lattice", "duplicates", "one place", "a line"],
)
def test_equals_brute_force_on_clouds(points: np.ndarray, k: int) -> None:
    assert_exact(points, k)


def test_ties_are_broken_at_random_and_evenly() -> None:
    # 40 rows at one place, 10 wanted: each of the 39 others should come 10/39 of the time.
    runs = 600
    counts = np.zeros(40)
    for seed in range(runs):
        counts[found(np.ones((40, 2)), 10, seed)[0][7]] += 1
    assert counts[7] == 0
    others = np.delete(counts, 7)
    expected = runs * 10 / 39
    spread = np.sqrt(expected * (1 - 10 / 39))
    assert np.abs(others - expected).max() < 5 * spread


def test_pairs_of_tied_neighbours_are_even_too() -> None:
    # Subsets, not only members, are equally likely: count how often two given others come together.
    together = np.zeros((6, 6))
    runs = 1500
    for seed in range(runs):
        chosen = found(np.zeros((6, 1)), 2, seed)[0][0]
        together[chosen[0], chosen[1]] += 1
    counts = (together + together.T)[np.triu_indices(6, 1)]
    possible = counts[counts > 0]
    assert len(possible) == 10
    assert np.abs(possible - runs / 10).max() < 5 * np.sqrt(runs / 10)


def test_the_seed_decides_ties_and_nothing_else() -> None:
    points = np.repeat(np.random.default_rng(3).normal(size=(2000, 3)), 5, axis=0)
    one, again, other = found(points, 7, 1), found(points, 7, 1), found(points, 7, 2)
    np.testing.assert_array_equal(one[0], again[0])
    assert (one[0] != other[0]).any()
    np.testing.assert_array_equal(one[1], other[1])
    assert len(points) > 2 * BLOCK_ROWS


def test_spots_collapse_equal_points() -> None:
    points = np.array([[1.0, -0.0], [2.0, 3.0], [1.0, 0.0], [2.0, 3.0], [5.0, 5.0]])
    found = Spots.of(points)
    assert sorted(found.counts.tolist()) == [1, 2, 2]
    assert found.spot_of[0] == found.spot_of[2]
    assert found.spot_of[1] == found.spot_of[3]
    np.testing.assert_array_equal(found.places[found.spot_of], np.abs(points))


def test_some_of_a_block_are_near_whom_they_are_near_with_all_of_it() -> None:
    nearby = Nearby(Spots.of(np.random.default_rng(2).normal(size=(500, 2))), 7, RowRandom(3, Purpose.TIES))
    some = np.array([3, 4, 90, 499])
    np.testing.assert_array_equal(nearby.of(0, some)[0], nearby.of(0, np.arange(500))[0][some])
