"""Cells and rows that come out as they went in. Both definitions are ours.

``column_direct_match_protection``: the attacker holds one column of the original records and the avatars, and links by
equal values. Speaks to linkability; needs the unshuffled avatars.
``row_direct_match_protection``: the attacker takes each avatar for a real person's record as it is. Speaks to singling
out, in any order of the avatars; held-out people's rows occur among the avatars by chance alone.
Missing cells agree with missing cells. All columns count, those too that the method left alone.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from avatars.engine.batches import spread
from avatars.engine.columns import Encoded
from avatars.evaluation.metric import Columns
from avatars.evaluation.rows import cells, occur_among


def column_direct_match(original: Encoded, unshuffled: Encoded) -> dict[Columns, float]:
    """Return 100 (1 - m u) per column: m the share of records whose avatar has the same value, u distinct values / n.

    A value that many share tells little, however often it is kept. Cost: O(n) time a column.
    """

    def protection(name: str) -> float:
        here, there = cells(original, name), cells(unshuffled, name)
        same = (here == there) | (np.isnan(here) & np.isnan(there))
        distinct = len(pd.unique(here))  # several NaN are one value, and so are 0.0 and -0.0
        return 100.0 * (1.0 - float(same.mean()) * distinct / len(here))

    names = [column.name for column in original.columns]
    return {(name,): value for name, value in zip(names, spread(protection, names), strict=True)}


def row_direct_match(rows: Encoded, avatars: Encoded) -> float:
    """Return 100 - percent of rows that occur identically among the avatars. Cost: O(n) time a column."""
    return 100.0 - 100.0 * float(occur_among(rows, avatars).mean())
