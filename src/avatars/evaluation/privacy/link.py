"""How well the link from a record to its own avatar is hidden: hidden rate and local cloaking.

The attacker is assumed to hold the original records and the avatars, and to take the nearest avatar, in the
components of the originals' projection, for a record's own. Speaks to linkability. Needs the unshuffled avatars.
Source: Guillaudeux et al., npj Digital Medicine 6:37 (2023).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from avatars.engine.features import Floats
from avatars.engine.neighbors import TIE, Spots
from avatars.engine.progress import Progress, advance

STEP = "measuring privacy"
# Nearest avatars looked at first; records whose own avatar is further away are looked at again only if they matter.
_FIRST_LOOK = 32
_BATCH = 65_536


@dataclass(frozen=True)
class Link:
    """The two metrics of the link."""

    hidden_rate: float
    """Percent of records whose nearest avatar is not their own; among tied nearest ones the attacker guesses."""
    local_cloaking: float
    """Median over records of the number of OTHER avatars at most as far as their own."""


def measure_link(records: Floats, avatars: Floats, spots: Spots, progress: Progress) -> Link:
    """Return the metrics for (n, d) records and their (n, d) avatars, row by row; ``spots`` are those of ``avatars``.

    Exact: the window of nearest avatars is widened until neither figure can change. Distances are equal when they
    differ by rounding alone. Cost: O(n log n) time, O(n) memory.
    """
    own = np.sqrt(((records - avatars) ** 2).sum(axis=1))
    within = np.zeros(len(own), dtype=np.int64)  # avatars at most as far as the own one, itself included
    settled = np.zeros(len(own), dtype=np.bool_)
    is_nearest = np.zeros(len(own), dtype=np.bool_)
    # Records are looked up beside their avatars' neighbours in the tree: memory is read where it was just read.
    todo, width = np.argsort(spots.spot_of, kind="stable"), _FIRST_LOOK
    while len(todo):
        width = min(width, len(spots.counts))
        for start in range(0, len(todo), _BATCH):
            rows = todo[start : start + _BATCH]
            near, far = spots.nearest(records[rows], width)
            counted = far <= own[rows, None] * (1 + TIE)
            within[rows] = np.where(counted, spots.counts[near], 0).sum(axis=1)
            settled[rows] = ~counted[:, -1] | (width == len(spots.counts))
            is_nearest[rows] = far[:, 0] >= own[rows] * (1 - TIE)
            advance(progress, STEP, 0.6 * (start + len(rows)) / len(todo), 1)
        # A record that is not settled has at least ``within`` avatars: above the median it cannot move it.
        middle = np.partition(within, len(within) // 2)[len(within) // 2]
        todo = np.flatnonzero(~settled & (is_nearest | (within <= middle)))
        width *= 4
    # At distance 0 rounding may leave the own avatar out of its own circle: it is there by definition.
    within = np.maximum(within, 1)
    return Link(100.0 * (1.0 - float((is_nearest / within).mean())), float(np.median(within - 1)))
