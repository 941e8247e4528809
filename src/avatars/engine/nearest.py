"""The nearest points of a tree to each of many places: exact, by a compiled loop.

For one place: the leaf where it would stand, and those beside it, give a first radius that holds enough points. Then
the tree is walked, and only cells that reach into the radius are looked at; what lies within it is gathered unsorted,
and the radius is drawn in whenever too much has come together. How far in is found by counting, not by sorting: a
processor compares many distances with one radius at a time, but sorts one by one.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

from avatars.engine.compiling import compiled, part_of_compiled
from avatars.engine.features import Floats
from avatars.engine.tree import Counts, Tree

# Larger than all squared distances, and smaller than those to what fills up leaves and boxes.
_FAR = float(np.finfo(np.float64).max)
# So many are sorted one by one at once.
_FEW = 24


def nearest_points(tree: Tree, queries: Floats, width: int) -> tuple[Counts, Floats]:
    """Return the (b, width) positions in the tree nearest to (b, d) queries, and their distances, nearest first.

    The tree must have ``width`` points. Of equally distant ones at the end of the list, any may be left out; within
    it, those at equal distances are in the order of their positions. Queries that follow each other in space are
    answered fastest. Cost: O(b (log u + width)) time in few dimensions; no memory beyond the answer.
    """
    near, far = np.empty((len(queries), width), dtype=np.int64), np.empty((len(queries), width))
    # The number of coordinates is part of the compiled code: only then are the loops over 16 and 32 points vectorised.
    _loop(queries.shape[1])(tree.leaves, tree.boxes, tree.first_group, queries, near, far)
    return near, far


@functools.cache
def _loop(d: int) -> Callable[..., None]:
    draw_in, sort = part_of_compiled(_draw_in), part_of_compiled(_sort)

    def nearest(leaves: Floats, boxes: Floats, first_group: Counts, queries: Floats, near: Counts, far: Floats) -> None:
        width = near.shape[1]
        leaf = leaves.shape[2]
        fan = boxes.shape[3]
        crowd = 2 * width
        at_first = min(len(leaves), 1 + 2 * width // leaf)
        # As two pieces of memory the loop takes a quarter longer: measured on one processor at widths from 2 to 202.
        room = crowd + 2 * leaf + at_first * leaf
        both = np.empty(2 * room)
        squares, places = both[:room], both[room:].view(np.int64)
        bins = np.empty(len(squares) + 1, np.int64)
        gaps = np.empty(fan)
        levels = np.empty(256, np.int64)
        groups = np.empty(256, np.int64)
        reaches = np.empty(256)
        for i in range(len(queries)):
            # Down to the leaf where the query would stand, always to the closest of 16 sisters.
            home = 0
            for level in range(len(first_group) - 1, 0, -1):
                b = first_group[level] + home
                for t in range(fan):
                    gap = 0.0
                    for j in range(d):
                        outside = max(boxes[b, 0, j, t] - queries[i, j], queries[i, j] - boxes[b, 1, j, t], 0.0)
                        gap += outside * outside
                    gaps[t] = gap
                closest = 0
                for t in range(1, fan):
                    if gaps[t] < gaps[closest]:
                        closest = t
                home = home * fan + closest
            # It and those beside it give the first radius.
            first = max(0, min(home - (at_first - 1) // 2, len(leaves) - at_first))
            beyond = min(len(leaves), first + at_first)
            count = 0
            for unit in range(first, beyond):
                for t in range(leaf):
                    square = 0.0
                    for j in range(d):
                        step = leaves[unit, j, t] - queries[i, j]
                        square += step * step
                    squares[count + t] = square
                for t in range(leaf):
                    places[count + t] = unit * leaf + t
                count += leaf
            count, radius = draw_in(squares, places, count, width, d)
            # Everything else that reaches into the radius, the surroundings first.
            levels[0] = len(first_group) - 1
            groups[0] = 0
            reaches[0] = 0.0
            levels[1] = 1
            groups[1] = home // fan
            reaches[1] = 0.0
            depth = 2 if len(first_group) > 2 else 1
            surrounded = False
            while depth > 0:
                depth -= 1
                level = levels[depth]
                group = groups[depth]
                if reaches[depth] > radius or (surrounded and level == 1 and group == home // fan):
                    continue
                surrounded = True
                b = first_group[level] + group
                for t in range(fan):
                    gap = 0.0
                    for j in range(d):
                        outside = max(boxes[b, 0, j, t] - queries[i, j], queries[i, j] - boxes[b, 1, j, t], 0.0)
                        gap += outside * outside
                    gaps[t] = gap
                if level > 1:
                    for t in range(fan):
                        levels[depth] = level - 1
                        groups[depth] = group * fan + t
                        reaches[depth] = gaps[t]
                        depth += gaps[t] <= radius
                    continue
                for u in range(fan):
                    unit = group * fan + u
                    if gaps[u] > radius or first <= unit < beyond:
                        continue
                    hits = 0
                    for t in range(leaf):
                        square = 0.0
                        for j in range(d):
                            step = leaves[unit, j, t] - queries[i, j]
                            square += step * step
                        squares[count + t] = square
                        hits += square <= radius
                    if hits == 0:
                        continue
                    start = count
                    for t in range(leaf):
                        square = squares[start + t]
                        squares[count] = square
                        places[count] = unit * leaf + t
                        count += square <= radius
                    if count > crowd:
                        count, radius = draw_in(squares, places, count, width, d)
            count, radius = draw_in(squares, places, count, width, d)
            sort(squares, places, count, radius, bins)
            for t in range(width):
                near[i, t] = places[t]
                far[i, t] = np.sqrt(squares[t])

    loop: Callable[..., None] = compiled(nearest)
    return loop


def _draw_in(squares: Floats, places: Counts, count: int, width: int, d: int) -> tuple[int, float]:
    """Keep the smallest of the first ``count`` squares: ``width`` of them, or up to four more; and say which radius.

    Where there are fewer than ``width``, all are kept and the radius is as good as infinite.
    """
    low = -1.0
    high = 0.0
    within = 0
    for t in range(count):
        if squares[t] <= _FAR:
            within += 1
            high = max(high, squares[t])
    if within <= width:
        high = _FAR
    else:
        # A ball's content grows with the d-th power of its radius.
        middle = high * ((width + 2) / within) ** (2.0 / d)
        tries = 0
        while within > width + 4:
            number = 0
            for t in range(count):
                number += squares[t] <= middle
            if number >= width:
                high = middle
                within = number
            else:
                low = middle
            tries += 1
            if tries < 32:
                middle = max(low, 0.0) + (high - max(low, 0.0)) * 0.5
            else:
                # Halving does not part what is (nearly) tied: go on from value to value, until only ties are left.
                middle = high
                for t in range(count):
                    if low < squares[t] < high:
                        middle = squares[t]
                        break
                if middle == high:
                    break
    # Of those tied at the radius, no more are kept than are needed: the others count as beyond it.
    if within > width + 4:
        needed = width
        for t in range(count):
            needed -= squares[t] < high
        for t in range(count):
            if squares[t] == high:
                needed -= 1
                if needed < 0:
                    squares[t] = np.inf
    kept = 0
    for t in range(count):
        square = squares[t]
        place = places[t]
        squares[kept] = square
        places[kept] = place
        kept += square <= high
    return kept, high


def _sort(squares: Floats, places: Counts, count: int, radius: float, bins: Counts) -> None:
    """Sort the first ``count`` squares, none above ``radius``, and their places; behind them is room for as many."""
    if count > _FEW and radius > 0.0:
        # Into bins first, which points fill evenly where they lie evenly in a few dimensions: then little is to move.
        bins[: count + 1] = 0
        for t in range(count):
            share = squares[t] / radius
            bins[min(int(share * share * count), count - 1) + 1] += 1
        for t in range(count):
            bins[t + 1] += bins[t]
        for t in range(count):
            share = squares[t] / radius
            b = min(int(share * share * count), count - 1)
            squares[count + bins[b]] = squares[t]
            places[count + bins[b]] = places[t]
            bins[b] += 1
        for t in range(count):
            squares[t] = squares[count + t]
            places[t] = places[count + t]
    for t in range(1, count):
        square = squares[t]
        place = places[t]
        p = t
        while p > 0 and (squares[p - 1] > square or (squares[p - 1] == square and places[p - 1] > place)):
            squares[p] = squares[p - 1]
            places[p] = places[p - 1]
            p -= 1
        squares[p] = square
        places[p] = place
