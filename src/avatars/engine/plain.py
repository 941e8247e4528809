"""Arrow values in the few plain forms that everything else can work on."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from avatars.engine.errors import InvalidTable


def is_text(type_: pa.DataType) -> bool:
    """Whether values of the type are text."""
    return bool(pa.types.is_string(type_) or pa.types.is_large_string(type_) or pa.types.is_string_view(type_))


def plain_type(type_: pa.DataType) -> pa.DataType:
    """The nearest type that Arrow can hash, sort and look up; casting to it and back loses nothing."""
    if pa.types.is_dictionary(type_):
        return plain_type(type_.value_type)
    if pa.types.is_string_view(type_):
        return pa.large_string()
    if pa.types.is_decimal32(type_) or pa.types.is_decimal64(type_):
        return pa.decimal128(type_.precision, type_.scale)
    return pa.float32() if pa.types.is_float16(type_) else type_


def plain(values: Any) -> Any:
    """Values (Array or ChunkedArray, no dictionary) in their plain type; one zero, and null for NaN."""
    type_ = plain_type(values.type)
    if not values.type.equals(type_):
        values = values.cast(type_)
    if pa.types.is_floating(type_):
        zero = pa.scalar(0.0, type_)
        values = pc.if_else(pc.is_nan(values), pa.scalar(None, type_), pc.add(values, zero))
    return values


def spelt_out(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """The values of a dictionary type in their plain type; others as they are."""
    if not pa.types.is_dictionary(values.type):
        return values
    chunks = [plain(chunk.dictionary).take(chunk.indices) for chunk in values.chunks]
    return pa.chunked_array(chunks, plain_type(values.type))


def distinct(values: pa.ChunkedArray) -> pa.Array:
    """The distinct values in their plain type, without nulls, in no particular order."""
    if pa.types.is_dictionary(values.type):
        used = [pc.take(plain(c.dictionary), pc.unique(c.indices).drop_null()) for c in values.chunks]
        values = pa.chunked_array(used, plain_type(values.type))
        return pc.unique(values).drop_null()
    return pc.unique(plain(values)).drop_null()


def integers_of(
    values: pa.ChunkedArray,
) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_] | None]:
    """Integers, booleans, dates, times, durations as int64 (uint64 stays), 0 for nulls; and where nulls are.

    Datetimes count their own unit since 1970-01-01 UTC. The mask is None when there are no nulls.
    """
    type_ = values.type
    if pa.types.is_uint64(type_):
        numbers = values
    elif pa.types.is_date32(type_) or pa.types.is_time32(type_):
        numbers = values.cast(pa.int32()).cast(pa.int64())
    elif pa.types.is_boolean(type_):
        numbers = values.cast(pa.int8()).cast(pa.int64())
    else:
        numbers = values.cast(pa.int64())
    if not numbers.null_count:
        return numbers.to_numpy(), None
    missing = pc.is_null(numbers).to_numpy()
    return pc.fill_null(numbers, pa.scalar(0, numbers.type)).to_numpy(), missing


def floats_of(values: pa.ChunkedArray) -> npt.NDArray[np.float64]:
    """Numbers as float64, NaN for nulls."""
    floats: npt.NDArray[np.float64] = values.cast(pa.float64(), safe=False).to_numpy()
    return floats


LARGEST = 1e100
"""Squares of larger numbers, and sums of them over a table, do not fit a double."""


def refuse_infinite(name: str, floats: npt.NDArray[np.float64]) -> None:
    """Raise InvalidTable when a value is infinite."""
    if np.isinf(_extreme(floats)):
        raise InvalidTable(
            f"Column {name!r} has infinite values: replace them by numbers or leave them empty.",
            code="infinite_values",
            column=name,
        )


def refuse_incomputable(name: str, floats: npt.NDArray[np.float64]) -> None:
    """Raise InvalidTable when a value is infinite, or so large that its square could be."""
    refuse_infinite(name, floats)
    if _extreme(floats) > LARGEST:
        raise InvalidTable(
            f"Column {name!r} has numbers beyond {LARGEST:.0e}, which cannot be computed with: give it in a larger "
            "unit, or declare it as category.",
            code="numbers_too_large",
            column=name,
        )


def _extreme(floats: npt.NDArray[np.float64]) -> float:
    # The extremes answer for the column; fmin and fmax look past NaN.
    return max(abs(float(np.fmax.reduce(floats))), abs(float(np.fmin.reduce(floats)))) if floats.size else 0.0
