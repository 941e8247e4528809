"""From a table to the method's arrays: numbers and codes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from avatars.engine.batches import in_order, slices
from avatars.engine.datetimes import read_datetimes
from avatars.engine.errors import InvalidTable
from avatars.engine.kinds import Column, Kind
from avatars.engine.plain import floats_of, integers_of, is_text, plain, plain_type, refuse_incomputable, spelt_out
from avatars.engine.progress import Progress, Silent, advance
from avatars.engine.text_numbers import read_floats, read_integers
from avatars.engine.workspace import IN_MEMORY, Workspace

STEP = "reading the table"
# Cells that are worked on at a time: 64 MB of numbers, and a look-up of levels pays for itself.
_CELLS = 2**23
_BLOCK_ROWS = 8192


@dataclass(frozen=True, eq=False)
class Encoded:
    """A table as the method sees it; `dataclasses.replace` gives the avatars' arrays, `decode` their table.

    Attributes
    ----------
    columns
        All columns, in the table's order.
    numeric
        float64, shape (n, number of numeric columns), C order; NaN is missing. In the order of
        `numeric_columns`; a value is ``column.origin + number``.
    codes
        int32, shape (n, number of the other columns), C order; -1 is missing. In the order of
        `categorical_columns`.
    schema
        Names, types and metadata of the table.
    """

    columns: tuple[Column, ...]
    numeric: npt.NDArray[np.float64]
    codes: npt.NDArray[np.int32]
    schema: pa.Schema

    @cached_property
    def numeric_columns(self) -> tuple[Column, ...]:
        """The columns of `numeric`."""
        return tuple(column for column in self.columns if column.is_numeric)

    @cached_property
    def categorical_columns(self) -> tuple[Column, ...]:
        """The columns of `codes`."""
        return tuple(column for column in self.columns if not column.is_numeric)

    @cached_property
    def places(self) -> dict[str, tuple[bool, int]]:
        """Whether each column, by name, is in `numeric` or in `codes`, and where there."""
        sides = ((True, self.numeric_columns), (False, self.categorical_columns))
        return {column.name: (is_numeric, place) for is_numeric, side in sides for place, column in enumerate(side)}

    def take(self, rows: slice | npt.NDArray[np.intp]) -> Encoded:
        """Return some of the rows, in the order asked for."""
        return replace(self, numeric=self.numeric[rows], codes=self.codes[rows])


def encode(
    table: pa.Table,
    columns: Sequence[Column],
    *,
    workspace: Workspace = IN_MEMORY,
    progress: Progress | None = None,
) -> Encoded:
    """Turn a table into numbers and codes.

    Numbers are float64 counted from `Column.origin`. Integers whose distance to it is at most 2**53 are
    exact; so are datetimes, whatever their unit, as long as their step is more than 1/2**53 of the column's
    range.

    Parameters
    ----------
    table
        The table that was detected, or another one with the same columns in the same order (avatars to be
        judged): its values are cast to the columns' types.
    columns
        What `detect` said.
    workspace
        Where the arrays are made.

    Raises
    ------
    InvalidTable
        Only for another table than the detected one: labels that differ (``different_columns``), values that
        do not fit the column's type (``wrong_type``), categories that it has not (``unknown_category``),
        infinite values (``infinite_values``).

    Notes
    -----
    Half a second for a million rows of fifteen columns on one core; memory for the arrays, and for some million cells.
    """
    progress = progress or Silent()
    names = [column.name for column in columns]
    if table.column_names != names:
        raise InvalidTable("The two tables do not have the same columns in the same order.", code="different_columns")
    n, q = table.num_rows, sum(column.is_numeric for column in columns)
    numeric = workspace.empty("numbers", (n, q), np.float64)
    codes = workspace.empty("codes", (n, len(columns) - q), np.int32)
    for rows in slices(n, max(_BLOCK_ROWS, _CELLS // len(columns))):
        values = table.slice(rows.start, rows.stop - rows.start)
        _fill(numeric[rows], numbers_of, values, [column for column in columns if column.is_numeric])
        _fill(codes[rows], _codes, values, [column for column in columns if not column.is_numeric])
        advance(progress, STEP, rows.stop, n)
    return Encoded(tuple(columns), numeric, codes, table.schema)


def _fill(
    out: npt.NDArray[Any],
    read: Callable[[pa.ChunkedArray, Column], npt.NDArray[Any]],
    table: pa.Table,
    columns: list[Column],
) -> None:
    """Read columns into a row-major array, by blocks of rows: ten times as fast as by columns."""
    parts = list(in_order(lambda column: read(table[column.name], column), columns))
    for block in slices(len(out), _BLOCK_ROWS):
        for position, part in enumerate(parts):
            out[block, position] = part[block]


def numbers_of(values: pa.ChunkedArray, column: Column) -> npt.NDArray[np.float64]:
    """Return (n,) the numbers of a numeric column's values."""
    values = _read(_of_type(values, column), column)
    if pa.types.is_floating(values.type) or pa.types.is_decimal(values.type):
        floats = floats_of(values)
        refuse_incomputable(column.name, floats)
        return floats
    integers, missing = integers_of(values)
    numbers = _minus(integers, missing, column.origin) if column.origin else integers.astype(np.float64)
    if missing is not None:
        numbers[missing] = np.nan
    return numbers


