"""The published draw: its weights, its barycentre, its modalities."""

from __future__ import annotations

import numpy as np
from tests.unit.engine.tables import features

from avatars.engine.draws.published import avatars_of, contributions


def random() -> np.random.Generator:
    return np.random.Generator(np.random.Philox(7))


def test_contributions_sum_to_one_and_concentrate_as_published() -> None:
    distances = np.sort(np.random.default_rng(0).uniform(0.5, 1.0, (20_000, 20)), axis=1)
    weights = contributions(distances, random())
    np.testing.assert_allclose(weights.sum(axis=1), 1.0)
    # Measured on the published law: one neighbour carries 56 % on average, some 2.7 contribute.
    assert 0.53 < weights.max(axis=1).mean() < 0.59
    assert 2.5 < (1 / (weights**2).sum(axis=1)).mean() < 2.9


def test_contributions_are_the_product_of_distance_exponential_and_permuted_halves() -> None:
    distances = np.full((50_000, 3), 2.0)
    weights = contributions(distances, random())
    # With equal distances every neighbour plays the same part.
    np.testing.assert_allclose(weights.mean(axis=0), 1 / 3, atol=0.01)
    closer = contributions(np.tile([1.0, 2.0, 2.0], (50_000, 1)), random())
    assert closer[:, 0].mean() > 0.4


def test_a_duplicate_outweighs_all_others() -> None:
    distances = np.tile([0.0, 0.5, 0.5], (1000, 1))
    assert contributions(distances, random())[:, 0].min() > 0.999


def test_numbers_are_barycentres_of_the_neighbours() -> None:
    numbers = np.random.default_rng(1).normal(size=(30, 3))
    neighbors = np.random.default_rng(2).integers(0, 30, (200, 5)).astype(np.int32)
    distances = np.sort(np.random.default_rng(3).random((200, 5)), axis=1)
    numeric, _ = avatars_of(features(numbers), neighbors, distances, random())
    weights = contributions(distances, random())
    np.testing.assert_allclose(numeric, np.einsum("bk,bkq->bq", weights, numbers[neighbors]))


def test_a_modality_is_drawn_with_its_neighbours_shares() -> None:
    codes = np.array([[0], [1], [2]])
    neighbors = np.tile(np.array([0, 1, 2], dtype=np.int32), (60_000, 1))
    distances = np.tile([1.0, 2.0, 4.0], (60_000, 1))
    _, drawn = avatars_of(features(np.zeros((3, 0)), codes), neighbors, distances, random())
    weights = contributions(distances, random())
    np.testing.assert_allclose(np.bincount(drawn[:, 0], minlength=3) / 60_000, weights.mean(axis=0), atol=0.01)


def test_the_most_probable_modality_is_the_heaviest() -> None:
    codes = np.random.default_rng(4).integers(0, 4, (40, 2))
    neighbors = np.random.default_rng(5).integers(0, 40, (500, 6)).astype(np.int32)
    distances = np.sort(np.random.default_rng(6).random((500, 6)) + 0.1, axis=1)
    rows = features(np.zeros((40, 0)), codes)
    _, drawn = avatars_of(rows, neighbors, distances, random(), "most_probable")
    weights = contributions(distances, random())
    for c in range(2):
        votes = (weights[:, :, None] * np.eye(4)[codes[neighbors, c]]).sum(axis=1)
        chosen = votes[np.arange(500), drawn[:, c]]
        np.testing.assert_allclose(chosen, votes.max(axis=1))
