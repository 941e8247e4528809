"""How close avatars come to the originals: distance to the closest, its ratio to the second closest, closest rate.

The attacker is assumed to hold the avatars, and to take one that stands alone beside a record for that record's.
Speaks to singling out. The link is not needed: any order of the avatars gives the same figures. Each means most beside
the same figure of held-out people: that is how close somebody comes who is not in the table at all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from avatars.engine.counting import count_within
from avatars.engine.features import Floats
from avatars.engine.progress import Silent
from avatars.engine.spots import Spots
from avatars.evaluation.privacy.link import STEP

_SAMPLE = 2000
_LOW = 10
"""Percentiles from here on are taken of all distances."""


@dataclass(frozen=True, eq=False)
class Closeness:
    """What the closest originals of avatars, or of other rows, are like.

    Attributes
    ----------
    closest
        (m,) distance of each to the closest original.
    ratio
        (m,) of that to the distance to the second closest original; 1 where the latter is 0.
    """

    closest: Floats
    ratio: Floats

    @property
    def distance_to_closest(self) -> float:
        """The median distance."""
        return float(np.median(self.closest))

    @property
    def closest_distances_ratio(self) -> float:
        """The median ratio."""
        return float(np.median(self.ratio))

    def closest_rate(self, near: float, alone: float) -> float:
        """Return 100 - percent of rows closer than ``near`` to an original, with a ratio below ``alone`` (ours).

        A distance of 0 is always close, also where ``near`` is 0 because originals have duplicates.
        """
        close = (self.closest < near) | (self.closest == 0)
        return 100.0 - 100.0 * float((close & (self.ratio < alone)).mean())


def measure_closeness(records: Spots, others: Spots) -> Closeness:
    """Return how close others, row by row, come to the records.

    Exact; originals at the same place count each. Cost: O(n log n) time, O(n) memory.
    """
    width = min(2, len(records.counts))
    near, far = records.nearest(others.places, width)
    first = far[:, 0]
    # The second closest stands at the same place where several do.
    second = np.where((records.counts[near[:, 0]] > 1) | (width == 1), first, far[:, -1])
    ratio = np.divide(first, second, out=np.ones_like(first), where=second > 0)
    return Closeness(first[others.spot_of], ratio[others.spot_of])


def distances_between(records: Spots, places: slice = slice(None)) -> Floats:
    """Return the distance of each place's records to the closest OTHER record; 0 where several stand there."""
    here, counts = records.places[places], records.counts[places]
    if len(records.counts) == 1:
        return np.zeros(len(here))
    _, far = records.nearest(here, 2)
    return np.where(counts > 1, 0.0, far[:, 1])


def percentile_between(records: Spots, percent: float) -> float:
    """Return a percentile of all records' distances to the closest other record, exactly.

    For a low one of many records, those are picked out that have another one nearby, and only they are measured.
    Cost: O(n log n) time, O(n) memory.
    """
    n = len(records.spot_of)
    last = int(np.ceil(percent / 100 * (n - 1)))  # the highest of the ordered distances that counts
    radius = _first_radius(records, 3 * percent + 1)
    while radius > 0 and percent < _LOW:
        radii = np.full(len(records.places), radius)
        within, _ = count_within(records.places, radii, records, 1, step=STEP, progress=Silent())
        chosen = np.flatnonzero(within > 1)
        if records.counts[chosen].sum() > last:
            _, far = records.nearest(records.places[chosen], 2)
            distances = np.where(records.counts[chosen] > 1, 0.0, far[:, -1])
            lowest = np.sort(np.repeat(distances, records.counts[chosen]))
            return float(np.interp(percent / 100 * (n - 1), np.arange(len(lowest)), lowest))
        radius *= 2
    return float(np.percentile(np.repeat(distances_between(records), records.counts), percent))


def _first_radius(records: Spots, percent: float) -> float:
    """Return a distance within which about so many percent of the records have another one; from some of them."""
    step = max(1, len(records.counts) // _SAMPLE)
    return float(np.percentile(distances_between(records, slice(None, None, step)), min(100.0, percent)))
