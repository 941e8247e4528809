"""Reading Parquet: its columns, checked, and nothing that stands beside them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import chain
from typing import Any

import pyarrow as pa
import pyarrow.parquet

from avatars.engine.csv_reading import STEP
from avatars.engine.decoding import BATCH_ROWS
from avatars.engine.errors import InvalidTable
from avatars.engine.plain import is_text
from avatars.engine.progress import Progress, advance
from avatars.engine.workspace import Workspace

_ROW_LABELS = re.compile(r"__index_level_\d+__")
# All but "attributes", which are the user's own.
_PANDAS_KEYS = ("index_columns", "column_indexes", "columns", "creator", "pandas_version")
# A run takes several times its table.
_RUN_BYTES_A_TABLE_BYTE = 5


def read_parquet(
    data: pa.Buffer, max_bytes: int | None, texts_as_dictionaries: bool, workspace: Workspace, progress: Progress
) -> pa.Table:
    """Read the Parquet file that ``data`` is; see ``engine.files.read_table``."""
    table = None
    try:
        with pyarrow.parquet.ParquetFile(pa.BufferReader(data)) as file:
            # The footer says how much there is before any of it is unpacked; 8 bytes a cell at least.
            footer = file.metadata
            groups = sum(footer.row_group(number).total_byte_size for number in range(footer.num_row_groups))
            check_size(max(groups, footer.num_rows * footer.num_columns * 8), max_bytes)
            texts = [field.name for field in file.schema_arrow if is_text(field.type)]
        texts = texts if texts_as_dictionaries else []
        with pyarrow.parquet.ParquetFile(pa.BufferReader(data), metadata=footer, read_dictionary=texts) as file:
            table = _all_batches(file, workspace, progress)
    except (pa.ArrowException, OSError, UnicodeDecodeError):
        # The last one: names of columns.
        pass
    if table is None:
        raise InvalidTable("The file cannot be read as Parquet: it is damaged or not complete.", code="unreadable_file")
    if table.num_rows == 0:
        raise InvalidTable("The table has no rows.", code="empty_table")
    refuse_damaged_text(table)
    return only_columns(table)


def refuse_damaged_text(table: pa.Table) -> None:
    """Raise InvalidTable where text is not UTF-8: a file may say that it is, and nobody looks until a cell is read."""
    for name, values in zip(table.column_names, table.columns, strict=True):
        type_ = values.type.value_type if pa.types.is_dictionary(values.type) else values.type
        if is_text(type_):
            try:
                values.validate(full=True)
            except pa.ArrowInvalid:
                # Without its cause: Arrow's message may quote the cell.
                damaged = True
            else:
                damaged = False
            if damaged:
                raise InvalidTable(
                    f"Column {name!r} holds text that is not UTF-8: write the file again with its text as UTF-8.",
                    code="wrong_encoding",
                    column=name,
                )


def _all_batches(file: pyarrow.parquet.ParquetFile, workspace: Workspace, progress: Progress) -> pa.Table:
    rows, batches = file.metadata.num_rows, file.iter_batches(BATCH_ROWS)
    first = next(batches, None)
    if first is None:
        return file.schema_arrow.empty_table()
    # Compressed and encoded as it is, the file does not say how large its cells are: the first of them do.
    size = first.nbytes * rows // len(first)
    workspace.make_room(_RUN_BYTES_A_TABLE_BYTE * size, size)

    def told() -> Iterator[pa.RecordBatch]:
        done = 0
        for batch in chain([first], batches):
            yield batch
            done += len(batch)
            advance(progress, STEP, done, rows)

    return workspace.table("table", file.schema_arrow, told())


def only_columns(table: pa.Table) -> pa.Table:
    """The table with nothing beside its columns but what pandas says of their dtypes.

    Labels of rows, which pandas stores as a nameless column, would link avatars to persons as the index of a frame
    would; ``DataFrame.attrs`` and other notes in the file may name them.
    """
    fields = [field.remove_metadata() for field in table.schema]
    stored = _pandas_metadata(table.schema)
    table = pa.Table.from_arrays(table.columns, schema=pa.schema(fields))
    if stored is None:
        return table
    labels = [name for name in table.column_names if _ROW_LABELS.fullmatch(name)]
    stored["index_columns"] = [name for name in stored.get("index_columns", []) if name not in labels]
    stored["columns"] = [column for column in stored.get("columns", []) if column.get("field_name") not in labels]
    kept = {name: stored[name] for name in _PANDAS_KEYS if name in stored}
    return table.drop_columns(labels).replace_schema_metadata({b"pandas": json.dumps(kept).encode()})


def _pandas_metadata(schema: pa.Schema) -> dict[str, Any] | None:
    """What pandas has written about a table; None where there is nothing, or something else."""
    try:
        stored = schema.pandas_metadata
    except ValueError:
        return None
    if not isinstance(stored, dict):
        return None
    lists = (stored.get("index_columns", []), stored.get("columns", []))
    is_usual = all(isinstance(each, list) for each in lists) and all(isinstance(column, dict) for column in lists[1])
    return stored if is_usual else None


def check_size(size: int, max_bytes: int | None) -> None:
    """Raise InvalidTable where a file holds more than it may."""
    if max_bytes is not None and size > max_bytes:
        raise InvalidTable(
            f"The file holds more than the {max_bytes} bytes that are allowed: leave out rows or columns.",
            code="too_large",
        )
