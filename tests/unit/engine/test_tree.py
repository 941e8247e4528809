"""The tree's layout: every point once, in boxes that hold it."""

from __future__ import annotations

import numpy as np
import pytest

from avatars.engine import batches, tree
from avatars.engine.errors import Cancelled
from avatars.engine.spots import Spots
from avatars.engine.tree import FAN, LEAF, Tree


@pytest.mark.parametrize("n", [1, LEAF, LEAF + 1, LEAF * FAN, LEAF * FAN + 1, 9001])
def test_boxes_hold_their_points(n: int) -> None:
    points = np.random.default_rng(n).normal(size=(n, 3)).round(1)
    counts = np.arange(1, n + 1)
    tree, order = Tree.of(points, counts)
    assert sorted(order.tolist()) == list(range(n))
    laid_out = tree.leaves.transpose(0, 2, 1).reshape(-1, 3)
    np.testing.assert_array_equal(laid_out[:n], points[order])
    assert np.isinf(laid_out[n:]).all()
    np.testing.assert_array_equal(np.diff(tree.before)[:n], counts[order])
    size = LEAF
    for level in range(1, len(tree.first_group)):
        for unit in range(-(-n // size)):
            here = points[order[unit * size : (unit + 1) * size]]
            low, high = tree.boxes[tree.first_group[level] + unit // FAN, :, :, unit % FAN]
            np.testing.assert_array_equal(low, here.min(axis=0))
            np.testing.assert_array_equal(high, here.max(axis=0))
        size *= FAN


def test_places_without_any_point_are_out_of_reach() -> None:
    tree, _ = Tree.of(np.zeros((40, 2)) + np.arange(40)[:, None], np.ones(40, dtype=np.int64))
    assert np.isposinf(tree.boxes[-1, 0, :, 2:]).all()
    assert np.isneginf(tree.boxes[-1, 1, :, 2:]).all()


def test_neighbours_in_space_are_neighbours_in_the_order() -> None:
    points = np.random.default_rng(0).uniform(size=(20_000, 2))
    _, order = Tree.of(points, np.ones(len(points), dtype=np.int64))
    steps = np.linalg.norm(np.diff(points[order], axis=0), axis=1)
    assert steps.mean() < 0.1 * np.linalg.norm(np.diff(points, axis=0), axis=1).mean()


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("piece", [100, 5000])
def test_the_tree_is_the_same_by_any_number_of_threads(
    threads: int, piece: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    points = np.random.default_rng(0).normal(size=(9001, 3)).round(1)
    counts = np.ones(len(points), dtype=np.int64)
    (expected, order), arrays = Tree.of(points, counts), ("leaves", "boxes", "first_group", "before")
    monkeypatch.setattr(batches, "default_threads", lambda: threads)
    monkeypatch.setattr(tree, "PIECE", piece)
    made, order_of_made = Tree.of(points, counts)
    np.testing.assert_array_equal(order_of_made, order)
    for array in arrays:
        np.testing.assert_array_equal(getattr(made, array), getattr(expected, array))


def test_building_can_be_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "PIECE", 100)

    class Impatient:
        heard = 0

        def report(self, step: str, done: float, total: float) -> None:
            self.heard += 1

        def should_stop(self) -> bool:
            return self.heard > 10

    impatient = Impatient()
    with pytest.raises(Cancelled):
        Spots.of(np.random.default_rng(0).normal(size=(9001, 3)), progress=impatient)
    assert impatient.heard == 11
