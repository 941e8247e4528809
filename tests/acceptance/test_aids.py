"""The published figures on AIDS (ACTG175). Real patients: the data stays outside of the project."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv

from avatars.engine.columns import Encoded, detect, encode
from avatars.engine.draws.published import contributions
from avatars.engine.neighbors import Nearby
from avatars.engine.parameters import Parameters
from avatars.engine.random import Purpose, RowRandom
from avatars.engine.run import Avatarization, run
from avatars.evaluation.evaluate import evaluate_run

DATA = Path(__file__).parents[3] / "shared" / "data"
pytestmark = pytest.mark.skipif(
    not (DATA / "aids.csv").exists(), reason="the AIDS table is not beside the project (../shared/data)"
)
SEEDS = 25


def table(name: str) -> pa.Table:
    nothing = csv.ConvertOptions(null_values=["NA", ""], strings_can_be_null=True)
    return csv.read_csv(DATA / name, convert_options=nothing)


@pytest.fixture(scope="module")
def runs() -> list[Avatarization]:
    """One run a seed: k=20, ncp=5, columns of at most 10 distinct values categorical."""
    originals = table("aids.csv")
    return [
        run(originals, Parameters(k=20, ncp=5, seed=seed, method="avatar"), to_categorical_threshold=10)
        for seed in range(SEEDS)
    ]


@pytest.fixture(scope="module")
def figures(runs: list[Avatarization]) -> dict[str, np.ndarray]:
    """Each figure over the seeds."""
    originals = table("aids.csv")
    rows = []
    for made in runs:
        metrics = evaluate_run(made).privacy_metrics
        unshuffled = made.sensitive_unshuffled_avatars
        age = [np.std(t["age"].to_numpy()) for t in (unshuffled, originals)]
        missing = unshuffled["cd496"].null_count
        treated = np.mean(unshuffled["treat"].to_numpy()) / np.mean(originals["treat"].to_numpy())
        link = metrics.hidden_rate, metrics.local_cloaking
        rows.append(
            (*link, metrics.distance_to_closest, metrics.closest_distances_ratio, age[0] / age[1], missing, treated)
        )
    names = (
        "hidden_rate",
        "local_cloaking",
        "distance_to_closest",
        "closest_distances_ratio",
        "age",
        "missing",
        "treat",
    )
    return dict(zip(names, np.array(rows).T, strict=True))


@pytest.mark.parametrize(
    ("figure", "published", "spread"),
    [
        ("hidden_rate", 93.5, 0.5),
        ("local_cloaking", 10.1, 0.4),
        ("distance_to_closest", 0.383, 0.006),
        ("closest_distances_ratio", 0.792, 0.005),
        ("age", 0.665, 0.01),  # the standard deviation is shrunk to this share
        ("missing", 802, 8),  # of 797
        ("treat", 1.0, 0.02),
    ],
)
def test_the_published_ranges_hold(
    figures: dict[str, np.ndarray], figure: str, published: float, spread: float
) -> None:
    assert figures[figure].mean() == pytest.approx(published, abs=spread)


def test_levels_keep_their_frequencies(runs: list[Avatarization]) -> None:
    # The most that the share of any level of a column is off, over the seeds; the published pair is off by as much.
    off = np.array([furthest_shares(made.original, made.drawn) for made in runs])
    # Over a hundred seeds it is .029 in the worst column; the mean of so few as here differs by .001 from others.
    assert off.mean(axis=0).max() < 0.032
    originals, avatars = table("aids.csv"), table("aids_published_avatars.csv")
    columns = detect(originals, to_categorical_threshold=10)
    published = furthest_shares(encode(originals, columns), encode(avatars, columns))
    assert (np.abs(published - off.mean(axis=0)) < 0.015).all()


def furthest_shares(originals: Encoded, avatars: Encoded) -> np.ndarray:
    shares = [
        [np.bincount(column + 1, minlength=20) / len(column) for column in each.codes.T]
        for each in (originals, avatars)
    ]
    furthest: np.ndarray = np.abs(np.array(shares[0]) - np.array(shares[1])).max(axis=1)
    return furthest


def test_every_rank_may_dominate_and_the_nearest_does_most_often(runs: list[Avatarization]) -> None:
    ranks, most, effective = np.zeros(20), [], []
    for seed, made in enumerate(runs):
        nearby = Nearby(made.spots, 20, RowRandom(seed, Purpose.TIES))
        places = np.arange(len(made.spots.members))
        neighbors, distances = nearby.of(0, places)
        assert not (neighbors == places[:, None]).any()
        shares = contributions(distances, RowRandom(seed, Purpose.DRAW).block(0))
        ranks += np.bincount(shares.argmax(axis=1), minlength=20)
        most.append(shares.max(axis=1).mean())
        effective.append((1 / (shares**2).sum(axis=1)).mean())
    profile = ranks / ranks.sum()
    assert profile[0] == profile.max()
    assert profile[0] == pytest.approx(0.078, abs=0.01)
    assert profile[-1] == pytest.approx(0.039, abs=0.01)
    assert profile[:5].sum() > profile[5:10].sum() > profile[10:15].sum() > profile[15:].sum()
    # One neighbour carries 56 % of the weight, as if 2.7 of the 20 contributed.
    assert np.mean(most) == pytest.approx(0.56, abs=0.01)
    assert np.mean(effective) == pytest.approx(2.7, abs=0.1)
