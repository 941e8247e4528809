"""One record for each avatar, and one avatar for each record."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from avatars.engine.errors import Cancelled
from avatars.engine.features import Floats
from avatars.engine.matching import match
from avatars.engine.progress import Silent


def matched(records: Floats, avatars: Floats, seed: int = 0) -> np.ndarray:
    return match(records, avatars, np.random.default_rng(seed), Silent(), step="casting back")


def cost(records: Floats, avatars: Floats, record_of: np.ndarray) -> float:
    return float(((avatars - records[record_of]) ** 2).sum())


@settings(max_examples=60, deadline=None)
@given(n=st.integers(1, 300), d=st.integers(1, 4), values=st.integers(1, 50), seed=st.integers(0, 99))
def test_each_record_is_given_once_whatever_the_ties(n: int, d: int, values: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    records, avatars = (random.integers(values, size=(n, d)).astype(float) for _ in range(2))
    np.testing.assert_array_equal(np.sort(matched(records, avatars)), np.arange(n))


def test_on_one_axis_it_is_the_cheapest_of_all() -> None:
    random = np.random.default_rng(0)
    records, avatars = random.normal(size=(1000, 1)), 0.6 * random.normal(size=(1000, 1))
    expected = np.empty(1000, dtype=int)
    expected[np.argsort(avatars[:, 0])] = np.argsort(records[:, 0])
    np.testing.assert_array_equal(matched(records, avatars), expected)


@pytest.mark.parametrize("widths", [(1.0, 1.0, 1.0), (0.1, 10.0, 0.3)], ids=["alike", "one wide"])
def test_on_several_axes_it_is_near_the_cheapest(widths: tuple[float, ...]) -> None:
    random = np.random.default_rng(1)
    records, avatars = (shrunk * random.normal(size=(1500, 3)) * widths for shrunk in (1.0, 0.8))
    gaps = ((avatars[:, None] - records[None]) ** 2).sum(axis=2)
    cheapest = gaps[linear_sum_assignment(gaps)].sum()
    by_chance = cost(records, avatars, random.permutation(1500))
    assert (
        cheapest
        <= cost(records, avatars, matched(records, avatars))
        < cheapest + (0.1 if widths[1] == 1 else 0.001) * (by_chance - cheapest)
    )


def test_where_all_are_alike_the_order_of_the_rows_tells_nothing() -> None:
    alike = np.zeros((2000, 3))
    own = sum(int((matched(alike, alike, seed) == np.arange(2000)).sum()) for seed in range(20))
    # One in expectation each time, by chance (Poisson, 20 altogether).
    assert own < 45


def test_moving_the_rows_moves_the_answer_with_them() -> None:
    random = np.random.default_rng(2)
    records, avatars = random.normal(size=(500, 2)), random.normal(size=(500, 2))
    rows = random.permutation(500)
    before, after = matched(records, avatars), matched(records[rows], avatars[rows])
    # Without ties places decide alone; the few that are cut apart at a leaf are matched at least cost.
    np.testing.assert_array_equal(rows[after], before[rows])


def test_the_same_random_numbers_give_the_same_answer() -> None:
    tied = np.repeat(np.arange(50.0), 20)[:, None]
    np.testing.assert_array_equal(matched(tied, tied, 3), matched(tied, tied, 3))
    assert (matched(tied, tied, 3) != matched(tied, tied, 4)).any()


def test_it_can_be_cancelled() -> None:
    class Stop(Silent):
        def should_stop(self) -> bool:
            return True

    with pytest.raises(Cancelled):
        match(np.zeros((500, 2)), np.zeros((500, 2)), np.random.default_rng(0), Stop(), step="casting back")
