"""The micro-aggregated quantile function: nothing that it gives rests on fewer than ten people."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatars.engine.draws.quantiles import PEOPLE, Quantiles

TABLES = st.one_of(
    st.lists(st.integers(-3, 8), min_size=2, max_size=300),
    st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=120),
    st.lists(st.one_of(st.just(0.0), st.floats(-10, 10)), min_size=20, max_size=200),
)


def slowly(numbers: np.ndarray, people: int) -> tuple[list[float], list[float]]:
    """The definition, person by person: knots of the quantile function."""
    ordered = np.sort(numbers)
    n = len(ordered)
    people = max(2, min(people, n // 4))
    pieces: list[tuple[int, int, bool]] = []  # begin, end, is it an atom
    start = 0
    while start < n:
        end = int(np.searchsorted(ordered, ordered[start], side="right"))
        is_atom = end - start >= people
        if not is_atom and pieces and not pieces[-1][2]:
            pieces[-1] = (pieces[-1][0], end, False)
        else:
            pieces.append((start, end, is_atom))
        start = end
    shares: list[float] = []
    values: list[float] = []
    for place, (begin, end, is_atom) in enumerate(pieces):
        left = ordered[pieces[place - 1][0]] if place else None
        right = ordered[pieces[place + 1][0]] if place + 1 < len(pieces) else None
        if is_atom:
            shares += [begin / n, end / n]
            values += [ordered[begin]] * 2
        elif end - begin < people:
            beside = [value for value in (left, right) if value is not None] or [ordered.mean()]
            left, right = beside[0], beside[-1]
            shares += [begin / n, (begin + end) / 2 / n, (begin + end) / 2 / n, end / n]
            values += [left, left, right, right]
        else:
            runs = (end - begin) // people
            edges = [begin + run * (end - begin) // runs for run in range(runs + 1)]
            means = [ordered[a:b].mean() for a, b in itertools.pairwise(edges)]
            shares += [begin / n, *((a + b) / 2 / n for a, b in itertools.pairwise(edges)), end / n]
            values += [means[0], *means, means[-1]]
    return shares, values


@settings(deadline=None)
@given(TABLES)
def test_equals_its_definition(numbers: list[float]) -> None:
    table = np.array(numbers, dtype=np.float64)
    found = Quantiles.of(table)
    # Between the knots, where no rounding of a jump's place matters.
    knots = np.unique(np.concatenate([found.shares, slowly(table, PEOPLE)[0]]))
    between = (knots[1:] + knots[:-1])[np.diff(knots) > 1e-9] / 2
    np.testing.assert_allclose(found(between), np.interp(between, *slowly(table, PEOPLE)), atol=1e-6)


def test_the_extremes_are_means_of_ten_people() -> None:
    numbers = np.random.default_rng(1).exponential(size=1000)
    quantiles = Quantiles.of(numbers)
    ordered = np.sort(numbers)
    assert quantiles(np.array([0.0]))[0] == pytest.approx(ordered[:10].mean())
    assert quantiles(np.array([1.0]))[0] == pytest.approx(ordered[-10:].mean())
    assert not np.isin(quantiles(np.linspace(0, 1, 5000)), numbers).any()


def test_values_of_many_people_keep_their_mass() -> None:
    numbers = np.repeat([1.0, 2.0, 5.0], [30, 50, 20])
    drawn = Quantiles.of(numbers)((np.arange(100) + 0.5) / 100)
    np.testing.assert_array_equal(drawn, numbers)


def test_values_of_few_people_between_those_of_many_go_to_them() -> None:
    numbers = np.array([1.0] * 40 + [1.5, 1.6, 1.7, 1.8] + [2.0] * 40)
    drawn = Quantiles.of(numbers)((np.arange(84) + 0.5) / 84)
    assert set(drawn) == {1.0, 2.0}
    assert (drawn == 1.0).sum() == 42


def test_very_large_numbers_cost_no_precision_elsewhere() -> None:
    numbers = np.concatenate([np.full(30, -1e100), np.random.default_rng(2).normal(size=500)])
    drawn = Quantiles.of(numbers)((np.arange(530) + 0.5) / 530)
    assert abs(np.median(drawn[30:])) < 0.2
