"""Within what numbers are calibrated: what tells of them."""

from __future__ import annotations

import numpy as np
import pytest

from avatars.engine.draws import strata as module
from avatars.engine.draws.composites import Composite
from avatars.engine.draws.strata import Tellers, strata_of_bins, strata_of_levels
from avatars.engine.draws.traits import Role, Trait


def composite(codes: np.ndarray, role: Role = Role.LEVEL) -> Composite:
    return Composite.of(Trait(role, 0, codes.astype(np.int32), int(codes.max()) + 1))


def tellers(composites: list[Composite]) -> Tellers:
    return Tellers.among(composites, len(composites[0].levels), 1)


def told(numbers: np.ndarray, levels: np.ndarray) -> float:
    """Mutual information with the deciles, in nats, less what chance would tell: by the definition."""
    bins = np.searchsorted(np.unique(np.quantile(numbers, np.arange(1, 10) / 10)), numbers)
    together = np.zeros((levels.max() + 1, bins.max() + 1))
    np.add.at(together, (levels, bins), 1 / len(numbers))
    apart = np.outer(together.sum(axis=1), together.sum(axis=0))
    there = together > 0
    # Stratum 0, of levels of few people, is counted whether there are any or not.
    by_chance = float(bins.max()) * (int(levels.max()) + 1) / (2 * len(numbers))
    return float((together[there] * np.log(together[there] / apart[there])).sum()) - by_chance


def test_a_number_is_calibrated_within_what_tells_of_it() -> None:
    n = 2000
    died = np.random.default_rng(1).random(n) < 0.3
    days = np.where(died, np.random.default_rng(2).uniform(0, 100, n), 365.0)
    days += np.random.default_rng(3).normal(size=n)
    chance = composite(np.random.default_rng(4).integers(0, 5, n))
    strata = tellers([chance, composite(died)]).strata_of(days, np.ones(n, dtype=np.bool_))
    assert strata.composite == 1
    assert len(set(strata.stratum_of)) == 2


def test_chance_tells_nothing() -> None:
    n = 3000
    chance = [composite(np.random.default_rng(seed).integers(0, 20, n)) for seed in range(20)]
    numbers = np.random.default_rng(100).normal(size=n)
    assert tellers(chance).strata_of(numbers, np.ones(n, dtype=np.bool_)).composite is None


@pytest.mark.parametrize("weaker", [0.95, 1.05])
def test_what_tells_most_is_chosen(weaker: float) -> None:
    random, n = np.random.default_rng(11), 3000
    numbers = random.normal(size=n)
    first, second = (np.searchsorted([-1, 0, 1], numbers + by * random.normal(size=n)) for by in (1.0, weaker))
    chosen = tellers([composite(first), composite(second)]).strata_of(numbers, np.ones(n, dtype=np.bool_))
    assert chosen.composite == int(told(numbers, second) > told(numbers, first))


def test_what_tells_just_enough_counts() -> None:
    random, n = np.random.default_rng(12), 4000
    numbers = random.normal(size=n)
    for noise in np.linspace(2, 8, 25):
        levels = (numbers + noise * random.normal(size=n) > 0).astype(np.int64)
        strata = tellers([composite(levels)]).strata_of(numbers, np.ones(n, dtype=np.bool_))
        assert (strata.composite == 0) == (told(numbers, levels) > module.TELLING * np.log(10))


def test_only_people_whose_number_is_known_are_asked() -> None:
    random, n = np.random.default_rng(13), 2000
    numbers, known = random.normal(size=n), np.arange(n) % 4 == 0
    honest = (numbers > 0).astype(np.int64)
    misleading = np.where(known, random.integers(0, 2, n), honest)
    both = tellers([composite(misleading), composite(np.where(known, honest, 0))])
    assert both.strata_of(numbers, known).composite == 1
    assert both.strata_of(numbers, ~known).composite == 0


def test_of_many_columns_some_rows_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LEAST_ROWS", 500)
    random, n = np.random.default_rng(14), 5000
    numbers = random.normal(size=n)
    found = Tellers.among([composite(random.integers(0, 3, n)), composite(numbers > 0)], n, 2**30)
    assert len(found.rows) == 500
    assert found.strata_of(numbers, np.ones(n, dtype=np.bool_)).composite == 1


def test_composites_of_one_stratum_or_too_many_tell_nothing() -> None:
    n = 6000
    numbers = np.arange(n, dtype=np.float64)
    for levels in (np.zeros(n), np.arange(n) // 60, np.arange(n) // 2):
        strata = tellers([composite(levels)]).strata_of(numbers, np.ones(n, dtype=np.bool_))
        assert strata.composite is None or len(set(levels)) == 1


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
