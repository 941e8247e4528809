"""Towns in which a test says who is near whom."""

from __future__ import annotations

import numpy as np

from avatars.engine.draws.crowd import Crowd, Town
from avatars.engine.neighbors import Nearby
from avatars.engine.random import Purpose, RowRandom, blocks
from avatars.engine.spots import Spots


def town_of(scores: np.ndarray, levels: np.ndarray, near: np.ndarray, seed: int = 0) -> Town:
    """Return the town of n people with (n, q) scores, (n, t) levels and (n, k) nearest others."""
    n, k = near.shape
    crowd = Crowd(scores.astype(np.float32), levels.astype(np.int32))
    nowhere = Nearby(Spots.of(np.zeros((n, 1))), k, RowRandom(seed, Purpose.TIES))
    known = {index: near[rows].astype(np.int32) for index, rows in blocks(n)}
    return Town(crowd, np.arange(n), nowhere, RowRandom(seed, Purpose.DRAW), known)
