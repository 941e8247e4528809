"""Sufficient statistics of a table for PCA, MCA and FAMD, gathered by blocks and mergeable.

Numbers are summed around a shift (the first block's means), so that large offsets cost no precision. Sums of
numbers are taken block by block and merged in the blocks' order, so their last bits depend on nothing but the
table; counts of modalities are whole numbers and need no such care.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from avatars.engine.batches import merged_blocks, slices, spread
from avatars.engine.features import Features, Floats
from avatars.engine.progress import Progress
from avatars.engine.random import BLOCK_ROWS

STEP = "projecting"
# Of one block: sums of numbers, their products, counts of levels, sums of numbers by level.
Sums = tuple[Floats, Floats, Floats, Floats]
# A standard deviation below this share of the feature's magnitude is rounding noise: the feature is constant.
_NOISE = 1e-12
# Of so many levels a column, or fewer, indicators are multiplied with their zeros: ten times as fast a cell.
_FEW_LEVELS = 8
# Rows whose pairs of levels are counted at a time; whole numbers, so that it matters to nothing but speed.
PAIR_ROWS = 65_536


@dataclass(frozen=True, eq=False)
class Statistics:
    """First and second moments of complete features.

    Attributes
    ----------
    n
        Rows.
    mean, sd
        (q,) of the numeric features; population standard deviation, exactly 0 where a feature is constant.
    shares
        (m,) share of the rows per level, all categorical features one after the other (m = sum of sizes).
    covariance
        (q, q) of the numeric features, population.
    level_covariance
        (m, q) covariance of each level's indicator with each numeric feature.
    """

    n: int
    mean: Floats
    sd: Floats
    shares: Floats
    covariance: Floats
    level_covariance: Floats


def indicators(features: Features, rows: slice) -> sparse.csr_array:
    """Return the one-hot table of some rows as a sparse (rows, m) matrix: c stored cells a row, never m."""
    codes = features.codes[rows]
    n, c = codes.shape
    columns = (codes + level_offsets(features)[:-1]).ravel()
    return sparse.csr_array(
        (np.ones(n * c), columns, np.arange(0, n * c + 1, c) if c else np.zeros(n + 1, np.int64)),
        shape=(n, sum(features.sizes)),
    )


def level_offsets(features: Features) -> np.ndarray:
    """Return (c + 1,) where each categorical feature's levels begin among all m of them."""
    return np.concatenate([[0], np.cumsum(features.sizes, dtype=np.int64)]).astype(np.int32)


def gather(features: Features, progress: Progress) -> Statistics:
    """Return the statistics of complete features.

    Cost: O(n (q^2 + c q)) time; O(q^2 + m q) memory for each block at work, and O(c) for each of its rows.
    """
    n = len(features)
    few = sum(features.sizes) <= _FEW_LEVELS * len(features.sizes)
    shift = features.numeric[:BLOCK_ROWS].mean(axis=0)

    def moments(_: int, rows: slice) -> Sums:
        numbers = features.numeric[rows] - shift
        levels = indicators(features, rows)
        level_sums: Floats = (levels.toarray() if few else levels).T @ numbers
        return numbers.sum(axis=0), numbers.T @ numbers, np.asarray(levels.sum(axis=0), dtype=np.float64), level_sums

    def add(one: Sums, other: Sums) -> Sums:
        return one[0] + other[0], one[1] + other[1], one[2] + other[2], one[3] + other[3]

    sums, cross, counts, level_sums = merged_blocks(moments, add, n, step=STEP, progress=progress)
    gap = sums / n  # mean - shift
    covariance = cross / n - np.outer(gap, gap)
    sd = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    sd[sd <= _NOISE * (np.abs(shift) + np.abs(gap))] = 0.0
    shares = counts / n
    return Statistics(n, shift + gap, sd, shares, covariance, level_sums / n - np.outer(shares, gap))


def pair_shares(features: Features) -> Floats:
    """Return (m, m): the share of the rows that hold both levels of each pair.

    Cost: O(n c^2) time, O(m^2) memory for each batch at work.
    """
    offsets = level_offsets(features)
    c, m = len(features.sizes), int(offsets[-1])

    def count(rows: slice) -> NDArray[np.int64]:
        counts = np.zeros((m, m), dtype=np.int64)
        columns = [np.ascontiguousarray(column, dtype=np.int64) for column in features.codes[rows].T]
        for a in range(c):
            for b in range(a, c):
                sizes = features.sizes[a], features.sizes[b]
                pairs = np.bincount(columns[a] * sizes[1] + columns[b], minlength=sizes[0] * sizes[1]).reshape(sizes)
                counts[offsets[a] : offsets[a + 1], offsets[b] : offsets[b + 1]] = pairs
                counts[offsets[b] : offsets[b + 1], offsets[a] : offsets[a + 1]] = pairs.T
        return counts

    return functools.reduce(np.add, spread(count, slices(len(features), PAIR_ROWS))) / len(features)
