"""Normal scores: ranks on the scale of a standard normal."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from avatars.engine.draws.scores import normal_scores
from avatars.engine.workspace import IN_MEMORY


@given(arrays(np.float64, st.integers(2, 60), elements=st.one_of(st.integers(-3, 3), st.floats(-1e9, 1e9))))
def test_equal_their_definition(numbers: np.ndarray) -> None:
    ranks = stats.rankdata(numbers, "average")
    expected = stats.norm.ppf((ranks - 0.5) / len(numbers))
    spread = expected.std()
    expected = (expected - expected.mean()) / (spread if spread > 1e-12 else 1.0)
    np.testing.assert_allclose(normal_scores(numbers[:, None], IN_MEMORY)[:, 0], expected, atol=1e-9)


def test_have_mean_zero_and_variance_one_whatever_the_scale() -> None:
    numbers = np.random.default_rng(0).lognormal(5, 3, (5000, 3))
    scores = normal_scores(numbers, IN_MEMORY)
    np.testing.assert_allclose(scores.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(scores.std(axis=0), 1)


def test_a_constant_column_has_scores_of_zero() -> None:
    assert not normal_scores(np.full((20, 1), 7.0), IN_MEMORY).any()
