"""The published avatars of AIDS (ACTG175), by the metrics' definitions. Real patients: the data stays outside."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv
from scipy.spatial.distance import cdist
from tests.unit.evaluation.pairs import cells_of, numbers_of

from avatars.engine.parameters import Parameters
from avatars.evaluation.evaluate import Evaluation, evaluate
from avatars.evaluation.request import Request
from evidence.survival import log_hazard_ratios

DATA = Path(__file__).parents[4] / "shared" / "data"
pytestmark = pytest.mark.skipif(
    not (DATA / "aids_published_avatars.csv").exists(),
    reason="the published pair is not beside the project (../shared/data)",
)
KNOWN = ["age", "gender", "race", "wtkg"]


def table(name: str) -> pa.Table:
    nothing = csv.ConvertOptions(null_values=["NA", ""], strings_can_be_null=True)
    return csv.read_csv(DATA / name, convert_options=nothing)


@pytest.fixture(scope="module")
def pair() -> tuple[pa.Table, pa.Table]:
    return table("aids.csv"), table("aids_published_avatars.csv")


@pytest.fixture(scope="module")
def evaluation(pair: tuple[pa.Table, pa.Table]) -> Evaluation:
    request = Request(known_variables=KNOWN, target="cd40", thorough=True)
    return evaluate(*pair, Parameters(k=20, ncp=5), to_categorical_threshold=10, request=request)


def value(evaluation: Evaluation, name: str) -> float:
    found = evaluation[name].value
    assert found is not None
    return found


def test_the_published_figures(evaluation: Evaluation) -> None:
    assert value(evaluation, "hidden_rate") == pytest.approx(93.3, abs=0.5)
    assert value(evaluation, "local_cloaking") == pytest.approx(10, abs=1)
    assert evaluation.remarks == ()


def test_what_a_clinician_would_read_off_them(pair: tuple[pa.Table, pa.Table]) -> None:
    # Arm 1 against 0, of Cox's model of all arms: .492 and .399 as published, and within the other's interval.
    original, avatars = (float(np.exp(log_hazard_ratios(each, "days", "cens", "arms"))[0]) for each in pair)
    assert original == pytest.approx(0.492, abs=0.002)
    assert avatars == pytest.approx(0.399, abs=0.002)


def test_links_and_distances_in_their_own_space(evaluation: Evaluation) -> None:
    assert evaluation.sensitive_pair is not None
    sides = (evaluation.sensitive_pair.original, evaluation.sensitive_pair.avatars)
    records, avatars = (side.spots.places[side.spots.spot_of] for side in sides)
    there = cdist(records, avatars)
    own = np.diag(there)
    nearest = there.min(axis=1)
    found = (own == nearest) / (there == nearest[:, None]).sum(axis=1)
    assert value(evaluation, "hidden_rate") == pytest.approx(100 * (1 - found.mean()))
    assert value(evaluation, "local_cloaking") == np.median((there <= own[:, None]).sum(axis=1) - 1)
    first, second = np.sort(there.T, axis=1)[:, :2].T
    assert value(evaluation, "distance_to_closest") == pytest.approx(np.median(first))
    assert value(evaluation, "closest_distances_ratio") == pytest.approx(np.median(first / second))
    among = np.sort(cdist(records, records), axis=1)[:, 1]
    striking = (first < np.percentile(among, 0.3)) & (first / second < 0.3)
    assert value(evaluation, "closest_rate") == pytest.approx(100 - 100 * striking.mean())
    # About what avatars of the same parameters reach (tests/acceptance/test_aids.py).
    assert value(evaluation, "distance_to_closest") == pytest.approx(0.383, abs=0.01)
    assert value(evaluation, "closest_distances_ratio") == pytest.approx(0.792, abs=0.015)


def test_statistics_moved_as_far_as_they_did(pair: tuple[pa.Table, pa.Table], evaluation: Evaluation) -> None:
    frames = [each.to_pandas() for each in pair]
    numeric = [name for name in frames[0] if len(pair[0][name].unique()) > 10]
    one, other = (frame[numeric].corr().to_numpy()[np.triu_indices(len(numeric), 1)] for frame in frames)
    assert value(evaluation, "correlation_difference_ratio") == pytest.approx(100 * np.abs(one - other).mean())
    distances = evaluation["hellinger_mean"].parts
    for name in set(frames[0]) - set(numeric):
        p, q = (frame[name].value_counts(normalize=True) for frame in frames)
        overlap = float(np.sqrt(p.mul(q, fill_value=0)).sum())
        assert distances[(str(name),)] == pytest.approx(np.sqrt(max(0.0, 1 - overlap)), abs=1e-6)
    every = list(distances.values())
    assert len(every) == pair[0].num_columns
    assert value(evaluation, "hellinger_mean") == pytest.approx(np.mean(every))
    assert value(evaluation, "hellinger_std") == pytest.approx(np.std(every))


def test_inference_of_a_number(pair: tuple[pa.Table, pa.Table], evaluation: Evaluation) -> None:
    # Worse than guessing the avatars' median, which needs no record at all: these variables do not give cd40 away.
    inference = evaluation["inference_continuous"]
    original, avatars = (numbers_of(each, "cd40") for each in pair)
    guess = np.median(avatars)
    assert inference.baseline is not None
    assert inference.baseline.value == pytest.approx(
        np.mean(200 * np.abs(guess - original) / (np.abs(guess) + np.abs(original)))
    )
    assert value(evaluation, "inference_continuous") > inference.baseline.value


def test_cells_and_rows(pair: tuple[pa.Table, pa.Table], evaluation: Evaluation) -> None:
    original, avatars = pair
    n = original.num_rows
    for (name,), protection in evaluation["column_direct_match_protection"].parts.items():
        here, there = (cells_of(each.select([name])) for each in pair)
        same = np.mean([a == b for a, b in zip(here, there, strict=True)])
        assert protection == pytest.approx(100 * (1 - same * len(set(here)) / n))
    others = set(cells_of(avatars))
    copied = np.mean([row in others for row in cells_of(original)])
    assert value(evaluation, "row_direct_match_protection") == pytest.approx(100 - 100 * copied)


def test_links_by_categories_and_by_known_variables(pair: tuple[pa.Table, pa.Table], evaluation: Evaluation) -> None:
    original, avatars = pair
    categories = [name for name in original.column_names if len(original[name].unique()) <= 10]
    here, there = (np.array(cells_of(each.select(categories)), dtype=float) for each in pair)
    alike = (here[:, None] == there[None]).all(axis=2)
    success = np.diag(alike) / np.maximum(alike.sum(axis=1), 1)
    assert value(evaluation, "categorical_hidden_rate") == pytest.approx(100 * (1 - success.mean()))
    fits = np.ones((original.num_rows,) * 2, dtype=bool)
    same = fits.copy()
    for name in KNOWN:
        x, y = numbers_of(original, name), numbers_of(avatars, name)
        reach = 0.05 * (1 + 1e-9) * x.std() if name in ("age", "wtkg") else 0
        fits &= np.abs(x[:, None] - y[None]) <= reach
        same &= x[:, None] == x[None]
    linked = (same.sum(axis=1) == 1) & (fits.sum(axis=1) == 1) & np.diag(fits)
    assert linked.any()
    assert value(evaluation, "correlation_protection_rate") == pytest.approx(100 - 100 * linked.mean())


def test_the_avatars_are_further_from_the_ceiling_than_chance(evaluation: Evaluation) -> None:
    # Their spread is shrunk, age's to two thirds: a weakness that is known, and seen here.
    for name in ("univariate_accuracy", "bivariate_accuracy", "trivariate_accuracy"):
        baseline = evaluation[name].baseline
        assert baseline is not None
        assert baseline.same_rows is not None
        assert baseline.same_rows < baseline.value - 0.01
    assert ("age",) in list(evaluation["univariate_accuracy"].parts)[:3]
    auc = evaluation["discriminator_auc"]
    assert auc.baseline is not None
    assert auc.baseline.value == pytest.approx(0.5, abs=0.05)
    assert value(evaluation, "discriminator_auc") > 0.65
