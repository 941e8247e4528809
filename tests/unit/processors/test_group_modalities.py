"""Rare modalities."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.unit.processors.tables import array

from avatars.processors.group_modalities import GroupModalitiesProcessor
from avatars.processors.to_categorical import ToCategoricalProcessor


def colours() -> pd.DataFrame:
    return pd.DataFrame({"a": ["red", "blue", "blue", "green"], "b": ["red", "blue", "blue", "red"], "n": [1, 2, 3, 4]})


def test_one_threshold_for_columns_with_many_modalities() -> None:
    grouped = GroupModalitiesProcessor(min_unique=3, global_threshold=1, new_category="andere").preprocess(colours())
    assert grouped["a"].tolist() == ["andere", "blue", "blue", "andere"]
    pd.testing.assert_frame_equal(grouped[["b", "n"]], colours()[["b", "n"]])


def test_a_threshold_for_each_column() -> None:
    grouped = GroupModalitiesProcessor(variable_thresholds={"a": 1, "b": 2}).preprocess(colours())
    assert grouped["a"].tolist() == ["other", "blue", "blue", "other"]
    assert grouped["b"].tolist() == ["other"] * 4


def test_no_column_with_so_many_modalities() -> None:
    processor = GroupModalitiesProcessor(min_unique=10, global_threshold=1)
    pd.testing.assert_frame_equal(processor.preprocess(colours()), colours())


def test_later_frames_are_treated_like_the_first() -> None:
    processor = GroupModalitiesProcessor(min_unique=3, global_threshold=1)
    processor.preprocess(colours())
    later = pd.DataFrame({"a": ["red", "blue", "blue"], "b": ["x", "y", "z"]})
    grouped = processor.preprocess(later)
    assert grouped["a"].tolist() == ["other", "blue", "blue"]
    assert grouped["b"].tolist() == ["x", "y", "z"]


@pytest.mark.parametrize("dtype", ["str", "string", "object", "category", "string[pyarrow]"])
def test_each_dtype_of_text_is_kept_and_missing_cells_stay(dtype: str) -> None:
    df = pd.DataFrame({"a": array(["x", None, "y", "y"], dtype=dtype)}, index=[1, 1, 2, 2])
    grouped = GroupModalitiesProcessor(variable_thresholds={"a": 1}).preprocess(df)["a"]
    assert str(grouped.dtype) == str(df["a"].dtype)
    assert grouped.isna().tolist() == [False, True, False, False]
    assert grouped.dropna().tolist() == ["other", "y", "y"]


def test_categories_that_are_put_together_are_none_any_more() -> None:
    a = pd.Categorical(["s", "m", "m", "l"], categories=["s", "m", "l", "xl"], ordered=True)
    df = pd.DataFrame({"a": a, "b": a})
    grouped = GroupModalitiesProcessor(variable_thresholds={"a": 1, "b": 0}).preprocess(df)
    assert grouped["a"].cat.categories.tolist() == ["m", "other"]
    assert not grouped["a"].cat.ordered
    pd.testing.assert_series_equal(grouped["b"], df["b"])


def test_what_shares_a_column_with_text_becomes_text() -> None:
    df = pd.DataFrame({"a": pd.Categorical([1, 1, 2]), "b": np.array([1, "x", 1], object)})
    grouped = GroupModalitiesProcessor(min_unique=2, global_threshold=1).preprocess(df)
    assert grouped["a"].tolist() == ["1", "1", "other"]
    assert grouped["b"].tolist() == ["1", "other", "1"]


def test_rare_numbers_are_the_avatars_own_again() -> None:
    df = pd.DataFrame({"children": [0, 0, 1, 1, 9, 8]})
    numbers = ToCategoricalProcessor(9, keep_continuous=True)
    modalities = GroupModalitiesProcessor(min_unique=2, global_threshold=1)
    grouped = modalities.preprocess(numbers.preprocess(df))
    assert grouped["children"].tolist() == ["0", "0", "1", "1", "other", "other"]
    back = numbers.postprocess(df, modalities.postprocess(df, grouped.assign(children__cont=[3, 3, 3, 3, 7, 6])))
    pd.testing.assert_frame_equal(back, pd.DataFrame({"children": [0, 0, 1, 1, 7, 6]}))


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "threshold alone": ({"global_threshold": 10}, r"Expected both of \(global_threshold, min_unique\)"),
    "min_unique alone": ({"min_unique": 10}, r"Expected both of \(global_threshold, min_unique\)"),
    "nothing": ({}, r"Expected variable_thresholds or \(threshold, min_unique\), got neither"),
    "everything": (
        {"variable_thresholds": {"a": 3}, "global_threshold": 10, "min_unique": 40},
        r"Expected variable_thresholds or \(threshold, min_unique\), got both",
    ),
    "negative": ({"variable_thresholds": {"a": -1}}, "whole numbers, 0 or more"),
    "half": ({"min_unique": 1, "global_threshold": 0.5}, "whole numbers, 0 or more"),
}


@pytest.mark.parametrize("case", WRONG)
def test_parameters_that_cannot_work_are_refused(case: str) -> None:
    parameters, message = WRONG[case]
    with pytest.raises(ValueError, match=message):
        GroupModalitiesProcessor(**parameters)


def test_columns_that_cannot_be_grouped_are_refused() -> None:
    with pytest.raises(ValueError, match=r"Expected valid variables in variable_thresholds: .* no column 'z'"):
        GroupModalitiesProcessor(variable_thresholds={"z": 3}).preprocess(colours())
    with pytest.raises(ValueError, match=r"Column 'n' \(int64\) is not categorical"):
        GroupModalitiesProcessor(variable_thresholds={"n": 3}).preprocess(colours())
