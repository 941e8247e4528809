"""The one form that tables are kept in: compressed Parquet, and beside it how the original file wrote its table.

``datasets/<id>/format.json`` names the Parquet file: ``table.parquet``, or ``upload`` where what was uploaded already
has the normal form. An ``upload`` that it does not name is still to be read by a worker.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Iterator, Sequence, Set
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from avatars.engine.columns import Column, Kind
from avatars.engine.csv_writing import write_csv
from avatars.engine.files import SourceTable
from avatars.engine.formats import TableFormat
from avatars.engine.parquet_reading import only_columns
from avatars.engine.plain import is_text, plain
from avatars.server.datasets.description import ColumnDescription
from avatars.server.storage import Storage

ROW_GROUP = 65_536
"""Rows that are written, and read again, at a time; fewer where rows are large."""

GROUP_BYTES = 64 * 1024**2
"""What they may take at most, unpacked."""

MOST_GROUPS = 10_000
"""Groups of rows in one file: more of them are so small that finding them takes longer than reading them."""

_PIECE = 1 << 20
_FORMULA = r"^([=+\-@\t\r])"
_DATASETS = "datasets"
_TABLE, _UPLOAD = "table.parquet", "upload"


@dataclass(frozen=True)
class Written:
    """A table that is in the storage, described for the database."""

    hash: str
    """SHA-256 of the Parquet file, in hexadecimal; of an upload that is kept the database has it already."""
    size: int
    filetype: str
    nb_lines: int
    columns: list[ColumnDescription]


def folder_key(dataset_id: UUID) -> str:
    """Where all files of a dataset are."""
    return f"{_DATASETS}/{dataset_id}"


def upload_key(dataset_id: UUID) -> str:
    """Where an upload waits for a worker to read it."""
    return f"{folder_key(dataset_id)}/{_UPLOAD}"


def write(storage: Storage, dataset_id: UUID, source: SourceTable, columns: list[ColumnDescription]) -> Written:
    """Write a table and its format."""
    table = source.table
    with storage.open_output(f"{folder_key(dataset_id)}/{_TABLE}") as stream:
        output = _Hashed(stream)
        pq.write_table(table, output, compression="zstd", row_group_size=_rows_of_a_group(table))
    _write_format(storage, dataset_id, source.format, _TABLE)
    return Written(output.hash.hexdigest(), output.size, source.format.kind, table.num_rows, columns)


def is_normal(data: pa.Buffer) -> bool:
    """Whether a Parquet file can be kept as it is: compressed, its rows in groups that are read one at a time."""
    footer = pq.read_metadata(pa.BufferReader(data))
    if footer.num_row_groups > MOST_GROUPS:
        return False
    for number in range(footer.num_row_groups):
        group = footer.row_group(number)
        if max(group.total_byte_size, group.num_rows * group.num_columns * 8) > GROUP_BYTES:
            return False
        if any(group.column(position).compression == "UNCOMPRESSED" for position in range(group.num_columns)):
            return False
    return True


def keep(storage: Storage, dataset_id: UUID, rows: int, columns: list[ColumnDescription]) -> Written:
    """Keep an upload that has the normal form."""
    _write_format(storage, dataset_id, TableFormat(kind="parquet"), _UPLOAD)
    return Written("", storage.size(upload_key(dataset_id)), "parquet", rows, columns)


def write_like(
    storage: Storage, dataset_id: UUID, table: pa.Table, format: TableFormat, columns: list[ColumnDescription]
) -> Written:
    """Write avatars: in the original's format, its columns described anew."""
    described = [_described_like(column, table[column["label"]]) for column in columns]
    return write(storage, dataset_id, SourceTable(table, format), described)


def read(storage: Storage, dataset_id: UUID) -> SourceTable:
    """Read a table and its format; raises ``FileNotFoundError``."""
    format, name = _format(storage, dataset_id)
    with storage.open_input(f"{folder_key(dataset_id)}/{name}") as stream:
        return SourceTable(only_columns(pq.read_table(stream)), format)


def csv_bytes(
    storage: Storage, dataset_id: UUID, *, as_uploaded: bool = False, excel_safe: bool = False
) -> Iterator[bytes]:
    """Give a table as CSV in pieces: UTF-8, no byte order mark, no gzip.

    It is what every program reads by default: commas, decimal points. With ``as_uploaded`` it has the separators and
    decimal marks of the original file. With ``excel_safe``, an apostrophe stands before
    text that a spreadsheet would take for a formula. Memory for one group of rows. Raises ``FileNotFoundError`` at
    once, not at the first piece.
    """
    prepared = _without_formulas if excel_safe else lambda table: table
    original, name = _format(storage, dataset_id)
    format = replace(original, kind="csv", bom=False, gzip=False)
    if not as_uploaded:
        format = replace(format, delimiter=",", decimal=".")
    stream = storage.open_input(f"{folder_key(dataset_id)}/{name}")

    def pieces() -> Iterator[bytes]:
        with closing(stream):
            file = pq.ParquetFile(stream)
            # As dictionaries: a group may be small only because its long texts are there once.
            texts = [field.name for field in file.schema_arrow if is_text(field.type)]
            file = pq.ParquetFile(stream, metadata=file.metadata, read_dictionary=texts)
            header = _csv(prepared(file.schema_arrow.empty_table()), format)
            yield header
            # Not file.iter_batches: it keeps what it has read.
            for number in range(file.num_row_groups):
                group = file.read_row_group(number)
                for start, rows in _slices(group):
                    yield _csv(prepared(group.slice(start, rows)), format)[len(header) :]

    return pieces()


