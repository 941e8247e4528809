"""Datetimes as seconds."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.processors.tables import array

from avatars.processors.datetime import DatetimeProcessor

MOMENTS = pd.DatetimeIndex(["2015-01-01 07:00:00", None, "1969-12-31 23:59:59"])

COLUMNS: dict[str, Any] = {
    **{unit: MOMENTS.as_unit(unit) for unit in ("s", "ms", "us", "ns")},
    "zone": MOMENTS.tz_localize("America/New_York"),
    "fixed": MOMENTS.tz_localize(dt.timezone(dt.timedelta(hours=-3))),
    "an hour twice": pd.DatetimeIndex(["2020-10-25 00:30", "2020-10-25 01:30", None], tz="UTC").tz_convert("CET"),
    "arrow": pd.Series(MOMENTS).astype(pd.ArrowDtype(pa.timestamp("ms", "Europe/Paris"))).array,
    "arrow dates": array([dt.date(2020, 2, 29), None, dt.date(1969, 12, 31)], dtype=pd.ArrowDtype(pa.date32())),
    "all missing": pd.DatetimeIndex([None, None, None]),
}


@pytest.mark.parametrize("kind", COLUMNS)
def test_each_kind_of_datetime_comes_back(kind: str) -> None:
    df = pd.DataFrame({"when": COLUMNS[kind], "x": [1, 2, 3]}, index=[4, 4, 2])
    processor = DatetimeProcessor()
    seconds = processor.preprocess(df)
    assert seconds["when"].dtype == "float64"
    assert seconds["x"].equals(df["x"])
    pd.testing.assert_frame_equal(processor.postprocess(df, seconds), df)


def test_seconds_are_counted_from_1970_in_utc() -> None:
    df = pd.DataFrame({"naive": MOMENTS, "zone": MOMENTS.tz_localize("America/New_York")})
    seconds = DatetimeProcessor().preprocess(df).fillna(0.5)
    assert seconds["naive"].tolist() == [1420095600.0, 0.5, -1.0]
    assert seconds["zone"].tolist() == [1420095600.0 + 5 * 3600, 0.5, -1.0 + 5 * 3600]


@settings(deadline=None)
@given(
    moments=st.lists(st.datetimes(pd.Timestamp(1834, 1, 1), pd.Timestamp(2105, 12, 31)), min_size=1),
    unit=st.sampled_from(["us", "ns"]),
)
def test_microseconds_are_exact_from_1834_to_2105(moments: list[dt.datetime], unit: Any) -> None:
    df = pd.DataFrame({"when": pd.DatetimeIndex(moments).as_unit(unit)})
    processor = DatetimeProcessor()
    pd.testing.assert_frame_equal(processor.postprocess(df, processor.preprocess(df)), df)


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_what_a_unit_does_not_reach_is_its_first_or_last_moment(unit: Any) -> None:
    df = pd.DataFrame({"when": MOMENTS.as_unit(unit)})
    back = DatetimeProcessor().postprocess(df, pd.DataFrame({"when": [1e300, float("nan"), -1e300]}))["when"]
    assert back.dtype == df["when"].dtype
    assert back.isna().tolist() == [False, True, False]
    assert back.astype("int64").iloc[[0, 2]].tolist() == pytest.approx([2**63, -(2**63)])


def test_columns_that_are_no_datetimes_on_both_sides_are_left_alone() -> None:
    df = pd.DataFrame({"when": MOMENTS, "x": [1, 2, 3]})
    dest = pd.DataFrame({"when": MOMENTS, "new": MOMENTS, "x": [4, 5, 6]})
    pd.testing.assert_frame_equal(DatetimeProcessor().postprocess(df, dest), dest)
    pd.testing.assert_frame_equal(DatetimeProcessor().postprocess(df, dest[["x"]]), dest[["x"]])


def test_what_is_neither_number_nor_datetime_is_refused() -> None:
    df = pd.DataFrame({"when": MOMENTS})
    with pytest.raises(ValueError, match=r"Column 'when' .* does not hold numbers"):
        DatetimeProcessor().postprocess(df, pd.DataFrame({"when": ["a", "b", "c"]}))
    with pytest.raises(ValueError, match="column 'when' is there more than once"):
        DatetimeProcessor().preprocess(pd.concat([df, df], axis=1))
