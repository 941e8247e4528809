"""How far each column's distribution moved: the Hellinger distance, ``sqrt(1 - sum_b sqrt(p_b q_b))``.

Bins are ours: the levels of a categorical column; for a numeric one up to 20 bins of equal mass in the ORIGINALS,
the outer two open; missing cells are a bin of their own. 0 means equal shares in every bin, 1 no bin in common.
"""

from __future__ import annotations

import numpy as np

from avatars.engine.batches import spread
from avatars.engine.columns import Encoded
from avatars.engine.features import Codes, Floats
from avatars.evaluation.metric import Columns
from avatars.evaluation.utility.bins import bin_numbers, edges_of

BINS = 20


def hellinger_by_column(original: Encoded, avatars: Encoded) -> dict[Columns, float]:
    """Return the distance per column, under its name. Cost: O(n log n) per numeric column, O(n) per other."""
    names = [(column.name,) for column in (*original.numeric_columns, *original.categorical_columns)]
    numbers = spread(
        lambda a: _distance(*_binned(original.numeric[:, a], avatars.numeric[:, a])), range(original.numeric.shape[1])
    )
    levels = spread(
        lambda c: _distance(original.codes[:, c] + 1, avatars.codes[:, c] + 1), range(original.codes.shape[1])
    )
    return dict(zip(names, (*numbers, *levels), strict=True))


def _binned(x: Floats, y: Floats) -> tuple[Codes, Codes]:
    """Return bin numbers, 0 for missing."""
    edges = edges_of(x, BINS)
    return bin_numbers(x, edges), bin_numbers(y, edges)


def _distance(a: Codes, b: Codes) -> float:
    size = int(max(a.max(), b.max())) + 1
    p, q = (np.bincount(cells, minlength=size) / len(cells) for cells in (a, b))
    return float(np.sqrt(max(0.0, 1.0 - float(np.sqrt(p * q).sum()))))
