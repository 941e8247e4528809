"""Frames and Arrow tables as a stream of Parquet: written a batch at a time, never held as a whole.

A pandas frame travels with pandas' own description of it in the file's schema; the platform keeps that in the avatars.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Protocol

from avatars.errors import InvalidInput

# They take longer to import than everything else here: only those who use them wait.
if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

CELLS = 2_000_000
"""Cells in one batch, and so in one row group: tens of megabytes at most for numbers and usual text."""

# What `pandas.api.types.infer_dtype` says of cells or labels of several kinds, or of an unknown one.
_MIXED = frozenset({"mixed", "mixed-integer"})

_EMPTY = "The frame has no rows or no columns: there is nothing to send."


class ArrowStream(Protocol):
    """A table that gives itself as an Arrow stream: of pyarrow, polars, DuckDB and others."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Return the stream, in the Arrow PyCapsule interface."""
        ...


class ParquetStream:
    """A table as the bytes of one Parquet file, made while they are read."""

    def __init__(self, schema: pa.Schema, batches: Iterable[pa.Table]) -> None:
        import pyarrow.parquet as pq

        self._sink = _Sink()
        self._writer = pq.ParquetWriter(self._sink, schema, compression="zstd")
        self._batches = iter(batches)
        self._is_complete = False

    def read(self, _size: int = -1, /) -> bytes:
        """Return the bytes of the next batch; none at the end."""
        while not self._sink.blocks and not self._is_complete:
            batch = next(self._batches, None)
            if batch is None:
                self._writer.close()
                self._is_complete = True
            else:
                self._writer.write_table(batch, row_group_size=max(1, batch.num_rows))
        return self._sink.take()


class _Sink(io.RawIOBase):
    """Gathers what is written until it is taken."""

    def __init__(self) -> None:
        self.blocks: list[bytes] = []
        self._written = 0

    def writable(self) -> bool:
        return True

    def write(self, block: Any) -> int:
        self.blocks.append(bytes(block))
        self._written += len(block)
        return len(block)

    def tell(self) -> int:
        return self._written

    def take(self) -> bytes:
        taken = b"".join(self.blocks)
        self.blocks.clear()
        return taken


def stream_of(table: pd.DataFrame | ArrowStream) -> ParquetStream:
    """Return a frame or an Arrow table as Parquet.

    Raises
    ------
    avatars.errors.InvalidInput
        It is empty, two columns have one name, or a column holds what avatars cannot have.
    """
    import pandas as pd

    if isinstance(table, pd.DataFrame):
        return _of_frame(table)
    return _of_arrow(table)


# --- pandas ---------------------------------------------------------------------------------------------


def _of_frame(frame: pd.DataFrame) -> ParquetStream:
    import pandas as pd
    import pyarrow as pa

    if frame.empty:
        raise InvalidInput(_EMPTY)
    _check_names(frame.columns)

    # Neither the index nor attrs go along; the caller's frame is left as it is.
    labels = frame.columns
    frame = frame.copy(deep=False)
    frame.index = pd.RangeIndex(len(frame))
    frame.attrs = {}
    if any(pd.api.types.infer_dtype(labels.get_level_values(level)) in _MIXED for level in range(labels.nlevels)):
        frame.columns = pd.Index([str(label) for label in labels])
    for position, label in enumerate(frame.columns):
        series = frame.iloc[:, position]
        if isinstance(series.dtype, pd.SparseDtype):
            frame.isetitem(position, series.to_numpy())
        elif series.dtype == object and pd.api.types.infer_dtype(series, skipna=True) in _MIXED:
            raise _not_sendable(label, series)
    try:
        # preserve_index=None: the numbered index becomes two numbers of metadata, and labels keep their type.
        schema = pa.Schema.from_pandas(frame, preserve_index=None)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        for position, label in enumerate(frame.columns):
            _to_arrow(label, frame.iloc[:, position])
        raise InvalidInput("The frame cannot be sent: give its columns plain dtypes with DataFrame.astype.") from None
    for position, label in enumerate(frame.columns):
        if not _is_plain(schema.field(position).type):
            raise _not_sendable(label, frame.iloc[:, position])
    return ParquetStream(schema, _frame_batches(frame, schema))


def _frame_batches(frame: pd.DataFrame, schema: pa.Schema) -> Iterator[pa.Table]:
    import pyarrow as pa

    rows = _rows_of_a_batch(len(schema))
    for start in range(0, len(frame), rows):
        part = frame.iloc[start : start + rows]
        columns = [
            _to_arrow(label, part.iloc[:, position], schema.field(position).type)
            for position, label in enumerate(part.columns)
        ]
        yield pa.Table.from_arrays(columns, schema=schema)


