"""Everybody as the local draw sees them, and whom the avatars of a block of rows are drawn from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avatars.engine.features import Codes, Floats
from avatars.engine.neighbors import Indices
from avatars.engine.random import RowRandom

Singles = NDArray[np.float32]

POOL = 4096
"""People whom the rows of a block meet as strangers: drawn anew for each block, so that all come up equally often."""


@dataclass(frozen=True, eq=False)
class Crowd:
    """The table's people, or some of them, those who are near each other one after the other.

    Attributes
    ----------
    scores
        (n, q) normal scores of the numbers; the ranks of what comes of them count, so single precision will do.
    levels
        (n, t) level of each composite; -1 where too few people share it for it to be drawn.
    """

    scores: Singles
    levels: Codes

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.levels)

    def take(self, people: NDArray[np.integer]) -> Crowd:
        """Return some of them."""
        return Crowd(np.asarray(self.scores[people]), np.asarray(self.levels[people]))


@dataclass(frozen=True, eq=False)
class Company:
    """Whom the avatars of b rows are drawn from, and the random numbers of the draw.

    Attributes
    ----------
    near
        (b, k) the nearest others, as places in the crowd.
    pool
        Some people of the crowd.
    strangers
        (b, s) places in the pool; nobody is a stranger to himself.
    normal
        (b, k + s) standard normal: a coefficient for each of them, shared by all columns.
    fallback
        (b, t) uniform: for the levels of rows in whose company nobody has one that may be drawn.
    """

    near: Indices
    pool: Crowd
    strangers: Indices
    normal: Singles
    fallback: Floats


@dataclass(frozen=True, eq=False)
class Town:
    """The crowd with who is near whom; blocks of it are places that follow each other, near each other as well.

    Attributes
    ----------
    crowd
        In the order of ``rows``.
    rows, place_of
        (n,) the row of the table at each place, and the place of each row.
    neighbors
        (n, k) of the table's rows.
    random
        Of the draw.
    """

    crowd: Crowd
    rows: NDArray[np.int64]
    place_of: Indices
    neighbors: Indices
    random: RowRandom

    def company(self, index: int, places: slice) -> Company:
        """Return the company of the rows at the places of block ``index``: half as many strangers as neighbours."""
        generator, n = self.random.block(index), len(self.crowd)
        near = self.place_of[self.neighbors[self.rows[places]]]
        b, k = near.shape
        count = -(-k // 2)
        members = generator.choice(n, min(n, POOL), replace=False, shuffle=False)
        strangers = generator.integers(len(members), size=(b, count), dtype=np.int32)
        itself = np.full(b, -1, dtype=np.int32)  # its place in the pool
        (present,) = np.nonzero((members >= places.start) & (members < places.stop))
        itself[members[present] - places.start] = present
        is_itself = strangers == itself[:, None]
        strangers[is_itself] = (strangers[is_itself] + 1) % len(members)
        normal = generator.standard_normal((b, k + count), dtype=np.float32)
        fallback = generator.random((b, self.crowd.levels.shape[1]))
        return Company(near, self.crowd.take(members), strangers, normal, fallback)
