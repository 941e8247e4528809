"""Means of the originals."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.processors.tables import array

from avatars.processors.expected_mean import ExpectedMeanProcessor


def originals() -> pd.DataFrame:
    return pd.DataFrame({"ward": list("aabbb"), "x": [3, 3, 1, 2, 3], "y": [10, 9, 30, 40, 50]})


def avatars() -> pd.DataFrame:
    return pd.DataFrame({"ward": list("aabbb"), "x": [5, 3, 2, 2, 6], "y": [8, 11, 20, 42, 55]})


def test_means_of_groups() -> None:
    df = originals()
    processor = ExpectedMeanProcessor(["x", "y"], groupby_variables=["ward"])
    assert list(processor.preprocess(df).columns) == ["ward", "x", "y"]
    back = processor.postprocess(df, avatars())
    assert back["x"].tolist() == pytest.approx([4, 2, 2 / 3, 2 / 3, 14 / 3])
    assert back["y"].tolist() == pytest.approx([8, 11, 21, 43, 56])


def test_means_of_the_whole_table_without_a_column_more() -> None:
    df = originals()
    processor = ExpectedMeanProcessor(["x"])
    pd.testing.assert_frame_equal(processor.preprocess(df), df)
    back = processor.postprocess(df, avatars())
    assert list(back.columns) == ["ward", "x", "y"]
    assert back["x"].mean() == pytest.approx(df["x"].mean())


def test_standard_deviations_of_groups() -> None:
    df = originals()
    processor = ExpectedMeanProcessor(["x", "y"], groupby_variables=["ward"], same_std=True)
    processor.preprocess(df)
    back = processor.postprocess(df, avatars())
    assert back["x"].tolist() == pytest.approx([3, 3, 1.42265, 1.42265, 3.154701], abs=1e-5)
    assert back["y"].tolist() == pytest.approx([9, 10, 29.260565, 41.6957, 49.043735], abs=1e-4)


def test_a_constant_group_leaves_the_columns_deviations_alone_and_says_so() -> None:
    df = originals()
    processor = ExpectedMeanProcessor(["x", "y"], groupby_variables=["ward"], same_std=True)
    processor.preprocess(df)
    with pytest.warns(UserWarning, match="Column 'y' has groups with an std of 0"):
        back = processor.postprocess(df, avatars().assign(y=[8, 8, 20, 42, 55]))
    assert back["y"].tolist() == pytest.approx([9.5, 9.5, 21, 43, 56])
    assert back["x"].tolist() == pytest.approx([3, 3, 1.42265, 1.42265, 3.154701], abs=1e-5)


@pytest.mark.parametrize("constant", [0.1, 1 / 3, 1e300])
def test_a_constant_does_not_deviate_by_rounding(constant: float) -> None:
    df = pd.DataFrame({"x": [1.0, 2.0, 6.0]})
    processor = ExpectedMeanProcessor(["x"], same_std=True)
    processor.preprocess(df)
    with pytest.warns(UserWarning, match="std of 0"):
        assert processor.postprocess(df, pd.DataFrame({"x": [constant] * 3}))["x"].tolist() == pytest.approx([3.0] * 3)


def test_a_group_of_one_keeps_its_numbers() -> None:
    df = pd.DataFrame({"ward": ["a", "b", "b", "c", "c"], "x": [1.0, 2.0, 4.0, 7.0, 9.0]})
    processor = ExpectedMeanProcessor(["x"], groupby_variables=["ward"], same_std=True)
    processor.preprocess(df)
    dest = pd.DataFrame({"ward": ["a", "a", "b", "c", "c"], "x": [10.0, 12.0, 5.0, 1.0, 5.0]})
    # One original in a, one avatar in b: only their means are known.
    assert processor.postprocess(df, dest)["x"].tolist() == pytest.approx([0, 2, 3, 7, 9])


def test_groups_that_the_reference_has_not_stay_as_they_are() -> None:
    df = originals()
    processor = ExpectedMeanProcessor(["x"], groupby_variables=["ward"])
    processor.preprocess(df)
    back = processor.postprocess(df, pd.DataFrame({"ward": ["new", "a", "new"], "x": [100, 0, 50]}))
    assert back["x"].tolist() == [100, 3, 50]
    assert back["ward"].tolist() == ["new", "a", "new"]


MOMENTS = pd.DatetimeIndex(["2020-01-01", None] * 2)
LABELS: dict[str, tuple[Any, Any]] = {
    "None and NaN": (["a", None, "a", None], ["a", float("nan"), "a", float("nan")]),
    "NA and None": (array(["a", None, "a", None], dtype="string"), ["a", None, "a", None]),
    "category and text": (pd.Categorical(["a", None, "a", None], ["z", "a"]), ["a", None, "a", None]),
    "integers and floats": (array([1, None, 1, None], dtype="Int64"), [1.0, float("nan"), 1.0, float("nan")]),
    "moments": (MOMENTS, MOMENTS.as_unit("ns")),
}


@pytest.mark.parametrize("kind", LABELS)
def test_a_missing_label_is_a_group_of_its_own_whatever_the_dtype(kind: str) -> None:
    before, after = LABELS[kind]
    df = pd.DataFrame({"ward": before, "x": [1.0, 10.0, 3.0, 20.0]})
    processor = ExpectedMeanProcessor(["x"], groupby_variables=["ward"])
    processor.preprocess(df)
    back = processor.postprocess(df, pd.DataFrame({"ward": after, "x": [0.0, 0.0, 2.0, 4.0]}))
    assert back["x"].tolist() == [1, 13, 3, 17]


def test_missing_numbers_are_left_out_and_stay() -> None:
    df = pd.DataFrame({"ward": list("aaab"), "x": [1.0, 3.0, np.nan, np.nan]})
    processor = ExpectedMeanProcessor(["x"], groupby_variables=["ward"])
    processor.preprocess(df)
    back = processor.postprocess(df, pd.DataFrame({"ward": list("aaab"), "x": [4.0, np.nan, 8.0, 5.0]}))
    assert back["x"].fillna(-1).tolist() == [0, -1, 4, 5]


@settings(deadline=None)
@given(
    rows=st.lists(st.tuples(st.sampled_from("abc"), st.floats(-1e3, 1e3), st.floats(-1e3, 1e3)), min_size=1),
    same_std=st.booleans(),
)
def test_each_group_has_its_mean(rows: list[tuple[str, float, float]], same_std: bool) -> None:
    df = pd.DataFrame(rows, columns=["ward", "x", "avatar"])
    processor = ExpectedMeanProcessor(["x"], groupby_variables=["ward"], same_std=same_std)
    processor.preprocess(df)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        back = processor.postprocess(df, df[["ward"]].assign(x=df["avatar"]))
    np.testing.assert_allclose(back.groupby("ward")["x"].mean(), df.groupby("ward")["x"].mean(), atol=1e-6)


def test_what_cannot_work_is_refused() -> None:
    df = originals()
    with pytest.raises(ValueError, match="means that preprocess takes: call that first"):
        ExpectedMeanProcessor(["x"]).postprocess(df, df)
    with pytest.raises(ValueError, match=r"Expected all target_variables in the dataframe: .* no column 'z'"):
        ExpectedMeanProcessor(["z"]).preprocess(df)
    with pytest.raises(ValueError, match=r"Expected all groupby_variables in the dataframe: .* no column 'z'"):
        ExpectedMeanProcessor(["x"], groupby_variables=["z"]).preprocess(df)
    with pytest.raises(ValueError, match=r"Column 'ward' .* does not hold numbers"):
        ExpectedMeanProcessor(["ward"]).preprocess(df)
    with pytest.raises(ValueError, match="at least one column"):
        ExpectedMeanProcessor(["x"], groupby_variables=[])
