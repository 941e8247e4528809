"""How close avatars come to the originals: distance to the closest, and its ratio to the second closest.

The attacker is assumed to hold the avatars, and to take one that stands alone beside a record for that record's.
Speaks to singling out. The link is not needed: any order of the avatars gives the same figures.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from avatars.engine.neighbors import Spots
from avatars.engine.progress import Progress, advance
from avatars.evaluation.privacy.link import STEP


@dataclass(frozen=True)
class Closeness:
    """Medians over the avatars."""

    distance_to_closest: float
    """Of the distance to the closest original."""
    closest_distances_ratio: float
    """Of the distance to the closest over the distance to the second closest original; 1 where that is 0."""


def measure_closeness(records: Spots, avatars: Spots, progress: Progress) -> Closeness:
    """Return the metrics for the places of the originals and of the avatars.

    Exact; originals at the same place count each. Cost: O(n log n) time, O(n) memory.
    """
    width = min(2, len(records.counts))
    near, far = records.nearest(avatars.tree.data, width)
    first = far[:, 0]
    # The second closest stands at the same place where several do.
    second = np.where((records.counts[near[:, 0]] > 1) | (width == 1), first, far[:, -1])
    ratio = np.divide(first, second, out=np.ones_like(first), where=second > 0)
    advance(progress, STEP, 1, 1)
    return Closeness(float(np.median(first[avatars.spot_of])), float(np.median(ratio[avatars.spot_of])))
