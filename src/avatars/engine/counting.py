"""How many points lie within a distance of their own around each of many places, counted exactly up to a bound.

A search for the nearest keeps them sorted; where only their NUMBER is asked for, and only whether it exceeds a bound,
far less is to be done: a box of the tree that lies inside of the circle is counted without looking into it, and a
circle is left as soon as its count is beyond the bound. No library offers the two together; the loop is compiled by
numba. Small clouds are not worth a compiler: there, all distances are taken.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from avatars.engine.batches import slices, spread
from avatars.engine.compiling import compiled, part_of_compiled
from avatars.engine.features import Floats
from avatars.engine.progress import Progress, advance
from avatars.engine.spots import TIE, Spots
from avatars.engine.tree import FAN, Counts, Tree

Flags = NDArray[np.bool_]
BATCH = 16_384
"""Places that are counted around at a time."""


def count_within(
    queries: Floats, radii: Floats, points: Spots, bound: int, *, step: str, progress: Progress
) -> tuple[Counts, Flags]:
    """Return for each query how many points lie within its radius, and whether any lies strictly nearer than that.

    Parameters
    ----------
    queries, radii
        (n, d) and (n,). Queries that follow each other in space are answered fastest. Distances that differ from the
        radius by rounding alone count as equal to it.
    points
        Several at one place count each.
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
    if isinstance(points.tree, Tree):
        count: Callable[[slice], tuple[Counts, Flags]] = functools.partial(
            _in_tree, queries, *limits, points.tree, bound
        )
        size = BATCH
    else:
        count = functools.partial(_all, queries, *limits, points)
        size = max(1, 2**22 // len(points.counts))
    batches = list(slices(len(queries), size))
    for done, (rows, found) in enumerate(zip(batches, spread(count, batches), strict=True)):
        counts[rows], nearer[rows] = found
        advance(progress, step, done + 1, len(batches))
    return counts, nearer


def _all(queries: Floats, inner: Floats, outer: Floats, spots: Spots, rows: slice) -> tuple[Counts, Flags]:
    squares = np.zeros((len(queries[rows]), len(spots.places)))
    for here, there in zip(queries[rows].T, spots.places.T, strict=True):
        squares += (here[:, None] - there) ** 2
    within: Counts = (squares <= outer[rows, None]) @ spots.counts
    nearer: Flags = np.any(squares < inner[rows, None], axis=1)
    return within, nearer


def _in_tree(
    queries: Floats, inner: Floats, outer: Floats, tree: Tree, bound: int, rows: slice
) -> tuple[Counts, Flags]:
    number = len(queries[rows])
    counts, nearer = np.empty(number, dtype=np.int64), np.empty(number, dtype=np.bool_)
    loop = _loop(queries.shape[1])
    arrays = (tree.leaves, tree.boxes, tree.first_group, tree.before)
    loop(queries[rows], inner[rows], outer[rows], bound, *arrays, counts, nearer)
    return counts, nearer


@functools.cache
def look_at_boxes(d: int) -> Callable[..., None]:
    """Return a part of compiled loops; the number of coordinates is part of it, so that it is vectorised."""

    def look(boxes: Floats, b: int, queries: Floats, i: int, gaps: Floats, spans: Floats) -> None:
        """Fill in the squared distances of query i to the 16 boxes of group b, and to their furthest corners."""
        for t in range(FAN):
            gap = 0.0
            span = 0.0
            for j in range(d):
                below = boxes[b, 0, j, t] - queries[i, j]
                above = queries[i, j] - boxes[b, 1, j, t]
                outside = max(below, above, 0.0)
                corner = max(-below, -above)
                gap += outside * outside
                span += corner * corner
            gaps[t] = gap
            spans[t] = span

    return part_of_compiled(look)


@functools.cache
def _loop(d: int) -> Callable[..., None]:
    look = look_at_boxes(d)

    def count(
        queries: Floats,
        inner: Floats,
        outer: Floats,
        bound: int,
        leaves: Floats,
        boxes: Floats,
        first_group: Counts,
        before: Counts,
        counts: Counts,
        nearer: Flags,
    ) -> None:
        leaf = leaves.shape[2]
        fan = boxes.shape[3]
        squares = np.empty(leaf)
        gaps = np.empty(fan)
        spans = np.empty(fan)
        levels = np.empty(256, np.int64)
        groups = np.empty(256, np.int64)
        for i in range(len(queries)):
            number = 0
            is_nearer = False
            levels[0] = len(first_group) - 1
            groups[0] = 0
            depth = 1
            while depth > 0 and not (is_nearer and number > bound):
                depth -= 1
                level = levels[depth]
                group = groups[depth]
                look(boxes, first_group[level] + group, queries, i, gaps, spans)
                size = leaf * fan ** (level - 1)  # points in each of the sisters
                for t in range(fan):
                    if gaps[t] > outer[i]:
                        continue
                    unit = group * fan + t
                    if spans[t] < inner[i]:
                        number += before[min(len(before) - 1, (unit + 1) * size)] - before[unit * size]
                        is_nearer = True
                    elif level > 1:
                        levels[depth] = level - 1
                        groups[depth] = unit
                        depth += 1
                    else:
                        for u in range(leaf):
                            square = 0.0
                            for j in range(d):
                                step = leaves[unit, j, u] - queries[i, j]
                                square += step * step
                            squares[u] = square
                        for u in range(leaf):
                            if squares[u] <= outer[i]:
                                number += before[unit * leaf + u + 1] - before[unit * leaf + u]
                                is_nearer |= squares[u] < inner[i]
            counts[i] = number
            nearer[i] = is_nearer

    loop: Callable[..., None] = compiled(count)
    return loop
