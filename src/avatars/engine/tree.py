"""A tree over many points as flat arrays: quick to build, to search, to map into memory and to hand to other processes.

The points are laid out leaf by leaf in an order in which every aligned run of 32, of 16 x 32, of 16 x 16 x 32 ...
points is one compact cell, made by splitting the widest side in two again and again (a k-d tree: Bentley,
"Multidimensional binary search trees used for associative searching", 1975). Runs need no pointers: the children of
run g are the runs 16 g to 16 g + 15 one level down. The corners of 16 sisters stand side by side, as do the 32 points
of a leaf, so that a processor compares them many at a time. (The layout is ours; about twice as fast as scipy's tree.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avatars.engine.compiling import compiled
from avatars.engine.features import Floats

Counts = NDArray[np.int64]
LEAF = 32
FAN = 16


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
    def of(cls, places: Floats, counts: Counts) -> tuple[Tree, Counts]:
        """Build a tree over (u, d) places at which (u,) rows stand; return it and the order of the places in it.

        Cost: O(u log u) time; 1.2 times the memory of the places.
        """
        u, d = places.shape
        order = np.arange(u)
        compiled(_arrange)(places, order)
        m = -(-u // LEAF)
        filled = np.full((m * LEAF, d), np.inf)
        filled[:u] = places[order]
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


def _arrange(points: Floats, order: Counts) -> None:
    """Sort ``order`` so that aligned runs of 32, 512, 8192 ... points are compact cells."""
    low_ends = np.empty(256, np.int64)
    high_ends = np.empty(256, np.int64)
    low_ends[0] = 0
    high_ends[0] = len(order)
    depth = 1
    while depth > 0:
        depth -= 1
        low = low_ends[depth]
        high = high_ends[depth]
        if high - low <= LEAF:
            continue
        run = LEAF
        while run * FAN < high - low:
            run *= FAN
        widest = -1.0
        side = 0
        for j in range(points.shape[1]):
            least = np.inf
            most = -np.inf
            for p in range(low, high):
                least = min(least, points[order[p], j])
                most = max(most, points[order[p], j])
            if most - least > widest:
                widest = most - least
                side = j
        middle = low + ((high - low + run - 1) // run + 1) // 2 * run
        # Quickselect (Hoare 1961): the lower half of the points before the middle, the upper half behind it.
        left = low
        right = high - 1
        while left < right:
            one = points[order[left], side]
            two = points[order[(left + right) >> 1], side]
            three = points[order[right], side]
            pivot = max(min(one, two), min(max(one, two), three))
            i = left
            k = right
            while i <= k:
                while points[order[i], side] < pivot:
                    i += 1
                while points[order[k], side] > pivot:
                    k -= 1
                if i <= k:
                    swapped = order[i]
                    order[i] = order[k]
                    order[k] = swapped
                    i += 1
                    k -= 1
            if middle <= k:
                right = k
            elif middle >= i:
                left = i
            else:
                break
        low_ends[depth] = middle
        high_ends[depth] = high
        low_ends[depth + 1] = low
        high_ends[depth + 1] = middle
        depth += 2


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
