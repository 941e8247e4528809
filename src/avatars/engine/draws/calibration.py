"""From drawn scores to numbers: their ranks are given the column's own micro-aggregated quantiles.

``x = Q((rank - 1/2) / n)`` for Q of ``quantiles``: a column of avatars has the shape of the originals', and no local
model's error moves it. Where a composite's levels tell of a number (``strata``), ranks and quantiles are taken among
the people of each level: the survival times of those who died, say, are theirs. So are those of a declared group's
cells; cells of few people take those of their bin. (Ours; calibration by ranks is as old as normal scores.)
"""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from avatars.engine.draws.quantiles import Quantiles
from avatars.engine.draws.strata import LEAST_PEOPLE
from avatars.engine.features import Floats


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
        if len(people) >= min(LEAST_PEOPLE, len(numbers)):
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
