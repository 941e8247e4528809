"""Changes from record to record that do not leave their bounds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatars.processors.inter_record_bounded_cumulated_difference import (
    InterRecordBoundedCumulatedDifferenceProcessor,
)
from avatars.processors.inter_record_bounded_range_difference import InterRecordBoundedRangeDifferenceProcessor


def cumulated(**parameters: Any) -> InterRecordBoundedCumulatedDifferenceProcessor:
    names = {
        "id_variable": "id",
        "target_variable": "value",
        "new_first_variable_name": "first",
        "new_difference_variable_name": "difference",
    }
    return InterRecordBoundedCumulatedDifferenceProcessor(**names | parameters)


def ranges(**parameters: Any) -> InterRecordBoundedRangeDifferenceProcessor:
    names = {
        "id_variable": "id",
        "target_start_variable": "start",
        "target_end_variable": "end",
        "new_first_variable_name": "first",
        "new_range_variable": "range",
        "new_difference_variable_name": "difference",
    }
    return InterRecordBoundedRangeDifferenceProcessor(**names | parameters)


def values() -> pd.DataFrame:
    return pd.DataFrame({"id": [1, 2, 1, 1, 2, 2], "value": [1025, 20042, 1000, 1130, 20000, 20040]})


def stocks() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "start": [30, 100, 80, 70, 40, 70],
            "end": [10, 80, 70, 60, 30, 5],
            "b": [4, 3, 0, 0, 2, 4],
            "id": [1, 1, 1, 2, 2, 2],
        }
    )


def test_changes_are_shares_of_the_room_that_is_left() -> None:
    df = cumulated().preprocess(values())
    assert df["first"].tolist() == [1025, 20042, 1025, 1025, 20042, 20042]
    assert df["difference"].tolist() == pytest.approx([0, 0, -1, 130 / 19042, -42 / 19042, 40 / 42])


def test_changes_within_ranges_and_between_them() -> None:
    df = ranges(sort_by_variable="b").preprocess(stocks())
    assert list(df.columns) == ["b", "id", "range", "first", "difference"]
    assert df["range"].tolist() == pytest.approx([-20 / 25, -20 / 95, -10 / 75, -10 / 65, -10 / 35, -1])
    assert df["first"].tolist() == [80, 80, 80, 70, 70, 70]
    assert df["difference"].tolist() == pytest.approx([-50 / 75, 30 / 30, 0, 0, -20 / 55, 40 / 70])


@pytest.mark.parametrize("parameters", [{}, {"sort_by_variable": "b"}, {"sort_by_variable": "start"}])
@pytest.mark.parametrize("index", [range(6), list("aabbcc")])
def test_ranges_come_back(parameters: dict[str, str], index: Any) -> None:
    df = stocks().set_axis(index)
    processor = ranges(**parameters, keep_record_order=parameters.get("sort_by_variable") == "start")
    dest = processor.preprocess(df)
    pd.testing.assert_frame_equal(processor.postprocess(df, dest), df)
    pd.testing.assert_frame_equal(processor.postprocess(df, dest.reset_index(drop=True)), stocks())


def test_rounding_can_be_chosen() -> None:
    df = values()
    for rounded, kind in ((True, "i"), (False, "f")):
        processor = cumulated(should_round_output=rounded)
        back = processor.postprocess(df, processor.preprocess(df))["value"]
        assert back.dtype.kind == kind
        assert back.tolist() == pytest.approx(df["value"].tolist())
    floats = stocks().astype({"start": "float64"})
    whole, fractions = (
        ranges(should_round_output=rounded).postprocess(floats, ranges().preprocess(floats))
        for rounded in (True, False)
    )
    assert whole["start"].dtype == np.int64
    assert fractions["end"].dtype == np.float64


def test_bounds_are_those_of_preprocess_or_else_of_the_source() -> None:
    dest = pd.DataFrame({"id": [1, 1], "first": [2.0, 2.0], "difference": [0.5, 1.0]})
    seen, other = (pd.DataFrame({"id": [1, 1], "value": [0.0, high]}) for high in (10.0, 100.0))
    assert cumulated().postprocess(other, dest)["value"].tolist() == [51.0, 100.0]
    processor = cumulated()
    processor.preprocess(seen)
    assert processor.postprocess(other, dest)["value"].tolist() == [6.0, 10.0]


SHARES = st.lists(
    st.tuples(st.sampled_from("abc"), st.floats(-1e3, 1e3), st.floats(-3, 3), st.floats(-3, 3)), min_size=1, max_size=12
)


@settings(deadline=None)
@given(
    rows=SHARES,
    bounds=st.tuples(st.floats(-100, 100), st.floats(-100, 100)),
    rounded=st.booleans(),
)
def test_no_avatar_leaves_the_bounds(rows: list[Any], bounds: tuple[float, float], rounded: bool) -> None:
    low, high = sorted(bounds)
    dest = pd.DataFrame(rows, columns=["id", "first", "difference", "range"])
    if rounded:
        low, high = np.floor(low), np.ceil(high)
    df = pd.DataFrame({"id": ["a", "a"], "value": [low, high], "start": [low, high], "end": [high, low]})
    one = cumulated(should_round_output=rounded).postprocess(df, dest.drop(columns="range"))["value"]
    two = ranges(should_round_output=rounded).postprocess(df, dest)
    for column in (one, two["start"], two["end"]):
        assert column.between(low, high).all()
        assert column.dtype.kind == ("i" if rounded else "f")


def test_integers_are_within_bounds_that_are_none() -> None:
    df = pd.DataFrame({"id": ["a", "a"], "value": [0.7, 9.7]})
    dest = pd.DataFrame({"id": ["a", "a"], "first": [0.0, 0.0], "difference": [-1.0, 1.0]})
    assert cumulated(should_round_output=True).postprocess(df, dest)["value"].tolist() == [1, 9]


def test_what_cannot_work_is_refused() -> None:
    df = values()
    with pytest.raises(ValueError, match="Expected a valid `id_variable`: the frame has no column 'wrong'"):
        cumulated(id_variable="wrong").preprocess(df)
    with pytest.raises(ValueError, match="Expected no missing values for `target_variable`"):
        cumulated().preprocess(df.assign(value=[1, 2, 3, 4, 5, np.nan]))
    dest = cumulated().preprocess(df)
    with pytest.raises(ValueError, match="Expected no missing values for `target_variable` in source"):
        cumulated().postprocess(df.assign(value=[1, 2, 3, 4, 5, np.nan]), dest)
    with pytest.raises(ValueError, match="Expected a valid `new_first_variable_name`"):
        cumulated().postprocess(df, df)
    with pytest.raises(ValueError, match="The frame has no rows: there are no bounds"):
        cumulated().preprocess(df.iloc[:0])
    with pytest.raises(ValueError, match="must have names that differ"):
        cumulated(new_first_variable_name="id")
    with pytest.raises(ValueError, match="Expected a valid `sort_by_variable`"):
        ranges(sort_by_variable="wrong").preprocess(stocks())
    with pytest.raises(ValueError, match="Expected a valid `target_end_variable`"):
        ranges(target_end_variable="wrong").preprocess(stocks())
    with pytest.raises(ValueError, match="The frame has a column 'b' already"):
        ranges(new_range_variable="b").preprocess(stocks())
    with pytest.raises(ValueError, match="must have names that differ"):
        ranges(new_range_variable="first")
