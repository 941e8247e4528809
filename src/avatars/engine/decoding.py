"""Back from the method's arrays to a table of the original types."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from avatars.engine.batches import in_order, slices
from avatars.engine.datetimes import write_datetimes
from avatars.engine.encoding import Encoded, numbers_of
from avatars.engine.kinds import Column
from avatars.engine.progress import Progress, advance
from avatars.engine.renumbering import Replaced
from avatars.engine.workspace import Workspace

BATCH_ROWS = 65_536
"""Rows that are decoded, or written, at a time."""
STEP = "casting back"
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


@dataclass(frozen=True, eq=False)
class Decoded:
    """The table of numbers and codes, made slice by slice as it is read: in memory are the slices that are in use.

    Attributes
    ----------
    encoded
        All rows.
    order
        (n,) the order in which the table has them; None for their own.
    replaced, numbers
        Identifiers to give back, with (n,) the number of each row of the table.
    """

    encoded: Encoded
    order: npt.NDArray[np.intp] | None = None
    replaced: Replaced | None = None
    numbers: npt.NDArray[np.int64] | None = None

    @property
    def schema(self) -> pa.Schema:
        """The table's schema."""
        return self.encoded.schema if self.replaced is None else self.replaced.schema

    @property
    def num_rows(self) -> int:
        """The table's rows."""
        return len(self.encoded.codes)

    def slice(self, offset: int, length: int) -> pa.Table:
        """Return some rows, as ``pa.Table.slice`` does."""
        rows = slice(offset, offset + length)
        table = decode(self.encoded.take(rows if self.order is None else self.order[rows]))
        if self.replaced is None or self.numbers is None:
            return table
        return self.replaced.give_back(table, self.numbers[rows])

    def to_table(self) -> pa.Table:
        """Return all rows at once."""
        batches = in_order(lambda rows: self.slice(rows.start, BATCH_ROWS), slices(self.num_rows, BATCH_ROWS))
        return pa.concat_tables([self.schema.empty_table(), *batches])


def rounded(encoded: Encoded, workspace: Workspace, progress: Progress) -> Encoded:
    """Return the numbers and codes of the decoded table: numbers as whoever reads the table will see them.

    The same as ``encode(decode(encoded), encoded.columns)``. Codes are the same array: levels come back as they are.
    """
    numeric = workspace.empty("rounded", encoded.numeric.shape, np.float64)
    n = len(numeric)

    def read_again(rows: slice) -> int:
        for position, column in enumerate(encoded.numeric_columns):
            values = pa.chunked_array([_from_numbers(encoded.numeric[rows, position], column)])
            numeric[rows, position] = numbers_of(values, column)
        return int(rows.stop)

    for done in in_order(read_again, slices(n, BATCH_ROWS)):
        advance(progress, STEP, done, n)
    return replace(encoded, numeric=numeric)


def _from_codes(codes: npt.NDArray[np.int32], column: Column) -> pa.Array:
    indices = pa.array(codes, mask=codes < 0)
    assert column.levels is not None
    if column.dictionary is None:
        return column.levels.take(indices).cast(column.type)
    return pa.DictionaryArray.from_arrays(
        column.places_in_dictionary.take(indices).cast(column.type.index_type),
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
