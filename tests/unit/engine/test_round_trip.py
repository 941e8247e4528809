"""Tables through `encode` and `decode`: what comes back, and what is made of values between the original ones."""

from __future__ import annotations

import dataclasses
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatars.engine.columns import Encoded, Kind, decode, detect, encode
from avatars.engine.errors import InvalidTable

WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
DATES = st.dates(date(1, 1, 1), date(9999, 12, 31))
MOMENTS = st.datetimes(datetime(1700, 1, 1), datetime(2250, 1, 1)).map(lambda moment: moment.replace(microsecond=0))  # noqa: DTZ001
GRID = st.integers(-(10**9), 10**9)

# Every type that is accepted, and values of it on the grid that the type, or the column's decimals, make.
TYPES: list[tuple[pa.DataType, st.SearchStrategy[Any]]] = [
    *((getattr(pa, f"int{bits}")(), st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)) for bits in (8, 16, 32)),
    *((getattr(pa, f"uint{bits}")(), st.integers(0, 2**bits - 1)) for bits in (8, 16, 32)),
    (pa.int64(), st.integers(-(2**52), 2**52)),
    (pa.int64(), st.integers(2**63 - 2**53, 2**63 - 1)),
    (pa.uint64(), st.integers(2**64 - 2**53, 2**64 - 1)),
    (pa.float64(), GRID.map(lambda whole: (10 * whole + 1) / 1000)),
    (pa.float32(), st.integers(-(2**10), 2**10).map(lambda whole: whole + 0.25)),
    (pa.float16(), st.integers(-(2**6), 2**6).map(lambda whole: np.float16(whole + 0.5))),
    (pa.bool_(), st.booleans()),
    *((type_, WORDS) for type_ in (pa.string(), pa.large_string(), pa.string_view())),
    *((type_, DATES) for type_ in (pa.date32(), pa.date64())),
    *((pa.timestamp(unit), MOMENTS) for unit in ("s", "ms", "us", "ns")),
    *((pa.timestamp(unit, "UTC"), MOMENTS) for unit in ("s", "ns")),
    (pa.timestamp("us", "Europe/Paris"), MOMENTS),
    (pa.timestamp("ms", "+05:30"), MOMENTS),
    (pa.duration("us"), st.integers(0, 10**6).map(lambda seconds: timedelta(seconds=seconds))),
    (pa.time32("s"), st.times().map(lambda clock: clock.replace(microsecond=0))),
    (pa.time64("us"), st.times()),
    (pa.null(), st.none()),
    (pa.decimal128(12, 0), GRID.map(Decimal)),
    (pa.decimal128(12, 2), GRID.map(lambda whole: Decimal(10 * whole + 1).scaleb(-2))),
    (pa.decimal32(9, 2), st.integers(-(10**6), 10**6).map(lambda whole: Decimal(10 * whole + 1).scaleb(-2))),
    (pa.decimal256(40, 2), GRID.map(lambda whole: Decimal(10 * whole + 1).scaleb(-2))),
]


@st.composite
def columns(draw: st.DrawFn) -> pa.Array:
    type_, values = draw(st.sampled_from(TYPES))
    return pa.array(draw(st.lists(st.none() | values, min_size=1, max_size=20)), type_)


def there_and_back(table: pa.Table, **options: Any) -> pa.Table:
    return decode(encode(table, detect(table, **options)))


@settings(deadline=None)
@given(columns())
def test_values_on_the_grid_come_back_and_so_does_their_type(values: pa.Array) -> None:
    table = pa.table({"x": values}, metadata={"made": "today"})
    out = there_and_back(table)
    assert out.schema.equals(table.schema, check_metadata=True)
    assert out["x"].to_pylist() == table["x"].to_pylist()


def test_full_precision_is_kept() -> None:
    table = pa.table({"x": np.random.default_rng(0).normal(size=1000)})
    assert there_and_back(table).equals(table)


@settings(deadline=None)
@given(columns())
def test_any_column_comes_back_as_a_category(values: pa.Array) -> None:
    table = pa.table({"x": values})
    out = there_and_back(table, types={"x": Kind.CATEGORY})
    assert out.schema.equals(table.schema)
    assert out["x"].to_pylist() == table["x"].to_pylist()


