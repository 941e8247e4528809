"""What workers do for datasets at once: reading uploads, looking at columns again later on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq

from avatars.engine.columns import Kind, detect
from avatars.engine.errors import InvalidTable
from avatars.engine.files import SourceTable, is_parquet, read_table
from avatars.engine.formats import TableFormat
from avatars.engine.parquet_reading import check_size
from avatars.engine.plain import is_text
from avatars.server.datasets import analysis, normal_form
from avatars.server.datasets.arrow_stream import read_arrow
from avatars.server.datasets.description import ColumnDescription, declared_types
from avatars.server.datasets.normal_form import Written
from avatars.server.storage import Storage


@dataclass(frozen=True)
class Content:
    """What an upload is, as far as the process that takes it in can tell without reading it.

    Attributes
    ----------
    kind
        A file, whose content says which (CSV or Parquet); or an Arrow stream.
    parts
        Lengths of the files that were sent one after the other; large frames come as several Parquet files.
    """

    kind: Literal["file", "arrow"] = "file"
    parts: tuple[int, ...] = ()


def ingest(storage: Storage, dataset_id: UUID, content: Content, max_bytes: int) -> Written:
    """Read the upload of a dataset, of ``max_bytes`` when unpacked, and bring it to the normal form.

    Raises ``InvalidTable``.
    """
    data = storage.read_buffer(normal_form.upload_key(dataset_id))
    if content.kind == "file" and len(content.parts) < 2 and is_parquet(data):
        kept = _kept_as_it_is(storage, dataset_id, data, max_bytes)
        if kept is not None:
            return kept
    source = _read(data, content, max_bytes)
    detected = detect(source.table)
    written = normal_form.write(storage, dataset_id, source, normal_form.describe(detected, detected))
    storage.delete(normal_form.upload_key(dataset_id))
    return written


def declare(storage: Storage, dataset_id: UUID, types: Mapping[str, str]) -> list[ColumnDescription]:
    """Describe the columns of a dataset with the types that its user wants; raises ``InvalidTable``.

    ``types`` has all columns; those of the detected type stay as they were detected.
    """
    table = normal_form.read(storage, dataset_id).table
    detected = detect(table)
    wanted = {column.name: Kind(types[column.name]) for column in detected if types[column.name] != column.kind.value}
    return normal_form.describe(detect(table, wanted), detected) if wanted else normal_form.describe(detected, detected)


def correlate(
    storage: Storage, dataset_id: UUID, columns: list[ColumnDescription]
) -> dict[str, dict[str, float | None]]:
    """Correlate the numeric columns of a dataset; raises ``InvalidTable``."""
    return analysis.correlate(normal_form.read(storage, dataset_id).table, declared_types(columns))


def _read(data: pa.Buffer, content: Content, max_bytes: int) -> SourceTable:
    if content.kind == "arrow":
        return SourceTable(read_arrow(data, max_bytes), TableFormat(kind="parquet"))
    if len(content.parts) > 1:
        return SourceTable(_read_parts(data, content.parts, max_bytes), TableFormat(kind="parquet"))
    return read_table(data, max_bytes=max_bytes)


def _read_parts(data: pa.Buffer, lengths: tuple[int, ...], max_bytes: int) -> pa.Table:
    """Read Parquet files that lie one after the other, of the same columns."""
    tables: list[pa.Table] = []
    position = 0
    for length in lengths:
        part = data.slice(position, length)
        position += length
        if not is_parquet(part):
            raise InvalidTable(
                "The form has several files, and not all of them are Parquet: send one table at a time.",
                code="several_files",
            )
        tables.append(read_table(part, max_bytes=max_bytes).table)
        check_size(sum(table.nbytes for table in tables), max_bytes)
        if not tables[-1].schema.equals(tables[0].schema):
            raise InvalidTable(
                "The files of the upload do not have the same columns: make one table of them first.",
                code="different_parts",
            )
    return pa.concat_tables(tables)


def _kept_as_it_is(storage: Storage, dataset_id: UUID, data: pa.Buffer, max_bytes: int) -> Written | None:
    """Describe a Parquet file that has the normal form, which saves writing it again; None where it has not."""
    # As dictionaries, texts take a third of the time and the memory; nobody but this function sees them so.
    table = read_table(data, max_bytes=max_bytes, texts_as_dictionaries=True).table
    if not normal_form.is_normal(data):
        return None
    columns = detect(table)
    schema = pq.read_schema(pa.BufferReader(data))
    texts = [name for name in table.column_names if is_text(schema.field(name).type)]
    check_size(sum(normal_form.text_bytes(table[name]) for name in texts), max_bytes)
    if table.num_columns != len(schema):
        # Labels of rows, which nobody keeps, are still in the file.
        return None
    columns = tuple(replace(column, why="text") if column.name in texts else column for column in columns)
    return normal_form.keep(storage, dataset_id, table.num_rows, normal_form.describe(columns, columns))
