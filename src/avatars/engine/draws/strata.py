"""Within what a number is calibrated: the levels of the composite that tells of it most, if any tells enough.

What a composite tells is the mutual information of its levels with the number's deciles, less what as many levels would
seem to tell by chance (Miller, 1955). (Its use here is ours.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy

from avatars.engine.batches import slices
from avatars.engine.draws.composites import Composite
from avatars.engine.draws.quantiles import PEOPLE
from avatars.engine.draws.traits import entropy
from avatars.engine.features import Codes, Floats

TELLING = 0.02
"""Share of the entropy of a number's deciles that levels must explain for it to be calibrated within them."""
LEAST_PEOPLE = 3 * PEOPLE
"""People that a level needs for a quantile function of its own."""
_MOST_STRATA = 50
# Rows that are looked at: from 4,096 on chance moves what is told by a thousandth or so, far less than what counts.
_MOST_ROWS, _LEAST_ROWS, _ROWS_AND_PAIRS = 65_536, 4096, 2**32
_BINS = 10
# Cells that are counted at a time: they should stay in the processor's cache.
_CELLS = 2**17


@dataclass(frozen=True, eq=False)
class Strata:
    """Within what a number is calibrated.

    Attributes
    ----------
    composite
        Whose levels; None: all rows together.
    stratum_of
        (m,) the stratum of each level of it.
    """

    composite: int | None
    stratum_of: NDArray[np.int64]


_ALL = Strata(None, np.zeros(1, dtype=np.int64))


@dataclass(frozen=True, eq=False)
class Tellers:
    """The t composites that could tell of a number.

    Attributes
    ----------
    strata
        Of each of them.
    levels
        (n,) the composite's level of each row, of each of them.
    starts
        (t + 1,) where its strata begin among those of all.
    most_rows
        How many rows are looked at for a number, at most.
    rows, cells
        Those for numbers of which everybody is known, and their ``_cells``.
    """

    strata: tuple[Strata, ...]
    levels: tuple[Codes, ...]
    starts: NDArray[np.int64]
    most_rows: int
    rows: NDArray[np.int64]
    cells: Codes

    @classmethod
    def among(cls, composites: Sequence[Composite], rows: int, numbers: int) -> Tellers:
        """Find them for a table of so many rows and numbers. Cost: O(t) for some rows."""
        strata = [strata_of_levels(composite, place) for place, composite in enumerate(composites)]
        strata = [each for each in strata if 0 < each.stratum_of.max() < _MOST_STRATA]
        levels = tuple(composites[each.composite].levels for each in strata if each.composite is not None)
        starts = np.cumsum([0, *(int(each.stratum_of.max()) + 1 for each in strata)])
        most = int(np.clip(_ROWS_AND_PAIRS / max(1, len(strata) * numbers), _LEAST_ROWS, _MOST_ROWS))
        evenly = _evenly(np.arange(rows), most)
        return cls(tuple(strata), levels, starts, most, evenly, _cells(strata, levels, starts, evenly))

    def strata_of(self, numbers: Floats, known: NDArray[np.bool_]) -> Strata:
        """Return the strata of a number's (n,) originals; those of missing cells and spikes are not ``known``.

        Cost: O(t) passes over the rows that are looked at.
        """
        rows, cells = self.rows, self.cells
        if not known.all():
            rows = _evenly(np.flatnonzero(known), self.most_rows)
            cells = _cells(self.strata, self.levels, self.starts, rows)
        if len(rows) < 2 * LEAST_PEOPLE or not self.strata:
            return _ALL
        edges = np.unique(np.quantile(numbers[rows], np.arange(1, _BINS) / _BINS))
        bins = np.searchsorted(edges, numbers[rows]).astype(np.int32)
        counts = np.zeros(self.starts[-1] * _BINS, dtype=np.int64)
        for some in slices(len(rows), max(1, _CELLS // len(self.strata))):
            counts += np.bincount((cells[some] + bins[some, None]).ravel(), minlength=len(counts))
        pairs = counts.reshape(-1, _BINS)
        # H(strata) - H(pairs), with the logarithm of all rows in both.
        gained = _nats(pairs).sum(axis=1) - _nats(pairs.sum(axis=1))
        alone = entropy(np.bincount(bins))
        by_chance = len(edges) * (np.diff(self.starts) - 1) / (2 * len(rows))
        shared = alone + np.add.reduceat(gained, self.starts[:-1]) / len(rows) - by_chance
        best = int(shared.argmax())
        return self.strata[best] if shared[best] > TELLING * alone else _ALL


def strata_of_bins(composite: Composite, place: int, trait: int) -> Strata:
    """Return the strata of a number that is in bins: the composite's levels, those of few people bin by bin."""
    bins = composite.cells[:, trait].astype(np.int64)
    own = np.flatnonzero(composite.counts >= LEAST_PEOPLE)
    stratum_of = bins.copy()
    stratum_of[own] = int(bins.max()) + 1 + np.arange(len(own))
    return Strata(place, stratum_of)


def strata_of_levels(composite: Composite, place: int) -> Strata:
    """Return a composite's levels as strata, from 1 on: those of few people together, as stratum 0."""
    enough = composite.counts >= LEAST_PEOPLE
    return Strata(place, np.where(enough, np.cumsum(enough), 0))


def _evenly(rows: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """Return at most so many of the rows, as they stand evenly among them."""
    return rows[:: max(1, -(-len(rows) // most))]


def _cells(
    strata: Sequence[Strata], levels: Sequence[Codes], starts: NDArray[np.int64], rows: NDArray[np.int64]
) -> Codes:
    """Return (r, t) where the pairs of each row's strata with bins begin, among all such pairs."""
    cells = np.empty((len(rows), len(strata)), dtype=np.int32)
    for place, (each, theirs) in enumerate(zip(strata, levels, strict=True)):
        cells[:, place] = (starts[place] + each.stratum_of[theirs[rows]]) * _BINS
    return cells


def _nats(counts: NDArray[Any]) -> Floats:
    found: Floats = xlogy(counts, counts)
    return found