@settings(deadline=None)
@given(
    st.lists(st.none() | st.sampled_from(["S", "M", "L"])),
    st.permutations(["S", "M", "L", "never"]),
    st.booleans(),
    st.sampled_from([pa.int8(), pa.int32(), pa.uint16()]),
    st.sampled_from([pa.string(), pa.large_string(), pa.string_view()]),
)
def test_dictionaries_come_back_whole(
    cells: list[str | None], order: list[str], ordered: bool, index: pa.DataType, value: pa.DataType
) -> None:
    indices = [None if cell is None else order.index(cell) for cell in [*cells, "S"]]
    values = pa.DictionaryArray.from_arrays(pa.array(indices, index), pa.array(order, value), ordered=ordered)
    table = pa.table({"x": values})
    out = there_and_back(table)
    assert out.schema.equals(table.schema)
    assert out["x"].to_pylist() == [*cells, "S"]
    assert out["x"].chunk(0).dictionary.to_pylist() == order


@settings(deadline=None)
@given(
    st.lists(columns().map(lambda values: pa.array(values.to_pylist()[:1] * 3, values.type)), min_size=1, max_size=6)
)
def test_arrays_have_the_promised_shape(arrays: list[pa.Array]) -> None:
    table = pa.table(arrays, names=[str(position) for position in range(len(arrays))])
    found = detect(table)
    encoded = encode(table, found)
    assert encoded.columns == found
    assert encoded.numeric.shape == (3, len(encoded.numeric_columns))
    assert encoded.codes.shape == (3, len(encoded.categorical_columns))
    assert (encoded.numeric.dtype.name, encoded.codes.dtype.name) == ("float64", "int32")
    assert encoded.numeric.flags.c_contiguous
    assert encoded.codes.flags.c_contiguous
    for codes, column in zip(encoded.codes.T, encoded.categorical_columns, strict=True):
        assert column.levels is not None
        assert set(codes) <= {-1, *range(len(column.levels))}


def avatars_of(values: pa.Array, numbers: list[float], declared: Kind | None = None) -> list[Any]:
    """What `decode` makes of numbers that the method made for a column."""
    table = pa.table({"x": values})
    encoded = encode(table, detect(table, {} if declared is None else {"x": declared}))
    origin = encoded.columns[0].origin
    made = np.array(numbers, np.float64)[:, None] - origin
    return decode(dataclasses.replace(encoded, numeric=made)).column(0).to_pylist()  # type: ignore[no-any-return]


def test_integers_are_rounded_half_to_even_and_clipped_to_their_type() -> None:
    assert avatars_of(pa.array([1, 2]), [0.5, 1.5, 2.5, -0.5, np.nan]) == [0, 2, 2, 0, None]
    assert avatars_of(pa.array([1], pa.uint8()), [300.0, -3.0]) == [255, 0]
    assert avatars_of(pa.array([1]), [1e30, -1e30]) == [2**63 - 1024, -(2**63)]


def test_floats_are_rounded_to_the_column_s_decimals_without_minus_zero() -> None:
    made = avatars_of(pa.array([1.25, 2.75]), [1.23456, -0.001, np.nan])
    assert made == [1.23, 0.0, None]
    assert str(made[1]) == "0.0"
    assert avatars_of(pa.array([0.1 + 0.2, 1 / 3]), [0.12345678901234567]) == [0.12345678901234567]
    assert avatars_of(pa.array([1.5], pa.float32()), [1e300]) == [float(np.finfo(np.float32).max)]


def test_decimals_stay_within_their_precision() -> None:
    made = avatars_of(pa.array([Decimal("1.10")], pa.decimal128(3, 2)), [1.234, 99.0, -99.0])
    assert made == [Decimal("1.20"), Decimal("9.90"), Decimal("-9.90")]
    assert avatars_of(pa.array([Decimal("1.11")], pa.decimal128(3, 2)), [99.0]) == [Decimal("9.99")]
    assert avatars_of(pa.array([Decimal("0.1")], pa.decimal128(38, 18)), [0.3]) == [Decimal("0.300000000000000000")]


