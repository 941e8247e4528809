"""How many points lie within a distance of their own around each of many places, counted exactly up to a bound.

A search for the nearest keeps them sorted; where only their NUMBER is asked for, and only whether it exceeds a bound,
far less is to be done: a box of the tree that lies inside of the circle is counted without looking into it, and a
circle is left as soon as its count is beyond the bound. No library offers the two together; the loop is compiled by
numba, and was measured ten times as fast as scipy's ball queries. Small clouds are not worth a compiler: there, all
distances are taken.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from avatars.engine.batches import default_threads
from avatars.engine.features import Floats
from avatars.engine.neighbors import TIE, Spots
from avatars.engine.progress import Progress, advance

Counts = NDArray[np.int64]
Flags = NDArray[np.bool_]
# Up to so many places all distances are taken.
SMALL = 4096
_LEAF = 32
_BATCH = 16_384


def prepare(spots: Spots) -> Spots | Boxes:
    """Return what ``count_within`` counts in: the points as they are, or in boxes where there are many."""
    return spots if len(spots.counts) <= SMALL else Boxes.of(spots)


def count_within(
    queries: Floats, radii: Floats, points: Spots | Boxes, bound: int, *, step: str, progress: Progress
) -> tuple[Counts, Flags]:
    """Return for each query how many points lie within its radius, and whether any lies strictly nearer than that.

    Parameters
    ----------
    queries, radii
        (n, d) and (n,). Distances that differ from the radius by rounding alone count as equal to it.
    points
        Made by ``prepare``; several at one place count each.
    bound
        A count above it is only known to be above it.

    Returns
    -------
    counts : (n,) int64
    nearer : (n,) bool

    Notes
    -----
    Exact below the bound. Cost: O(n (log m + bound)) time for m points, O(n + m) memory.
    """
    counts, nearer = np.empty(len(queries), dtype=np.int64), np.empty(len(queries), dtype=np.bool_)
    limits = ((radii * (1 - TIE)) ** 2, (radii * (1 + TIE)) ** 2)
    if isinstance(points, Spots):
        count: Callable[[NDArray[np.int64]], tuple[Counts, Flags]] = functools.partial(_all, queries, *limits, points)
        size = max(1, 2**22 // len(points.counts))
    else:
        count = functools.partial(_boxed, queries, *limits, points, bound)
        size = _BATCH
    # Queries that stand together read the same part of the tree.
    order = np.asarray(cKDTree(queries, balanced_tree=False, compact_nodes=False).indices, dtype=np.int64)
    batches = [order[start : start + size] for start in range(0, len(order), size)]
    with ThreadPoolExecutor(default_threads()) as pool:
        for done, (rows, found) in enumerate(zip(batches, pool.map(count, batches), strict=True)):
            counts[rows], nearer[rows] = found
            advance(progress, step, done + 1, len(batches))
    return counts, nearer


def _all(queries: Floats, inner: Floats, outer: Floats, spots: Spots, rows: NDArray[np.int64]) -> tuple[Counts, Flags]:
    squares = np.zeros((len(rows), len(spots.counts)))
    for here, there in zip(queries[rows].T, spots.tree.data.T, strict=True):
        squares += (here[:, None] - there) ** 2
    within: Counts = (squares <= outer[rows, None]) @ spots.counts
    nearer: Flags = np.any(squares < inner[rows, None], axis=1)
    return within, nearer


@dataclass(frozen=True, eq=False)
class Boxes:
    """A tree of tight boxes over points, as flat arrays for the compiled loop.

    Attributes
    ----------
    points
        (m, d), leaf by leaf.
    before
        (m + 1,) how many points, with those at the same place, stand before each.
    first, last
        (nodes,) each node's points are ``points[first:last]``.
    left, right
        (nodes,) its halves; -1 for a leaf.
    lower, upper
        (nodes, d) its corners.
    """

    points: Floats
    before: Counts
    first: Counts
    last: Counts
    left: Counts
    right: Counts
    lower: Floats
    upper: Floats

    @classmethod
    def of(cls, spots: Spots) -> Boxes:
        """Build the tree. Cost: O(m log m)."""
        places = np.asarray(spots.tree.data)
        tree = cKDTree(places, leafsize=_LEAF, balanced_tree=True, compact_nodes=False)
        nodes: list[tuple[int, int]] = []
        stack: list[tuple[Any, int, int]] = [(tree.tree, -1, 0)]
        children: list[list[int]] = []
        while stack:
            node, parent, side = stack.pop()
            if parent >= 0:
                children[parent][side] = len(nodes)
            children.append([-1, -1])
            if node.split_dim != -1:
                stack += [(node.greater, len(nodes), 1), (node.lesser, len(nodes), 0)]
            nodes.append((node.start_idx, node.end_idx))
        first, last = (np.array([node[i] for node in nodes], dtype=np.int64) for i in (0, 1))
        left, right = (np.array([child[i] for child in children], dtype=np.int64) for i in (0, 1))
        points = np.ascontiguousarray(places[tree.indices])
        before = np.concatenate([[0], np.cumsum(spots.counts[tree.indices])]).astype(np.int64)
        lower, upper = np.empty((len(first), places.shape[1])), np.empty((len(first), places.shape[1]))
        _compiled(_bound_boxes)(points, first, last, left, right, lower, upper)
        return cls(points, before, first, last, left, right, lower, upper)


def _boxed(
    queries: Floats, inner: Floats, outer: Floats, boxes: Boxes, bound: int, rows: NDArray[np.int64]
) -> tuple[Counts, Flags]:
    counts, nearer = np.empty(len(rows), dtype=np.int64), np.empty(len(rows), dtype=np.bool_)
    _compiled(_count_in_boxes)(
        queries[rows],
        inner[rows],
        outer[rows],
        bound,
        boxes.points,
        boxes.before,
        boxes.first,
        boxes.last,
        boxes.left,
        boxes.right,
        boxes.lower,
        boxes.upper,
        counts,
        nearer,
    )
    return counts, nearer


@functools.cache
def _compiled(function: Callable[..., None]) -> Any:
    # Imported here: only large tables need the compiler.
    from numba import njit

    try:
        return njit(nogil=True, cache=True)(function)
    except RuntimeError:
        # No folder that the compiled code could be kept in: it is compiled anew in each process.
        return njit(nogil=True)(function)


def _bound_boxes(
    points: Floats, first: Counts, last: Counts, left: Counts, right: Counts, lower: Floats, upper: Floats
) -> None:
    """Fill in the corners, from the leaves up: children come after their parent."""
    for node in range(len(first) - 1, -1, -1):
        for j in range(points.shape[1]):
            if left[node] < 0:
                low = high = points[first[node], j]
                for p in range(first[node] + 1, last[node]):
                    low = min(low, points[p, j])
                    high = max(high, points[p, j])
            else:
                low = min(lower[left[node], j], lower[right[node], j])
                high = max(upper[left[node], j], upper[right[node], j])
            lower[node, j] = low
            upper[node, j] = high


def _count_in_boxes(
    queries: Floats,
    inner: Floats,
    outer: Floats,
    bound: int,
    points: Floats,
    before: Counts,
    first: Counts,
    last: Counts,
    left: Counts,
    right: Counts,
    lower: Floats,
    upper: Floats,
    counts: Counts,
    nearer: Flags,
) -> None:
    """Walk the tree for each query, the nearer half first, until its count is settled."""
    d = points.shape[1]
    stack = np.empty(256, dtype=np.int64)
    for i in range(len(queries)):
        count = 0
        is_nearer = False
        stack[0] = 0
        depth = 1
        while depth > 0 and not (is_nearer and count > bound):
            depth -= 1
            node = stack[depth]
            gap = 0.0  # squared distance to the box
            span = 0.0  # squared distance to its furthest corner
            for j in range(d):
                below = lower[node, j] - queries[i, j]
                above = queries[i, j] - upper[node, j]
                outside = max(below, above, 0.0)
                gap += outside * outside
                corner = max(-below, -above)
                span += corner * corner
            if gap > outer[i]:
                continue
            if span < inner[i]:
                count += before[last[node]] - before[first[node]]
                is_nearer = True
            elif left[node] < 0:
                for p in range(first[node], last[node]):
                    square = 0.0
                    for j in range(d):
                        step = queries[i, j] - points[p, j]
                        square += step * step
                    if square <= outer[i]:
                        count += before[p + 1] - before[p]
                        if square < inner[i]:
                            is_nearer = True
            else:
                towards_left = 0.0
                towards_right = 0.0
                for j in range(d):
                    step = lower[left[node], j] + upper[left[node], j] - 2 * queries[i, j]
                    towards_left += step * step
                    step = lower[right[node], j] + upper[right[node], j] - 2 * queries[i, j]
                    towards_right += step * step
                if towards_left < towards_right:
                    stack[depth] = right[node]
                    stack[depth + 1] = left[node]
                else:
                    stack[depth] = left[node]
                    stack[depth + 1] = right[node]
                depth += 2
        counts[i] = count
        nearer[i] = is_nearer
