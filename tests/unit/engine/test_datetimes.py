"""Dates and times as text."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatars.engine.datetimes import (
    DATE_ORDERS,
    DAY_FIRST,
    MONTH_FIRST,
    DatetimeFormat,
    read_datetimes,
    write_datetimes,
)


def text(*values: str | None) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(values, pa.string())])


@pytest.mark.parametrize(
    ("cell", "type_"),
    [
        ("2020-01-02", pa.date32()),
        ("2020-01-02 10:11", pa.timestamp("s")),
        ("2020-01-02 10:11:12", pa.timestamp("s")),
        ("2020-01-02T10:11:12.5", pa.timestamp("ms")),
        ("2020-01-02 10:11:12.1234", pa.timestamp("us")),
        ("2020-01-02 10:11:12.123456", pa.timestamp("us")),
        ("2020-01-02 10:11:12.123456789", pa.timestamp("ns")),
        ("2020-01-02T10:11:12Z", pa.timestamp("s", "UTC")),
        ("2020-01-02T10:11:12.250Z", pa.timestamp("ms", "UTC")),
        ("2020-01-02 10:11:12+02:00", pa.timestamp("s", "+02:00")),
        ("2020-01-02 10:11:12-0330", pa.timestamp("s", "-03:30")),
        ("2020-01-02 10:11:12+02", pa.timestamp("s", "+02:00")),
        ("2020-01-02 10:11:12+00:00", pa.timestamp("s", "UTC")),
    ],
)
def test_a_column_comes_back_as_it_was_written(cell: str, type_: pa.DataType) -> None:
    reading = read_datetimes(text(cell, None, cell))
    assert reading is not None
    values, style = reading
    assert values.type == type_
    assert write_datetimes(values, style).to_pylist() == [cell, None, cell]


@pytest.mark.parametrize("order", DATE_ORDERS)
def test_other_orders_of_dates_are_read_and_written_where_they_are_asked_for(order: str) -> None:
    days = [date(2020, 12, 31), date(1999, 1, 13)]
    for rest in ("", " 10:11"):
        cells = [day.strftime(order) + rest for day in days]
        reading = read_datetimes(text(*cells), order)
        assert reading is not None
        assert [value.year for value in reading[0].to_pylist()] == [2020, 1999]
        assert write_datetimes(*reading).to_pylist() == cells


@pytest.mark.parametrize(
    "cells",
    [
        ("2020-02-30",),
        ("2020-13-01",),
        ("20200102",),
        ("2020-01-02x", "2020-01-02"),
        ("2020-01-02 10",),
        ("2020-01-02 10:00:00", "2020-01-02 10:00:00Z"),
        ("2020-01-02 10:00:00.1234567890",),
        (None,),
        ("",),
    ],
)
def test_what_is_not_a_date_throughout_is_none(cells: tuple[str | None, ...]) -> None:
    assert read_datetimes(text(*cells)) is None


def test_days_that_do_not_exist_are_refused_in_every_order() -> None:
    assert read_datetimes(text("30/02/2020"), DAY_FIRST) is None
    assert read_datetimes(text("31/12/2020"), MONTH_FIRST) is None


def test_offsets_that_differ_become_utc() -> None:
    reading = read_datetimes(text("2020-07-01 12:00:00+02:00", "2020-01-01 12:00:00+01:00"))
    assert reading is not None
    assert reading[0].to_pylist() == [datetime(2020, 7, 1, 10, tzinfo=UTC), datetime(2020, 1, 1, 11, tzinfo=UTC)]
    again = read_datetimes(write_datetimes(*reading))
    assert again is not None
    assert again[0].equals(reading[0])


def test_without_a_style_every_digit_and_the_offset_of_each_moment_are_written() -> None:
    moments = pa.chunked_array(
        [pa.array([0, None, 1593554400000], pa.int64()).cast(pa.timestamp("ms", "Europe/Paris"))]
    )
    assert write_datetimes(moments).to_pylist() == [
        "1970-01-01 01:00:00.000+01:00",
        None,
        "2020-07-01 00:00:00.000+02:00",
    ]


def test_a_style_that_would_lose_something_gives_way() -> None:
    seconds = pa.chunked_array([pa.array([90, 61]).cast(pa.timestamp("s"))])
    style = DatetimeFormat(separator="T", seconds=False)
    assert write_datetimes(seconds, style).to_pylist() == ["1970-01-01T00:01:30", "1970-01-01T00:01:01"]
    halves = pa.chunked_array([pa.array([1500]).cast(pa.timestamp("ms"))])
    assert write_datetimes(halves, DatetimeFormat(separator=" ")).to_pylist() == ["1970-01-01 00:00:01.500"]


def test_a_zone_that_nobody_knows_is_written_in_utc() -> None:
    moments = pa.chunked_array([pa.array([0]).cast(pa.timestamp("s", "Nowhere/Land"))])
    assert write_datetimes(moments).to_pylist() == ["1970-01-01 00:00:00+00:00"]


@settings(deadline=None)
@given(
    st.lists(st.none() | st.datetimes(), min_size=1),
    st.sampled_from(["s", "ms", "us"]),
)
def test_timestamps_come_back_from_their_text(values: list[datetime | None], unit: str) -> None:
    times = pa.chunked_array([pa.array(values, pa.timestamp("us")).cast(pa.timestamp(unit), safe=False)])
    reading = read_datetimes(write_datetimes(times))
    if times.null_count == len(times):
        assert reading is None
    else:
        assert reading is not None
        assert reading[0].cast(times.type).equals(times)
