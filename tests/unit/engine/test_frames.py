"""Frames to tables and back."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatars.engine.columns import decode, detect, encode
from avatars.engine.errors import InvalidTable
from avatars.engine.frames import to_arrow, to_frame


def array(values: Any, dtype: Any) -> Any:
    return pd.array(values, dtype=dtype)


def moments(*values: Any) -> Any:
    return pd.DatetimeIndex(values)


COLUMNS: dict[str, Any] = {
    **{kind: np.array([1, 2, 1, 3], kind) for kind in ("int8", "int16", "int32", "int64", "uint8", "uint64")},
    **{kind: np.array([1.5, np.nan, 2.5, 1.5], kind) for kind in ("float16", "float32", "float64")},
    "bool": [True, False, True, True],
    "Int64": array([1, None, 2, 1], "Int64"),
    "UInt8": array([1, None, 2, 1], "UInt8"),
    "Float64": array([1.5, None, 2.5, 1.5], "Float64"),
    "boolean": array([True, None, False, True], "boolean"),
    "str": array(["a", None, "b", "a"], "str"),
    "string": array(["a", None, "b", "a"], "string"),
    "string of Python": array(["a", None, "b", "a"], pd.StringDtype("python")),
    "object of text": np.array(["a", None, "b", "a"], object),
    "object of text and nan": np.array(["a", np.nan, "b", "a"], object),
    "object of bools": np.array([True, None, False, True], object),
    "object of integers": np.array([1, None, 2, 1], object),
    "object of numbers": np.array([1, pd.NA, 2.5, 0.5], object),
    "object of dates": np.array([dt.date(2020, 1, 1), None, dt.date(2020, 1, 2), None], object),
    "object of decimals": np.array([Decimal("1.25"), None, Decimal("2.50"), None], object),
    "category": pd.Categorical(["a", None, "b", "a"]),
    "ordered": pd.Categorical(["S", None, "L", "S"], ["S", "M", "L"], ordered=True),
    "category of integers": pd.Categorical([3, None, 1, 3]),
    "category of datetimes": pd.Categorical(moments("2020-01-01", None, "2021-01-01", None)),
    "category of several kinds": pd.Categorical([1, "a", None, 1]),
    "intervals": pd.cut([1, 2, 3, 4], 2),
    **{
        f"datetime64[{unit}]": np.array(["2020-01-01", "NaT", "2021-01-01", "NaT"], f"M8[{unit}]")
        for unit in ("s", "ns")
    },
    "zone": moments("2020-01-01", None, "2020-07-01", None).tz_localize("Europe/Paris"),
    "nanoseconds": moments("2020-01-01 00:00:00.000000001", None, None, None),
    "timedelta": pd.to_timedelta([1, None, 2, 1], unit="D"),
    "arrow integers": array([1, None, 2, 1], "int64[pyarrow]"),
    "arrow text": array(["a", None, "b", "a"], pd.ArrowDtype(pa.string())),
    "arrow dates": array([dt.date(2020, 1, 1), None] * 2, pd.ArrowDtype(pa.date32())),
    "arrow decimals": array([Decimal("1.25"), None] * 2, pd.ArrowDtype(pa.decimal128(10, 2))),
    "arrow dictionary": array(["a", None] * 2, pd.ArrowDtype(pa.dictionary(pa.int8(), pa.string()))),
    "all nan": np.full(4, np.nan),
    "all None": np.array([None] * 4, object),
    "all missing text": array([None] * 4, "str"),
    "all missing integers": array([None] * 4, "Int64"),
    "all missing datetimes": moments(None, None, None, None),
    "all missing categories": pd.Categorical([None] * 4),
    "sparse": array([1.5, np.nan, 2.5, 1.5], pd.SparseDtype("float")),
    "sparse integers": array([0, 0, 2, 1], pd.SparseDtype("int")),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_a_column_comes_back_with_its_dtype(name: str) -> None:
    frame = pd.DataFrame({name: COLUMNS[name]})
    table, manifest = to_arrow(frame)
    pd.testing.assert_frame_equal(to_frame(table, manifest), frame, check_exact=True)


@pytest.mark.parametrize("name", COLUMNS)
def test_it_does_so_after_the_method_s_arrays_too(name: str) -> None:
    frame = pd.DataFrame({name: COLUMNS[name]})
    table, manifest = to_arrow(frame)
    pd.testing.assert_frame_equal(to_frame(decode(encode(table, detect(table))), manifest), frame)


def test_all_of_them_together() -> None:
    frame = pd.DataFrame(COLUMNS)
    table, manifest = to_arrow(frame)
    out = to_frame(table, manifest)
    assert out.dtypes.equals(frame.dtypes)
    pd.testing.assert_frame_equal(out, frame)


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (pd.Index(["a", "b", "c"], name="labels"), ("a", "b", "c")),
        (pd.Index([1, "1", 2.5]), ("1", "1.1", "2.5")),
        (pd.RangeIndex(3), ("0", "1", "2")),
        (pd.MultiIndex.from_tuples([("a", 1), ("a", 2), ("b", 1)], names=["x", "y"]), ("a 1", "a 2", "b 1")),
        (pd.Index([("a", 1), None, "c"], tupleize_cols=False), ("a 1", "None", "c")),
    ],
)
def test_labels_of_every_kind_come_back(labels: pd.Index[Any], names: tuple[str, ...]) -> None:
    frame = pd.DataFrame([[1, 2.5, "x"]])
    frame.columns = labels
    table, manifest = to_arrow(frame)
    assert tuple(table.column_names) == names
    out = to_frame(table, manifest)
    assert out.columns.identical(labels)


def test_a_label_s_column_can_be_asked_for() -> None:
    _, manifest = to_arrow(pd.DataFrame([[1, 2]], columns=[1, "1"]))
    assert [manifest.name_of(1), manifest.name_of("1"), manifest.name_of("no")] == ["1", "1.1", "no"]


def test_the_index_is_left_out() -> None:
    table, manifest = to_arrow(pd.DataFrame({"x": [1, 2]}, index=["Ada", "Bob"]))
    assert table.column_names == ["x"]
    assert table.schema.metadata is None
    assert to_frame(table, manifest).index.identical(pd.RangeIndex(2))


def test_the_frame_may_have_another_number_of_rows_than_before() -> None:
    table, manifest = to_arrow(pd.DataFrame({"x": [1, 2], "c": pd.Categorical(["a", "b"])}))
    assert to_frame(table.slice(1), manifest).to_dict("list") == {"x": [2], "c": ["b"]}


def test_objects_of_several_kinds_are_refused_by_kind_and_never_by_value() -> None:
    with pytest.raises(InvalidTable) as refused:
        to_arrow(pd.DataFrame({"ok": [1, 2, 3], "mess": [1, "SECRET", None]}))
    assert (refused.value.code, refused.value.column) == ("mixed_types", "mess")
    assert "int, str" in str(refused.value)
    assert "SECRET" not in str(refused.value)


@pytest.mark.parametrize(
    "values",
    [[b"bytes"], [[1, 2]], [{"a": 1}], [2**70], [object()], [True, 1]],
    ids=["bytes", "lists", "dicts", "huge", "objects", "bools and integers"],
)
def test_objects_without_a_kind_are_refused(values: list[Any]) -> None:
    with pytest.raises(InvalidTable) as refused:
        to_arrow(pd.DataFrame({"x": pd.Series(values, dtype=object)}))
    assert refused.value.code == "mixed_types"


@pytest.mark.parametrize(
    "values",
    [
        pd.period_range("2020", periods=2, freq="M"),
        pd.interval_range(0, 2),
        np.array([1j, 2j]),
        np.ones(2, np.longdouble),
    ],
    ids=["periods", "intervals", "complex", "long double"],
)
def test_dtypes_without_a_kind_are_refused_by_name(values: Any) -> None:
    with pytest.raises(InvalidTable, match="'odd'") as refused:
        to_arrow(pd.DataFrame({"odd": values}))
    assert (refused.value.code, refused.value.column) == ("unsupported_type", "odd")


def test_duplicate_labels_are_refused() -> None:
    with pytest.raises(InvalidTable) as refused:
        to_arrow(pd.DataFrame([[1, 2]], columns=["age", "age"]))
    assert (refused.value.code, refused.value.column) == ("duplicate_columns", "age")


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(-(2**31), 2**31),
            st.none() | st.text(st.characters(exclude_categories=["Cs"])),
            st.none() | st.booleans(),
            st.floats(allow_infinity=False),
        ),
        min_size=1,
    ),
    st.sampled_from(["str", "string", object, "category"]),
)
def test_any_frame_comes_back(rows: list[tuple[Any, ...]], text: Any) -> None:
    frame = pd.DataFrame(rows, columns=["i", "t", "b", "f"])
    frame = frame.astype({"t": text, "b": "boolean"})
    table, manifest = to_arrow(frame)
    pd.testing.assert_frame_equal(to_frame(table, manifest), frame)
