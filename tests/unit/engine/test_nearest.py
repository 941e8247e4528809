"""The compiled search against all distances, on clouds of several levels of the tree."""

from __future__ import annotations

import numpy as np
import pytest

from avatars.engine.nearest import nearest_points
from avatars.engine.tree import LEAF, Tree

RANDOM = np.random.default_rng(20261122)
CLOUDS = {
    "a cloud": RANDOM.normal(size=(3000, 5)),
    "a lattice, full of ties": np.unique(RANDOM.integers(0, 7, (9000, 4)).astype(np.float64), axis=0),
    "a line": np.sort(RANDOM.normal(size=(20_000, 1)), axis=0),
    "far apart": RANDOM.normal(size=(1500, 2)) * 10.0 ** RANDOM.integers(-60, 60, (1500, 1)),
    "fewer than a leaf": RANDOM.normal(size=(LEAF - 1, 3)),
    "one more than a leaf": RANDOM.normal(size=(LEAF + 1, 3)),
    "many coordinates": RANDOM.normal(size=(1200, 50)),
}


def all_squares(queries: np.ndarray, points: np.ndarray) -> np.ndarray:
    squares = np.zeros((len(queries), len(points)))
    for here, there in zip(queries.T, points.T, strict=True):
        squares += (here[:, None] - there) ** 2
    return squares


@pytest.mark.parametrize("width", [1, 2, 22, 700])
@pytest.mark.parametrize("name", CLOUDS)
def test_equals_all_distances(name: str, width: int) -> None:
    points = CLOUDS[name]
    width = min(width, len(points))
    tree, order = Tree.of(points, np.ones(len(points), dtype=np.int64))
    places = points[order]
    for queries in (places[:: max(1, len(places) // 300)], RANDOM.normal(size=(40, points.shape[1]))):
        near, far = nearest_points(tree, queries, width)
        every = all_squares(queries, places)
        squares = np.take_along_axis(every, near, axis=1)
        np.testing.assert_array_equal(squares, np.sort(every, axis=1)[:, :width])
        np.testing.assert_array_equal(np.sqrt(squares), far)
        assert all(len(set(row)) == width for row in near.tolist())
        # Within the list, equal distances are in the order of positions.
        tied = squares[:, 1:] == squares[:, :-1]
        assert (near[:, 1:] > near[:, :-1])[tied].all()


def test_one_by_one_or_together_is_the_same() -> None:
    points = CLOUDS["a lattice, full of ties"]
    tree, _ = Tree.of(points, np.ones(len(points), dtype=np.int64))
    together = nearest_points(tree, points[:50], 9)
    for i in range(50):
        alone = nearest_points(tree, points[i : i + 1], 9)
        np.testing.assert_array_equal(alone[0][0], together[0][i])
        np.testing.assert_array_equal(alone[1][0], together[1][i])
