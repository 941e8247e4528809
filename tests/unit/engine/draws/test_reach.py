"""How far beyond the neighbours a column is drawn from."""

from __future__ import annotations

import numpy as np
import pytest
from tests.unit.engine.draws.towns import town_of

from avatars.engine.draws.reach import CAUTION, shares_of_strangers


def test_neighbours_who_tell_all_are_kept_and_those_who_tell_nothing_are_not() -> None:
    n, k = 3000, 20
    line = np.linspace(-1.7, 1.7, n)
    near = np.clip(np.arange(n)[:, None] + np.delete(np.arange(-k // 2, k // 2 + 1), k // 2), 0, n - 1)
    noise = np.random.default_rng(0).normal(size=n)
    scores = np.column_stack([line, noise, np.zeros(n)])
    levels = np.column_stack([line > 0, noise > 0, np.zeros(n)])
    told, noisy, constant, told_level, noisy_level, one_level = shares_of_strangers(town_of(scores, levels, near))
    # The signal is all of the variance: c / k against 1 + c / k.
    assert told == pytest.approx(CAUTION / k / (1 - 1 / k + CAUTION / k), rel=0.05)
    assert told_level == pytest.approx(told, rel=0.1)
    assert noisy > 0.85
    assert noisy_level > 0.85
    assert constant == one_level == 1.0


def test_fewer_neighbours_are_trusted_less() -> None:
    n = 2000
    line = np.linspace(-1.7, 1.7, n)
    found = []
    for k in (4, 40):
        near = np.clip(np.arange(n)[:, None] + np.delete(np.arange(-k // 2, k // 2 + 1), k // 2), 0, n - 1)
        found.append(shares_of_strangers(town_of(line[:, None], np.zeros((n, 0)), near))[0])
    assert found[0] > 4 * found[1]
