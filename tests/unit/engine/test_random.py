"""Random numbers keyed by seed, purpose and row."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from avatars.engine.random import BLOCK_ROWS, Purpose, RowRandom, blocks, fresh_seed, key


@given(st.integers(0, 5 * BLOCK_ROWS))
def test_blocks_cover_every_row_once_and_in_order(n: int) -> None:
    rows = [row for _, part in blocks(n) for row in (part.start, part.stop - 1)]
    assert sum(part.stop - part.start for _, part in blocks(n)) == n
    assert rows == sorted(rows)
    assert [index for index, _ in blocks(n)] == list(range(len(list(blocks(n)))))


def test_a_block_draws_the_same_whenever_it_is_asked() -> None:
    random = RowRandom(3, Purpose.DRAW)
    first = random.block(7).random(10)
    random.block(6).random(1000)
    np.testing.assert_array_equal(random.block(7).random(10), first)


def test_blocks_purposes_and_seeds_share_no_numbers() -> None:
    streams = [
        RowRandom(seed, purpose).block(index).random(200)
        for seed in (0, 1, -1)
        for purpose in Purpose
        for index in (0, 1, 2)
    ]
    assert len(np.unique(np.concatenate(streams))) == 200 * len(streams)


def test_any_integer_is_a_seed() -> None:
    keys = {tuple(key(seed, Purpose.DRAW).tolist()) for seed in (0, 1, -1, 2**63, -(2**63) + 1)}
    assert len(keys) == 5


def test_fresh_seeds_differ() -> None:
    assert len({fresh_seed() for _ in range(100)}) == 100
