"""Uploads as a stream of Arrow batches, in the framings of clients 0.8 to 0.15, or as one plain Arrow stream.

Each batch is an Arrow IPC stream of its own; integers are big-endian, 32 bits::

    (ARROW size ipc)*                                            0.8, 0.9
    ARRS1 (ARRB1 size ipc)*                                      0.10
    ARRBOS1 (ARRB1 size ipc)* ARREOS1 nb_batches                 0.11, 0.12
    ARRBOS1 total_rows (ARRB1 size ipc)* ARREOS1 nb_batches      0.13 to 0.15
    ipc                                                          whoever writes Arrow
"""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from avatars.engine.errors import InvalidTable
from avatars.engine.parquet_reading import check_size, only_columns

MEDIA_TYPE = "application/vnd.apache.arrow.stream"

_OLDEST, _OLD, _BATCH, _BEGIN, _END = b"ARROW", b"ARRS1", b"ARRB1", b"ARRBOS1", b"ARREOS1"
_INTEGER = 4

_HOW = "send it again, and from a client that is up to date if that does not help"


def read_arrow(data: pa.Buffer, max_bytes: int) -> pa.Table:
    """Read an upload of one of these forms, whatever it claims of itself.

    Parameters
    ----------
    max_bytes
        What the batches may take when they are unpacked.

    Raises
    ------
    InvalidTable
        It is none of them, damaged or incomplete (``unreadable_file``), holds batches of different columns
        (``different_parts``), too much (``too_large``), or no rows (``empty_table``).
    """
    batches: list[pa.RecordBatch] = []
    size = 0
    try:
        for batch in _batches(data):
            # What comes from elsewhere may point anywhere in memory: nothing is touched before this.
            batch.validate(full=True)
            size += batch.nbytes
            check_size(size, max_bytes)
            if batches and not batch.schema.equals(batches[0].schema):
                raise InvalidTable(
                    "The batches of the upload do not have the same columns: make one table of them first.",
                    code="different_parts",
                )
            batches.append(batch)
        broken = False
    except (pa.ArrowException, OSError, UnicodeDecodeError):
        # Without its cause: Arrow's message may quote a cell.
        broken = True
    if broken:
        raise _unreadable()
    if sum(len(batch) for batch in batches) == 0:
        raise InvalidTable("The table has no rows.", code="empty_table")
    return only_columns(_without_views(pa.Table.from_batches(batches)))


def _batches(data: pa.Buffer) -> Iterator[pa.RecordBatch]:
    framed = _Framed(data)
    if framed.starts_with(_BEGIN):
        yield from _counted(framed)
    elif framed.starts_with(_OLD):
        framed.skip(_OLD)
        yield from _marked(framed, _BATCH)
    elif framed.starts_with(_OLDEST):
        yield from _marked(framed, _OLDEST)
    else:
        yield from pa.ipc.open_stream(data)


def _counted(framed: _Framed) -> Iterator[pa.RecordBatch]:
    """Give the batches between a beginning and an end that say how many there are."""
    framed.skip(_BEGIN)
    promised = None if framed.starts_with(_BATCH) or framed.starts_with(_END) else framed.integer()
    count = rows = 0
    while framed.starts_with(_BATCH):
        framed.skip(_BATCH)
        count += 1
        for batch in pa.ipc.open_stream(framed.content()):
            rows += len(batch)
            yield batch
    framed.skip(_END)
    if framed.integer() != count or framed.left or promised not in (None, rows):
        raise _unreadable()


def _marked(framed: _Framed, mark: bytes) -> Iterator[pa.RecordBatch]:
    """Give batches with a mark before each, up to the end of the upload."""
    while framed.left:
        framed.skip(mark)
        yield from pa.ipc.open_stream(framed.content())


class _Framed:
    """What is left of an upload."""

    def __init__(self, data: pa.Buffer) -> None:
        self._data = data
        self._position = 0

    @property
    def left(self) -> int:
        return int(self._data.size) - self._position

    def starts_with(self, mark: bytes) -> bool:
        return self.left >= len(mark) and self._peek(len(mark)).to_pybytes() == mark

    def skip(self, mark: bytes) -> None:
        if not self.starts_with(mark):
            raise _unreadable()
        self._position += len(mark)

    def integer(self) -> int:
        return int.from_bytes(self._take(_INTEGER).to_pybytes(), "big")

    def content(self) -> pa.Buffer:
        return self._take(self.integer())

    def _take(self, size: int) -> pa.Buffer:
        if size > self.left:
            raise _unreadable()
        taken = self._peek(size)
        self._position += size
        return taken

    def _peek(self, size: int) -> pa.Buffer:
        return self._data.slice(self._position, size)


def _without_views(table: pa.Table) -> pa.Table:
    """The table with the text that any reader of Parquet knows in place of polars' and DuckDB's own."""
    schema = table.schema
    for position, field in enumerate(schema):
        if pa.types.is_string_view(field.type):
            schema = schema.set(position, field.with_type(pa.large_string()))
        elif pa.types.is_dictionary(field.type) and pa.types.is_string_view(field.type.value_type):
            plain = pa.dictionary(field.type.index_type, pa.large_string(), field.type.ordered)
            schema = schema.set(position, field.with_type(plain))
    return table.cast(schema)


def _unreadable() -> InvalidTable:
    return InvalidTable(
        f"The upload cannot be read as Arrow: it is damaged or not complete; {_HOW}.", code="unreadable_file"
    )
