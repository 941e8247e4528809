"""Who is near whom: held for some blocks, found anew for the others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from avatars.engine.draws.crowd import Crowd, Town
from avatars.engine.draws.reach import shares_of_strangers
from avatars.engine.neighbors import Nearby
from avatars.engine.random import BLOCK_ROWS, Purpose, RowRandom, blocks
from avatars.engine.spots import Spots
from avatars.engine.workspace import Workspace

N, K = 2 * BLOCK_ROWS + 100, 7


def a_town() -> Town:
    points = np.random.default_rng(0).normal(size=(N, 3)).round(1)  # some at one place
    spots = Spots.of(points)
    crowd = Crowd(points[spots.members].astype(np.float32), np.zeros((N, 0), dtype=np.int32))
    nearby = Nearby(spots, K, RowRandom(1, Purpose.TIES))
    return Town(crowd, spots.members, nearby, RowRandom(1, Purpose.DRAW))


@pytest.mark.parametrize("in_files", [False, True], ids=["in memory", "in files"])
def test_it_makes_no_difference_which_blocks_are_known(tmp_path: Path, in_files: bool) -> None:
    town = a_town()
    with Workspace(tmp_path, budget=0 if in_files else None) as workspace:
        workspace.make_room(1, 1)
        knowing = town.knowing(list(blocks(N))[1:], workspace)
        assert list(knowing.known) == [1, 2]
        for index, places in blocks(N):
            one, other = town.company(index, places), knowing.company(index, places)
            np.testing.assert_array_equal(one.near, other.near)
            np.testing.assert_array_equal(one.normal, other.normal)
            assert one.near.shape == (places.stop - places.start, K)


def test_some_people_of_a_known_block_are_near_whom_they_are_near_with_all_of_it() -> None:
    town = a_town()
    with Workspace() as workspace:
        knowing = town.knowing(list(blocks(N)), workspace)
    last, places = list(blocks(N))[2]
    some = np.array([places.start, places.start + 5, places.stop - 1])
    np.testing.assert_array_equal(knowing.near(last, some), knowing.company(last, places).near[[0, 5, 99]])
    # Those that are sampled from all blocks, found anew or known: they differ in how ties are broken alone.
    np.testing.assert_allclose(shares_of_strangers(town), shares_of_strangers(knowing), rtol=0.05)
