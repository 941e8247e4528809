"""How far the correlations of numeric columns moved."""

from __future__ import annotations

import numpy as np

from avatars.engine.columns import Encoded
from avatars.engine.features import Floats


def correlation_difference_ratio(original: Encoded, avatars: Encoded) -> float | None:
    """Return 100 x the mean over pairs of numeric columns of |r - r'|; None with fewer than two such columns.

    Pearson's r over the rows that have both cells; a correlation that is not defined (a constant) counts as 0: ours.
    Cost: O(n q^2) time, O(n q) memory.
    """
    q = original.numeric.shape[1]
    if q < 2:
        return None
    pairs = np.triu_indices(q, 1)
    gap = np.abs(correlations(original.numeric)[pairs] - correlations(avatars.numeric)[pairs])
    return 100.0 * float(gap.mean())


def correlations(numbers: Floats) -> Floats:
    """Return (q, q) Pearson correlations of (n, q) numbers, each over the rows that have both; 0 where undefined."""
    there = (~np.isnan(numbers)).astype(np.float64)
    count = np.maximum(there.sum(axis=0), 1.0)
    z = np.where(there > 0, numbers, 0.0)
    z = np.where(there > 0, z - z.sum(axis=0) / count, 0.0)
    scale = np.sqrt((z**2).sum(axis=0) / count)
    z = np.divide(z, scale, out=np.zeros_like(z), where=scale > 1e-300)
    n = np.maximum(there.T @ there, 1.0)
    mean_x, mean_y = z.T @ there / n, there.T @ z / n
    covariance = z.T @ z / n - mean_x * mean_y
    variance_x = (z**2).T @ there / n - mean_x**2
    variance_y = there.T @ z**2 / n - mean_y**2
    product = np.sqrt(np.maximum(variance_x, 0.0) * np.maximum(variance_y, 0.0))
    r = np.divide(covariance, product, out=np.zeros_like(covariance), where=product > 1e-12)
    clipped: Floats = np.clip(r, -1.0, 1.0)
    return clipped
