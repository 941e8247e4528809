"""Numbers written as text."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatars.engine.text_numbers import read_floats, read_integers, write_floats


def text(*values: str | None) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(values, pa.string())])


def test_integers_are_read_with_gaps() -> None:
    numbers = read_integers(text("1", None, "-20", "0"))
    assert numbers is not None
    assert numbers.to_pylist() == [1, None, -20, 0]


@pytest.mark.parametrize("cell", ["007", "0x1f", "+1", " 1", "1.0", "1_000", "", "1234567890123456789", "-0"])
def test_text_that_an_integer_would_not_give_back_is_no_integer(cell: str) -> None:
    assert read_integers(text("1", cell)) is None


@pytest.mark.parametrize(
    ("cell", "value"),
    [("1.50", 1.5), ("-.5", -0.5), ("5.", 5.0), ("1e5", 1e5), ("+2", 2.0), ("0.25", 0.25), ("NAN", None)],
)
def test_floats_are_read(cell: str, value: float | None) -> None:
    numbers = read_floats(text(cell, None))
    assert numbers is not None
    assert numbers.to_pylist() == [value, None]


@pytest.mark.parametrize("cell", ["007", "-01.5", "00", "12345678901234567890", "-1234567890123456789", "1,5", "x", ""])
def test_identifiers_and_words_are_no_floats(cell: str) -> None:
    assert read_floats(text("1.5", cell)) is None
    assert read_floats(pa.chunked_array([text("0.5", cell).chunk(0).slice(1)])) is None, "also in a slice"


def test_decimal_commas_are_read_only_where_there_are_no_points() -> None:
    numbers = read_floats(text("1,5", "2"), ",")
    assert numbers is not None
    assert numbers.to_pylist() == [1.5, 2.0]
    assert read_floats(text("1.234,5"), ",") is None
    assert read_floats(text("1,234,5"), ",") is None


@settings(deadline=None)
@given(st.lists(st.none() | st.integers(-(10**18) + 1, 10**18 - 1)))
def test_integers_up_to_18_digits_come_back(values: list[int | None]) -> None:
    numbers = read_integers(text(*(None if value is None else str(value) for value in values)))
    assert numbers is not None
    assert numbers.to_pylist() == values


@settings(deadline=None)
@given(st.lists(st.none() | st.floats(allow_nan=False)))
def test_floats_come_back_from_their_shortest_text_and_never_look_like_integers(values: list[float | None]) -> None:
    written = write_floats(pa.chunked_array([pa.array(values, pa.float64())]))
    assert all(cell is None or set(cell) & set(".en") for cell in written.to_pylist())
    numbers = read_floats(written.cast(pa.string()))
    assert numbers is not None
    assert numbers.to_pylist() == values
