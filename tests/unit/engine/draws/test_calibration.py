"""From scores to numbers: by rank, within strata."""

from __future__ import annotations

import numpy as np

from avatars.engine.draws.calibration import calibrated

RANDOM = np.random.default_rng(0)


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
