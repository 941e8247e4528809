"""From scores to numbers: by rank, within strata."""

from __future__ import annotations

import numpy as np

from avatars.engine.draws.calibration import calibrated, strata_of, strata_of_bins, strata_of_levels
from avatars.engine.draws.composites import Composite
from avatars.engine.draws.traits import Role, Trait

RANDOM = np.random.default_rng(0)


def composite(codes: np.ndarray, role: Role = Role.LEVEL) -> Composite:
    return Composite.of(Trait(role, 0, codes.astype(np.int32), int(codes.max()) + 1))


def test_a_number_is_calibrated_within_what_tells_of_it() -> None:
    n = 2000
    died = np.random.default_rng(1).random(n) < 0.3
    days = np.where(died, np.random.default_rng(2).uniform(0, 100, n), 365.0)
    days += np.random.default_rng(3).normal(size=n)
    chance = composite(np.random.default_rng(4).integers(0, 5, n))
    strata = strata_of(days, np.ones(n, dtype=np.bool_), [chance, composite(died)])
    assert strata.composite == 1
    assert len(set(strata.stratum_of)) == 2


def test_chance_tells_nothing() -> None:
    n = 3000
    chance = [composite(np.random.default_rng(seed).integers(0, 20, n)) for seed in range(20)]
    numbers = np.random.default_rng(100).normal(size=n)
    assert strata_of(numbers, np.ones(n, dtype=np.bool_), chance).composite is None


def test_levels_of_few_people_share_a_stratum() -> None:
    codes = np.repeat(np.arange(6), [500, 400, 29, 5, 3, 1])
    strata = strata_of_levels(composite(codes), 0)
    assert strata.stratum_of.tolist() == [1, 2, 0, 0, 0, 0]


def test_cells_of_few_people_fall_back_on_their_bin() -> None:
    bins = composite(np.repeat([0, 1], 100), Role.BIN)
    arms = composite(np.concatenate([np.zeros(100), np.repeat([0, 1], [95, 5])]))
    strata = strata_of_bins(bins.with_other(arms), 0, 0)
    # Cells in order: (0, a), (1, a), (1, b); the last one has five people.
    assert strata.stratum_of.tolist() == [2, 3, 1]


def test_ranks_become_the_quantiles_of_the_stratum() -> None:
    originals = np.concatenate(
        [np.random.default_rng(5).normal(0, 1, 500), np.random.default_rng(6).normal(50, 1, 500)]
    )
    strata = np.repeat([0, 1], 500)
    scores, drawn = np.random.default_rng(7).normal(size=800), np.repeat([0, 1], [300, 500])
    values = calibrated(scores, drawn, originals, strata, RANDOM)
    assert abs(values[:300].mean()) < 0.2
    assert abs(values[300:].mean() - 50) < 0.2
    for some in (slice(0, 300), slice(300, 800)):
        order = np.argsort(scores[some])
        assert (np.diff(values[some][order]) >= 0).all()


def test_equal_scores_are_told_apart_by_chance() -> None:
    values = calibrated(np.zeros(400), np.zeros(400, int), np.arange(400.0), np.zeros(400, int), RANDOM)
    assert abs(np.corrcoef(values, np.arange(400))[0, 1]) < 0.2


def test_a_stratum_of_too_few_people_is_calibrated_by_everybody() -> None:
    originals, strata = np.concatenate([np.zeros(200), np.full(5, 1e6)]), np.repeat([0, 1], [200, 5])
    values = calibrated(np.arange(50.0), np.ones(50, int), originals, strata, RANDOM)
    assert values.max() == 0