def _to_arrow(label: object, series: pd.Series[Any], kind: pa.DataType | None = None) -> pa.Array | pa.ChunkedArray:
    import pyarrow as pa

    try:
        return pa.array(series, type=kind, from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        # Without its cause: Arrow's messages repeat the cell.
        raise _not_sendable(label, series) from None


def _not_sendable(label: object, series: pd.Series[Any]) -> InvalidInput:
    kinds = sorted({type(value).__name__ for value in series.dropna()}) if series.dtype == object else []
    if len(kinds) > 1:
        return InvalidInput(
            f"Column {str(label)!r} mixes kinds of values ({', '.join(kinds)}): convert it to one, "
            f"for example with df[{label!r}].astype(str)."
        )
    return _unknown_kind(label, kinds[0] if kinds else str(series.dtype))


# --- Arrow ----------------------------------------------------------------------------------------------


def _of_arrow(source: ArrowStream) -> ParquetStream:
    import pyarrow as pa

    try:
        reader = pa.RecordBatchReader.from_stream(source)
    except (pa.ArrowException, TypeError, ValueError):
        raise InvalidInput("The Arrow stream is not one of a table: pass a table, not a single column.") from None
    if not reader.schema.names:
        raise InvalidInput(_EMPTY)
    _check_names(reader.schema.names)
    for field in reader.schema:
        if not _is_plain(field.type):
            raise _unknown_kind(field.name, str(field.type))
    batches = _arrow_batches(reader)
    first = next(batches, None)
    if first is None:
        raise InvalidInput(_EMPTY)
    # What else stands in the schema's metadata is nobody's business.
    return ParquetStream(first.schema, _chain(first, batches))


def _arrow_batches(reader: pa.RecordBatchReader) -> Iterator[pa.Table]:
    """Yield the same rows in batches of our size, without metadata."""
    import pyarrow as pa

    rows = _rows_of_a_batch(len(reader.schema))
    schema = pa.schema([pa.field(field.name, _without_views(field.type)) for field in reader.schema])
    waiting: list[pa.RecordBatch] = []

    def gathered() -> Iterator[pa.Table]:
        table = pa.Table.from_batches(waiting, reader.schema).replace_schema_metadata(None).cast(schema)
        waiting.clear()
        for start in range(0, table.num_rows, rows):
            yield table.slice(start, rows)

    try:
        for batch in reader:
            waiting.append(batch)
            if sum(batch.num_rows for batch in waiting) >= rows:
                yield from gathered()
        yield from gathered()
    except (pa.ArrowException, OSError):
        raise InvalidInput("The Arrow stream broke off: make the table anew, and pass it again.") from None


def _chain(first: pa.Table, rest: Iterator[pa.Table]) -> Iterator[pa.Table]:
    yield first
    yield from rest


def _without_views(kind: pa.DataType) -> pa.DataType:
    """The type that any reader of Parquet knows in place of polars' and DuckDB's own text."""
    import pyarrow as pa

    if pa.types.is_string_view(kind):
        return pa.large_string()
    if pa.types.is_dictionary(kind):
        return pa.dictionary(kind.index_type, _without_views(kind.value_type), kind.ordered)
    return kind


# --- both -----------------------------------------------------------------------------------------------


def _rows_of_a_batch(columns: int) -> int:
    return max(1, CELLS // columns)


def _check_names(labels: Iterable[object]) -> None:
    twice = [name for name, count in Counter(str(label) for label in labels).items() if count > 1]
    if twice:
        raise InvalidInput(f"Column {twice[0]!r} is there more than once: give each column a name of its own.")


def _unknown_kind(label: object, kind: str) -> InvalidInput:
    return InvalidInput(
        f"Column {str(label)!r} ({kind}) is not of a kind that avatars have: "
        "convert it to numbers of at most 64 bits, text, dates, booleans or categories."
    )


def _is_plain(kind: pa.DataType) -> bool:
    import pyarrow.types as kinds

    if kinds.is_dictionary(kind):
        return _is_plain(kind.value_type)
    is_text = kinds.is_string(kind) or kinds.is_large_string(kind) or kinds.is_string_view(kind)
    return bool(is_text or kinds.is_primitive(kind) or kinds.is_decimal(kind) or kinds.is_null(kind))
