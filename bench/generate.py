"""The table of the benchmarks: 6 numeric and 9 categorical columns that depend on each other, seeded.

Every column follows three hidden factors in its own way, so that the projection has something to find; one
categorical column has 42 levels, the others 2 to 9.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

SEED = 20261122
FACTORS = 3
DECIMALS = (0, 0, 1, 1, 2, 3)
"""Of each numeric column; those with 0 are integers."""
LEVELS = (2, 2, 3, 4, 5, 6, 7, 9, 42)
"""Of each categorical column."""


def mixed(rows: int, part: int = 0) -> pa.Table:
    """Return ``rows`` x 15: int64 and float64 columns ``n0`` to ``n5``, strings ``c0`` to ``c8``.

    Parts have other rows that follow the same law.
    """
    law, random = np.random.default_rng(SEED), np.random.default_rng((SEED, part))
    hidden = random.normal(size=(rows, FACTORS))
    columns: dict[str, pa.Array] = {}
    for i, decimals in enumerate(DECIMALS):
        values = 50 + 12 * (hidden @ law.normal(size=FACTORS)) + 8 * random.normal(size=rows)
        rounded = np.round(values, decimals)
        columns[f"n{i}"] = pa.array(rounded.astype(np.int64) if decimals == 0 else rounded)
    for i, levels in enumerate(LEVELS):
        score = hidden @ law.normal(size=FACTORS) + random.normal(size=rows)
        # Unequal shares: a level is half as wide again as the one before it, up to the last.
        shares = np.cumsum(1.5 ** (np.arange(levels) % 6))
        codes = np.searchsorted(np.quantile(score, shares[:-1] / shares[-1]), score)
        names = pa.array([f"level {code:02d}" for code in range(levels)])
        columns[f"c{i}"] = names.take(pa.array(codes))
    return pa.table(columns)
