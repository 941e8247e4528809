"""The one form that tables are kept in: zstd Parquet, and beside it how the original file wrote its table.

``datasets/<id>/table.parquet`` and ``datasets/<id>/format.json``; ``quarantine/<id>`` is an upload that is still to be
read.
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
from avatars.engine.plain import is_text, plain
from avatars.server.datasets.description import ColumnDescription
from avatars.server.storage import Storage

ROW_GROUP = 65_536
"""Rows that are read, and written as CSV, at a time."""

_PIECE = 1 << 20
_FORMULA = r"^([=+\-@\t\r])"
_DATASETS, _QUARANTINE = "datasets", "quarantine"


@dataclass(frozen=True)
class Written:
    """A table that is in the storage, described for the database."""

    hash: str
    """SHA-256 of the Parquet file, in hexadecimal."""
    size: int
    filetype: str
    nb_lines: int
    columns: list[ColumnDescription]


def quarantine_key(dataset_id: UUID) -> str:
    """Where an upload waits for a worker to read it."""
    return f"{_QUARANTINE}/{dataset_id}"


def write(storage: Storage, dataset_id: UUID, source: SourceTable, columns: list[ColumnDescription]) -> Written:
    """Write a table and its format."""
    storage.write_bytes(_format_key(dataset_id), json.dumps(source.format.to_dict()).encode())
    with storage.open_output(_table_key(dataset_id)) as stream:
        output = _Hashed(stream)
        pq.write_table(source.table, output, compression="zstd", row_group_size=ROW_GROUP)
    return Written(output.hash.hexdigest(), output.size, source.format.kind, source.table.num_rows, columns)


def write_like(
    storage: Storage, dataset_id: UUID, table: pa.Table, format: TableFormat, columns: list[ColumnDescription]
) -> Written:
    """Write avatars: in the original's format, its columns described anew."""
    described = [_described_like(column, table[column["label"]]) for column in columns]
    return write(storage, dataset_id, SourceTable(table, format), described)


def read(storage: Storage, dataset_id: UUID) -> SourceTable:
    """Read a table and its format; raises ``FileNotFoundError``."""
    with storage.open_input(_table_key(dataset_id)) as stream:
        return SourceTable(pq.read_table(stream), _format(storage, dataset_id))


def csv_bytes(storage: Storage, dataset_id: UUID, *, excel_safe: bool = False) -> Iterator[bytes]:
    """Give a table as CSV in pieces, in the original's textual form but plain: UTF-8, no byte order mark, no gzip.

    With ``excel_safe``, an apostrophe stands before text that a spreadsheet would take for a formula. Memory for some
    ten thousand rows. Raises ``FileNotFoundError`` at once, not at the first piece.
    """
    prepared = _without_formulas if excel_safe else lambda table: table
    format = replace(_format(storage, dataset_id), kind="csv", bom=False, gzip=False)
    stream = storage.open_input(_table_key(dataset_id))

    def pieces() -> Iterator[bytes]:
        with closing(stream):
            file = pq.ParquetFile(stream)
            header = _csv(prepared(file.schema_arrow.empty_table()), format)
            yield header
            # Not file.iter_batches: it keeps what it has read.
            for number in range(file.num_row_groups):
                yield _csv(prepared(file.read_row_group(number)), format)[len(header) :]

    return pieces()


def parquet_bytes(storage: Storage, dataset_id: UUID) -> Iterator[bytes]:
    """Give a table as Parquet, in pieces; raises ``FileNotFoundError`` at once."""
    stream = storage.open_input(_table_key(dataset_id))

    def pieces() -> Iterator[bytes]:
        with closing(stream):
            while piece := stream.read(_PIECE):
                yield piece

    return pieces()


def delete(storage: Storage, dataset_id: UUID) -> None:
    """Delete all files of a dataset."""
    storage.delete(f"{_DATASETS}/{dataset_id}")


def sweep(storage: Storage, known: Set[UUID]) -> None:
    """Delete what belongs to no known dataset: leftovers of uploads and attempts that a killed platform did not finish.

    Only when nobody uploads or runs jobs.
    """
    storage.delete(_QUARANTINE)
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


def _described_like(original: ColumnDescription, values: pa.ChunkedArray) -> ColumnDescription:
    missing = values.is_null(nan_is_null=True)
    described = original.copy()
    described["missing"] = pc.sum(missing).as_py() or 0
    if not Kind(original["type"]).is_numeric:
        if pa.types.is_dictionary(values.type):
            values = values.cast(values.type.value_type)
        described["dimensions"] = len(pc.unique(values.filter(pc.invert(missing))))
    return described


def _format(storage: Storage, dataset_id: UUID) -> TableFormat:
    return TableFormat.from_dict(json.loads(storage.read_bytes(_format_key(dataset_id))))


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


def _table_key(dataset_id: UUID) -> str:
    return f"{_DATASETS}/{dataset_id}/table.parquet"


def _format_key(dataset_id: UUID) -> str:
    return f"{_DATASETS}/{dataset_id}/format.json"


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
