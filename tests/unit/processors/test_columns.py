"""Numbers out of any dtype and back into one, rows in pairs, columns in order."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.processors.tables import array

from avatars.processors.columns import (
    numbers,
    ordered_as,
    require_columns,
    require_pairs,
    to_integers,
)

ONE_MISSING_TWO: dict[str, Any] = {
    "float32": np.array([1, np.nan, 2], "float32"),
    "Int64": array([1, None, 2], dtype="Int64"),
    "Float64": array([1, None, 2], dtype="Float64"),
    "arrow": array([1, None, 2], dtype="int8[pyarrow]"),
    "arrow decimal": array([Decimal(1), None, Decimal(2)], dtype=pd.ArrowDtype(pa.decimal128(3, 1))),
    "sparse": array([1, np.nan, 2], dtype=pd.SparseDtype("float")),
    "None": np.array([1, None, 2], object),
    "NaN": np.array([1, np.nan, 2.0], object),
    "NA": np.array([1, pd.NA, 2], object),
    "Decimal": np.array([Decimal(1), None, Decimal(2)], object),
}


@pytest.mark.parametrize("kind", ONE_MISSING_TWO)
def test_numbers_with_a_missing_one_are_floats(kind: str) -> None:
    values = numbers(pd.Series(ONE_MISSING_TWO[kind], index=[7, 7, 7]))
    np.testing.assert_array_equal(values, [1, np.nan, 2])
    assert values.dtype == np.float64


@pytest.mark.parametrize("dtype", ["int8", "uint64", "Int16", "int64[pyarrow]", "object", "Sparse[int64]"])
def test_whole_numbers_stay_exact(dtype: str) -> None:
    largest = 100 if dtype == "int8" else 2**14 if dtype == "Int16" else 2**60 - 1
    values = numbers(pd.Series([0, largest], dtype=dtype))
    assert values.tolist() == [0, largest]
    assert values.dtype == np.int64


def test_differences_of_small_dtypes_do_not_wrap() -> None:
    low, high = (numbers(pd.Series([value], dtype="uint8")) for value in (5, 250))
    assert (low - high).tolist() == [-245]


def test_whole_numbers_that_int64_cannot_sum_up_are_floats() -> None:
    assert numbers(pd.Series([2**63 - 1, 0])).tolist() == [2.0**63, 0.0]
    assert numbers(pd.Series([2**64 - 1], dtype="uint64")).tolist() == [2.0**64]


NOT_NUMBERS: dict[str, tuple[Any, str]] = {
    "text": (
        array(["secret"], dtype="str"),
        r"Column 'x' \(str\) does not hold numbers: convert it with pandas.to_numeric.",
    ),
    "bool": (np.array([True]), r"Column 'x' \(bool\) does not hold numbers"),
    "category": (pd.Categorical([1]), r"Column 'x' \(category\) does not hold numbers"),
    "mixed": (np.array([1, "secret"], object), r"Column 'x' \(object\) does not hold numbers"),
    "complex": (np.array([1j]), r"Column 'x' \(complex128\) does not hold numbers"),
    "dates": (pd.DatetimeIndex(["2020-01-01"]), "Column 'x' holds dates, .*DatetimeProcessor before this one"),
    "infinite": (np.array([np.inf]), "Column 'x' holds infinite values"),
}


@pytest.mark.parametrize("kind", NOT_NUMBERS)
def test_what_is_no_number_is_refused_in_one_sentence(kind: str) -> None:
    cells, message = NOT_NUMBERS[kind]
    with pytest.raises(ValueError, match=message) as refusal:
        numbers(pd.Series(cells, name="x"))
    assert "secret" not in str(refusal.value)


def test_a_column_without_any_cell_is_numbers_that_are_missing() -> None:
    assert np.isnan(numbers(pd.Series([None, None], dtype=object))).all()
    assert numbers(pd.Series([], dtype="int64")).shape == (0,)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int64", "uint64", "Int8", "UInt64", "int16[pyarrow]"])
@given(values=st.lists(st.floats(-1e30, 1e30) | st.integers(-300, 300).map(float), min_size=1, max_size=5))
def test_integers_are_rounded_and_kept_within_their_dtype(dtype: str, values: list[float]) -> None:
    typed = pd.Series(to_integers(np.array(values), pd.api.types.pandas_dtype(dtype)))
    assert str(typed.dtype) == dtype
    limits = np.iinfo(dtype.lower().removesuffix("[pyarrow]"))
    for value, integer in zip(values, typed.tolist(), strict=True):
        nearest = round(value)
        if limits.min <= nearest <= limits.max:
            assert integer == nearest
        else:
            # The limits of 64 bits are no floats: the nearest float within is as far as it goes.
            assert integer == pytest.approx(min(max(nearest, limits.min), limits.max))


def test_integers_have_no_place_for_a_missing_number_unless_their_dtype_has() -> None:
    values = np.array([1.6, np.nan])
    assert to_integers(values, np.dtype("int64")).tolist()[0] == 2.0
    assert pd.Series(to_integers(values, pd.Int64Dtype())).tolist() == [2, pd.NA]


def test_only_a_dtype_of_integers_makes_integers() -> None:
    values = np.array([2.5])
    for dtype in (None, np.dtype("float64"), np.dtype("bool"), pd.CategoricalDtype([1]), pd.StringDtype()):
        assert to_integers(values, dtype) is values
    assert to_integers(values, pd.SparseDtype("int64")).tolist() == [2]


def test_an_unknown_column_is_named_with_the_nearest_that_there_is() -> None:
    df = pd.DataFrame({"weight": [1.0], 3: [2]})
    with pytest.raises(ValueError, match=r"Wanted: the frame has no column 'wieght': did you mean 'weight'\?"):
        require_columns(df, ["wieght"], expected="Wanted")
    with pytest.raises(ValueError, match="Wanted: the frame has no column 'zzz': check the spelling"):
        require_columns(df, [3, "zzz"], expected="Wanted")


def test_a_column_that_is_there_twice_is_refused() -> None:
    df = pd.DataFrame([[1, 2, 3]], columns=["a", "b", "a"])
    require_columns(df, ["b"], expected="Wanted")
    with pytest.raises(ValueError, match="Wanted: column 'a' is there more than once"):
        require_columns(df, ["a"], expected="Wanted")


def test_rows_are_paired_by_position_and_moved_ones_refused() -> None:
    source = pd.DataFrame({"x": [1, 2, 3]}, index=[5, 6, 7])
    require_pairs(source, source)
    require_pairs(source, source.reset_index(drop=True))
    for dest in (source.iloc[::-1], source.iloc[:2], source.reset_index(drop=True).iloc[[0, 2, 1]]):
        with pytest.raises(ValueError, match="not those of the source in their order"):
            require_pairs(source, dest)


def test_columns_stand_in_the_order_of_the_source_new_ones_last() -> None:
    source = pd.DataFrame(columns=["a", "b", "c"])
    dest = pd.DataFrame(columns=["new", "c", "a", "newer"])
    assert list(ordered_as(source, dest).columns) == ["a", "c", "new", "newer"]
    assert ordered_as(None, dest) is dest
