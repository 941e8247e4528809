"""Shares of a whole."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatars.processors.proportions import ProportionProcessor
from avatars.processors.rounding import round_parts

PARTS = ["variable_2", "variable_3", "variable_4"]


def tutorial() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "variable_1": [100, 150, 120, 100],
            "variable_2": [10, 30, 30, 22],
            "variable_3": [30, 60, 30, 35],
            "variable_4": [60, 60, 60, 65],
        }
    )


def test_the_tutorials_frame() -> None:
    df = tutorial()
    processor = ProportionProcessor(PARTS, "variable_1", True)
    shares = processor.preprocess(df)
    assert list(shares.columns) == list(df.columns)
    assert shares["variable_1"].tolist() == df["variable_1"].tolist()
    np.testing.assert_allclose(shares.loc[3, PARTS].astype(float), [0.1803, 0.2869, 0.5328], atol=5e-5)
    back = processor.postprocess(df, shares)
    np.testing.assert_allclose(back.loc[:2, PARTS], df.loc[:2, PARTS])
    # Its parts sum to 122: they come back in the same proportions, summing to the reference.
    np.testing.assert_allclose(back.loc[3, PARTS].astype(float), [18.03, 28.69, 53.28], atol=5e-3)


def test_decimals_are_rounded_without_losing_the_sum_on_any_index() -> None:
    df = tutorial().set_axis(["d", "a", "a", "z"])
    processor = ProportionProcessor(PARTS, "variable_1", decimal_count=1)
    back = processor.postprocess(df, processor.preprocess(df))
    assert back.shape == df.shape
    assert back.iloc[3][PARTS].tolist() == [18.0, 28.7, 53.3]
    assert back[PARTS].sum(axis=1).tolist() == pytest.approx(back["variable_1"].tolist())


def test_no_decimals_give_integers_where_there_were_integers() -> None:
    df = tutorial().astype({"variable_2": "float64"})
    processor = ProportionProcessor(PARTS, "variable_1", decimal_count=0)
    back = processor.postprocess(df, processor.preprocess(df))
    assert back.dtypes.astype(str).tolist() == ["int64", "float64", "int64", "int64"]
    assert (back[PARTS].sum(axis=1) == back["variable_1"]).all()


def test_a_missing_part_stays_missing_and_the_others_share_the_whole() -> None:
    df = pd.DataFrame({"whole": [10, 10], "a": [np.nan, np.nan], "b": [4.0, np.nan], "c": [6.0, np.nan]})
    processor = ProportionProcessor(["a", "b", "c"], "whole", decimal_count=0)
    shares = processor.preprocess(df)
    assert shares[["b", "c"]].iloc[0].tolist() == [0.4, 0.6]
    pd.testing.assert_frame_equal(processor.postprocess(df, shares), df)


def test_zeros_stay_zeros_and_are_missing_where_the_whole_is_not_zero() -> None:
    df = pd.DataFrame({"whole": [0, 8], "a": [0, 0], "b": [0, 0]})
    processor = ProportionProcessor(["a", "b"], "whole")
    shares = processor.preprocess(df)
    assert shares[["a", "b"]].to_numpy().tolist() == [[0, 0], [0, 0]]
    back = processor.postprocess(df, shares)[["a", "b"]]
    assert back.iloc[0].tolist() == [0, 0]
    assert back.iloc[1].isna().all()


def test_shares_of_the_reference_alone() -> None:
    df = pd.DataFrame({"whole": [100, 0], "a": [90, 0]})
    processor = ProportionProcessor(["a"], "whole", sum_to_one=False)
    shares = processor.preprocess(df)
    assert shares["a"].tolist() == [0.9, 0.0]
    assert processor.postprocess(df, shares.assign(whole=[50, 10]))["a"].tolist() == [45.0, 0.0]


def test_zero_is_zero_of_a_missing_reference_too() -> None:
    df = pd.DataFrame({"whole": [np.nan, np.nan], "a": [0, 5]})
    shares = ProportionProcessor(["a"], "whole", sum_to_one=False).preprocess(df)
    assert shares["a"].fillna(-1).tolist() == [0, -1]


def test_the_reference_may_be_zero_where_the_parts_make_the_whole() -> None:
    df = pd.DataFrame({"whole": [0], "a": [10], "b": [30]})
    assert ProportionProcessor(["a", "b"], "whole").preprocess(df).iloc[0].tolist() == [0, 0.25, 0.75]


@pytest.mark.parametrize(
    ("sum_to_one", "divisor"), [(True, "The sum of variable_names is 0"), (False, "Column 'whole' is 0")]
)
def test_what_cannot_be_divided_is_refused(sum_to_one: bool, divisor: str) -> None:
    df = pd.DataFrame({"whole": [0], "a": [5], "b": [-5]})
    with pytest.raises(ValueError, match=divisor):
        ProportionProcessor(["a", "b"], "whole", sum_to_one).preprocess(df)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((["a"], "wrong"), "variable wrong cannot be found in the dataframe variables"),
        ((["wrong"], "whole"), "the frame has no column 'wrong'"),
    ],
)
def test_unknown_columns_are_refused_in_both_directions(arguments: tuple[list[str], str], message: str) -> None:
    df = pd.DataFrame({"whole": [1], "a": [1]})
    processor = ProportionProcessor(*arguments)
    with pytest.raises(ValueError, match=message):
        processor.preprocess(df)
    with pytest.raises(ValueError, match=message):
        processor.postprocess(df, df)


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "text for a list": ({"variable_names": "part"}, r"write \['part'\]"),
    "no part": ({"variable_names": []}, "at least one column"),
    "a part twice": ({"variable_names": ["a", "a"]}, "names a column twice"),
    "part of itself": ({"variable_names": ["whole"]}, "a whole is no part of itself"),
    "negative decimals": ({"decimal_count": -1}, "decimal_count must be a whole number"),
}


@pytest.mark.parametrize("case", WRONG)
def test_parameters_that_cannot_work_are_refused(case: str) -> None:
    parameters, message = WRONG[case]
    with pytest.raises(ValueError, match=message):
        ProportionProcessor(**{"variable_names": ["a"], "reference": "whole"} | parameters)


def test_largest_remainders_get_what_is_left() -> None:
    # 29.6064 rounds to 29.61; down they sum to 29.59: 5.3453 and 3.2345 lost most.
    rounded = round_parts(np.array([[4.0001, 3.2345, 3.2321, 6.4523, 5.3453, 7.3422]]), 2)
    np.testing.assert_allclose(rounded, [[4.0, 3.24, 3.23, 6.45, 5.35, 7.34]])
    np.testing.assert_allclose(round_parts(np.array([[1 / 3, 1 / 3, 1 / 3]]), 1), [[0.4, 0.3, 0.3]])


@settings(deadline=None)
@given(
    parts=st.lists(st.lists(st.floats(-1e6, 1e6) | st.just(np.nan), min_size=3, max_size=3), min_size=1, max_size=4),
    decimals=st.integers(0, 3),
)
def test_rounded_parts_keep_their_sum_and_none_moves_by_a_unit(parts: list[list[float]], decimals: int) -> None:
    before = np.array(parts)
    after = round_parts(before, decimals)
    np.testing.assert_array_equal(np.isnan(after), np.isnan(before))
    np.testing.assert_allclose(after, after.round(decimals), atol=1e-9)
    np.testing.assert_allclose(np.nansum(after, axis=1), np.nansum(before, axis=1), atol=0.5000001 / 10**decimals)
    moved = np.abs(after - before)[~np.isnan(before)]
    assert (moved < 1.000001 / 10**decimals).all()
