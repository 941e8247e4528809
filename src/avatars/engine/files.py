"""Files: a table from CSV or Parquet, and a table into one, written the way the other was."""

from __future__ import annotations

import dataclasses
import os
import re
import secrets
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.parquet

from avatars.engine.batches import slices
from avatars.engine.csv_dialect import first_bytes
from avatars.engine.csv_reading import STEP, read_csv
from avatars.engine.csv_writing import STEP as WRITING
from avatars.engine.csv_writing import Rows, write_csv
from avatars.engine.decoding import BATCH_ROWS
from avatars.engine.errors import InvalidTable
from avatars.engine.formats import TableFormat
from avatars.engine.machine import free_disk
from avatars.engine.parquet_reading import check_size, read_parquet
from avatars.engine.progress import Part, Progress, Silent, advance
from avatars.engine.workspace import IN_MEMORY, Workspace, disk_full_in_words, not_enough_disk

__all__ = ["SourceTable", "TableFormat", "read_table", "write_csv", "write_parquet", "write_table"]

_GZIP = rb"\x1f\x8b"
# A label may begin with PAR1, but after it there is no control character.
_PARQUET = rb"PAR1[\x00-\x08\x0e-\x1f]"
_PLAIN_TEXT = (".csv", ".tsv", ".txt")
_PIECE = 2**20
# What is read stays in memory where there is room for all that comes after it: a run takes several times its table.
# The text of a CSV is beside its typed cells, and takes two or three times as much as the file.
_RUN_BYTES_A_CSV_BYTE = 9
_DISK_BYTES_A_CSV_BYTE = 3
# What gzip may have saved.
_UNPACKING = 10


@dataclass(frozen=True, eq=False)
class SourceTable:
    """A table and how its file wrote it."""

    table: pa.Table
    format: TableFormat


def read_table(
    source: str | os.PathLike[str] | IO[bytes] | pa.Buffer,
    *,
    encoding: str | None = None,
    max_bytes: int | None = None,
    texts_as_dictionaries: bool = False,
    workspace: Workspace = IN_MEMORY,
    progress: Progress | None = None,
) -> SourceTable:
    """Read a CSV (also compressed with gzip) or Parquet file; its content says which, not its name.

    Parameters
    ----------
    source
        A path, a binary file that is open for reading, or the content of one.
    encoding
        Encoding of a CSV, by Python's names; None for UTF-8, or UTF-16 with a byte order mark.
    max_bytes
        What the file may hold at most when it is decompressed; None for no limit.
    texts_as_dictionaries
        Whether text of a Parquet file comes as Arrow dictionaries: in a third of the time and the memory where values
        are repeated, for those who only look at the table.
    workspace
        Where the table is made: in its files where it is too large for its memory.

    Raises
    ------
    InvalidTable
        The file is no table (``unreadable_file``, ``wrong_encoding``, ``ragged_rows``), has no rows
        (``empty_table``), or holds too much (``too_large``).
    InvalidParameter
        An encoding that nobody knows (``unknown_encoding``).
    EngineError
        The workspace's disk is full (``not_enough_disk``).
    Cancelled
        At the next block, batch or column where ``progress`` says so.
    OSError
        The file is not there, or may not be read.
    """
    progress = progress or Silent()
    data = _content(source)
    gzip = re.match(_GZIP, first_bytes(data, 2)) is not None
    if gzip:
        _make_room_for_csv(workspace, _UNPACKING * data.size)
        data = _decompressed(data, max_bytes, workspace, Part(progress, 0, 0.2))
        progress = Part(progress, 0.2, 1)
    check_size(data.size, max_bytes)
    if is_parquet(data):
        table = read_parquet(data, max_bytes, texts_as_dictionaries, workspace, progress)
        return SourceTable(table, TableFormat(kind="parquet"))
    _make_room_for_csv(workspace, data.size)
    table, format = read_csv(data, encoding=encoding, gzip=gzip, workspace=workspace, progress=progress)
    return SourceTable(table, format)


