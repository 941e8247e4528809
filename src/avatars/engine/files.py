"""Files: a table from CSV or Parquet, and a table into one, written the way the other was."""

from __future__ import annotations

import dataclasses
import os
import secrets
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.parquet

from avatars.engine.csv_reading import read_csv
from avatars.engine.csv_writing import write_csv
from avatars.engine.errors import InvalidTable
from avatars.engine.formats import TableFormat

__all__ = ["SourceTable", "TableFormat", "read_table", "write_csv", "write_parquet", "write_table"]

_GZIP, _PARQUET = b"\x1f\x8b", b"PAR1"
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
    gzip = data.slice(0, 2).to_pybytes() == _GZIP
    if gzip:
        data = _decompressed(data, max_bytes)
    _check_size(data.size, max_bytes)
    if data.slice(0, 4).to_pybytes() == _PARQUET:
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
    return table


def _check_size(size: int, max_bytes: int | None) -> None:
    if max_bytes is not None and size > max_bytes:
        raise InvalidTable(
            f"The file holds more than the {max_bytes} bytes that are allowed: leave out rows or columns.",
            code="too_large",
        )
