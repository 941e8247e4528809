"""What the figures themselves say against the comparison: avatars of another table, or in another order than said.

Or held-out people who are among the originals. The rules are
ours. They speak where metrics would look good for the wrong reason.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from avatars.evaluation.pair import Pair
from avatars.evaluation.privacy.closeness import percentile_between
from avatars.evaluation.rows import overlap
from avatars.evaluation.wording import said

LEAST_ROWS = 30
"""With fewer, chance alone could look like this."""
LEAST_CORRELATION = 0.1
"""Of records' places with their avatars' places; avatars of a large k are above it too."""
MOST_ORIGINALS = 99
"""Percent of the originals that are nearer to another original than most avatars are to any."""


def remarks(pair: Pair) -> Iterator[str]:
    """Yield a sentence for each doubt. Cost: O(n log n) time."""
    if pair.held_out is not None and (counts := overlap(pair.original.cells, pair.held_out.cells)) is not None:
        yield said(
            "{found:,} of the {others:,} held-out people are among the originals, where about {expected:,} would "
            "coincide by chance: what is read beside them says little. Hold out people who are not in the table.",
            found=counts[0],
            others=len(pair.held_out),
            expected=counts[1],
        )
    if min(len(pair.original), len(pair.avatars)) < LEAST_ROWS:
        return
    if pair.closeness.distance_to_closest > percentile_between(pair.original.spots, MOST_ORIGINALS):
        yield said(
            "Most avatars are further from every original than {percent} % of the originals are from each other: check "
            "that these are avatars of this table.",
            percent=MOST_ORIGINALS,
        )
    if pair.linked and (correlation := _link_correlation(pair)) is not None and correlation < LEAST_CORRELATION:
        yield said(
            "Row i of the avatars is no more like record i than any other row: if the avatars are shuffled, say so, "
            "for hidden_rate, local_cloaking and every other metric of the link mean nothing then."
        )


def _link_correlation(pair: Pair) -> float | None:
    """Return the correlation of places with those of the own avatar, over all components; None where nothing varies."""
    records, avatars = (side.spots.places[side.spots.spot_of] for side in (pair.original, pair.avatars))
    records, avatars = records - records.mean(axis=0), avatars - avatars.mean(axis=0)
    size = float(np.sqrt((records**2).sum() * (avatars**2).sum()))
    return float((records * avatars).sum()) / size if size > 0 else None