def test_bools_and_times_of_day_stay_within_the_day() -> None:
    assert avatars_of(pa.array([True, False]), [0.2, 0.7, 3.0], Kind.INT) == [False, True, True]
    hours = pa.array([time(8), time(23)], pa.time32("s"))
    assert avatars_of(hours, [86399.0, -4.0, 1900.0]) == [time(23), time(0), time(1)]


def test_dates_stay_dates_and_midnights_stay_midnights() -> None:
    assert avatars_of(pa.array([date(2020, 1, 1)]), [18262.4]) == [date(2020, 1, 1)]
    noon_or_so = 1577836800 + 50_000
    whole = pa.array([datetime(2020, 1, 1), datetime(2020, 3, 1)], pa.timestamp("s"))  # noqa: DTZ001
    assert avatars_of(whole, [noon_or_so]) == [datetime(2020, 1, 2)]  # noqa: DTZ001


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_days_of_a_zone_are_midnights_of_its_own_clock_in_summer_and_winter(unit: str) -> None:
    paris = ZoneInfo("Europe/Paris")
    days = [datetime(2020, 1, 1, tzinfo=paris), datetime(2020, 7, 1, tzinfo=paris)]
    values = pa.array(days, pa.timestamp(unit, "Europe/Paris"))
    per_second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
    between = [(day.timestamp() + 5000) * per_second for day in days]
    assert avatars_of(values, between) == days


def test_text_that_is_declared_to_be_something_else_comes_back_as_text_of_the_same_form() -> None:
    assert avatars_of(pa.array(["1", "2"]), [1.6], Kind.INT) == ["2"]
    assert avatars_of(pa.array(["1.25", "2"]), [1.614, np.nan], Kind.FLOAT) == ["1.61", None]
    assert avatars_of(pa.array(["31/12/2020"]), [18262.0], Kind.DATETIME) == ["01/01/2020"]
    assert avatars_of(pa.nulls(1, pa.string()), [np.nan], Kind.DATETIME) == [None]


def test_dates_written_as_text_come_back_as_text_of_the_same_form() -> None:
    assert avatars_of(pa.array(["31/12/2020", "01/02/2020"]), [18262.0, np.nan]) == ["01/01/2020", None]
    halves = pa.array(["2020-01-01 10:00", "2020-01-01 10:30"], pa.large_string())
    assert avatars_of(halves, [1577871000.0, 1577872800.0]) == ["2020-01-01 09:30", "2020-01-01 10:00"]


def test_another_table_is_encoded_in_the_first_one_s_numbers_and_codes() -> None:
    original = pa.table({"n": [1.5, 2.5], "c": ["a", "b"], "t": pa.array([0, 60], pa.timestamp("s"))})
    found = detect(original)
    other = pa.table(
        {
            "n": pa.array([2], pa.int64()),
            "c": pa.array(["b"]).dictionary_encode(),
            "t": pa.array([60_000], pa.timestamp("ms")),
        }
    )
    encoded = encode(other, found)
    assert encoded.numeric.tolist() == [[2.0, 60.0]]
    assert encoded.codes.tolist() == [[1]]


@pytest.mark.parametrize(
    ("other", "code"),
    [
        ({"c": ["z"], "n": [1.0]}, "unknown_category"),
        ({"c": pa.array(["z"]).dictionary_encode(), "n": [1.0]}, "unknown_category"),
        ({"c": ["a"], "n": ["SECRET"]}, "wrong_type"),
        ({"c": ["a"], "n": [float("inf")]}, "infinite_values"),
        ({"n": [1.0], "c": ["a"]}, "different_columns"),
    ],
)
def test_another_table_that_does_not_fit_is_refused(other: dict[str, Any], code: str) -> None:
    found = detect(pa.table({"c": ["a"], "n": [1.0]}))
    with pytest.raises(InvalidTable) as refused:
        encode(pa.table(other), found)
    assert refused.value.code == code
    assert "SECRET" not in str(refused.value)


def test_avatars_may_be_fewer_or_more_than_the_originals() -> None:
    table = pa.table({"n": [1, 2], "c": ["a", "b"]})
    encoded = encode(table, detect(table))
    more = dataclasses.replace(encoded, numeric=np.ones((5, 1)), codes=np.zeros((5, 1), np.int32))
    assert isinstance(more, Encoded)
    assert decode(more).to_pylist() == [{"n": 1, "c": "a"}] * 5
