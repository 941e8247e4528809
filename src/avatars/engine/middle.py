"""The median of how many points lie within a distance of their own around each of many places: exact, at little cost.

Only the middle of the counts is asked for. So most circles need not be counted: it is enough to know that they hold
fewer points than the middle ones, or more. Samples give a bracket around the median, each a narrower one than the last;
then all circles are placed below it, in it, or above it, and only those in it are counted to the end. A circle is
placed from both sides: it holds at least the boxes of the tree that lie inside it, and at most those that it touches.
(Selection by samples: Floyd and Rivest, "Expected time bounds for selection", 1975. The rest is ours.)
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

import numpy as np

from avatars.engine.batches import slices, spread
from avatars.engine.compiling import compiled, part_of_compiled
from avatars.engine.counting import BATCH, count_within, look_at_boxes
from avatars.engine.features import Floats
from avatars.engine.progress import Part, Progress, advance
from avatars.engine.spots import TIE, Spots
from avatars.engine.tree import FAN, LEAF, Counts, Tree

# Each sample has so many times the places of the one before, and gives a bracket of so many standard errors.
_FIRST_SAMPLE, _GROWTH, _ERRORS = 256, 16, 4.0


def middle_counts(queries: Floats, radii: Floats, points: Spots, *, step: str, progress: Progress) -> tuple[int, int]:
    """Return the two counts in the middle when those of all queries are in order; they are one where n is odd.

    Parameters
    ----------
    queries, radii, points
        As for ``count_within``, which defines the counts.

    Notes
    -----
    Exact. Cost: O(n log m) time for n queries and m points in few dimensions, and that of counting some of the queries
    in full; O(n + m) memory.
    """
    n, everybody = len(queries), len(points.spot_of)
    first, last = (n - 1) // 2, n // 2
    if not isinstance(points.tree, Tree):
        counts = np.sort(count_within(queries, radii, points, everybody, step=step, progress=progress)[0])
        return int(counts[first]), int(counts[last])
    outer = (radii * (1 + TIE)) ** 2
    low, high = _bracket(queries, outer, points, step, Part(progress, 0, 0.2))
    while True:
        counts = _placed(queries, outer, points, low, high, step, Part(progress, 0.2, 1))
        below, above = int((counts < low).sum()), int((counts > high).sum())
        if below <= first and last < n - above:
            inside = np.sort(counts[(counts >= low) & (counts <= high)])
            return int(inside[first - below]), int(inside[last - below])
        # The samples were as unlike the whole as one in ten thousand is.
        low, high = 0, everybody


def _bracket(queries: Floats, outer: Floats, points: Spots, step: str, progress: Progress) -> tuple[int, int]:
    """Return two counts that the median is likely to lie between."""
    n, everybody = len(queries), len(points.spot_of)
    low, high, size = 0, everybody, _FIRST_SAMPLE
    while size * _GROWTH <= n:
        some = np.linspace(0, n - 1, size).astype(np.int64)
        counts = np.sort(_placed(queries[some], outer[some], points, low, high, step, progress))
        margin = math.ceil(_ERRORS * math.sqrt(size) / 2)
        least, most = int(counts[max(0, size // 2 - margin)]), int(counts[min(size - 1, size // 2 + margin)])
        # What lies outside of the bracket is not known well enough to be an end of the next.
        low, high = least if least >= low else 0, most if most <= high else everybody
        size *= _GROWTH
    return low, high


def _placed(
    queries: Floats, outer: Floats, points: Spots, low: int, high: int, step: str, progress: Progress
) -> Counts:
    """Return (n,) counts within squared distances: exact from ``low`` to ``high``, else some number on their side."""
    tree = points.tree
    assert isinstance(tree, Tree)
    place = functools.partial(_place, queries, outer, tree, low, high)
    counts = np.empty(len(queries), dtype=np.int64)
    batches = list(slices(len(queries), BATCH))
    for done, (rows, found) in enumerate(zip(batches, spread(place, batches), strict=True)):
        counts[rows] = found
        advance(progress, step, done + 1, len(batches))
    return counts


def _place(queries: Floats, outer: Floats, tree: Tree, low: int, high: int, rows: slice) -> Counts:
    # The loop is looked up here, and not handed over: on another machine it is compiled anew.
    counts = np.empty(len(queries[rows]), dtype=np.int64)
    arrays = (tree.leaves, tree.boxes, tree.first_group, tree.before, np.ascontiguousarray(tree.before[::LEAF]))
    _loop(queries.shape[1])(queries[rows], outer[rows], low, high, *arrays, counts)
    return counts


@functools.cache
def _loop(d: int) -> Callable[..., None]:
    look, hits_in = look_at_boxes(d), _hits_in(d)

    def place(
        queries: Floats,
        outer: Floats,
        low: int,
        high: int,
        leaves: Floats,
        boxes: Floats,
        first_group: Counts,
        before: Counts,
        starts: Counts,
        counts: Counts,
    ) -> None:
        # Units of the tree that the circle touches, of this level and of the next: those that are more inside than
        # outside of it stand at the front, the others at the back.
        room = len(leaves) + FAN
        here = np.empty(room, np.int64)
        there = np.empty(room, np.int64)
        gaps = np.empty(FAN)
        spans = np.empty(FAN)
        touched = np.empty(FAN, np.int64)
        last = len(starts) - 1
        for i in range(len(queries)):
            inside = 0
            unsure = starts[last]
            here[0] = 0
            front = 1
            back = room
            level = len(first_group) - 1
            size = FAN**level  # leaves of a unit
            settled = False
            while level > 0 and not settled:
                child = size // FAN
                next_front = 0
                next_back = room
                for p in range(front + room - back):
                    group = here[p if p < front else back + p - front]
                    look(boxes, first_group[level] + group, queries, i, gaps, spans)
                    unsure -= starts[min(last, (group + 1) * size)] - starts[group * size]
                    many = 0
                    for t in range(FAN):
                        touched[many] = t
                        many += gaps[t] <= outer[i]
                    for p_touched in range(many):
                        t = touched[p_touched]
                        unit = group * FAN + t
                        rows = starts[min(last, (unit + 1) * child)] - starts[unit * child]
                        if spans[t] <= outer[i]:
                            inside += rows
                            continue
                        unsure += rows
                        if gaps[t] + spans[t] <= 2 * outer[i]:
                            there[next_front] = unit
                            next_front += 1
                        else:
                            next_back -= 1
                            there[next_back] = unit
                    settled = inside > high or inside + unsure < low
                    if settled:
                        break
                here, there = there, here
                front = next_front
                back = next_back
                size = child
                level -= 1
            if not settled:
                # Leaves are looked into, those first that are likely to settle it.
                likely = inside
                for p in range(front):
                    likely += starts[here[p] + 1] - starts[here[p]]
                from_front = 2 * likely > low + high
                touching = front + room - back
                for s in range(touching):
                    p = s if from_front else touching - 1 - s
                    unit = here[p if p < front else back + p - front]
                    inside += hits_in(leaves, unit, queries, i, outer[i], before)
                    unsure -= starts[unit + 1] - starts[unit]
                    if inside > high or inside + unsure < low:
                        break
            counts[i] = inside if inside > high else inside + unsure

    loop: Callable[..., None] = compiled(place)
    return loop


@functools.cache
def _hits_in(d: int) -> Callable[..., int]:
    def hits(leaves: Floats, unit: int, queries: Floats, i: int, outer: float, before: Counts) -> int:
        """Return how many rows of a leaf are within a squared distance of query i."""
        found = 0
        if before[(unit + 1) * LEAF] - before[unit * LEAF] == LEAF:
            # One at each point: that can be counted many at a time.
            for u in range(LEAF):
                square = 0.0
                for j in range(d):
                    step = leaves[unit, j, u] - queries[i, j]
                    square += step * step
                found += square <= outer
            return found
        for u in range(LEAF):
            square = 0.0
            for j in range(d):
                step = leaves[unit, j, u] - queries[i, j]
                square += step * step
            if square <= outer:
                found += before[unit * LEAF + u + 1] - before[unit * LEAF + u]
        return found

    return part_of_compiled(hits)
