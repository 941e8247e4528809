"""The quantile function of a column, micro-aggregated: what it gives rests on at least ``people`` people each time.

Values held by at least that many are *atoms*: they come out as they are, with their mass. Every stretch of rarer values
between atoms is cut into runs of at least so many consecutive order statistics, and replaced by the runs' means, joined
by straight lines; it is flat before the first and after the last, so that the extremes are means of ten people too. A
stretch of fewer people gives half of its mass to the atom on either side.
(Micro-aggregation: Defays and Nanopoulos, 1993; Domingo-Ferrer and Mateo-Sanz, 2002. The combination is ours.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avatars.engine.features import Floats

PEOPLE = 10
"""People that a value, or a mean, rests on; fewer in tables of less than four times as many."""

Places = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Quantiles:
    """A quantile function, linear between its knots.

    Attributes
    ----------
    shares, values
        (m,) both ascending: knots of the function. Where a share stands twice the function jumps.
    """

    shares: Floats
    values: Floats

    @classmethod
    def of(cls, numbers: Floats, people: int = PEOPLE) -> Quantiles:
        """Learn it from (n,) finite numbers, n >= 1. Cost: a sort."""
        ordered = np.sort(numbers)
        n = len(ordered)
        people = max(2, min(people, n // 4))
        starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
        sizes = np.diff(np.append(starts, n))
        is_atom = sizes >= people
        if is_atom.all():
            return cls(*_flat(starts, starts + sizes, ordered[starts], n))
        first, last = _runs(~is_atom, starts, sizes)
        long = last - first >= people
        atoms = _with_short_stretches(starts[is_atom], sizes[is_atom], first[~long], last[~long], n)
        pieces = [_flat(*atoms, ordered[starts[is_atom]], n), _joined(ordered, first[long], last[long], people)]
        if not is_atom.any() and not long.any():
            pieces = [(np.array([0.0, 1.0]), np.repeat(ordered.mean(), 2))]
        shares, values = (np.concatenate(parts) for parts in zip(*pieces, strict=True))
        order = np.lexsort((values, shares))
        return cls(shares[order], values[order])

    def __call__(self, shares: Floats) -> Floats:
        """Return the numbers at shares from 0 to 1."""
        return np.interp(shares, self.shares, self.values)


def _runs(flags: NDArray[np.bool_], starts: Places, sizes: Places) -> tuple[Places, Places]:
    """Return where, among all people, each run of flagged values begins and ends."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    begin, end = edges[::2], edges[1::2] - 1
    return starts[begin], starts[end] + sizes[end]


def _with_short_stretches(starts: Places, sizes: Places, first: Places, last: Places, n: int) -> tuple[Floats, Floats]:
    """Return where each atom begins and ends when it has taken over half of every short stretch beside it."""
    begin, end = starts.astype(np.float64), (starts + sizes).astype(np.float64)
    for edges, theirs, is_outermost in ((begin, last, first == 0), (end, first, last == n)):
        # An edge that is shared with a short stretch moves to its middle; at the table's end to the end of it.
        if not len(edges) or not len(theirs):
            continue
        place = np.minimum(np.searchsorted(theirs, edges), len(theirs) - 1)
        beside = theirs[place] == edges
        middle = np.where(is_outermost, np.where(first == 0, 0, n), (first + last) / 2)
        edges[beside] = middle[place[beside]]
    return begin, end


def _flat(begin: NDArray[np.generic], end: NDArray[np.generic], values: Floats, n: int) -> tuple[Floats, Floats]:
    shares = np.column_stack([begin, end]).ravel() / n
    return shares, np.repeat(values, 2)


def _joined(ordered: Floats, first: Places, last: Places, people: int) -> tuple[Floats, Floats]:
    """Return the knots of long stretches: means of runs of consecutive people at the runs' middles, flat ends."""
    n, runs = len(ordered), (last - first) // people
    stretch = np.repeat(np.arange(len(runs)), runs)
    within = np.arange(len(stretch)) - np.repeat(np.cumsum(runs) - runs, runs)
    length = (last - first)[stretch]
    begin = first[stretch] + within * length // runs[stretch]
    end = first[stretch] + (within + 1) * length // runs[stretch]
    # Every second sum is that of a run; the others are of what lies between two.
    sums = np.add.reduceat(np.append(ordered, 0.0), np.column_stack([begin, end]).ravel())[::2]
    means = sums / (end - begin)
    # Rounding must not let a mean leave its run.
    means = np.clip(means, ordered[begin], ordered[end - 1])
    firsts, lasts = np.cumsum(runs) - runs, np.cumsum(runs) - 1
    shares = np.concatenate([first, (begin + end) / 2, last]) / n
    return shares, np.concatenate([means[firsts], means, means[lasts]])
