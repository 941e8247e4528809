"""Members and others: a table parted at random, before anything is made of it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

MOST_ROWS = 1_000_000
"""Of larger tables so many rows are drawn: figures need no more people, and memory is bounded."""


def split(table: pa.Table, seed: int, most: int = MOST_ROWS) -> tuple[pa.Table, pa.Table]:
    """Return two halves of a table, the first one row larger where it is odd; both in the order of the table."""
    n = table.num_rows
    chosen = np.random.default_rng([seed % 2**64, 1]).permutation(n)[:most]
    middle = (len(chosen) + 1) // 2
    return table.take(pa.array(np.sort(chosen[:middle]))), table.take(pa.array(np.sort(chosen[middle:])))
