"""Rare levels of excluded columns are replaced before they are given back."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from tests.unit.engine.tables import encoded, mixed_table

import avatars
from avatars.engine import rare
from avatars.engine.errors import InvalidParameter
from avatars.engine.features import Floats
from avatars.engine.parameters import ExcludeCategorical, Parameters, RareReplacement
from avatars.engine.run import run
from avatars.models import ExcludeCategoricalMethod, ExcludeCategoricalParameters, RareCategoricalMethod

STRATEGIES: list[RareReplacement] = ["most_similar", "probabilistic", "missing"]
# Level 0 four times, 1 three times, 2 twice, 3 once, one missing cell.
CODES = np.array([0, 1, 2, 3, 0, 1, 2, 0, 1, 0, -1], dtype=np.int32)


def replaced(
    strategy: RareReplacement, threshold: int, places: Floats | None = None, reference: int | None = None, seed: int = 0
) -> np.ndarray:
    rule = ExcludeCategorical(2, "row_order", threshold, strategy, reference)
    places = np.arange(len(CODES), dtype=float)[:, None] if places is None else places
    return rare.rows_to_copy(CODES, rule, places, np.random.default_rng(seed))


def city_table(n: int = 600) -> pa.Table:
    """A mixed table with 40 cities, of which some are rare, that go with the height."""
    table = mixed_table(n)
    height = table["height"].to_numpy()
    rank = np.argsort(np.argsort(height)) / n
    cities = np.array([f"city {int(r * 20)}" for r in rank], dtype=object)
    lonely = np.random.default_rng(5).choice(n, 20, replace=False)
    cities[lonely] = [f"hamlet {i}" for i in range(20)]
    return table.append_column("city", pa.array(cities))


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_common_levels_and_missing_cells_stay(strategy: RareReplacement) -> None:
    rows = replaced(strategy, 2)
    stays = (CODES == 0) | (CODES == 1) | (CODES == -1)
    np.testing.assert_array_equal(rows[stays], np.flatnonzero(stays))
    shown = np.where(rows < 0, -1, CODES[rows])
    if strategy == "missing":
        assert (shown[~stays] == -1).all()
    else:
        assert set(shown[~stays]) <= {0, 1}


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_threshold_of_zero_replaces_nothing(strategy: RareReplacement) -> None:
    np.testing.assert_array_equal(replaced(strategy, 0), np.arange(len(CODES)))


def test_the_threshold_counts_as_rare_itself() -> None:
    assert (replaced("missing", 1) == -1).sum() == 1
    assert (replaced("missing", 2) == -1).sum() == 3
    assert (replaced("missing", 4) == -1).sum() == 10


def test_most_similar_takes_the_nearest_record_with_a_common_level() -> None:
    places = np.array([0.0, 10, 9.8, 0.1, 1, 11, 30, 2, 12, 29, 0.1])[:, None]
    rows = replaced("most_similar", 2, places)
    # Row 10 is at the very place of row 3, but has no level to lend.
    np.testing.assert_array_equal(rows[[2, 3, 6]], [1, 0, 9])


def test_among_donors_at_one_place_chance_decides() -> None:
    places = np.zeros((len(CODES), 2))
    lent = Counter(int(CODES[replaced("most_similar", 1, places, seed=seed)[3]]) for seed in range(300))
    assert set(lent) == {0, 1, 2}
    assert lent[0] > lent[2]


def test_probabilistic_keeps_the_frequencies_of_the_common_levels() -> None:
    lent = Counter(
        int(CODES[row]) for seed in range(1000) for row in replaced("probabilistic", 2, seed=seed)[[2, 3, 6]]
    )
    assert lent[0] / lent.total() == pytest.approx(4 / 7, abs=0.05)


def test_reference_records_bound_the_donors_but_never_below_the_levels_to_replace() -> None:
    def donors(reference: int | None) -> int:
        codes = np.repeat(np.arange(60, dtype=np.int32), [50, 50, *[1] * 58])
        places = np.random.default_rng(0).normal(size=(len(codes), 2))
        rule = ExcludeCategorical(2, "row_order", 1, "most_similar", reference)
        seen: set[int] = set()
        for seed in range(100):
            rows = rare.rows_to_copy(codes, rule, places, np.random.default_rng(seed))
            seen.add(len(set(rows[100:])))
        return max(seen)

    assert donors(None) == donors(10_000)
    assert donors(1) == donors(58)
    assert donors(58) < donors(90) <= donors(None) + 5


def test_far_reference_records_are_what_a_bound_costs() -> None:
    table = city_table()
    cells = encoded(table)
    codes, height = cells.codes[:, -1], table["height"].to_numpy()
    gaps = []
    for reference in (None, 20):
        rule = ExcludeCategorical(2, "row_order", 1, "most_similar", reference)
        rows = rare.rows_to_copy(codes, rule, height[:, None], np.random.default_rng(0))
        gaps.append(np.abs(height[rows] - height).max())
    assert 0 < gaps[0] < gaps[1]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_no_rare_level_comes_out_of_a_run(strategy: RareReplacement) -> None:
    table = city_table()
    rule = ExcludeCategorical(30, "coordinate_similarity", 1, strategy)
    made = run(table, Parameters(k=10, seed=1, exclude_categorical=rule))
    cities = made.avatars["city"].to_pylist()
    assert made.avatars.schema == table.schema
    assert {city for city in cities if city} == {f"city {i}" for i in range(20)}
    assert cities.count(None) == (20 if strategy == "missing" else 0)
    again = run(table, Parameters(k=10, seed=1, exclude_categorical=rule))
    assert again.avatars.equals(made.avatars)


def test_a_column_of_rare_levels_alone_is_refused() -> None:
    table = mixed_table(50).append_column("name", pa.array([f"person {i}" for i in range(50)]))
    for strategy in ("most_similar", "probabilistic"):
        rule = ExcludeCategorical(30, "row_order", 1, strategy)
        with pytest.raises(InvalidParameter, match="Every level of column 'name' occurs at most 1 time") as refused:
            run(table, Parameters(k=5, exclude_categorical=rule))
        assert refused.value.code == "no_common_level"
    rule = ExcludeCategorical(30, "coordinate_similarity", 1, "missing")
    assert run(table, Parameters(k=5, seed=1, exclude_categorical=rule)).avatars["name"].null_count == 50


def test_mapping_and_wire_model_say_the_same() -> None:
    frame = city_table().to_pandas()
    said = {"exclude_cardinality_threshold": 30, "rare_occurrence_threshold": 1, "rare_replacement_strategy": "missing"}
    model = ExcludeCategoricalParameters(
        exclude_cardinality_threshold=30,
        exclude_replacement_strategy=ExcludeCategoricalMethod.coordinate_similarity,
        rare_occurence_threshold=1,
        rare_replacement_strategy=RareCategoricalMethod.missing,
    )
    by_mapping = avatars.anonymize(frame, 10, seed=1, exclude_categorical=said).avatars
    by_model = avatars.anonymize(frame, 10, seed=1, exclude_categorical=model).avatars
    assert by_mapping.equals(by_model)
    assert by_mapping["city"].isna().sum() == 20
