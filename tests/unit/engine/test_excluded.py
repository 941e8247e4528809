"""Columns that the method leaves alone: out before it, back after it."""

from __future__ import annotations

import warnings
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.engine.tables import mixed_table

import avatars
from avatars.engine.columns import Kind, detect
from avatars.engine.errors import AvatarsWarning, InvalidParameter
from avatars.engine.parameters import (
    ExcludeCategorical,
    ExcludeVariables,
    Parameters,
    Replacement,
    check_parameters,
    excluded_columns,
)
from avatars.engine.run import Avatarization, run
from avatars.evaluation.evaluate import evaluate_run

STRATEGIES: list[Replacement] = ["row_order", "coordinate_similarity"]
DAY = datetime(2020, 3, 28, 22, tzinfo=UTC)
CELLS: dict[str, tuple[pa.DataType, st.SearchStrategy[Any]]] = {
    "int8": (pa.int8(), st.integers(-128, 127)),
    "large int": (pa.int64(), st.integers(-(2**63), 2**63 - 1)),
    "unsigned": (pa.uint64(), st.integers(0, 2**64 - 1)),
    "float": (pa.float64(), st.floats(-1e50, 1e50).map(lambda x: x + 0.0)),
    "float32": (pa.float32(), st.floats(-1e6, 1e6, width=32).map(lambda x: x + 0.0)),
    "decimal": (pa.decimal128(38, 9), st.integers(-(10**37), 10**37).map(lambda x: Decimal(x).scaleb(-9))),
    "bool": (pa.bool_(), st.booleans()),
    "text": (pa.string(), st.sampled_from(["a", "é", "NA", "", "ward 3"])),
    "any text": (pa.large_string(), st.text("abc", max_size=4)),
    "category": (pa.dictionary(pa.int8(), pa.string()), st.sampled_from(["x", "y", "z"])),
    "date": (pa.date32(), st.integers(0, 20000).map(lambda days: (DAY + timedelta(days=days)).date())),
    "zone": (pa.timestamp("us", "Europe/Paris"), st.integers(0, 10**6).map(lambda hours: DAY + timedelta(hours=hours))),
    "moment": (pa.timestamp("ns"), st.integers(0, 2**62).map(pd.Timestamp)),
    "duration": (pa.duration("ms"), st.integers(0, 10**9).map(lambda ms: timedelta(milliseconds=ms))),
    "nothing": (pa.null(), st.none()),
}


def cells(table: pa.Table, name: str) -> Counter[str]:
    return Counter(map(repr, table[name].to_pylist()))


def made(table: pa.Table, k: int = 5, **parameters: Any) -> Avatarization:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AvatarsWarning)
        return run(table, Parameters(k=k, seed=1, **parameters))


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_cells_of_every_type_come_back_digit_for_digit(data: st.DataObject) -> None:
    n = data.draw(st.integers(4, 40))
    kinds = data.draw(st.lists(st.sampled_from(sorted(CELLS)), min_size=2, max_size=6))
    columns = {}
    for i, kind in enumerate(kinds):
        type_, cell = CELLS[kind]
        columns[f"{kind} {i}"] = pa.array(
            data.draw(st.lists(st.one_of(st.none(), cell), min_size=n, max_size=n)), type_
        )
    table = pa.table(columns)
    names = data.draw(st.lists(st.sampled_from(list(columns)), min_size=1, max_size=len(kinds) - 1, unique=True))
    strategy = data.draw(st.sampled_from(STRATEGIES))
    result = made(table, k=2, method="avatar", exclude_variables=ExcludeVariables(names, strategy))
    for out in (result.avatars, result.sensitive_unshuffled_avatars):
        assert out.schema == table.schema
        assert out.num_rows == n
        for name in names:
            assert cells(out, name) == cells(table, name)
    if strategy == "row_order":
        for name in names:
            assert result.sensitive_unshuffled_avatars[name].to_pylist() == table[name].to_pylist()


