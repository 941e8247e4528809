"""How far the associations of pairs of columns moved, whatever their kinds.

|Pearson's r| between numbers, the correlation ratio (eta) between a number and a category, Cramer's V between
categories: each from 0 to 1. Over the rows that have both cells; 0 where it is not defined (a constant), ours.
"""

from __future__ import annotations

import numpy as np

from avatars.engine.batches import spread
from avatars.engine.columns import Encoded
from avatars.engine.features import Codes, Floats
from avatars.evaluation.metric import Columns
from avatars.evaluation.utility.correlation import correlations


def association_differences(original: Encoded, avatars: Encoded) -> dict[Columns, float]:
    """Return 100 |a - a'| of each pair of columns, under their names. Cost: O(n) time a pair."""
    here, there = associations(original), associations(avatars)
    return {pair: 100.0 * abs(here[pair] - there[pair]) for pair in here}


def associations(table: Encoded) -> dict[Columns, float]:
    """Return the association of each pair of columns, under their names. Cost: O(n) time a pair."""
    q, p = table.numeric.shape[1], len(table.columns)
    names = [column.name for column in (*table.numeric_columns, *table.categorical_columns)]
    between_numbers = np.abs(correlations(table.numeric)) if q > 1 else np.zeros((q, q))

    def association(pair: tuple[int, int]) -> float:
        a, b = pair
        if b < q:
            return float(between_numbers[a, b])
        if a < q:
            return correlation_ratio(table.numeric[:, a], table.codes[:, b - q])
        return cramers_v(table.codes[:, a - q], table.codes[:, b - q])

    pairs = [(a, b) for a in range(p) for b in range(a + 1, p)]
    found = spread(association, pairs)
    return {(names[a], names[b]): value for (a, b), value in zip(pairs, found, strict=True)}


def correlation_ratio(numbers: Floats, codes: Codes) -> float:
    """Return eta: the root of the share of a number's variance that lies between levels."""
    both = ~np.isnan(numbers) & (codes >= 0)
    if not both.any():
        return 0.0
    if not both.all():
        numbers, codes = numbers[both], codes[both]
    levels, x = codes, numbers - numbers.mean()
    total = float(x @ x)
    counts, sums = np.bincount(levels), np.bincount(levels, weights=x)
    between = float((sums**2 / np.maximum(counts, 1)).sum())
    # A constant's deviations are rounding alone.
    limit = 1e-24 * float(numbers @ numbers)
    return float(np.sqrt(min(1.0, between / total))) if total > limit else 0.0


def cramers_v(a: Codes, b: Codes) -> float:
    """Return Cramer's V, without correction for small samples."""
    both = (a >= 0) & (b >= 0)
    if not both.any():
        return 0.0
    if not both.all():
        a, b = a[both], b[both]
    rows, columns = np.bincount(a), np.bincount(b)
    least = min(np.count_nonzero(rows), np.count_nonzero(columns))
    if least < 2:
        return 0.0
    # Only the cells that somebody is in. Counting is quicker than sorting, where all cells are few enough.
    place = a.astype(np.int64) * len(columns) + b
    if len(rows) * len(columns) <= 4 * len(place):
        counts = np.bincount(place)
        cells = np.flatnonzero(counts)
        counts = counts[cells]
    else:
        cells, counts = np.unique(place, return_counts=True)
    expected = rows[cells // len(columns)].astype(np.float64) * columns[cells % len(columns)]
    phi2 = float((counts.astype(np.float64) ** 2 / expected).sum()) - 1.0
    return float(np.sqrt(min(1.0, max(0.0, phi2) / (least - 1))))