def is_parquet(data: pa.Buffer) -> bool:
    """Whether the content of a file begins as Parquet does."""
    return re.match(_PARQUET, first_bytes(data, 5)) is not None


def check_disk(path: Path, size: int) -> None:
    """Refuse a path that has less room than ``size`` bytes of CSV need; raises ``EngineError`` (``not_enough_disk``).

    How large a compressed file or a Parquet will be nobody knows.
    """
    if path.suffix.lower() in _PLAIN_TEXT and size > free_disk(path.parent):
        raise not_enough_disk(path.parent, size)


def write_table(
    table: Rows,
    path: str | os.PathLike[str],
    format: TableFormat | None = None,
    progress: Progress | None = None,
) -> None:
    """Write a table to a file, as CSV or Parquet by its extension (.csv .tsv .txt, .parquet .pq; also .csv.gz).

    Another extension leaves it to `format`, which also says how the CSV is written. The file appears when it
    is complete: until then a temporary one stands beside it, which is removed whatever happens. Raises ``EngineError``
    (``not_enough_disk``) where the disk is full, and ``Cancelled`` between two batches.
    """
    path, progress = Path(path), progress or Silent()
    format = _format_for(path, format or TableFormat())
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with disk_full_in_words(path.parent), temporary.open("xb") as sink:
            if format.kind == "parquet":
                write_parquet(table, sink, progress)
            else:
                write_csv(table, sink, format, progress)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_parquet(table: Rows, sink: IO[bytes], progress: Progress | None = None) -> None:
    """Write a table as Parquet, compressed with zstd, to an open binary file, batch by batch."""
    progress = progress or Silent()
    with pyarrow.parquet.ParquetWriter(sink, table.schema, compression="zstd") as writer:
        for rows in slices(table.num_rows, BATCH_ROWS):
            for batch in table.slice(rows.start, BATCH_ROWS).to_batches():
                writer.write_batch(batch)
            advance(progress, WRITING, rows.stop, table.num_rows)


def _format_for(path: Path, format: TableFormat) -> TableFormat:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    gzip = suffixes[-1:] == [".gz"]
    suffix = suffixes[-1 - gzip] if len(suffixes) > gzip else ""
    if suffix in (".parquet", ".pq"):
        return TableFormat(kind="parquet")
    if suffix not in _PLAIN_TEXT:
        return format
    if format.kind != "csv":
        format = TableFormat(delimiter="\t" if suffix == ".tsv" else ",")
    return dataclasses.replace(format, gzip=gzip)


def _content(source: str | os.PathLike[str] | IO[bytes] | pa.Buffer) -> pa.Buffer:
    """The whole file; of a path it is mapped, not copied."""
    if isinstance(source, pa.Buffer):
        return source
    if not isinstance(source, (str, os.PathLike)):
        return pa.py_buffer(source.read())
    path = Path(source)
    if path.stat().st_size == 0:
        return pa.py_buffer(b"")
    with pa.memory_map(str(path)) as mapped:
        return mapped.read_buffer()


def _make_room_for_csv(workspace: Workspace, size: int) -> None:
    workspace.make_room(_RUN_BYTES_A_CSV_BYTE * size, _DISK_BYTES_A_CSV_BYTE * size)


def _decompressed(data: pa.Buffer, max_bytes: int | None, workspace: Workspace, progress: Progress) -> pa.Buffer:
    source = pa.BufferReader(data)

    def pieces() -> Iterator[bytes]:
        size = 0
        with pa.CompressedInputStream(source, "gzip") as stream:
            # Piece by piece: a small file can hold a huge one.
            while piece := stream.read(_PIECE):
                size += len(piece)
                check_size(size, max_bytes)
                yield piece
                advance(progress, STEP, source.tell(), data.size)

    try:
        return workspace.buffer("unpacked", pieces())
    except (OSError, zlib.error):
        pass
    raise InvalidTable("The file is compressed with gzip and damaged.", code="unreadable_file")
