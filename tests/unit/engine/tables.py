"""Tables for the engine's tests."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from avatars.engine.columns import Encoded, detect, encode
from avatars.engine.features import Features


def mixed_table(n: int = 300, seed: int = 0, missing: float = 0.0) -> pa.Table:
    """Three numbers (one whole), a bool and two categories that hang together, with a share of missing cells."""
    random = np.random.default_rng(seed)
    x = random.normal(size=n)
    columns = {
        "height": np.round(170 + 10 * x + random.normal(size=n), 1),
        "weight": np.round(70 + 12 * x + 5 * random.normal(size=n), 2),
        "visits": random.poisson(4, n),
        "smoker": random.random(n) < 0.3,
        "sex": np.where(x + random.normal(size=n) > 0, "m", "f"),
        "ward": random.choice(["A", "B", "C", "D"], n, p=[0.5, 0.3, 0.15, 0.05]),
    }
    return pa.table({name: pa.array(cells, mask=random.random(n) < missing) for name, cells in columns.items()})


def encoded(table: pa.Table) -> Encoded:
    return encode(table, detect(table))


def features(numeric: np.ndarray, codes: np.ndarray | None = None) -> Features:
    """Complete features without names of their own."""
    codes = np.zeros((len(numeric), 0), dtype=np.int32) if codes is None else codes.astype(np.int32)
    names = [f"x{a}" for a in range(numeric.shape[1])] + [f"c{a}" for a in range(codes.shape[1])]
    sizes = tuple(int(column.max()) + 1 for column in codes.T)
    return Features(np.ascontiguousarray(numeric, dtype=np.float64), codes, sizes, tuple(names))


def one_hot(codes: np.ndarray, sizes: tuple[int, ...]) -> np.ndarray:
    return np.hstack([np.zeros((len(codes), 0)), *(np.eye(m)[codes[:, c]] for c, m in enumerate(sizes))])
