"""The small learners against scikit-learn, and what is built on them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import roc_auc_score
from tests.unit.engine.tables import one_hot

from avatars.engine.features import Features
from avatars.evaluation.utility.discriminator import LEAST_ROWS, discriminator_auc
from avatars.evaluation.utility.learner import area_under_curve, design, learn_number, learn_odds, scores_of
from avatars.evaluation.utility.prediction import prediction_score

SIZES = (4, 3)


def bins(n: int, seed: int, numbers: np.ndarray | None = None) -> Features:
    random = np.random.default_rng(seed)
    codes = np.column_stack([random.integers(0, size, n) for size in SIZES]).astype(np.int32)
    numeric = np.empty((n, 0)) if numbers is None else numbers
    return Features(np.ascontiguousarray(numeric), codes, SIZES, ("a", "b"))


def test_the_design_is_one_hot_with_the_numbers_behind() -> None:
    numbers = np.random.default_rng(1).normal(size=(30, 2))
    table = bins(30, 0, numbers)
    np.testing.assert_array_equal(design(table).toarray(), np.hstack([one_hot(table.codes, SIZES), numbers]))
    none = Features(numbers, np.empty((30, 0), np.int32), (), ("x", "y"))
    np.testing.assert_array_equal(design(none).toarray(), numbers)


def test_odds_are_learnt_as_scikit_learn_does() -> None:
    random = np.random.default_rng(2)
    rows = design(bins(600, 3, random.normal(size=(600, 1))))
    positive = (rows.toarray()[:, -1] + rows.toarray()[:, 0] + random.normal(size=600)) > 0
    ours = scores_of(rows, learn_odds(rows, positive))
    theirs = LogisticRegression(C=1.0, max_iter=1000, tol=1e-8).fit(rows.toarray(), positive)
    np.testing.assert_allclose(ours, theirs.decision_function(rows.toarray()), atol=1e-2)
    # One kind alone: no coefficient runs away.
    assert np.isfinite(learn_odds(rows, np.zeros(600, dtype=bool))).all()


def test_numbers_are_learnt_as_scikit_learn_does() -> None:
    random = np.random.default_rng(4)
    rows = design(bins(300, 5))
    numbers = rows.toarray() @ random.normal(size=7) + random.normal(size=300)
    ours = scores_of(rows, learn_number(rows, numbers))
    centre = numbers.mean()
    theirs = Ridge(alpha=1.0, fit_intercept=False).fit(rows.toarray(), numbers - centre).predict(rows.toarray())
    np.testing.assert_allclose(ours, theirs + centre, atol=1e-4)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(-3, 3), st.booleans()), min_size=2, max_size=30))
def test_the_area_under_the_curve_is_scikit_learns(lines: list[tuple[int, bool]]) -> None:
    scores, positive = np.array([line[0] for line in lines], dtype=float), np.array([line[1] for line in lines])
    if positive.all() or not positive.any():
        return
    assert area_under_curve(scores, positive) == pytest.approx(roc_auc_score(positive, scores))


def test_the_discriminator_guesses_where_there_is_no_difference_and_sees_one_where_there_is() -> None:
    random = np.random.default_rng(6)
    people, others = (bins(2000, seed, random.normal(size=(2000, 2))) for seed in (1, 2))
    assert discriminator_auc(people, others)[()] == pytest.approx(0.5, abs=0.03)
    # The same means and shares, but a smaller cloud; and, in the other, numbers that hang together.
    shrunken = bins(2000, 3, 0.5 * random.normal(size=(2000, 2)))
    assert discriminator_auc(people, shrunken)[()] > 0.7
    x = random.normal(size=2000)
    together = bins(2000, 4, np.column_stack([x, 0.8 * x + 0.6 * random.normal(size=2000)]))
    assert discriminator_auc(people, together)[()] > 0.65
    assert discriminator_auc(people, people)[()] == pytest.approx(0.5, abs=0.03)
    few = people.take(np.arange(LEAST_ROWS - 1))
    assert discriminator_auc(few, people) == {}


def target_number(n: int, seed: int, noise: float) -> Features:
    table = bins(n, seed)
    x = table.codes[:, 0] * 10.0 + noise * np.random.default_rng(seed).normal(size=n)
    return Features(x[:, None], table.codes, table.sizes, table.names)


def test_a_number_is_predicted_as_well_as_it_can_be() -> None:
    score = prediction_score(target_number(2000, 1, 5.0), target_number(2000, 2, 5.0))[()]
    assert score == pytest.approx(1 - 25 / (125 + 25), abs=0.02)
    nothing = Features(target_number(2000, 3, 5.0).numeric, bins(2000, 4).codes, SIZES, ("a", "b"))
    assert prediction_score(target_number(2000, 1, 5.0), nothing)[()] < 0.1


def test_a_level_is_predicted_from_the_columns_before_it() -> None:
    random = np.random.default_rng(7)

    def people(n: int, seed: int, *, told: bool) -> Features:
        first = bins(n, seed).codes[:, 0]
        target = (
            np.where(random.random(n) < 0.8, first % 3, random.integers(0, 3, n)) if told else random.integers(0, 3, n)
        )
        return Features(np.empty((n, 0)), np.column_stack([first, target + 1]).astype(np.int32), (4, 4), ("a", "t"))

    assert prediction_score(people(2000, 1, told=True), people(2000, 2, told=True))[()] > 0.85
    assert prediction_score(people(2000, 1, told=True), people(2000, 2, told=False))[()] < 0.7


def test_what_cannot_be_predicted_has_no_score() -> None:
    missing = Features(np.full((9, 1), np.nan), bins(9, 1).codes, SIZES, ("a", "b"))
    constant = Features(np.full((9, 1), 0.1), bins(9, 1).codes, SIZES, ("a", "b"))
    assert prediction_score(missing, constant) == {}
    assert prediction_score(constant, target_number(9, 1, 1.0)) == {}


def test_others_that_are_far_from_people_who_are_all_alike_are_told_apart() -> None:
    codes = np.zeros((20, 1), dtype=np.int32)
    people = Features(np.zeros((20, 1)), codes, (1,), ("x", "c"))
    others = Features(np.full((20, 1), 1e200), codes, (1,), ("x", "c"))
    assert discriminator_auc(people, others) == {(): 1.0}
