"""Rates: levels are drawn about as often as people have them, whoever stands in whose company."""

from __future__ import annotations

import numpy as np
import pytest
from tests.unit.engine.draws.towns import town_of

from avatars.engine.draws.crowd import Town
from avatars.engine.draws.race import draw_levels
from avatars.engine.draws.rates import chosen_blocks, learn_rates
from avatars.engine.progress import Silent
from avatars.engine.random import BLOCK_ROWS, blocks


def lopsided_town(n: int) -> Town:
    """Those who have level 0 are in far more companies than their share."""
    random = np.random.default_rng(0)
    levels = (random.random((n, 1)) < 0.3).astype(np.int32)
    popular = np.flatnonzero(levels[:, 0] == 0)
    near = np.where(random.random((n, 20)) < 0.5, random.choice(popular, (n, 20)), random.integers(0, n, (n, 20)))
    return town_of(np.zeros((n, 0)), levels, near, seed=2)


@pytest.mark.parametrize("n", [3000, 40 * BLOCK_ROWS], ids=["all rows", "a sample"])
def test_shares_are_kept(n: int) -> None:
    town, stranger = lopsided_town(n), np.array([0.1])
    counts = np.bincount(town.crowd.levels[:, 0])
    (rates,) = learn_rates(town, chosen_blocks(n, 1), stranger, [counts], Silent(), "drawing")

    def drawn(slowness: np.ndarray) -> float:
        starts = np.array([0, 2])
        every = [draw_levels(town.crowd, town.company(*block), stranger, slowness, starts) for block in blocks(n)]
        return float(np.concatenate(every).mean())

    wanted = counts[1] / n
    assert abs(drawn(np.ones(2)) - wanted) > 0.1
    assert drawn(1 / rates) == pytest.approx(wanted, abs=0.005)


def test_a_level_that_may_not_be_drawn_leaves_the_others_alone() -> None:
    town = lopsided_town(500)
    (rates,) = learn_rates(town, chosen_blocks(500, 1), np.array([0.1]), [np.array([0, 0])], Silent(), "drawing")
    assert rates.tolist() == [1.0, 1.0]
