"""The reference stack: saiph's projection, scikit-learn's neighbours, the published draw in plain numpy.

This is the method put together from well-known parts in the way its publication describes: the draw is a
barycentre in ALL components, and saiph's inverse projection leads back to the table.
"""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import saiph
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors

Floats = NDArray[np.float64]

ROWS_AT_ONCE = 5_000
"""The draw holds rows x k x components numbers at a time."""


def seconds(table: pd.DataFrame, k: int, ncp: int, seed: int) -> dict[str, float]:
    """Make avatars of a table and return the seconds that each step took."""
    random = np.random.default_rng(seed)
    took: dict[str, float] = {}
    started = time.perf_counter()

    def done(step: str) -> None:
        nonlocal started
        now = time.perf_counter()
        took[step], started = now - started, now

    model = saiph.fit(table, seed=seed)
    coordinates = saiph.transform(table, model).to_numpy()
    done("projecting")
    search = NearestNeighbors(n_neighbors=k + 1, n_jobs=-1).fit(coordinates[:, :ncp])
    distances, neighbors = search.kneighbors(coordinates[:, :ncp])
    done("finding neighbours")
    drawn = draw(coordinates, distances[:, 1:], neighbors[:, 1:], random)
    done("drawing avatars")
    saiph.inverse_transform(pd.DataFrame(drawn), model, use_max_modalities=False)
    done("casting back")
    return took


def draw(coordinates: Floats, distances: Floats, neighbors: NDArray[np.int64], random: np.random.Generator) -> Floats:
    """Return (n, d) the published draw of every row."""
    n, k = distances.shape
    drawn = np.empty_like(coordinates)
    for start in range(0, n, ROWS_AT_ONCE):
        rows = slice(start, min(n, start + ROWS_AT_ONCE))
        size = rows.stop - rows.start
        halves = random.permuted(np.tile(0.5 ** np.arange(1, k + 1), (size, 1)), axis=1)
        weights = random.exponential(size=(size, k)) * halves / np.maximum(distances[rows], 1e-12)
        weights /= weights.sum(axis=1, keepdims=True)
        drawn[rows] = np.einsum("nk,nkd->nd", weights, coordinates[neighbors[rows]])
    return drawn