@pytest.mark.parametrize(
    "values",
    [
        pa.array([0.0, 1e100, -1e-300, 5e-324, None] * 4),
        pa.array([0.1, 0.123456789, 1e16, 2.5] * 5),
        pa.array([0, 2**53 + 1, 5, None] * 5),
        pa.array(["1.50", "0.001", "7", "1e3"] * 5),
        pa.array(["2021-03-05", "05/03/2021", None, "x"] * 5),
    ],
    ids=["extremes", "more decimals than usual", "beyond doubles", "numbers as text", "text"],
)
def test_nothing_is_rounded_or_spelt_anew(values: pa.Array) -> None:
    table = pa.table({"odd": values, "x": np.random.default_rng(0).normal(size=20)})
    types = {"odd": Kind.FLOAT} if "1.50" in values.to_pylist() else {}
    asked = Parameters(k=3, seed=1, exclude_variables=ExcludeVariables(["odd"]))
    result = run(table, asked, types=types)
    assert cells(result.avatars, "odd") == cells(table, "odd")
    # What doubles hold stays a number to the metrics.
    is_number = result.original.columns[0].is_numeric
    assert is_number == (values.type == pa.float64())


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_frames_keep_their_dtypes_and_labels(strategy: Replacement) -> None:
    n = 60
    frame = pd.DataFrame(
        {
            "id": np.arange(n) + 10**17,
            7: pd.array(np.arange(n) % 9, dtype="Int64"),
            "when": pd.date_range("2021-01-01", periods=n, freq="7h", tz="Europe/Paris"),
            "size": pd.Series(np.linspace(0, 1, n) ** 3, dtype="float32"),
            "kind": pd.Categorical(["a", "b", "c"] * (n // 3), categories=["c", "b", "a", "unused"], ordered=True),
            "x": np.random.default_rng(0).normal(size=n),
        }
    )
    frame.loc[3, "when"] = pd.NaT
    frame.loc[4, 7] = pd.NA
    out_columns = ["id", 7, "when", "size", "kind"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AvatarsWarning)
        out = avatars.anonymize(
            frame, 5, seed=1, exclude_variables={"variable_names": out_columns, "replacement_strategy": strategy}
        )
    assert list(out.avatars.columns) == list(frame.columns)
    assert list(out.avatars.dtypes) == list(frame.dtypes)
    for label in out_columns:
        assert Counter(map(repr, out.avatars[label])) == Counter(map(repr, frame[label]))


def test_the_other_columns_do_not_know_of_it() -> None:
    table = mixed_table(300, missing=0.1)
    other = table.set_column(1, "weight", pa.array(np.random.default_rng(9).normal(size=300)))
    asked = ExcludeVariables(["weight"])
    one, two = made(table, exclude_variables=asked), made(other, exclude_variables=asked)
    alone = made(table.drop_columns(["weight"]))
    for name in alone.avatars.column_names:
        expected = alone.sensitive_unshuffled_avatars[name]
        assert one.sensitive_unshuffled_avatars[name].equals(expected)
        assert two.sensitive_unshuffled_avatars[name].equals(expected)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_values_of_one_record_stay_together_with_their_missing_cells(strategy: Replacement) -> None:
    table = mixed_table(300, missing=0.2)
    asked = ["weight", "ward", "smoker"]
    out = made(table, exclude_variables=ExcludeVariables(asked, strategy)).avatars
    before, after = (Counter(map(repr, t.select(asked).to_pylist())) for t in (table, out))
    assert after == before


def test_like_goes_to_like() -> None:
    table = mixed_table(2000)
    result = made(table, k=10, exclude_variables=ExcludeVariables(["weight"]))
    height = result.sensitive_unshuffled_avatars["height"].to_numpy()
    weight = result.sensitive_unshuffled_avatars["weight"].to_numpy()
    before = np.corrcoef(table["height"].to_numpy(), table["weight"].to_numpy())[0, 1]
    assert before > 0.9
    assert np.corrcoef(height, weight)[0, 1] > before - 0.1


def test_similarity_shows_a_record_its_own_value_hardly_more_often_than_the_nearest_record_would() -> None:
    table = mixed_table(2000).append_column("id", pa.array(np.arange(2000)))
    result = made(table, k=10, exclude_variables=ExcludeVariables(["id"]))
    own = (result.sensitive_unshuffled_avatars["id"].to_numpy() == np.arange(2000)).mean()
    assert 100 * own < 100 - evaluate_run(result).privacy_metrics.hidden_rate


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_distances_are_those_of_the_other_columns_and_statistics_those_of_all(strategy: Replacement) -> None:
    table = mixed_table(400, missing=0.05)
    asked = ExcludeVariables(["weight", "sex"], strategy)
    metrics = evaluate_run(made(table, k=8, exclude_variables=asked))
    alone = evaluate_run(made(table.drop_columns(["weight", "sex"]), k=8))
    for distance in ("hidden_rate", "local_cloaking", "distance_to_closest", "closest_distances_ratio", "closest_rate"):
        assert metrics[distance] == alone[distance]
    # What is published as it is shows where cells are compared.
    kept = metrics["column_direct_match_protection"].parts[("weight",)]
    assert (kept < 20) == (strategy == "row_order")
    # Two of six columns have exactly their distribution: a distance of 0 each.
    assert metrics.signal_metrics.hellinger_mean == pytest.approx(alone.signal_metrics.hellinger_mean * 4 / 6)
    assert metrics.signal_metrics.correlation_difference_ratio != alone.signal_metrics.correlation_difference_ratio


def test_row_order_says_what_it_publishes_and_similarity_is_silent() -> None:
    table = mixed_table(100)
    with pytest.warns(AvatarsWarning, match="'weight', 'ward' next to the avatar of the same person"):
        run(table, Parameters(k=5, seed=1, exclude_variables=ExcludeVariables(["ward", "weight"], "row_order")))
    run(table, Parameters(k=5, seed=1, exclude_variables=ExcludeVariables(["ward", "weight"])))


def test_many_levels_are_excluded_and_names_go_before() -> None:
    columns = detect(mixed_table(200), {"visits": Kind.CATEGORY})
    by_levels = ExcludeCategorical(4, "row_order")
    parameters = Parameters(k=2, exclude_categorical=by_levels, exclude_variables=ExcludeVariables(["ward"]))
    assert excluded_columns(parameters, columns) == {"visits": "row_order", "ward": "coordinate_similarity"}
    assert excluded_columns(Parameters(k=2), columns) == {}


def test_a_weight_of_a_column_that_a_rule_excludes_does_nothing_and_says_so() -> None:
    parameters = Parameters(
        k=5, seed=1, exclude_categorical=ExcludeCategorical(4), column_weights={"ward": 3.0, "height": 2.0}
    )
    with pytest.warns(AvatarsWarning, match="weight of column 'ward' does nothing"):
        run(mixed_table(100), parameters)


@pytest.mark.parametrize(
    ("wrong", "code", "says"),
    [
        ({"exclude_variables": ExcludeVariables(["hight"])}, "unknown_column", "did you mean 'height'"),
        ({"exclude_variables": ExcludeVariables("height")}, "invalid_parameter", "list of columns"),
        ({"exclude_variables": ExcludeVariables(["sex"], "at random")}, "invalid_parameter", "row_order"),  # type: ignore[arg-type]
        (
            {"exclude_variables": ExcludeVariables(["sex"]), "column_weights": {"sex": 1.0}},
            "weight_of_excluded",
            "'sex' is excluded and has a weight",
        ),
        ({"exclude_variables": ExcludeVariables(mixed_table(3).column_names)}, "nothing_left", "Every column"),
        (
            {"exclude_variables": ExcludeVariables(["height", "weight", "visits"]), "exclude_categorical": 1},
            "nothing_left",
            "Every column",
        ),
        (
            {
                "exclude_variables": ExcludeVariables(["height", "weight", "visits", "sex", "ward"]),
                "column_weights": {"smoker": 0.0},
            },
            "invalid_weight",
            "not excluded has weight 0",
        ),
        ({"exclude_categorical": 0}, "invalid_threshold", "exclude_cardinality_threshold"),
        ({"exclude_categorical": True}, "invalid_threshold", "exclude_cardinality_threshold"),
        ({"exclude_categorical": ExcludeCategorical(2, rare_occurrence_threshold=-1)}, "invalid_threshold", "0 or"),
        ({"exclude_categorical": ExcludeCategorical(2, number_reference_records=0)}, "invalid_threshold", "1 or"),
        ({"exclude_categorical": ExcludeCategorical(2, "shuffled")}, "invalid_parameter", "coordinate"),  # type: ignore[arg-type]
        (
            {"exclude_categorical": ExcludeCategorical(2, rare_replacement_strategy="most_frequent")},  # type: ignore[arg-type]
            "invalid_parameter",
            "most_similar, probabilistic, missing",
        ),
        (
            {"exclude_categorical": ExcludeCategorical(2, "row_order", 1, "missing")},
            "cannot_be_missing",
            "'smoker' is whole numbers or booleans",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and " " not in value else "",
)
def test_refusals_name_the_column_and_the_way_out(wrong: dict[str, Any], code: str, says: str) -> None:
    rule = wrong.get("exclude_categorical")
    if isinstance(rule, int):
        wrong = {**wrong, "exclude_categorical": ExcludeCategorical(rule)}
    with pytest.raises(InvalidParameter, match=says) as refused:
        check_parameters(Parameters(k=2, **wrong), detect(mixed_table(50)))
    assert refused.value.code == code


def test_mappings_that_do_not_fit_are_refused() -> None:
    frame = mixed_table(50).to_pandas()
    with pytest.raises(InvalidParameter, match="exclude_variables has no parameter 'names': it knows variable_names"):
        avatars.anonymize(frame, 5, exclude_variables={"names": ["sex"]})
    with pytest.raises(InvalidParameter, match="exclude_variables needs variable_names"):
        avatars.anonymize(frame, 5, exclude_variables={"replacement_strategy": "row_order"})
    with pytest.raises(InvalidParameter, match="exclude_categorical needs exclude_cardinality_threshold"):
        avatars.anonymize(frame, 5, exclude_categorical={})
    with pytest.raises(InvalidParameter, match="did you mean 'sex'"):
        avatars.anonymize(frame, 5, exclude_variables={"variable_names": ["sx"]})
