"""Where an attacker measures: people and avatars at distances that compare numbers and levels.

Ours, the strongest that we found for nearest distances on AIDS (ahead of standardised numbers, of principal components
with or without whitening, and of capped or absolute differences): each number is its mid-rank among the released
avatars, scaled to a variance of 1; two levels that differ, or a cell that is missing in one alone, count 2. It takes
nothing but the release.

Ranks stand on a whole-number grid and so does the price of a difference. Every square of a distance is a whole number
below 2**53, and exact whatever the order of the sums: no machine and no number of threads changes a figure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avatars.engine.batches import in_order, slices
from avatars.engine.columns import Encoded
from avatars.engine.features import Codes, Floats

GRID = 2**20
UNIT = GRID * GRID / 12
"""The square of a distance of one standard deviation."""
MISMATCH = 2 * round(UNIT)
_SPREAD = 24
"""Levels up to which columns are compared by a product of matrices."""
_HERE, _THERE = 128, 8192


@dataclass(frozen=True, eq=False)
class Points:
    """People or avatars in a space.

    Attributes
    ----------
    numbers
        (n, q) places on the grid.
    levels
        (n, c) levels; then, of numeric columns with gaps, whether the cell is missing.
    """

    numbers: Floats
    levels: Codes

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.numbers)

    def take(self, rows: NDArray[np.intp] | slice) -> Points:
        """Return some of the rows."""
        return Points(self.numbers[rows], self.levels[rows])


def joined(parts: Sequence[Points]) -> Points:
    """Return the rows of several, one after the other."""
    return Points(np.vstack([part.numbers for part in parts]), np.vstack([part.levels for part in parts]))


@dataclass(frozen=True, eq=False)
class Space:
    """The scale of each column, as the release has it.

    Attributes
    ----------
    scales
        By numeric column, its known values in order.
    gaps
        Places of the numeric columns that have missing cells in any of the tables.
    sizes
        Levels of each column of ``Points.levels``.
    names
        Of the columns of ``Points.numbers``, then of those of ``Points.levels``.
    """

    scales: tuple[Floats, ...]
    gaps: tuple[int, ...]
    sizes: tuple[int, ...]
    names: tuple[str, ...]

    @classmethod
    def of(cls, release: Encoded, *others: Encoded) -> Space:
        """Fit the space to a release; the others only say where cells are missing. All must be encoded alike."""
        numeric = [column.name for column in release.numeric_columns]
        gaps = [
            i for i in range(len(numeric)) if any(np.isnan(each.numeric[:, i]).any() for each in (release, *others))
        ]
        columns = release.categorical_columns
        return cls(
            tuple(np.sort(column[~np.isnan(column)]) for column in release.numeric.T),
            tuple(gaps),
            (*(len(column.levels or ()) + 1 for column in columns), *(2 for _ in gaps)),
            (*numeric, *(column.name for column in columns), *(numeric[i] for i in gaps)),
        )

    def place(self, table: Encoded) -> Points:
        """Return where rows are."""
        numbers = np.empty(table.numeric.shape)
        for i, scale in enumerate(self.scales):
            numbers[:, i] = _rank(table.numeric[:, i], scale)
        missing = np.isnan(table.numeric[:, list(self.gaps)]).astype(np.int32)
        return Points(numbers, np.hstack([table.codes + 1, missing]).astype(np.int32))

    def parts(self, points: Points, nearest: Points) -> Floats:
        """Return (n, columns) what each column of ``names`` adds to the squares between pairs of rows."""
        numbers = (points.numbers - nearest.numbers) ** 2
        return np.hstack([numbers, MISMATCH * (points.levels != nearest.levels)])

    def squares(self, points: Points, among: Points, price: int = MISMATCH) -> Floats:
        """Return (n, m) the squares of all distances, at another ``price`` of a difference where that is wanted."""
        wide = [c for c, size in enumerate(self.sizes) if size > _SPREAD]
        return _Rows(self, points, wide).squares(_Rows(self, among, wide), price)

    def nearest(self, points: Points, among: Points, width: int = 1) -> tuple[NDArray[np.intp], Floats]:
        """Return (n, width) the nearest of others, nearest first, and the squares of their distances.

        Exact; of those equally near the first comes first. Cost: O(n m) time on all cores, a few MB of memory each.
        """
        wide = [c for c, size in enumerate(self.sizes) if size > _SPREAD]
        width = min(width, len(among))

        def search(rows: slice) -> tuple[NDArray[np.intp], Floats]:
            here = _Rows(self, points.take(rows), wide)
            index = np.zeros((len(here.numbers), 0), dtype=np.intp)
            square = np.zeros((len(here.numbers), 0))
            for others in slices(len(among), _THERE):
                found = here.squares(_Rows(self, among.take(others), wide), MISMATCH)
                best = _smallest(found, width)
                index = np.hstack([index, best + others.start])
                square = np.hstack([square, np.take_along_axis(found, best, axis=1)])
                # Kept in the order of distance; of ties the one found first, which stands further left.
                order = np.argsort(square, axis=1, kind="stable")[:, :width]
                index, square = np.take_along_axis(index, order, axis=1), np.take_along_axis(square, order, axis=1)
            return index, square

        near, far = np.empty((len(points), width), dtype=np.intp), np.empty((len(points), width))
        batches = list(slices(len(points), _HERE))
        for rows, found in zip(batches, in_order(search, batches), strict=True):
            near[rows], far[rows] = found
        return near, far


class _Rows:
    """Rows ready for one product of matrices; what has many levels is compared cell by cell."""

    def __init__(self, space: Space, points: Points, wide: list[int]) -> None:
        self.numbers = points.numbers
        narrow = [c for c in range(len(space.sizes)) if c not in wide]
        self.wide = points.levels[:, wide]
        self.narrow = len(narrow)
        spread = [points.levels[:, [c]] == np.arange(space.sizes[c]) for c in narrow]
        self.spread = np.hstack(spread).astype(np.float64) if spread else np.empty((len(points), 0))
        self.own = np.square(self.numbers).sum(axis=1, keepdims=True)

    def squares(self, others: _Rows, price: int) -> Floats:
        """Return the squares of the distances to others."""
        ones = np.ones((len(self.numbers), 1))
        left = np.hstack([-2 * self.numbers, -price * self.spread, self.own + price * self.narrow, ones])
        right = np.hstack([others.numbers, others.spread, np.ones((len(others.numbers), 1)), others.own])
        found = left @ right.T
        for c in range(self.wide.shape[1]):
            found += price * (self.wide[:, [c]] != others.wide[:, c])
        return np.asarray(found)


def _smallest(found: Floats, width: int) -> NDArray[np.intp]:
    """Return (n, width) which of each row are the smallest, from left to right; of several at the last, any."""
    if width == 1:
        return np.asarray(found.argmin(axis=1, keepdims=True))
    if found.shape[1] <= width:
        return np.broadcast_to(np.arange(found.shape[1], dtype=np.intp), found.shape)
    return np.asarray(np.sort(np.argpartition(found, width - 1, axis=1)[:, :width], axis=1), dtype=np.intp)


def _rank(values: Floats, scale: Floats) -> Floats:
    """Return the mid-ranks of values on the grid, its middle for those that are missing."""
    if not len(scale):
        return np.full(len(values), GRID / 2)
    ranks = np.searchsorted(scale, values, "left") + np.searchsorted(scale, values, "right")
    return np.where(np.isnan(values), GRID / 2, np.rint(ranks * (GRID / (2 * len(scale)))))
