"""Privacy metrics against their definitions, written out in full."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from avatars.engine import counting
from avatars.engine.neighbors import Spots
from avatars.engine.progress import Silent
from avatars.evaluation.privacy import link
from avatars.evaluation.privacy.closeness import measure_closeness
from avatars.evaluation.privacy.link import measure_link

# Places closer than 1e-100 are one place to the search; nothing that near is drawn here.
COORDINATES = st.one_of(st.integers(-2, 2).map(float), st.floats(-10, 10).map(lambda x: round(x, 6)))


def cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.asarray(np.sqrt(((a[:, None] - b[None]) ** 2).sum(axis=2)))


def link_by_definition(records: np.ndarray, avatars: np.ndarray) -> tuple[float, float]:
    far = cross(records, avatars)
    own = np.diag(far)[:, None]
    nearest = far.min(axis=1, keepdims=True)
    tied = far <= nearest * (1 + 1e-12)
    success = np.where(np.diag(tied), 1 / tied.sum(axis=1), 0.0)
    cloaking = (far <= own * (1 + 1e-12)).sum(axis=1) - 1
    return 100 * (1 - success.mean()), float(np.median(cloaking))


def closeness_by_definition(records: np.ndarray, avatars: np.ndarray) -> tuple[float, float]:
    far = np.sort(cross(avatars, records), axis=1)
    ratio = np.where(far[:, 1] > 0, far[:, 0] / np.where(far[:, 1] > 0, far[:, 1], 1), 1.0)
    return float(np.median(far[:, 0])), float(np.median(ratio))


def assert_as_defined(records: np.ndarray, avatars: np.ndarray) -> None:
    spots = Spots.of(avatars)
    measured = measure_link(records, avatars, spots, Silent())
    hidden, cloaking = link_by_definition(records, avatars)
    assert measured.hidden_rate == pytest.approx(hidden)
    assert measured.local_cloaking == cloaking
    close = measure_closeness(Spots.of(records), spots, Silent())
    distance, ratio = closeness_by_definition(records, avatars)
    assert close.distance_to_closest == pytest.approx(distance, abs=1e-12)
    assert close.closest_distances_ratio == pytest.approx(ratio)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_metrics_equal_their_definitions(data: st.DataObject) -> None:
    shape = data.draw(st.tuples(st.integers(3, 40), st.integers(1, 3)))
    records, avatars = (data.draw(arrays.arrays(np.float64, shape, elements=COORDINATES)) for _ in range(2))
    assert_as_defined(records, avatars)


def test_the_bound_is_raised_until_the_figures_are_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    # Avatars that have nothing to do with their records: the own one is hundreds of places away.
    monkeypatch.setattr(link, "_first_bound", lambda *_: 1)
    monkeypatch.setattr(counting, "SMALL", 0)
    random = np.random.default_rng(0)
    assert_as_defined(random.normal(size=(500, 2)), random.normal(size=(500, 2)))
    assert_as_defined(np.repeat(random.normal(size=(50, 2)), 10, axis=0), np.zeros((500, 2)))


def test_copies_hide_nobody() -> None:
    records = np.random.default_rng(1).normal(size=(100, 2))
    measured = measure_link(records, records, Spots.of(records), Silent())
    assert measured.hidden_rate == 0.0
    assert measured.local_cloaking == 0.0


def test_among_tied_avatars_the_attacker_guesses() -> None:
    same = np.zeros((4, 2))
    measured = measure_link(same, same, Spots.of(same), Silent())
    assert measured.hidden_rate == pytest.approx(75.0)
    assert measured.local_cloaking == 3.0
