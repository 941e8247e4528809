"""Files: a table from CSV or Parquet, and a table into one, written the way the other was."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import secrets
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.parquet

from avatars.engine.csv_reading import first_bytes, read_csv
from avatars.engine.csv_writing import write_csv
from avatars.engine.errors import InvalidTable
from avatars.engine.formats import TableFormat

__all__ = ["SourceTable", "TableFormat", "read_table", "write_csv", "write_parquet", "write_table"]

_GZIP = rb"\x1f\x8b"
# A label may begin with PAR1, but after it there is no control character.
_PARQUET = rb"PAR1[\x00-\x08\x0e-\x1f]"
_ROW_LABELS = re.compile(r"__index_level_\d+__")
_PIECE = 2**20


@dataclass(frozen=True, eq=False)
class SourceTable:
    """A table and how its file wrote it."""

    table: pa.Table
    format: TableFormat


def read_table(
    source: str | os.PathLike[str] | IO[bytes], *, encoding: str | None = None, max_bytes: int | None = None
) -> SourceTable:
    """Read a CSV (also compressed with gzip) or Parquet file; its content says which, not its name.

    Parameters
    ----------
    source
        A path, or a binary file that is open for reading.
    encoding
        Encoding of a CSV, by Python's names; None for UTF-8, or UTF-16 with a byte order mark.
    max_bytes
        What the file may hold at most when it is decompressed; None for no limit.

    Raises
    ------
    InvalidTable
        The file is no table (``unreadable_file``, ``wrong_encoding``, ``ragged_rows``), has no rows
        (``empty_table``), or holds too much (``too_large``).
    InvalidParameter
        An encoding that nobody knows (``unknown_encoding``).
    OSError
        The file is not there, or may not be read.
    """
    data = _content(source)
    gzip = re.match(_GZIP, first_bytes(data, 2)) is not None
    if gzip:
        data = _decompressed(data, max_bytes)
    _check_size(data.size, max_bytes)
    if re.match(_PARQUET, first_bytes(data, 5)):
        return SourceTable(_read_parquet(data, max_bytes), TableFormat(kind="parquet"))
    table, format = read_csv(data, encoding=encoding, gzip=gzip)
    return SourceTable(table, format)


def write_table(table: pa.Table, path: str | os.PathLike[str], format: TableFormat | None = None) -> None:
    """Write a table to a file, as CSV or Parquet by its extension (.csv .tsv .txt, .parquet .pq; also .csv.gz).

    Another extension leaves it to `format`, which also says how the CSV is written. The file appears when it
    is complete: until then a temporary one stands beside it.
    """
    path = Path(path)
    format = _format_for(path, format or TableFormat())
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with temporary.open("xb") as sink:
            if format.kind == "parquet":
                write_parquet(table, sink)
            else:
                write_csv(table, sink, format)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_parquet(table: pa.Table, sink: IO[bytes]) -> None:
    """Write a table as Parquet, compressed with zstd, to an open binary file."""
    pyarrow.parquet.write_table(table, sink, compression="zstd")


def _format_for(path: Path, format: TableFormat) -> TableFormat:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    gzip = suffixes[-1:] == [".gz"]
    suffix = suffixes[-1 - gzip] if len(suffixes) > gzip else ""
    if suffix in (".parquet", ".pq"):
        return TableFormat(kind="parquet")
    if suffix not in (".csv", ".tsv", ".txt"):
        return format
    if format.kind != "csv":
        format = TableFormat(delimiter="\t" if suffix == ".tsv" else ",")
    return dataclasses.replace(format, gzip=gzip)


def _content(source: str | os.PathLike[str] | IO[bytes]) -> pa.Buffer:
    """The whole file; of a path it is mapped, not copied."""
    if not isinstance(source, (str, os.PathLike)):
        return pa.py_buffer(source.read())
    path = Path(source)
    if path.stat().st_size == 0:
        return pa.py_buffer(b"")
    with pa.memory_map(str(path)) as mapped:
        return mapped.read_buffer()


def _decompressed(data: pa.Buffer, max_bytes: int | None) -> pa.Buffer:
    sink = pa.BufferOutputStream()
    size = 0
    try:
        with pa.CompressedInputStream(pa.BufferReader(data), "gzip") as stream:
            # Piece by piece: a small file can hold a huge one.
            while piece := stream.read(_PIECE):
                size += len(piece)
                _check_size(size, max_bytes)
                sink.write(piece)
    except (OSError, zlib.error):
        sink = None
    if sink is None:
        raise InvalidTable("The file is compressed with gzip and damaged.", code="unreadable_file")
    return sink.getvalue()


def _read_parquet(data: pa.Buffer, max_bytes: int | None) -> pa.Table:
    table = None
    try:
        with pyarrow.parquet.ParquetFile(pa.BufferReader(data)) as file:
            # The footer says how much there is before any of it is unpacked; 8 bytes a cell at least.
            footer = file.metadata
            groups = sum(footer.row_group(number).total_byte_size for number in range(footer.num_row_groups))
            _check_size(max(groups, footer.num_rows * footer.num_columns * 8), max_bytes)
            table = file.read()
    except (pa.ArrowException, OSError):
        pass
    if table is None:
        raise InvalidTable("The file cannot be read as Parquet: it is damaged or not complete.", code="unreadable_file")
    if table.num_rows == 0:
        raise InvalidTable("The table has no rows.", code="empty_table")
    return _without_row_labels(table)


def _without_row_labels(table: pa.Table) -> pa.Table:
    """The table without the nameless index that pandas stores as a column: labels of rows are no data.

    They would link avatars to persons, as the index of a frame would.
    """
    try:
        stored = table.schema.pandas_metadata
    except ValueError:
        stored = None
    labels = [name for name in table.column_names if _ROW_LABELS.fullmatch(name)]
    if not stored or not labels:
        return table
    stored["index_columns"] = [name for name in stored.get("index_columns", []) if name not in labels]
    stored["columns"] = [column for column in stored.get("columns", []) if column.get("field_name") not in labels]
    metadata = {**table.schema.metadata, b"pandas": json.dumps(stored).encode()}
    return table.drop_columns(labels).replace_schema_metadata(metadata)


def _check_size(size: int, max_bytes: int | None) -> None:
    if max_bytes is not None and size > max_bytes:
        raise InvalidTable(
            f"The file holds more than the {max_bytes} bytes that are allowed: leave out rows or columns.",
            code="too_large",
        )
