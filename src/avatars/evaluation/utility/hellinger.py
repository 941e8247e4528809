"""How far each column's distribution moved: the Hellinger distance, ``sqrt(1 - sum_b sqrt(p_b q_b))``.

Bins are ours: the levels of a categorical column; for a numeric one up to 20 bins of equal mass in the ORIGINALS,
the outer two open; missing cells are a bin of their own. 0 means equal shares in every bin, 1 no bin in common.
"""

from __future__ import annotations

import numpy as np

from avatars.engine.columns import Encoded
from avatars.engine.features import Codes, Floats

BINS = 20


def hellinger_by_column(original: Encoded, avatars: Encoded) -> dict[str, float]:
    """Return the distance per column name. Cost: O(n log n) per numeric column, O(n) per other."""
    distances = {}
    for column, x, y in zip(original.numeric_columns, original.numeric.T, avatars.numeric.T, strict=True):
        distances[column.name] = _distance(*_binned(x, y))
    for column, a, b in zip(original.categorical_columns, original.codes.T, avatars.codes.T, strict=True):
        distances[column.name] = _distance(a + 1, b + 1)
    return distances


def _binned(x: Floats, y: Floats) -> tuple[Codes, Codes]:
    """Return bin numbers, 0 for missing."""
    known = x[~np.isnan(x)]
    if not len(known):
        return (~np.isnan(x)).astype(np.int32), (~np.isnan(y)).astype(np.int32)
    edges = np.unique(np.quantile(known, np.arange(1, BINS) / BINS, method="inverted_cdf"))

    def binned(cells: Floats) -> Codes:
        return np.where(np.isnan(cells), 0, np.searchsorted(edges, cells, side="left") + 1).astype(np.int32)

    return binned(x), binned(y)


def _distance(a: Codes, b: Codes) -> float:
    size = int(max(a.max(), b.max())) + 1
    p, q = (np.bincount(cells, minlength=size) / len(cells) for cells in (a, b))
    return float(np.sqrt(max(0.0, 1.0 - float(np.sqrt(p * q).sum()))))
