"""Differences from record to record."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatars.processors.base import Processor
from avatars.processors.datetime import DatetimeProcessor
from avatars.processors.inter_record_cumulated_difference import InterRecordCumulatedDifferenceProcessor
from avatars.processors.inter_record_range_difference import InterRecordRangeDifferenceProcessor
from avatars.processors.proportions import ProportionProcessor
from avatars.processors.records import Records

CUMULATED = {
    "id_variable": "id",
    "target_variable": "value",
    "new_first_variable_name": "first",
    "new_difference_variable_name": "difference",
}
RANGES = {
    "id_variable": "id",
    "target_start_variable": "start",
    "target_end_variable": "end",
    "sort_by_variable": "start",
    "new_first_variable": "first",
    "new_range_variable": "range",
    "new_difference_variable": "difference",
}


def cumulated(**parameters: Any) -> InterRecordCumulatedDifferenceProcessor:
    return InterRecordCumulatedDifferenceProcessor(**CUMULATED | parameters)


def ranges(**parameters: Any) -> InterRecordRangeDifferenceProcessor:
    return InterRecordRangeDifferenceProcessor(**RANGES | parameters)


def values() -> pd.DataFrame:
    return pd.DataFrame({"id": [1, 2, 1, 1, 2, 2], "value": [1025, 20042, 1000, 1130, 20000, 20040]})


def stays() -> pd.DataFrame:
    return pd.DataFrame({"id": [1, 2, 1, 1, 2, 2], "start": [7, 14, 6, 12, 10, 23], "end": [8, 18, 7, 15, 12, 24]})


def one_missing(df: pd.DataFrame, name: str) -> pd.DataFrame:
    """Empty the column's first cell."""
    return df.assign(**{name: df[name].astype("float64").where(df.index != df.index[0])})


# --- one number -----------------------------------------------------------------------------------------


def test_the_least_value_and_the_growth_since_the_one_before() -> None:
    df = cumulated().preprocess(values())
    assert list(df.columns) == ["id", "first", "difference"]
    assert df["first"].tolist() == [1000, 20000, 1000, 1000, 20000, 20000]
    assert df["difference"].tolist() == [25, 2, 0, 105, 0, 40]
    assert df["difference"].dtype == np.int64


def test_without_the_sources_order_rows_are_summed_up_as_they_stand() -> None:
    processor = cumulated()
    dest = processor.preprocess(values()).set_axis(range(10, 16))
    back = processor.postprocess(values(), dest)
    assert back["value"].tolist() == [1025, 20002, 1025, 1130, 20002, 20042]
    assert list(back.index) == list(range(10, 16))


@pytest.mark.parametrize("index", [range(6), list("xyzabc"), [0, 0, 1, 1, 2, 2], [5, 4, 3, 2, 1, 0]])
def test_with_the_sources_order_values_are_as_they_were_also_from_a_platform(index: Any) -> None:
    df = values().set_axis(index)
    processor = cumulated(keep_record_order=True)
    dest = processor.preprocess(df)
    pd.testing.assert_frame_equal(processor.postprocess(df, dest), df)
    from_platform = processor.postprocess(df, dest.reset_index(drop=True))
    pd.testing.assert_frame_equal(from_platform, values())


def test_with_the_sources_order_other_rows_than_the_sources_are_refused() -> None:
    processor = cumulated(keep_record_order=True)
    dest = processor.preprocess(values())
    for moved in (dest.iloc[::-1], dest.iloc[:5], dest.set_axis(range(10, 16))):
        with pytest.raises(ValueError, match="not those of the source in their order"):
            processor.postprocess(values(), moved)


def test_dates_are_laid_out_in_the_order_of_the_source() -> None:
    df = pd.DataFrame({"id": list("aba"), "value": pd.to_datetime(["2021-01-01", "2020-05-05", "2020-01-01"])})
    chain: list[Processor] = [DatetimeProcessor(), cumulated(keep_record_order=True)]
    dest = df
    for processor in chain:
        dest = processor.preprocess(dest)
    assert dest["difference"].tolist() == [366 * 86400.0, 0.0, 0.0]
    for processor in reversed(chain):
        dest = processor.postprocess(df, dest)
    pd.testing.assert_frame_equal(dest, df)


def test_the_order_is_that_of_what_preprocess_saw_after_other_processors() -> None:
    df = pd.DataFrame({"id": ["a", "a"], "value": [10, 20], "other": [30, 180]})
    df["whole"] = df["value"] + df["other"]
    # By value, the first row is the first record; by its share of the whole, it is the last.
    chain: list[Processor] = [ProportionProcessor(["value", "other"], "whole"), cumulated(keep_record_order=True)]
    dest = df
    for processor in chain:
        dest = processor.preprocess(dest)
    assert dest["difference"].tolist() == pytest.approx([0.15, 0])
    for processor in reversed(chain):
        dest = processor.postprocess(df, dest)
    pd.testing.assert_frame_equal(dest, df, check_dtype=False)


def test_a_processor_is_for_one_table_at_a_time() -> None:
    processor = cumulated(keep_record_order=True)
    processor.preprocess(values())
    fewer = values().iloc[:4]
    with pytest.raises(ValueError, match="preprocess saw a frame with another number of rows"):
        processor.postprocess(fewer, cumulated().preprocess(fewer))


def test_the_columns_of_the_frame_keep_their_places() -> None:
    df = values().assign(last=0)
    processor = cumulated(keep_record_order=True)
    back = processor.postprocess(df, processor.preprocess(df).assign(new=1))
    assert list(back.columns) == ["id", "value", "last", "new"]


