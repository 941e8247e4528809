"""Numbers as categories."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from tests.unit.processors.tables import array

import avatars
from avatars.processors.to_categorical import ToCategoricalProcessor


def numbers() -> pd.DataFrame:
    return pd.DataFrame({"many": [1, 2, 3, np.nan], "few": [1, 2, 2, np.nan], "text": list("abab"), "yes": True})


def test_only_numbers_with_few_values_become_categories() -> None:
    df = ToCategoricalProcessor(2).preprocess(numbers())
    assert df.dtypes.astype(str).tolist() == ["float64", "category", "str", "bool"]
    assert df["few"].cat.categories.tolist() == [1.0, 2.0]
    assert df["few"].isna().tolist() == [False, False, False, True]


def test_avatars_have_no_number_that_the_originals_have_not() -> None:
    df = pd.DataFrame({"children": [0, 2, 5] * 20, "x": np.arange(60.0)})
    published = avatars.anonymize(df, k=50, seed=1, method="avatar", assess=None)
    assert not set(published.avatars["children"]) <= {0, 2, 5}
    processor = ToCategoricalProcessor(3)
    result = avatars.anonymize(processor.preprocess(df), k=50, seed=1)
    back = processor.postprocess(df, result.sensitive_unshuffled_avatars)
    assert back.dtypes.equals(df.dtypes)
    assert set(back["children"]) <= {0, 2, 5}


def test_numbers_stand_beside_their_categories() -> None:
    df = numbers()
    processor = ToCategoricalProcessor(2, keep_continuous=True, continuous_suffix="_as_number")
    categories = processor.preprocess(df)
    assert list(categories.columns) == [*df.columns, "few_as_number"]
    pd.testing.assert_series_equal(categories["few_as_number"], df["few"], check_names=False)
    pd.testing.assert_frame_equal(processor.postprocess(df, categories), df)


@pytest.mark.parametrize(("keep", "expected"), [(True, [7.0, 2.0]), (False, [-1.0, 2.0])])
def test_the_other_category_is_the_number_beside_or_missing(keep: bool, expected: list[float]) -> None:
    df = pd.DataFrame({"few": [1, 2]})
    processor = ToCategoricalProcessor(2, keep_continuous=keep, category="rare")
    processor.preprocess(df)
    beside = {"few__cont": [7, 8]} if keep else {}
    back = processor.postprocess(df, pd.DataFrame({"few": ["rare", "2"], **beside}))
    assert list(back.columns) == ["few"]
    assert back["few"].fillna(-1).tolist() == expected


DTYPES: list[Any] = ["uint8", "Int64", "float32", "Float64", "int16[pyarrow]", pd.ArrowDtype(pa.float32())]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_numbers_have_their_dtype_again(dtype: Any) -> None:
    df = pd.DataFrame({"x": array([1, 2, 2], dtype=dtype)}, index=[0, 0, 5])
    processor = ToCategoricalProcessor(2)
    pd.testing.assert_frame_equal(processor.postprocess(df, processor.preprocess(df)), df)


def test_integers_without_a_place_for_missing_cells_become_floats() -> None:
    df = pd.DataFrame({"x": [1, 2], "y": array([1, 2], dtype="Int64")})
    processor = ToCategoricalProcessor(2)
    processor.preprocess(df)
    back = processor.postprocess(df, pd.DataFrame({"x": [1, None], "y": pd.Categorical([1, None])}))
    assert back.dtypes.astype(str).tolist() == ["float64", "Int64"]
    assert back.isna().to_numpy().tolist() == [[False, False], [True, True]]


def test_what_cannot_work_is_refused() -> None:
    df = pd.DataFrame({"x": [1, 2], "x__cont": [3, 4]})
    processor = ToCategoricalProcessor(2)
    with pytest.raises(ValueError, match="undoes what preprocess does: call that first"):
        processor.postprocess(df, df)
    processor.preprocess(df)
    with pytest.raises(ValueError, match="Column 'x' has categories that are neither numbers nor 'other'") as refusal:
        processor.postprocess(df, df.assign(x=["secret", "1"]))
    assert "secret" not in str(refusal.value)
    with pytest.raises(ValueError, match="the frame has no column 'x'"):
        processor.postprocess(df, df[["x__cont"]])
    with pytest.raises(ValueError, match="The frame has a column 'x__cont' already"):
        ToCategoricalProcessor(2, keep_continuous=True).preprocess(df)
    with pytest.raises(ValueError, match="to_categorical_threshold must be a whole number"):
        ToCategoricalProcessor(-1)
