"""How well the link from a record to its own avatar is hidden: hidden rate and local cloaking.

The attacker is assumed to hold the original records and the avatars, and to take the nearest avatar, in the
components of the originals' projection, for a record's own. Speaks to linkability. Needs the unshuffled avatars.
Source: Guillaudeux et al., npj Digital Medicine 6:37 (2023).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from avatars.engine.counting import count_within
from avatars.engine.features import Floats
from avatars.engine.progress import Progress, Silent
from avatars.engine.spots import Spots

STEP = "measuring privacy"
# Records that are counted in full to guess the median.
_SAMPLE = 4000


@dataclass(frozen=True)
class Link:
    """The two metrics of the link."""

    hidden_rate: float
    """Percent of records whose nearest avatar is not their own; among tied nearest ones the attacker guesses."""
    local_cloaking: float
    """Median over records of the number of OTHER avatars at most as far as their own."""


def measure_link(records: Spots, avatars: Spots, progress: Progress) -> Link:
    """Return the metrics for the places of the originals and of their avatars, row by row.

    Exact: avatars are counted up to a bound above the median of the counts, which is raised until it is above.
    Distances are equal when they differ by rounding alone. Cost: O(n (log n + median)) time, O(n) memory.
    """
    # In the order of the tree over the records: those that follow each other read the same part of the avatars' tree.
    here = records.places[records.spot_of[records.members]]
    own = np.sqrt(((here - avatars.places[avatars.spot_of[records.members]]) ** 2).sum(axis=1))
    bound = _first_bound(here, own, avatars)
    while True:
        # At distance 0 rounding may leave the own avatar out of its own circle: it is there by definition.
        within, nearer = count_within(here, own, avatars, bound, step=STEP, progress=progress)
        within = np.maximum(within, 1)
        # An even number of records has two in the middle.
        middle = int(np.partition(within, len(within) // 2)[len(within) // 2])
        if middle <= bound or bound >= len(own):
            break
        bound = min(len(own), 4 * bound)
    hidden = 100.0 * (1.0 - float((~nearer / within).mean()))
    return Link(hidden, float(np.median(within - 1)))


def _first_bound(here: Floats, own: Floats, avatars: Spots) -> int:
    """Return a bound that is likely to be above the median, from some of the records."""
    some = np.unique(np.linspace(0, len(own) - 1, _SAMPLE).astype(np.int64))
    counts, _ = count_within(here[some], own[some], avatars, len(own), step=STEP, progress=Silent())
    return min(len(own), int(1.15 * float(np.median(counts))) + 16)
