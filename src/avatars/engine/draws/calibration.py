"""From drawn scores to numbers: their ranks are given the column's own micro-aggregated quantiles.

``x = Q((rank - 1/2) / n)`` for Q of ``quantiles``: a column of avatars has the shape of the originals', and no local
model's error moves it. Where a composite's levels tell of a number (``TELLING`` of the entropy of its deciles), ranks
and quantiles are taken among the people of each level: the survival times of those who died, say, are theirs. So are
those of a declared group's cells; cells of few people take those of their bin. (Ours; calibration by ranks is as old as
normal scores.)
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avatars.engine.draws.composites import Composite
from avatars.engine.draws.quantiles import PEOPLE, Quantiles
from avatars.engine.draws.traits import entropy
from avatars.engine.features import Floats

TELLING = 0.02
"""Share of the entropy of a number's deciles that levels must explain for it to be calibrated within them."""
_PEOPLE = 3 * PEOPLE
"""People that a level needs for a quantile function of its own."""
_MOST_LEVELS = 50
_ROWS = 65_536
_BINS = 10


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


def strata_of(numbers: Floats, known: NDArray[np.bool_], composites: Sequence[Composite]) -> Strata:
    """Return the strata of a number's (n,) originals; those of missing cells and spikes are not ``known``.

    Cost: O(t) passes over at most 65,536 rows.
    """
    rows = np.flatnonzero(known)
    rows = rows[:: max(1, len(rows) // _ROWS)]
    if len(rows) < 2 * _PEOPLE:
        return _ALL
    edges = np.unique(np.quantile(numbers[rows], np.arange(1, _BINS) / _BINS))
    bins = np.searchsorted(edges, numbers[rows])
    alone = entropy(np.bincount(bins))
    best, found = TELLING * alone, _ALL
    for place, composite in enumerate(composites):
        levels = composite.levels[rows]
        stratum_of = _strata(np.bincount(levels, minlength=len(composite.cells)))
        strata = stratum_of[levels]
        count = int(stratum_of.max()) + 1
        if not 1 < count <= _MOST_LEVELS:
            continue
        pairs = np.bincount(strata * (len(edges) + 1) + bins)
        shared = alone + entropy(np.bincount(strata)) - entropy(pairs)
        # What as many levels would seem to tell of by chance (Miller, 1955).
        shared -= len(edges) * (count - 1) / (2 * len(rows))
        if shared > best:
            best, found = shared, Strata(place, stratum_of)
    return found


def strata_of_bins(composite: Composite, place: int, trait: int) -> Strata:
    """Return the strata of a number that is in bins: the composite's levels, those of few people bin by bin."""
    bins = composite.cells[:, trait].astype(np.int64)
    own = np.flatnonzero(composite.counts >= _PEOPLE)
    stratum_of = bins.copy()
    stratum_of[own] = int(bins.max()) + 1 + np.arange(len(own))
    return Strata(place, stratum_of)


def strata_of_levels(composite: Composite, place: int) -> Strata:
    """Return the strata of a number that belongs to a composite: its levels, those of few people together."""
    return Strata(place, _strata(composite.counts))


def _strata(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return (m,) strata: one for each level of enough people, 0 for all others together."""
    enough = counts >= _PEOPLE
    return np.where(enough, np.cumsum(enough), 0)


def calibrated(
    scores: Floats, drawn: NDArray[np.int64], numbers: Floats, originals: NDArray[np.int64], random: np.random.Generator
) -> Floats:
    """Return (a,) numbers for a avatars' scores, of whom ``drawn`` (a,) are the strata.

    ``numbers`` and ``originals`` (b,) are the people's own, and their strata. A stratum with too few people is
    calibrated by everybody. Cost: two sorts.
    """
    values = np.empty(len(scores))
    order = _by_stratum(scores, drawn, random)
    bounds = np.searchsorted(drawn[order], np.arange(int(drawn.max(initial=0)) + 2))
    theirs = np.argsort(originals.astype(np.uint16), kind="stable")
    edges = np.searchsorted(originals[theirs], np.arange(len(bounds)))
    everybody: Quantiles | None = None
    for stratum, (start, end) in enumerate(itertools.pairwise(bounds)):
        if start == end:
            continue
        people = theirs[edges[stratum] : edges[stratum + 1]]
        if len(people) >= min(_PEOPLE, len(numbers)):
            quantiles = Quantiles.of(numbers[people])
        else:
            quantiles = everybody = everybody or Quantiles.of(numbers)
        values[order[start:end]] = quantiles((np.arange(end - start) + 0.5) / (end - start))
    return values


def _by_stratum(scores: Floats, strata: NDArray[np.int64], random: np.random.Generator) -> NDArray[np.intp]:
    """Return the order by stratum, then score; equal scores by chance."""
    order = np.argsort(scores)
    ordered = scores[order]
    if np.any(ordered[1:] == ordered[:-1]):
        order = np.lexsort((random.random(len(scores)), scores))
    # Few strata: their stable sort is one by digits.
    return order[np.argsort(strata[order].astype(np.uint16), kind="stable")]
