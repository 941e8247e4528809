"""How far beyond the neighbours a column is drawn from: the share of strangers in its local models.

Neighbours tell of a column as far as their mean varies between places more than the mean of k people drawn at random
would. What varies no more than that is noise, and noise of few people is what an attacker recognises them by. So
``share = c noise / (signal + c noise)``, where ``noise`` is the column's variance over k, ``signal`` the variance of
the neighbours' mean less the noise, and c = 1 would be the shrinkage that predicts best (James and Stein, 1961).
``CAUTION`` is more: relations that a few neighbours barely show are given up for the people behind them. (Ours.)
"""

from __future__ import annotations

import numpy as np

from avatars.engine.batches import in_order, slices, spread
from avatars.engine.draws.crowd import Singles, Town
from avatars.engine.features import Codes, Floats
from avatars.engine.neighbors import Indices
from avatars.engine.random import BLOCK_ROWS

CAUTION = 4.0
"""By experiment on ACTG 175: see docs/method.md."""
_ROWS = 8192
# Counts of levels at a time.
_CELLS = 2**21


def shares_of_strangers(town: Town) -> Floats:
    """Return (q + t,) the share of strangers for each number, then for each composite, from 0 to 1.

    Cost: O(k (q + t)) time for at most 8,192 rows that stand evenly in the table.
    """
    crowd, n, k = town.crowd, len(town.crowd), town.nearby.k
    some = np.linspace(0, n - 1, min(n, _ROWS)).astype(np.int64)
    of_blocks = np.split(some, np.flatnonzero(np.diff(some // BLOCK_ROWS)) + 1)
    near = np.concatenate(list(spread(lambda places: town.near(int(places[0]) // BLOCK_ROWS, places), of_blocks)))
    varied = [
        *in_order(lambda column: _variances_of_means(near, column), crowd.scores.T),
        *in_order(lambda column: _variances_of_shares(near, column), crowd.levels.T),
    ]
    of_means, of_all = np.array(varied, dtype=np.float64).reshape(-1, 2).T
    noise = of_all / k
    signal = np.maximum(of_means - noise, 0.0)
    shares: Floats = np.divide(CAUTION * noise, signal + CAUTION * noise, out=np.ones_like(noise), where=noise > 0)
    return shares


def _variances_of_means(near: Indices, scores: Singles) -> tuple[float, float]:
    """Return the variance of the mean scores of (r, k) neighbours, and of all scores."""
    everybody = np.ascontiguousarray(scores)  # a column by itself is read from the cache
    return float(np.var(everybody[near].mean(axis=1))), float(np.var(everybody))


def _variances_of_shares(near: Indices, levels: Codes) -> tuple[float, float]:
    """Return the variance of the levels' shares among neighbours, and of their indicators among all: sums over them."""
    everybody = np.ascontiguousarray(levels)
    of_neighbors, (rows, k) = everybody[near], near.shape
    size = int(everybody.max()) + 2
    squares = 0
    for some in slices(rows, max(1, _CELLS // size)):
        theirs = of_neighbors[some]
        cells = np.arange(1, len(theirs) * size, size)[:, None] + theirs
        counts = np.bincount(cells.ravel())
        squares += int(counts @ counts)
    means = np.bincount(of_neighbors.ravel() + 1) / near.size
    shares = np.bincount(everybody + 1) / len(everybody)
    return float(squares / (k * k * rows) - (means**2).sum()), float(1 - (shares**2).sum())
