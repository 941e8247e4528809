"""Numbers told by their distance from others, or kept between two."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.processors.tables import array

from avatars.processors.base import Processor
from avatars.processors.datetime import DatetimeProcessor
from avatars.processors.relative_difference import RelativeDifferenceProcessor
from avatars.processors.relative_range import RelativeRangeProcessor


def numbers() -> pd.DataFrame:
    return pd.DataFrame({"a": [100, 150, 120], "b": [110, 180, 130], "c": [210, 340, 280]}, index=[3, 3, 1])


# --- differences ----------------------------------------------------------------------------------------


def test_the_distance_from_a_sum() -> None:
    df = RelativeDifferenceProcessor("c", ["a", "b"]).preprocess(numbers())
    assert df["c"].tolist() == [0, 10, 30]
    assert df["c"].dtype == np.int64


def test_a_new_column_is_kept_and_the_target_comes_back_to_its_place() -> None:
    processor = RelativeDifferenceProcessor("a", ["b"], 10, "rest", True)
    df = numbers()
    preprocessed = processor.preprocess(df)
    assert list(preprocessed.columns) == ["b", "c", "rest"]
    assert preprocessed["rest"].tolist() == [-1, -3, -1]
    back = processor.postprocess(df, preprocessed)
    assert list(back.columns) == ["a", "b", "c", "rest"]
    pd.testing.assert_frame_equal(back.drop(columns="rest"), df)


def test_a_target_that_stays_is_computed_from_the_difference_all_the_same() -> None:
    processor = RelativeDifferenceProcessor("b", ["a"], target_rename="rest")
    preprocessed = processor.preprocess(numbers())
    assert preprocessed["b"].tolist() == numbers()["b"].tolist()
    back = processor.postprocess(numbers(), preprocessed.assign(b=0, rest=[1, 2, 3]))
    assert back["b"].tolist() == [101, 152, 123]


def test_integers_stay_integers_where_a_unit_divided_them() -> None:
    df = numbers().astype({"b": "Int16"})
    processor = RelativeDifferenceProcessor("b", ["a"], scaling_unit=7)
    preprocessed = processor.preprocess(df)
    assert preprocessed["b"].tolist() == pytest.approx([10 / 7, 30 / 7, 10 / 7])
    pd.testing.assert_frame_equal(processor.postprocess(df, preprocessed), df)
    moved = processor.postprocess(df, preprocessed.assign(b=[1.0, 1.1, 1e9]))
    assert moved["b"].tolist() == [107, 158, 2**15 - 1]


def test_a_missing_target_stays_missing() -> None:
    df = numbers().assign(b=[110, np.nan, 130])
    processor = RelativeDifferenceProcessor("b", ["a"])
    preprocessed = processor.preprocess(df)
    assert preprocessed["b"].fillna(-1).tolist() == [10, -1, 10]
    pd.testing.assert_frame_equal(processor.postprocess(df, preprocessed), df)


def test_dates_go_through_a_datetime_processor_first() -> None:
    df = pd.DataFrame(
        {
            "born": pd.to_datetime(["1960-05-01", "1971-02-03"]),
            "seen": pd.to_datetime(["2020-05-01", "2021-02-03"]).tz_localize("UTC"),
        }
    )
    chain: list[Processor] = [DatetimeProcessor(), RelativeDifferenceProcessor("seen", ["born"], scaling_unit=86_400)]
    dest = df
    for processor in chain:
        dest = processor.preprocess(dest)
    assert dest["seen"].tolist() == [21915.0, 18263.0]
    for processor in reversed(chain):
        dest = processor.postprocess(df, dest)
    pd.testing.assert_frame_equal(dest, df)
    with pytest.raises(ValueError, match=r"Column 'born' holds dates, .*: put a DatetimeProcessor before this one"):
        chain[1].preprocess(df)


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "drop without a name": ({"drop_original_target": True}, "Expected drop_original_target to be False if a target_"),
    "unit 0": ({"scaling_unit": 0}, "scaling_unit must be a finite number other than 0"),
    "unit infinite": ({"scaling_unit": float("inf")}, "scaling_unit must be a finite number other than 0"),
    "text for a list": ({"references": "a"}, r"references must be a list of names: write \['a'\]"),
    "of itself": ({"references": ["b"]}, "The target is among the references"),
}


@pytest.mark.parametrize("case", WRONG)
def test_parameters_of_differences_that_cannot_work_are_refused(case: str) -> None:
    parameters, message = WRONG[case]
    with pytest.raises(ValueError, match=message):
        RelativeDifferenceProcessor(**{"target": "b", "references": ["a"]} | parameters)


def test_columns_of_differences_that_cannot_work_are_refused() -> None:
    df = numbers()
    with pytest.raises(ValueError, match=r"Expected all reference variables in dataset columns, got: .* column 'zz'"):
        RelativeDifferenceProcessor("b", ["zz"]).preprocess(df)
    with pytest.raises(ValueError, match=r"Expected all reference variables in dataset columns, got: .* column 'zz'"):
        RelativeDifferenceProcessor("b", ["zz"]).postprocess(df, df)
    with pytest.raises(ValueError, match="the frame has no column 'zz'"):
        RelativeDifferenceProcessor("zz", ["a"]).preprocess(df)
    with pytest.raises(ValueError, match="the frame has no column 'rest'"):
        RelativeDifferenceProcessor("b", ["a"], target_rename="rest").postprocess(df, df)
    with pytest.raises(ValueError, match="The frame has a column 'c' already"):
        RelativeDifferenceProcessor("b", ["a"], target_rename="c").preprocess(df)
    with pytest.raises(ValueError, match="Expected no missing values for `references`"):
        RelativeDifferenceProcessor("b", ["a"]).preprocess(df.assign(a=[1, np.nan, 2]))


# --- ranges ---------------------------------------------------------------------------------------------


def ranges() -> pd.DataFrame:
    return pd.DataFrame({"low": [110, 180, 130], "x": [130, 230, 200], "high": [210, 340, 280]}, index=list("aab"))


def test_the_target_is_drawn_between_the_bounds_again_and_again_the_same() -> None:
    df = ranges()
    processor = RelativeRangeProcessor("x", ("low", "high"), seed=5)
    bounds = processor.preprocess(df)
    assert list(bounds.columns) == ["low", "high"]
    back = processor.postprocess(df, bounds)
    assert list(back.columns) == ["low", "x", "high"]
    assert ((back["x"] >= back["low"]) & (back["x"] <= back["high"])).all()
    pd.testing.assert_frame_equal(processor.postprocess(df, bounds), back)
    assert not RelativeRangeProcessor("x", ("low", "high"), seed=6).postprocess(df, bounds).equals(back)


def test_only_what_is_outside_or_missing_is_drawn() -> None:
    processor = RelativeRangeProcessor("x", ("low", "high"), drop_target=False, drop_references=True, seed=5)
    pd.testing.assert_frame_equal(processor.preprocess(ranges()), ranges())
    back = processor.postprocess(ranges(), ranges().assign(x=[220, 230, np.nan]))
    assert list(back.columns) == ["x"]
    assert 110 <= back["x"].iloc[0] <= 210
    assert back["x"].iloc[1] == 230
    assert 130 <= back["x"].iloc[2] <= 280


def test_either_bound_may_be_the_lower_one() -> None:
    df = pd.DataFrame({"one": [0, 10], "other": [10, 0]})
    back = RelativeRangeProcessor("x", ("one", "other"), seed=1).postprocess(df, df.assign(x=[5, 5]))
    assert back["x"].tolist() == [5, 5]


def test_a_missing_bound_makes_the_target_missing() -> None:
    df = ranges().astype("Int64")
    dest = df.assign(low=array([110, None, 130], dtype="Int64"))
    processor = RelativeRangeProcessor("x", ("low", "high"), drop_target=False)
    processor.preprocess(df)
    back = processor.postprocess(df, dest)
    pd.testing.assert_series_equal(back["x"], pd.Series([130, None, 200], list("aab"), dtype="Int64", name="x"))


@pytest.mark.parametrize(("bounds", "target", "kind"), [(int, int, "i"), (float, int, "f"), (int, float, "f")])
def test_integers_are_drawn_between_integers(bounds: type, target: type, kind: str) -> None:
    df = ranges().astype({"low": bounds, "high": bounds, "x": target})
    processor = RelativeRangeProcessor("x", ("low", "high"))
    assert processor.postprocess(df, processor.preprocess(df))["x"].dtype.kind == kind


@settings(deadline=None)
@given(rows=st.lists(st.tuples(st.integers(-50, 50), st.integers(-50, 50), st.integers(-99, 99)), min_size=1))
def test_integers_stay_within_their_bounds(rows: list[tuple[int, int, int]]) -> None:
    df = pd.DataFrame(rows, columns=["low", "high", "x"])
    processor = RelativeRangeProcessor("x", ("low", "high"), drop_target=False)
    back = processor.postprocess(df, processor.preprocess(df))
    assert back["x"].dtype == np.int64
    bounds = df[["low", "high"]]
    assert ((back["x"] >= bounds.min(axis=1)) & (back["x"] <= bounds.max(axis=1))).all()
    inside = (df["x"] >= bounds.min(axis=1)) & (df["x"] <= bounds.max(axis=1))
    assert (back["x"][inside] == df["x"][inside]).all()


def test_ranges_that_cannot_work_are_refused() -> None:
    df = ranges()
    wrong = RelativeRangeProcessor("x", ("wrong", "high"))
    with pytest.raises(ValueError, match=r"Expected all bounds variables in dataset columns, got: .* column 'wrong'"):
        wrong.preprocess(df)
    with pytest.raises(ValueError, match=r"Expected all bounds variables in dataset columns, got: .* column 'wrong'"):
        wrong.postprocess(df, df)
    with pytest.raises(ValueError, match="the frame has no column 'zz'"):
        RelativeRangeProcessor("zz", ("low", "high")).preprocess(df)
    for bounds in (("low",), ("low", "x"), ("low", "high", "x")):
        with pytest.raises(ValueError, match="bounds must name two columns other than the target"):
            RelativeRangeProcessor("x", bounds)  # type: ignore[arg-type]  # that is the test
