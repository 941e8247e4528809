"""Everybody as the local draw sees them, and whom the avatars of a block of rows are drawn from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from avatars.engine.batches import spread
from avatars.engine.features import Codes, Floats
from avatars.engine.neighbors import Indices, Nearby
from avatars.engine.random import BLOCK_ROWS, RowRandom
from avatars.engine.tree import Counts
from avatars.engine.workspace import Workspace

Singles = NDArray[np.float32]
Blocks = Sequence[tuple[int, slice]]

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
    rows
        (n,) the row of the table at each place.
    nearby
        Who is near whom.
    random
        Of the draw.
    known
        (b, k) who is near those of some blocks: they are asked for more than once.
    """

    crowd: Crowd
    rows: Counts
    nearby: Nearby
    random: RowRandom
    known: Mapping[int, Indices] = field(default_factory=dict)

    def knowing(self, blocks: Blocks, workspace: Workspace) -> Town:
        """Return the same with some blocks known."""
        known = workspace.empty("known", (len(blocks), BLOCK_ROWS, self.nearby.k), np.int32)
        places = [np.arange(block.start, block.stop) for _, block in blocks]
        indices = [index for index, _ in blocks]
        for place, near in enumerate(spread(self._near_of, zip(indices, places, strict=True))):
            known[place, : len(near)] = near
        return replace(self, known=dict(zip(indices, known, strict=True)))

    def near(self, index: int, places: Counts) -> Indices:
        """Return (b, k) the places of the nearest others of those at some places of block ``index``."""
        if index in self.known:
            return np.asarray(self.known[index][places - index * BLOCK_ROWS])
        return self.nearby.of(index, places)[0]

    def _near_of(self, asked: tuple[int, Counts]) -> Indices:
        return self.near(*asked)

    def company(self, index: int, places: slice) -> Company:
        """Return the company of the rows at the places of block ``index``: half as many strangers as neighbours."""
        generator, n = self.random.block(index), len(self.crowd)
        near = self.near(index, np.arange(places.start, places.stop))
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
