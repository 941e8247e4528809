"""A tree over many points as flat arrays: quick to build, to search, to map into memory and to hand to other processes.

The points are laid out leaf by leaf in an order in which every aligned run of 32, of 16 x 32, of 16 x 16 x 32 ...
points is one compact cell, made by splitting the widest side in two again and again (a k-d tree: Bentley,
"Multidimensional binary search trees used for associative searching", 1975). Runs need no pointers: the children of
run g are the runs 16 g to 16 g + 15 one level down. The corners of 16 sisters stand side by side, as do the 32 points
of a leaf, so that a processor compares them many at a time. (The layout is ours; about twice as fast as scipy's tree.)
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avatars.engine.batches import in_order
from avatars.engine.compiling import compiled, part_of_compiled
from avatars.engine.features import Floats

Counts = NDArray[np.int64]
LEAF = 32
FAN = 16
PIECE = 2**16
"""Points that one core arranges by itself."""


@dataclass(frozen=True, eq=False)
class Tree:
    """Points in leaves, and the corners of every run of leaves.

    Attributes
    ----------
    leaves
        (m, d, 32) the points of each leaf, coordinate by coordinate; the last leaf is filled up with inf.
    boxes
        (groups, 2, d, 16) lowest and highest coordinates of 16 sisters; inf and -inf where there is none.
    first_group
        (levels + 1,) where the groups of each level begin in ``boxes``: level 1 has leaves as sisters, and so on.
    before
        (32 m + 1,) how many rows stand before each point; several rows may stand at one point.
    """

    leaves: Floats
    boxes: Floats
    first_group: Counts
    before: Counts

    @classmethod
    def of(cls, places: Floats, counts: Counts, told: Callable[[float], None] = lambda _: None) -> tuple[Tree, Counts]:
        """Build a tree over (u, d) places at which (u,) rows stand; return it and the order of the places in it.

        By all cores, and the same whatever their number. ``told`` hears the share that is done, and may raise. Cost:
        O(u log u) time; twice the memory of the places.
        """
        u, d = places.shape
        m = -(-u // LEAF)
        filled = np.full((m * LEAF, d), np.inf)
        filled[:u] = places
        order = np.arange(u)
        _arrange_all(filled, order, told)
        leaves = np.ascontiguousarray(filled.reshape(m, LEAF, d).transpose(0, 2, 1))
        units = [m]
        while units[-1] > 1 or len(units) == 1:
            units.append(-(-units[-1] // FAN))
        first_group = np.concatenate([[0, 0], np.cumsum(units[1:])[:-1]]).astype(np.int64)
        boxes = np.empty((sum(units[1:]), 2, d, FAN))
        boxes[:, 0], boxes[:, 1] = np.inf, -np.inf
        compiled(_bound)(leaves, boxes, first_group, np.array(units))
        before = np.zeros(m * LEAF + 1, dtype=np.int64)
        before[1 : u + 1] = np.cumsum(counts[order])
        before[u + 1 :] = before[u]
        return cls(leaves, boxes, first_group, before), order


def _arrange_all(points: Floats, order: Counts, told: Callable[[float], None]) -> None:
    """Sort points and their ``order`` so that aligned runs of 32, 512, 8192 ... points are compact cells."""
    split, arrange = compiled(_split), _arrange()
    large, small = [(0, len(order))], []
    # What is large is split in two until every core has something of its own to arrange.
    while large:
        small += [(low, high) for low, high in large if high - low <= PIECE]
        large = [(low, high) for low, high in large if high - low > PIECE]
        middles = list(in_order(lambda ends: int(split(points, order, *ends)), large))
        large = [
            ends for (low, high), middle in zip(large, middles, strict=True) for ends in ((low, middle), (middle, high))
        ]
        told(0.0)
    done = 0
    for (low, high), _ in zip(small, in_order(lambda ends: arrange(points, order, *ends), small), strict=True):
        done += high - low
        told(done / len(order))


@functools.cache
def _arrange() -> Callable[..., None]:
    split = part_of_compiled(_split)

    def arrange(points: Floats, order: Counts, low: int, high: int) -> None:
        low_ends = np.empty(256, np.int64)
        high_ends = np.empty(256, np.int64)
        low_ends[0] = low
        high_ends[0] = high
        depth = 1
        while depth > 0:
            depth -= 1
            low = low_ends[depth]
            high = high_ends[depth]
            if high - low <= LEAF:
                continue
            middle = split(points, order, low, high)
            low_ends[depth] = middle
            high_ends[depth] = high
            low_ends[depth + 1] = low
            high_ends[depth + 1] = middle
            depth += 2

    loop: Callable[..., None] = compiled(arrange)
    return loop


def _split(points: Floats, order: Counts, low: int, high: int) -> int:
    """Part the points from ``low`` to ``high`` in two at a multiple of 32, by their widest side; return where."""
    d = points.shape[1]
    run = LEAF
    while run * FAN < high - low:
        run *= FAN
    least = np.full(d, np.inf)
    most = np.full(d, -np.inf)
    for p in range(low, high):
        for j in range(d):
            least[j] = min(least[j], points[p, j])
            most[j] = max(most[j], points[p, j])
    side = 0
    for j in range(d):
        if most[j] - least[j] > most[side] - least[side]:
            side = j
    middle = low + ((high - low + run - 1) // run + 1) // 2 * run
    # Quickselect (Hoare 1961): the lower half of the points before the middle, the upper half behind it. The points
    # are moved, not only their order: memory is then read from one end to the other.
    left = low
    right = high - 1
    while left < right:
        one = points[left, side]
        two = points[(left + right) >> 1, side]
        three = points[right, side]
        pivot = max(min(one, two), min(max(one, two), three))
        i = left
        k = right
        while i <= k:
            while points[i, side] < pivot:
                i += 1
            while points[k, side] > pivot:
                k -= 1
            if i <= k:
                place = order[i]
                order[i] = order[k]
                order[k] = place
                for j in range(d):
                    coordinate = points[i, j]
                    points[i, j] = points[k, j]
                    points[k, j] = coordinate
                i += 1
                k -= 1
        if middle <= k:
            right = k
        elif middle >= i:
            left = i
        else:
            break
    return middle


def _bound(leaves: Floats, boxes: Floats, first_group: Counts, units: Counts) -> None:
    """Fill in the corners, level by level from the leaves up."""
    for level in range(1, len(units)):
        for unit in range(units[level - 1]):
            group = first_group[level] + unit // FAN
            for j in range(leaves.shape[1]):
                low = np.inf
                high = -np.inf
                if level == 1:
                    for p in range(LEAF):
                        if leaves[unit, j, p] < np.inf:
                            low = min(low, leaves[unit, j, p])
                            high = max(high, leaves[unit, j, p])
                else:
                    for p in range(FAN):
                        low = min(low, boxes[first_group[level - 1] + unit, 0, j, p])
                        high = max(high, boxes[first_group[level - 1] + unit, 1, j, p])
                boxes[group, 0, j, unit % FAN] = low
                boxes[group, 1, j, unit % FAN] = high
