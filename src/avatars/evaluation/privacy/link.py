"""How well the link from a record to its own avatar is hidden: hidden rate and local cloaking.

The attacker is assumed to hold the original records and the avatars, and to take the nearest avatar, in the
components of the originals' projection, for a record's own. Speaks to linkability. Needs the unshuffled avatars.
Source: Guillaudeux et al., npj Digital Medicine 6:37 (2023).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from avatars.engine.counting import Boxes, count_within, prepare
from avatars.engine.features import Floats
from avatars.engine.neighbors import Spots
from avatars.engine.progress import Progress, Silent

STEP = "measuring privacy"
# Records that are counted in full to guess the median.
_SAMPLE = 1000


@dataclass(frozen=True)
class Link:
    """The two metrics of the link."""

    hidden_rate: float
    """Percent of records whose nearest avatar is not their own; among tied nearest ones the attacker guesses."""
    local_cloaking: float
    """Median over records of the number of OTHER avatars at most as far as their own."""


def measure_link(records: Floats, avatars: Floats, spots: Spots, progress: Progress) -> Link:
    """Return the metrics for (n, d) records and their (n, d) avatars, row by row; ``spots`` are those of ``avatars``.

    Exact: avatars are counted up to a bound above the median of the counts, which is raised until it is above.
    Distances are equal when they differ by rounding alone. Cost: O(n (log n + median)) time, O(n) memory.
    """
    own = np.sqrt(((records - avatars) ** 2).sum(axis=1))
    points = prepare(spots)
    bound = _first_bound(records, own, points)
    while True:
        # At distance 0 rounding may leave the own avatar out of its own circle: it is there by definition.
        within, nearer = count_within(records, own, points, bound, step=STEP, progress=progress)
        within = np.maximum(within, 1)
        # An even number of records has two in the middle.
        middle = int(np.partition(within, len(within) // 2)[len(within) // 2])
        if middle <= bound or bound >= len(own):
            break
        bound = min(len(own), 4 * bound)
    hidden = 100.0 * (1.0 - float((~nearer / within).mean()))
    return Link(hidden, float(np.median(within - 1)))


def _first_bound(records: Floats, own: Floats, points: Spots | Boxes) -> int:
    """Return a bound that is likely to be above the median, from some of the records."""
    some = np.unique(np.linspace(0, len(own) - 1, _SAMPLE).astype(np.int64))
    counts, _ = count_within(records[some], own[some], points, len(own), step=STEP, progress=Silent())
    return min(len(own), int(1.5 * float(np.median(counts))) + 16)
