"""Writing CSV: cells in the shortest form that reads back the same, quotes only where they are needed."""

from __future__ import annotations

import gzip
import re
from dataclasses import replace
from typing import IO, Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from avatars.engine.batches import in_order, slices
from avatars.engine.csv_cells import MISSING
from avatars.engine.datetimes import DatetimeFormat, write_datetimes
from avatars.engine.decoding import BATCH_ROWS
from avatars.engine.formats import DELIMITERS, BoolFormat, ColumnFormat, TableFormat
from avatars.engine.plain import is_text, spelt_out
from avatars.engine.progress import Progress, Silent, advance
from avatars.engine.text_numbers import write_floats

STEP = "writing the avatars"


class Rows(Protocol):
    """What can be written: a ``pa.Table``, or something that makes a table's rows when they are asked for."""

    @property
    def schema(self) -> pa.Schema:
        """Names and types."""
        ...

    @property
    def num_rows(self) -> int:
        """How many rows there are."""
        ...

    def slice(self, offset: int, length: int) -> pa.Table:
        """Return some of them; may be called by several threads."""
        ...


def write_csv(
    table: Rows, sink: IO[bytes], format: TableFormat | None = None, progress: Progress | None = None
) -> None:
    """Write a table as CSV in UTF-8 to an open binary file.

    Missing cells are empty (NA when the table has a single column: an empty line would be no row). A decimal
    comma needs another delimiter, and a second column to show it; else the mark is a point. Text is
    quoted where it holds the delimiter, quotes or line ends, or would otherwise be read as a missing cell.
    Cost: about a second for a million rows of fifteen columns on one core, memory for some batches of 65,536 rows.
    Raises ``Cancelled`` between two batches where ``progress`` says so.
    """
    format, progress = format or TableFormat(), progress or Silent()
    if format.gzip:
        # No time and no name in the header: the same table gives the same bytes.
        with gzip.GzipFile(filename="", fileobj=sink, mode="wb", mtime=0, compresslevel=6) as compressed:
            _write(table, compressed, format, progress)
    else:
        _write(table, sink, format, progress)


def _write(table: Rows, sink: Any, format: TableFormat, progress: Progress) -> None:
    missing = MISSING[0]
    if len(table.schema) == 1:
        # Nobody can see the delimiter of a single column: what is read is the comma.
        missing, format = MISSING[1], replace(format, delimiter=",")
    if format.delimiter == format.decimal:
        format = replace(format, decimal=".")
    header = pa.array(table.schema.names, pa.large_string())
    # Whoever reads it must not take a label's semicolon for the delimiter, or the first label for the beginning
    # of another kind of file.
    names = _quoted(header, *DELIMITERS, format.delimiter).to_pylist()
    if not re.match(r'\w|"', names[0]):
        names[0] = f'"{names[0]}"'
    sink.write(b"\xef\xbb\xbf" if format.bom else b"")
    sink.write((format.delimiter.join(names) + format.line_end).encode())

    def lines(rows: slice) -> tuple[int, pa.ChunkedArray]:
        return rows.stop, _lines(table.slice(rows.start, BATCH_ROWS), format, missing)

    for done, written in in_order(lines, slices(table.num_rows, BATCH_ROWS)):
        for chunk in written.chunks:
            sink.write(_bytes(chunk))
        advance(progress, STEP, done, table.num_rows)


def _lines(rows: pa.Table, format: TableFormat, missing: str) -> pa.ChunkedArray:
    rows = rows.combine_chunks()
    cells = [_cells(values, name, format) for name, values in zip(rows.column_names, rows.columns, strict=True)]
    lines = pc.binary_join_element_wise(
        *cells, _scalar(format.delimiter), null_handling="replace", null_replacement=missing
    )
    return pc.binary_join_element_wise(lines, _scalar(format.line_end), _scalar(""))


def _cells(values: pa.ChunkedArray, name: str, format: TableFormat) -> pa.ChunkedArray:
    """One column's cells as text, null where they are missing."""
    style: ColumnFormat | None = format.columns.get(name)
    values = spelt_out(values)
    type_ = values.type
    if pa.types.is_boolean(type_):
        spelling = style if isinstance(style, BoolFormat) else BoolFormat()
        text = pc.if_else(values, spelling.true, spelling.false)
    elif pa.types.is_date(type_) or pa.types.is_timestamp(type_):
        text = write_datetimes(values, style if isinstance(style, DatetimeFormat) else None)
    elif pa.types.is_floating(type_):
        text = write_floats(pc.if_else(pc.is_nan(values), pa.scalar(None, type_), values))
    elif is_text(type_):
        return _each_once(values.cast(pa.large_string()), format.delimiter)
    elif pa.types.is_duration(type_):
        text = values.cast(pa.int64()).cast(pa.string())
    else:
        text = values.cast(pa.string())
    if format.decimal == "," and (pa.types.is_floating(type_) or pa.types.is_decimal(type_)):
        text = pc.replace_substring(text, ".", ",")
    return text.cast(pa.large_string())


def _each_once(text: pa.ChunkedArray, delimiter: str) -> pa.ChunkedArray:
    """Text with quotes around the values that need them; each distinct value is looked at once."""
    chunks = [chunk.dictionary_encode() for chunk in text.chunks]
    return pa.chunked_array([_quoted(chunk.dictionary, delimiter).take(chunk.indices) for chunk in chunks], text.type)


def _quoted(text: Any, *delimiters: str) -> Any:
    """Text with quotes around the values that need them."""
    special = pc.match_substring(text, '"')
    for mark in (*delimiters, "\n", "\r"):
        special = pc.or_(special, pc.match_substring(text, mark))
    special = pc.or_(special, pc.is_in(text, value_set=pa.array(MISSING, text.type)))
    if not pc.any(special).as_py():
        return text
    doubled = pc.replace_substring(text, '"', '""')
    return pc.if_else(special, pc.binary_join_element_wise(_scalar('"'), doubled, _scalar('"'), _scalar("")), text)


def _scalar(text: str) -> pa.Scalar:
    return pa.scalar(text, pa.large_string())


def _bytes(lines: pa.Array) -> memoryview:
    """The bytes of an array of large strings, which stand one after the other."""
    _, offsets, data = lines.buffers()
    ends = memoryview(offsets).cast("B").cast("q")
    return memoryview(data)[ends[lines.offset] : ends[lines.offset + len(lines)]]
