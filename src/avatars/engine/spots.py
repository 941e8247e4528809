"""The distinct places of many points, and the search among them: exact, Euclidean, float64.

Points at the same place are collapsed into one *spot*, so duplicates cost nothing in the search. Spots stand in the
order in which the tree holds them, so that memory is read where it was just read when they are asked for one after
the other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from avatars.engine.batches import slices, spread
from avatars.engine.features import Floats
from avatars.engine.nearest import nearest_points
from avatars.engine.progress import Progress, Silent, advance
from avatars.engine.tree import Counts, Tree
from avatars.engine.workspace import IN_MEMORY, Workspace

STEP = "finding neighbours"
# Distances that differ by less than this share are equal: they differ by rounding alone.
TIE = 1e-12
# Up to so many places scipy's tree is as good, and needs no compiler.
SMALL = 4096
QUERIES = 8192
"""Places that are asked about at a time."""


@dataclass(frozen=True, eq=False)
class Spots:
    """The distinct places of a cloud of points, in the order of a tree over them.

    Attributes
    ----------
    places
        (u, d).
    tree
        Over the places, which stand in its order; scipy's where they are few.
    spot_of
        (n,) the spot of each row.
    members, starts
        Rows by spot: those of spot s are ``members[starts[s]:starts[s + 1]]``.
    rank
        (n,) where each row stands among its spot's members.
    """

    places: Floats
    tree: Tree | cKDTree
    spot_of: Counts
    members: Counts
    starts: Counts
    rank: Counts

    @classmethod
    def of(
        cls, points: Floats, workspace: Workspace = IN_MEMORY, progress: Progress | None = None, step: str = STEP
    ) -> Spots:
        """Collapse equal points and build the tree. Cost: O(n log n) time, about 5 times the memory of the points.

        Raises ``Cancelled`` where ``progress`` says so.
        """
        progress = progress or Silent()
        # -0.0 and 0.0 are the same place, and so is what is too small for its square to be a number.
        points = np.where(np.abs(points) < 1e-100, 0.0, points)
        by_place = _order_by_place(points)
        points = points[by_place]
        first = np.concatenate([[True], (points[1:] != points[:-1]).any(axis=1)])
        places, place_of_ordered = points[first], np.cumsum(first) - 1
        del points
        advance(progress, step, 0, 1)
        counts = np.diff(np.append(np.flatnonzero(first), len(first)))
        tree, in_tree_order = _tree(places, counts, lambda done: advance(progress, step, done, 1))
        spot_of_place = np.empty(len(places), dtype=np.int64)
        spot_of_place[in_tree_order] = np.arange(len(places))
        spot_of = np.empty(len(first), dtype=np.int64)
        spot_of[by_place] = spot_of_place[place_of_ordered]
        members = np.argsort(spot_of, kind="stable")
        starts = np.concatenate([[0], np.cumsum(np.bincount(spot_of, minlength=len(places)))])
        rank = np.empty(len(first), dtype=np.int64)
        rank[members] = np.arange(len(first)) - starts[spot_of[members]]
        made = cls(places[in_tree_order], tree, spot_of, members, starts, rank)
        return made._held(workspace) if workspace.in_files else made

    def _held(self, workspace: Workspace) -> Spots:
        """Return the same in the workspace's files."""
        tree = self.tree
        if isinstance(tree, Tree):
            tree = Tree(**{name: workspace.copy("tree", array) for name, array in vars(tree).items()})
        rows = ("places", "spot_of", "members", "starts", "rank")
        return replace(self, tree=tree, **{name: workspace.copy(name, getattr(self, name)) for name in rows})

    @property
    def counts(self) -> Counts:
        """(u,) rows at each spot."""
        return np.diff(self.starts)

    def rows_at(self, spots: Counts) -> Counts:
        """Return how many rows stand at some spots; without a look at all others."""
        counts: Counts = self.starts[spots + 1] - self.starts[spots]
        return counts

    def nearest(self, points: Floats, width: int) -> tuple[Counts, Floats]:
        """Return the (b, width) nearest spots of (b, d) points and their distances, nearest first; by all workers."""
        near, far = np.empty((len(points), width), dtype=np.int64), np.empty((len(points), width))
        batches = list(slices(len(points), QUERIES))
        for rows, found in zip(batches, spread(lambda rows: self.query(points[rows], width), batches), strict=True):
            near[rows], far[rows] = found
        return near, far

    def query(self, points: Floats, width: int) -> tuple[Counts, Floats]:
        """Return the same, computed here and now."""
        if isinstance(self.tree, Tree):
            return nearest_points(self.tree, points, width)
        distances, places = self.tree.query(points, width)
        shape = (len(points), width)
        return np.asarray(places, dtype=np.int64).reshape(shape), np.asarray(distances).reshape(shape)


def _tree(places: Floats, counts: Counts, told: Callable[[float], None]) -> tuple[Tree | cKDTree, Counts]:
    """Return a tree over places in its own order, and that order."""
    if len(places) > SMALL:
        return Tree.of(places, counts, told)
    # The first tree says in which order it holds the places; the second holds them in just that order.
    order = np.asarray(cKDTree(places).indices, dtype=np.int64)
    return cKDTree(places[order]), order


def _order_by_place(points: Floats) -> NDArray[np.int64]:
    """Return an order of the rows in which equal points stand together, by sorting a 64-bit hash of each."""
    words = np.ascontiguousarray(points).view(np.uint64)
    hashed = np.zeros(len(points), dtype=np.uint64)
    for column in words.T:
        hashed = (hashed ^ column) * np.uint64(0x9E3779B97F4A7C15)
        hashed ^= hashed >> np.uint64(32)
    return np.argsort(hashed, kind="stable")