def _minus(integers: npt.NDArray[Any], missing: npt.NDArray[np.bool_] | None, origin: int) -> npt.NDArray[np.float64]:
    """``integers - origin`` as float64, exact as long as the difference fits float64."""
    present = integers if missing is None else integers[~missing]
    if not present.size:
        return np.zeros(integers.size, np.float64)
    if int(present.min()) - origin < -(2**63) or int(present.max()) - origin >= 2**63:
        return integers.astype(np.float64) - float(origin)
    # Unsigned numbers wrap around, so the difference is right wherever the two of them stand.
    difference = integers.astype(np.uint64) - np.uint64(origin % 2**64)
    return difference.view(np.int64).astype(np.float64)


def _of_type(values: pa.ChunkedArray, column: Column) -> pa.ChunkedArray:
    """The values in the column's type; only a table of another origin has others."""
    if values.type.equals(column.type):
        return values
    try:
        return spelt_out(values).cast(plain_type(column.type))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        pass
    raise _unfit(column)


def _read(values: pa.ChunkedArray, column: Column) -> pa.ChunkedArray:
    """Text that is declared a number or a datetime, read."""
    if pa.types.is_null(values.type):
        return values.cast(pa.int64())
    if column.read_type is None or not is_text(values.type):
        return values
    text = plain(values)
    if text.null_count == len(text):
        return text.cast(column.read_type)
    if column.text_format is not None:
        reading = read_datetimes(text, column.text_format.date)
        numbers = None if reading is None else reading[0].cast(column.read_type, safe=False)
    elif column.kind is Kind.INT:
        numbers = read_integers(text)
    else:
        numbers = read_floats(text)
    if numbers is None:
        raise _unfit(column)
    return numbers


def _codes(values: pa.ChunkedArray, column: Column) -> npt.NDArray[np.int32]:
    if pa.types.is_dictionary(values.type):
        parts = [_dictionary_codes(chunk, column) for chunk in values.chunks]
        return np.concatenate(parts) if parts else np.empty(0, np.int32)
    found = _find(plain(_of_type(values, column)), column)
    return np.asarray(pc.fill_null(found, pa.scalar(-1, pa.int32())), dtype=np.int32)


def _dictionary_codes(chunk: pa.DictionaryArray, column: Column) -> npt.NDArray[np.int32]:
    dictionary = plain(_of_type(pa.chunked_array([chunk.dictionary]), column))
    codes = pc.index_in(dictionary, value_set=column.levels).combine_chunks()
    found = codes.take(chunk.indices)
    if found.null_count > chunk.null_count:
        _find(pc.take(dictionary, chunk.indices), column)
    return np.asarray(pc.fill_null(found, pa.scalar(-1, pa.int32())), dtype=np.int32)


def _find(values: pa.ChunkedArray, column: Column) -> pa.ChunkedArray:
    """Which level each value is; null where the value is."""
    found = pc.index_in(values, value_set=column.levels)
    if found.null_count > values.null_count:
        raise InvalidTable(
            f"Column {column.name!r} has categories that the same column of the other table has not.",
            code="unknown_category",
            column=column.name,
        )
    return found


def _unfit(column: Column) -> InvalidTable:
    return InvalidTable(
        f"Column {column.name!r} has values that do not fit its type in the other table, {column.type}.",
        code="wrong_type",
        column=column.name,
    )
