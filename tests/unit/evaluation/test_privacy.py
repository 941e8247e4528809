"""Privacy metrics against their definitions, written out in full."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.spatial.distance import cdist

from avatars.engine import spots
from avatars.engine.progress import Silent
from avatars.engine.spots import Spots
from avatars.evaluation.privacy import closeness, link
from avatars.evaluation.privacy.closeness import measure_closeness, percentile_between
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
    measured = measure_link(Spots.of(records), spots, Silent())
    hidden, cloaking = link_by_definition(records, avatars)
    assert measured.hidden_rate == pytest.approx(hidden)
    assert measured.local_cloaking == cloaking
    close = measure_closeness(Spots.of(records), spots)
    distance, ratio = closeness_by_definition(records, avatars)
    assert close.distance_to_closest == pytest.approx(distance, abs=1e-12)
    assert close.closest_distances_ratio == pytest.approx(ratio)


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_metrics_equal_their_definitions(data: st.DataObject) -> None:
    shape = data.draw(st.tuples(st.integers(3, 40), st.integers(1, 3)))
    records, avatars = (data.draw(arrays.arrays(np.float64, shape, elements=COORDINATES)) for _ in range(2))
    assert_as_defined(records, avatars)


def test_the_figures_of_many_records_are_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    # Avatars that have nothing to do with their records: the own one is hundreds of places away.
    monkeypatch.setattr(spots, "SMALL", 0)
    random = np.random.default_rng(0)
    assert_as_defined(random.normal(size=(500, 2)), random.normal(size=(500, 2)))
    assert_as_defined(np.repeat(random.normal(size=(50, 2)), 10, axis=0), np.zeros((500, 2)))


def test_of_very_many_records_the_median_is_of_some_that_lie_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    # Two crowds, side by side: the left one keeps its avatars near, the right one does not.
    records = random.normal(size=(6000, 2)) + 50 * (np.arange(6000)[:, None] % 2)
    avatars = records + random.normal(size=(6000, 2)) * np.where(np.arange(6000)[:, None] % 2, 1.0, 0.01)
    everybody = measure_link(Spots.of(records), Spots.of(avatars), Silent())
    monkeypatch.setattr(link, "AROUND", 1000)
    some = measure_link(Spots.of(records), Spots.of(avatars), Silent())
    assert (everybody.around, some.around) == (6000, 1000)
    assert some.hidden_rate == everybody.hidden_rate
    far = cross(records, avatars)
    counts = (far <= np.diag(far)[:, None] * (1 + 1e-12)).sum(axis=1) - 1
    # Five standard errors of a median of so many drawn at random.
    low, high = np.quantile(counts, [0.5 - 2.5 / 1000**0.5, 0.5 + 2.5 / 1000**0.5])
    assert low <= some.local_cloaking <= high
    assert some.local_cloaking == measure_link(Spots.of(records), Spots.of(avatars), Silent()).local_cloaking


def test_copies_hide_nobody() -> None:
    records = np.random.default_rng(1).normal(size=(100, 2))
    measured = measure_link(Spots.of(records), Spots.of(records), Silent())
    assert measured.hidden_rate == 0.0
    assert measured.local_cloaking == 0.0


def test_among_tied_avatars_the_attacker_guesses() -> None:
    same = np.zeros((4, 2))
    measured = measure_link(Spots.of(same), Spots.of(same), Silent())
    assert measured.hidden_rate == pytest.approx(75.0)
    assert measured.local_cloaking == 3.0


def closest_rate_by_definition(records: np.ndarray, avatars: np.ndarray, percent: float, alone: float) -> float:
    own = cross(records, records)
    np.fill_diagonal(own, np.inf)
    near = np.percentile(own.min(axis=1), percent)
    far = np.sort(cross(avatars, records), axis=1)
    first, second = far[:, 0], far[:, 1]
    ratio = np.where(second > 0, first / np.where(second > 0, second, 1), 1.0)
    suspicious = ((first < near) | (first == 0)) & (ratio < alone)
    return 100 - 100 * float(suspicious.mean())


@settings(max_examples=50, deadline=None)
@given(st.data(), st.floats(0, 100), st.floats(0, 1))
def test_the_closest_rate_equals_its_definition(data: st.DataObject, percent: float, alone: float) -> None:
    shape = data.draw(st.tuples(st.integers(3, 40), st.integers(1, 3)))
    # Whole numbers: a distance is then either the threshold or clearly another one.
    records, avatars = (data.draw(arrays.arrays(np.int64, shape, elements=st.integers(-9, 9))) for _ in range(2))
    spots = Spots.of(records.astype(float))
    near = percentile_between(spots, percent)
    own = cross(records, records)
    np.fill_diagonal(own, np.inf)
    assert near == pytest.approx(np.percentile(own.min(axis=1), percent))
    close = measure_closeness(spots, Spots.of(avatars.astype(float)))
    rates = [close.closest_rate(each, alone) for each in (near * (1 - 1e-9), near * (1 + 1e-9))]
    expected = closest_rate_by_definition(records, avatars, percent, alone)
    assert min(abs(rate - expected) for rate in rates) < 1e-9


@pytest.mark.parametrize("percent", [0.0, 0.3, 2.0, 9.9, 10.0, 60.0])
@pytest.mark.parametrize("duplicates", [1, 2])
def test_low_percentiles_are_exact_too(percent: float, duplicates: int, monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(3)
    records = np.vstack([random.normal(size=(3000, 3)), np.repeat(random.normal(size=(5, 3)), duplicates, axis=0)])
    own = cdist(records, records)
    np.fill_diagonal(own, np.inf)
    expected = np.percentile(own.min(axis=1), percent)
    spots = Spots.of(records)
    assert percentile_between(spots, percent) == pytest.approx(expected)
    # A first radius that is much too small is raised.
    monkeypatch.setattr(closeness, "_first_radius", lambda *_: 1e-6)
    assert percentile_between(spots, percent) == pytest.approx(expected)


def test_a_copy_of_a_record_that_stands_alone_is_found_whatever_the_threshold() -> None:
    # Most originals have a duplicate, so the percentile is 0.
    records = np.array([[0.0], [0.0], [1.0], [1.0], [5.0]])
    close = measure_closeness(Spots.of(records), Spots.of(np.array([[0.0], [1.0], [5.0], [4.0], [3.0]])))
    assert percentile_between(Spots.of(records), 0.3) == 0
    assert close.closest_rate(0.0, 0.3) == pytest.approx(80.0)
