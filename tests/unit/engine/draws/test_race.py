"""One block's draw: the law that it promises, by brute force, compiled or not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import log_ndtr
from tests.unit.engine.draws.towns import town_of

from avatars.engine.draws import race
from avatars.engine.draws.crowd import Company, Crowd, Town
from avatars.engine.draws.race import arrivals, draw_levels, draw_scores

SIZES = (3, 100)


def a_town(n: int = 300, k: int = 12, seed: int = 1) -> Town:
    random = np.random.default_rng(0)
    levels = np.column_stack([random.integers(-1, size, n) for size in SIZES]).astype(np.int32)
    scores = random.normal(size=(n, 2))
    near = np.array([random.choice(np.delete(np.arange(n), row), k, replace=False) for row in range(n)])
    return town_of(scores, levels, near, seed)


def everyone(company: Company, crowd: Crowd, row: int) -> tuple[np.ndarray, np.ndarray]:
    """Scores and levels of a row's company: neighbours, then strangers."""
    near, far = company.near[row], company.strangers[row]
    return (
        np.vstack([crowd.scores[near], company.pool.scores[far]]).astype(np.float64),
        np.vstack([crowd.levels[near], company.pool.levels[far]]),
    )


def shares(company: Company, stranger: float) -> np.ndarray:
    k, s = company.near.shape[1], company.strangers.shape[1]
    return np.repeat([(1 - stranger) / k, stranger / s], [k, s])


@pytest.fixture(params=["numpy", "compiled"])
def path(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "compiled":
        monkeypatch.setattr(race, "SMALL", 0)
    return str(request.param)


@pytest.mark.usefixtures("path")
@pytest.mark.parametrize("strangers", [(0.2, 0.6), (0.0, 1.0)])
def test_scores_equal_their_definition(strangers: tuple[float, float]) -> None:
    town = a_town()
    company = town.company(0, slice(0, 200))
    drawn = draw_scores(town.crowd, company, np.array(strangers))
    for row in range(200):
        z, _ = everyone(company, town.crowd, row)
        for column, stranger in enumerate(strangers):
            p, g = shares(company, stranger), company.normal[row].astype(np.float64)
            mean = p @ z[:, column]
            spread = np.sqrt(p) * g @ (z[:, column] - mean) / np.sqrt(1 - p @ p)
            assert drawn[row, column] == pytest.approx(mean + spread, abs=1e-4)


@pytest.mark.usefixtures("path")
@pytest.mark.parametrize("strangers", [(0.2, 0.6), (0.0, 1.0)])
def test_the_level_that_arrives_first_is_drawn(strangers: tuple[float, float]) -> None:
    town = a_town()
    company = town.company(0, slice(0, 200))
    rates = [np.random.default_rng(1).uniform(0.5, 2, size) for size in SIZES]
    starts = np.cumsum([0, *SIZES])
    drawn = draw_levels(town.crowd, company, np.array(strangers), 1 / np.concatenate(rates), starts)
    for composite, stranger in enumerate(strangers):
        found = arrivals(town.crowd, company, composite, stranger, SIZES[composite])
        ends = np.append(found.starts, len(found.times))
        for row in range(200):
            _, levels = everyone(company, town.crowd, row)
            p, g = shares(company, stranger), company.normal[row].astype(np.float64)
            times = {}
            for level in range(SIZES[composite]):
                has = levels[:, composite] == level
                if (share := p[has].sum()) > 0:
                    times[level] = -log_ndtr(np.sqrt(p[has]) @ g[has] / np.sqrt(share)) / share
            here = slice(ends[row], ends[row + 1])
            assert dict(zip(found.levels[here].tolist(), found.times[here], strict=True)) == pytest.approx(
                times, rel=1e-3, abs=1e-4
            )
            first = min(times, key=lambda level: times[level] / rates[composite][level])
            assert drawn[row, composite] == first


def test_each_level_comes_as_often_as_it_stands_in_the_company() -> None:
    crowd = Crowd(np.zeros((10, 0), np.float32), np.array([[0]] * 6 + [[1]] * 3 + [[2]], dtype=np.int32))
    near = np.tile(np.arange(10, dtype=np.int32), (40_000, 1))
    company = Company(
        near,
        crowd.take(np.arange(10)),
        near[:, :5],
        np.random.default_rng(2).standard_normal((40_000, 15)).astype(np.float32),
        np.zeros((40_000, 1)),
    )
    drawn = draw_levels(crowd, company, np.zeros(1), np.ones(3), np.array([0, 3]))
    np.testing.assert_allclose(np.bincount(drawn[:, 0]) / 40_000, [0.6, 0.3, 0.1], atol=0.008)


def test_levels_go_together_with_the_numbers_of_those_who_have_them() -> None:
    random = np.random.default_rng(3)
    levels = random.integers(0, 2, (50, 1)).astype(np.int32)
    crowd = Crowd((levels + 0.1 * random.normal(size=(50, 1))).astype(np.float32), levels)
    near = np.array([random.choice(50, 20, replace=False) for _ in range(20_000)], dtype=np.int32)
    normal = random.standard_normal((20_000, 30)).astype(np.float32)
    company = Company(near, crowd.take(np.arange(50)), near[:, :10], normal, np.zeros((20_000, 1)))
    scores = draw_scores(crowd, company, np.zeros(1))[:, 0]
    drawn = draw_levels(crowd, company, np.zeros(1), np.ones(2), np.array([0, 2]))[:, 0]
    assert scores[drawn == 1].mean() - scores[drawn == 0].mean() > 0.7


def test_nobody_is_in_his_own_company() -> None:
    for seed in range(200):
        town = a_town(n=5, k=4, seed=seed)
        company = town.company(0, slice(0, 5))
        for place in range(5):
            pool_rows = company.pool.scores[company.strangers[place]]
            assert not (pool_rows == town.crowd.scores[place]).all(axis=1).any()
            assert place not in company.near[place]