def parquet_bytes(storage: Storage, dataset_id: UUID) -> Iterator[bytes]:
    """Give a table as Parquet, in pieces; raises ``FileNotFoundError`` at once."""
    _, name = _format(storage, dataset_id)
    stream = storage.open_input(f"{folder_key(dataset_id)}/{name}")

    def pieces() -> Iterator[bytes]:
        with closing(stream):
            while piece := stream.read(_PIECE):
                yield piece

    return pieces()


def sweep(storage: Storage, known: Set[UUID]) -> None:
    """Delete what belongs to no known dataset: leftovers of uploads and attempts that a killed platform did not finish.

    Only when nobody uploads or runs jobs.
    """
    names = {str(dataset_id) for dataset_id in known}
    for name in storage.list(_DATASETS):
        if name not in names:
            storage.delete(f"{_DATASETS}/{name}")


def describe(columns: Sequence[Column], detected: Sequence[Column]) -> list[ColumnDescription]:
    """Describe columns as they take part, and as the engine finds them by itself."""
    return [
        {
            "label": column.name,
            "type": column.kind.value,
            "detected": found.kind.value,
            "why": column.why,
            "missing": column.missing,
            "dimensions": 1 if column.levels is None else len(column.levels),
        }
        for column, found in zip(columns, detected, strict=True)
    ]


def text_bytes(values: pa.ChunkedArray) -> int:
    """How many bytes the values of a dictionary column take, each of them counted as often as it is there."""
    total = 0
    for chunk in values.chunks:
        if is_text(chunk.dictionary.type):
            total += pc.sum(pc.binary_length(plain(chunk.dictionary)).take(chunk.indices)).as_py() or 0
    return total


def _described_like(original: ColumnDescription, values: pa.ChunkedArray) -> ColumnDescription:
    missing = values.is_null(nan_is_null=True)
    described = original.copy()
    described["missing"] = pc.sum(missing).as_py() or 0
    if not Kind(original["type"]).is_numeric:
        if pa.types.is_dictionary(values.type):
            values = values.cast(values.type.value_type)
        described["dimensions"] = len(pc.unique(values.filter(pc.invert(missing))))
    return described


def _rows_of_a_group(table: pa.Table) -> int:
    row_bytes = table.nbytes / max(1, table.num_rows)
    return max(1, min(ROW_GROUP, int(GROUP_BYTES // max(1.0, row_bytes))))


def _write_format(storage: Storage, dataset_id: UUID, format: TableFormat, name: str) -> None:
    # Last, and without waiting for the disk twice: a table without its format is not there.
    storage.write_bytes(_format_key(dataset_id), json.dumps(format.to_dict() | {"table": name}).encode())


def _format(storage: Storage, dataset_id: UUID) -> tuple[TableFormat, str]:
    said = json.loads(storage.read_bytes(_format_key(dataset_id)))
    name = said.pop("table", _TABLE)
    return TableFormat.from_dict(said), name


def _slices(group: pa.Table) -> Iterator[tuple[int, int]]:
    """Cut rows so that their CSV stays small however long their texts are."""
    lengths = [text_bytes(values) for values in group.columns if pa.types.is_dictionary(values.type)]
    row_bytes = 20 * group.num_columns + sum(lengths) / max(1, group.num_rows)
    rows = max(1, int(GROUP_BYTES // row_bytes))
    for start in range(0, group.num_rows, rows):
        yield start, rows


def _csv(table: pa.Table, format: TableFormat) -> bytes:
    sink = io.BytesIO()
    write_csv(table, sink, format)
    return sink.getvalue()


def _without_formulas(table: pa.Table) -> pa.Table:
    columns = []
    for values in table.columns:
        if pa.types.is_dictionary(values.type):
            values = values.cast(values.type.value_type)
        if is_text(values.type):
            values = pc.replace_substring_regex(plain(values), _FORMULA, r"'\1")
        columns.append(values)
    return pa.table(columns, names=[re.sub(_FORMULA, r"'\1", name) for name in table.column_names])


def _format_key(dataset_id: UUID) -> str:
    return f"{folder_key(dataset_id)}/format.json"


class _Hashed(io.RawIOBase):
    """An output that is hashed and counted on its way into the storage."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.hash = hashlib.sha256()
        self.size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        view = memoryview(data)
        self.hash.update(view)
        self.size += view.nbytes
        self._stream.write(data)
        return view.nbytes

    def tell(self) -> int:
        return self.size
