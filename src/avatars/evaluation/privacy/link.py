"""How well the link from a record to its own avatar is hidden: hidden rate and local cloaking.

The attacker is assumed to hold the original records and the avatars, and to take the nearest avatar, in the
components of the originals' projection, for a record's own. Speaks to linkability. Needs the unshuffled avatars.
Source: Guillaudeux et al., npj Digital Medicine 6:37 (2023).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from avatars.engine.counting import count_within
from avatars.engine.middle import middle_counts
from avatars.engine.progress import Part, Progress
from avatars.engine.spots import Spots

STEP = "measuring privacy"
AROUND = 2**16
"""Records around which avatars are counted, where there are more than twice as many.

Circles hold a share of the table, so that counting around everybody grows faster than the table does: at a million rows
it was two thirds of what metrics cost. The median of so many is within .4 % of the ranks of that of all 19 times in 20,
and nearer for records that are spread evenly in space (ours).
"""


@dataclass(frozen=True)
class Link:
    """The two metrics of the link."""

    hidden_rate: float
    """Percent of records whose nearest avatar is not their own; among tied nearest ones the attacker guesses."""
    local_cloaking: float
    """Median over records of the number of OTHER avatars at most as far as their own."""
    around: int
    """Records that the median is of."""


def measure_link(records: Spots, avatars: Spots, progress: Progress) -> Link:
    """Return the metrics for the places of the originals and of their avatars, row by row.

    The hidden rate is exact, and so is the local cloaking of up to 131,072 records; of more it is the median of 65,536
    of them, each with its exact count. Distances are equal when they differ by rounding alone. Cost: O(n log n) time,
    and that of counting the avatars around some records in full, see ``engine/middle.py``; O(n) memory.
    """
    # In the order of the tree over the records: those that follow each other read the same part of the avatars' tree.
    here = records.places[records.spot_of[records.members]]
    own = np.sqrt(((here - avatars.places[avatars.spot_of[records.members]]) ** 2).sum(axis=1))
    _, nearer = count_within(here, own, avatars, 0, step=STEP, progress=Part(progress, 0, 0.1))
    caught = np.flatnonzero(~nearer)
    tied, _ = count_within(here[caught], own[caught], avatars, len(own), step=STEP, progress=Part(progress, 0.1, 0.2))
    # At distance 0 rounding may leave the own avatar out of its own circle: it is there by definition.
    hidden = 100.0 * (1.0 - float((1.0 / np.maximum(tied, 1)).sum()) / len(own))
    if len(own) > 2 * AROUND:
        # In the tree's order they are spread evenly in space too.
        some = np.linspace(0, len(own) - 1, AROUND).astype(np.int64)
        here, own = here[some], own[some]
    middle = middle_counts(here, own, avatars, step=STEP, progress=Part(progress, 0.2, 1))
    return Link(hidden, sum(max(within, 1) - 1 for within in middle) / 2, len(own))
