"""Random numbers keyed by seed, purpose and row, so that no batch, thread or machine changes them.

Rows are taken in fixed blocks of ``BLOCK_ROWS`` by their place in the table. Each block has a Philox stream of its own
(a counter-based generator: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011), whose key comes from
the seed and the purpose and whose counter comes from the block. Whoever works on a block, whenever, draws the same.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from enum import IntEnum

import numpy as np

# A block's working set (rows x neighbours x 8 bytes) should stay in the processor's cache.
BLOCK_ROWS = 4096


class Purpose(IntEnum):
    """What numbers are drawn for; two purposes never share numbers. Never renumber: results would change."""

    TIES = 1
    DRAW = 2
    PUBLISH = 3
    IMPUTE = 4
    MATCH = 5
    RARE = 6
    CALIBRATE = 7


def fresh_seed() -> int:
    """Return 64 bits from the operating system, for those who gave no seed."""
    return secrets.randbits(64)


def key(seed: int, purpose: Purpose) -> np.ndarray:
    """Derive the 128-bit key of a purpose, as two uint64, from a seed (any integer, taken modulo 2**64)."""
    sequence = np.random.SeedSequence(seed % 2**64, spawn_key=(int(purpose),))
    return sequence.generate_state(2, np.uint64)


class RowRandom:
    """The random numbers of one purpose under one seed."""

    def __init__(self, seed: int, purpose: Purpose) -> None:
        self._key = key(seed, purpose)

    def block(self, index: int, column: int = 0) -> np.random.Generator:
        """Return the generator of block ``index`` (rows ``index * BLOCK_ROWS`` onwards) at its beginning."""
        # The low words of the counter are left to the generator's own steps.
        return np.random.Generator(np.random.Philox(key=self._key, counter=[0, 0, index, column]))


def blocks(n: int) -> Iterator[tuple[int, slice]]:
    """Yield ``(index, rows)`` of the blocks of ``n`` rows, the last one shorter."""
    for index, start in enumerate(range(0, n, BLOCK_ROWS)):
        yield index, slice(start, min(n, start + BLOCK_ROWS))
