"""How far the correlations of numeric columns moved."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

from avatars.engine.batches import slices, spread
from avatars.engine.columns import Encoded
from avatars.engine.features import Floats
from avatars.evaluation.metric import Columns

_BLOCK_ROWS = 8192


def correlation_differences(original: Encoded, avatars: Encoded) -> dict[Columns, float]:
    """Return 100 |r - r'| of each pair of numeric columns, under their names; their mean is the metric.

    Pearson's r over the rows that have both cells; a correlation that is not defined (a constant) counts as 0: ours.
    Cost: O(n q^2) time.
    """
    names = [column.name for column in original.numeric_columns]
    pairs = np.triu_indices(len(names), 1)
    if not len(pairs[0]):
        return {}
    gaps = 100.0 * np.abs(correlations(original.numeric)[pairs] - correlations(avatars.numeric)[pairs])
    return {(names[a], names[b]): float(gap) for a, b, gap in zip(*pairs, gaps, strict=True)}


def correlations(numbers: Floats) -> Floats:
    """Return (q, q) Pearson correlations of (n, q) numbers, each over the rows that have both; 0 where undefined.

    Three passes by blocks of rows: memory for one of them.
    """
    batches = list(slices(len(numbers), _BLOCK_ROWS))

    def each(moment: Callable[[Floats], tuple[Floats, ...]]) -> tuple[Floats, ...]:
        """Sum a moment of the blocks, whoever computes it."""
        moments = spread(lambda rows: moment(numbers[rows]), batches)
        return functools.reduce(lambda one, other: tuple(a + b for a, b in zip(one, other, strict=True)), moments)

    count, total = each(lambda block: ((~np.isnan(block)).sum(axis=0, dtype=np.float64), np.nansum(block, axis=0)))
    count = np.maximum(count, 1.0)
    mean = total / count
    (square,) = each(lambda block: (np.nansum((block - mean) ** 2, axis=0),))
    scale = np.sqrt(square / count)
    both, sums, squares, products = each(lambda block: _products(block - mean, scale))
    both = np.maximum(both, 1.0)
    covariance = products / both - (sums / both) * (sums.T / both)
    variance_x = squares / both - (sums / both) ** 2
    variance_y = squares.T / both - (sums.T / both) ** 2
    product = np.sqrt(np.maximum(variance_x, 0.0) * np.maximum(variance_y, 0.0))
    r = np.divide(covariance, product, out=np.zeros_like(covariance), where=product > 1e-12)
    clipped: Floats = np.clip(r, -1.0, 1.0)
    return clipped


def _products(centred: Floats, scale: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Return (q, q) of a block: rows with both cells, and over those the sums of z, of z squared and of z z'."""
    gaps = np.isnan(centred)
    z = np.divide(centred, scale, out=np.zeros(centred.shape), where=~gaps & (scale > 1e-300))
    if not gaps.any():
        # One product of matrices instead of four.
        whole = np.broadcast_to(z.sum(axis=0)[:, None], (len(scale),) * 2)
        second = np.broadcast_to((z**2).sum(axis=0)[:, None], whole.shape)
        return np.full(whole.shape, float(len(z))), whole, second, z.T @ z
    there = (~gaps).astype(np.float64)
    return there.T @ there, z.T @ there, (z**2).T @ there, z.T @ z
