"""Back from the method's arrays to a table of the original types."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from avatars.engine.datetimes import write_datetimes
from avatars.engine.encoding import Encoded
from avatars.engine.kinds import Column

_DAY = {"s": 86400, "ms": 86400 * 10**3, "us": 86400 * 10**6, "ns": 86400 * 10**9}


def decode(encoded: Encoded) -> pa.Table:
    """Turn numbers and codes into a table with the names, order, types and metadata of the encoded one.

    Integers are rounded half-even, floats to the column's `decimals`, datetimes to its `step`; all are
    clipped to what the type can hold. NaN and the code -1 become null.
    """
    numbers, codes = iter(encoded.numeric.T), iter(encoded.codes.T)
    arrays = [
        _from_numbers(next(numbers), column) if column.is_numeric else _from_codes(next(codes), column)
        for column in encoded.columns
    ]
    return pa.Table.from_arrays(arrays, schema=encoded.schema)


def _from_codes(codes: npt.NDArray[np.int32], column: Column) -> pa.Array:
    indices = pa.array(codes, mask=codes < 0)
    assert column.levels is not None
    if column.dictionary is None:
        return column.levels.take(indices).cast(column.type)
    positions = pc.index_in(column.levels, value_set=column.dictionary)
    return pa.DictionaryArray.from_arrays(
        positions.take(indices).cast(column.type.index_type),
        column.dictionary.cast(column.type.value_type),
        ordered=column.type.ordered,
    )


def _from_numbers(numbers: npt.NDArray[np.float64], column: Column) -> pa.Array:
    type_ = column.read_type or column.type
    if pa.types.is_null(type_):
        return pa.nulls(len(numbers))
    missing = np.isnan(numbers)
    if pa.types.is_floating(type_) or pa.types.is_decimal(type_):
        values = _from_floats(numbers, missing, column.decimals, type_)
    else:
        values = _from_integers(np.where(missing, 0.0, numbers), missing, column, type_)
    if column.read_type is None:
        return values
    # The column was text that reads as numbers or dates.
    if column.text_format is not None:
        text = write_datetimes(pa.chunked_array([values]), column.text_format).combine_chunks()
    else:
        text = values.cast(pa.string())
    return text.cast(column.type)


def _from_floats(
    numbers: npt.NDArray[np.float64],
    missing: npt.NDArray[np.bool_],
    decimals: int | None,
    type_: pa.DataType,
) -> pa.Array:
    if decimals is not None:
        scale = 10.0**decimals
        scaled = numbers * scale
        # From 2**53 on floats have no decimals that could be rounded. Adding 0 makes -0 a plain zero.
        numbers = np.where(np.abs(scaled) < 2**53, np.rint(scaled) / scale, numbers) + 0.0
    if pa.types.is_decimal(type_):
        digits = type_.scale if decimals is None else min(decimals, type_.scale)
        whole = 10.0 ** (type_.precision - type_.scale)
        limit = min(whole - 10.0**-digits, float(np.nextafter(whole, 0.0)))
        floats = pa.array(np.clip(numbers, -limit, limit), mask=missing)
        if 0 <= digits < type_.scale:
            # By way of the decimals in use, so that 0.1 does not become 0.100000000000000006.
            floats = floats.cast(pa.decimal256(76, digits))
        return floats.cast(type_)
    precision = np.dtype(f"f{type_.bit_width // 8}")
    limit = float(np.finfo(precision).max)
    return pa.array(np.clip(numbers, -limit, limit).astype(precision), mask=missing)


def _from_integers(
    numbers: npt.NDArray[np.float64], missing: npt.NDArray[np.bool_], column: Column, type_: pa.DataType
) -> pa.Array:
    step = 1 if column.step_is_local else column.step
    low, high = _bounds(type_)
    steps = np.clip(
        np.rint(numbers / step),
        _float_within(-((column.origin - low) // step), up=True),
        _float_within((high - column.origin) // step, up=False),
    )
    # From here on in whole numbers, which float64 would round. Two halves are exact where one int64 would
    # overflow; unsigned products and sums wrap around to the right value.
    upper = np.floor(steps / 2**32)
    lower = steps - upper * 2**32
    integers = (upper.astype(np.int64).astype(np.uint64) << np.uint64(32)) + lower.astype(np.uint64)
    integers = integers * np.uint64(step) + np.uint64(column.origin % 2**64)
    if pa.types.is_uint64(type_):
        return pa.array(integers, mask=missing)
    values = pa.array(integers.view(np.int64), mask=missing)
    if pa.types.is_date32(type_) or pa.types.is_time32(type_):
        values = values.cast(pa.int32())
    values = values.cast(type_)
    return _on_local_step(values, column.step, type_) if column.step_is_local else values


def _bounds(type_: pa.DataType) -> tuple[int, int]:
    """The smallest and largest integer that the type holds, as a plain number."""
    if pa.types.is_boolean(type_):
        return 0, 1
    if pa.types.is_time(type_):
        return 0, _DAY[type_.unit] - 1
    bits = type_.bit_width
    if pa.types.is_unsigned_integer(type_):
        return 0, 2**bits - 1
    # Of 64-bit dates the smallest is what pandas means by "not a time".
    return -(2 ** (bits - 1)) + int(pa.types.is_temporal(type_)), 2 ** (bits - 1) - 1


def _float_within(bound: int, *, up: bool) -> float:
    """The nearest float on the allowed side of an integer bound."""
    nearest = float(bound)
    if (nearest < bound) if up else (nearest > bound):
        nearest = float(np.nextafter(nearest, np.inf if up else -np.inf))
    return nearest


def _on_local_step(times: pa.Array, step: int, type_: pa.DataType) -> pa.Array:
    """The moments moved to the nearest whole step of the clock on the wall of their zone."""
    clock = pc.local_timestamp(times)
    missing = pc.is_null(clock).to_numpy(zero_copy_only=False)
    numbers = pc.fill_null(clock.cast(pa.int64()), 0).to_numpy()
    rounded = pa.array((numbers + step // 2) // step * step, mask=missing).cast(clock.type)
    return pc.assume_timezone(rounded, type_.tz, ambiguous="earliest", nonexistent="latest")