@pytest.mark.parametrize("parameter", ["id_variable", "target_variable"])
def test_columns_of_values_that_cannot_work_are_refused(parameter: str) -> None:
    name = CUMULATED[parameter]
    with pytest.raises(ValueError, match=f"Expected a valid `{parameter}`: the frame has no column 'wrong'"):
        cumulated(**{parameter: "wrong"}).preprocess(values())
    with pytest.raises(ValueError, match=f"Expected no missing values for `{parameter}`: column '{name}' has some"):
        cumulated().preprocess(one_missing(values(), name))


@pytest.mark.parametrize("parameter", ["id_variable", "new_first_variable_name", "new_difference_variable_name"])
def test_columns_of_avatars_that_cannot_work_are_refused(parameter: str) -> None:
    name = CUMULATED[parameter]
    dest = cumulated().preprocess(values())
    with pytest.raises(ValueError, match=f"Expected a valid `{parameter}`"):
        cumulated().postprocess(values(), dest.drop(columns=name))
    with pytest.raises(ValueError, match=f"Expected no missing values for `{parameter}`"):
        cumulated().postprocess(values(), one_missing(dest, name))


def test_names_that_cannot_work_are_refused() -> None:
    with pytest.raises(ValueError, match="'id', 'value', 'first', 'first' must have names that differ"):
        cumulated(new_difference_variable_name="first")
    with pytest.raises(ValueError, match="The frame has a column 'first' already"):
        cumulated().preprocess(values().assign(first=1))
    with pytest.raises(ValueError, match=r"Column 'value' .* does not hold numbers"):
        cumulated().preprocess(values().astype({"value": "str"}))
    source = values().astype({"value": "object"})
    source.loc[0, "value"] = "text"
    with pytest.raises(ValueError, match="Column 'value' cannot be sorted"):
        cumulated(keep_record_order=True).postprocess(source, cumulated().preprocess(values()))
    with pytest.raises(ValueError, match="Expected no missing values for `id_variable` in source"):
        cumulated(keep_record_order=True).postprocess(one_missing(values(), "id"), cumulated().preprocess(values()))


# --- ranges ---------------------------------------------------------------------------------------------


def test_lengths_and_gaps() -> None:
    df = ranges().preprocess(stays())
    assert list(df.columns) == ["id", "range", "first", "difference"]
    assert df["range"].tolist() == [1, 4, 1, 3, 2, 1]
    assert df["first"].tolist() == [6, 10, 6, 6, 10, 10]
    assert df["difference"].tolist() == [0, 2, 0, 4, 0, 5]


def test_without_the_sources_order_ranges_are_laid_out_as_rows_stand() -> None:
    back = ranges().postprocess(stays(), ranges().preprocess(stays()).set_axis(range(10, 16)))
    assert back["start"].tolist() == [6, 12, 7, 12, 16, 23]
    assert back["end"].tolist() == [7, 16, 8, 15, 18, 24]


def test_records_are_sorted_by_what_the_avatars_have_of_it() -> None:
    df = stays().assign(number=[2, 2, 1, 3, 1, 3])
    processor = ranges(sort_by_variable="number")
    dest = processor.preprocess(df)
    pd.testing.assert_frame_equal(processor.postprocess(df, dest), df)
    # The avatars of 1 have their records the other way round: 3, 1 and 1 long, with gaps of 4, 0 and 0 before.
    back = processor.postprocess(df, dest.assign(number=[2, 2, 3, 1, 1, 3]))
    assert back["start"].tolist() == [13, 14, 14, 10, 10, 23]


@pytest.mark.parametrize(
    "parameter", ["id_variable", "target_start_variable", "target_end_variable", "sort_by_variable"]
)
def test_columns_of_ranges_that_cannot_work_are_refused(parameter: str) -> None:
    with pytest.raises(ValueError, match=f"Expected a valid `{parameter}`"):
        ranges(**{parameter: "wrong"}).preprocess(stays())
    with pytest.raises(ValueError, match="Expected no missing values for"):
        ranges().preprocess(one_missing(stays(), RANGES[parameter]))


# --- the order of records -------------------------------------------------------------------------------

ROWS = st.lists(st.tuples(st.sampled_from("abc"), st.integers(-5, 5)), max_size=12)


@settings(deadline=None)
@given(rows=ROWS, is_sorted=st.booleans())
def test_records_against_a_loop_over_the_individuals(rows: list[tuple[str, int]], is_sorted: bool) -> None:
    df = pd.DataFrame(rows, columns=["id", "x"])
    x = df["x"].to_numpy(dtype=np.int64)
    records = Records.of(df["id"], df["x"] if is_sorted else None)
    firsts, previous, totals = records.firsts(x), records.previous(x, at_first=x), records.totals(x)
    for individual in set(df["id"]):
        mine = [row for row in range(len(rows)) if rows[row][0] == individual]
        if is_sorted:
            mine.sort(key=lambda row: x[row])  # stable, as `Records.of` is
        assert [firsts[row] for row in mine] == [x[mine[0]]] * len(mine)
        assert [previous[row] for row in mine] == [x[mine[0]], *(x[row] for row in mine[:-1])]
        assert [totals[row] for row in mine] == np.cumsum([x[row] for row in mine]).tolist()


@settings(deadline=None)
@given(rows=ROWS)
def test_growth_is_never_negative(rows: list[tuple[str, int]]) -> None:
    df = pd.DataFrame(rows, columns=["id", "value"]).astype({"value": "int64"})
    assert (cumulated().preprocess(df)["difference"] >= 0).all()
