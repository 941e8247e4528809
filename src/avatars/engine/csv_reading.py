"""Reading CSV: its rows as text, its columns as what they are."""

from __future__ import annotations

import codecs
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.csv

from avatars.engine.batches import in_order, slices
from avatars.engine.csv_cells import MISSING, Cells, read_cells
from avatars.engine.csv_dialect import Look, first_bytes, look_at, refuse_other_files
from avatars.engine.errors import InvalidParameter, InvalidTable
from avatars.engine.formats import ColumnFormat, TableFormat
from avatars.engine.progress import Part, Progress, Silent, advance
from avatars.engine.workspace import IN_MEMORY, Workspace

STEP = "reading the file"
_PIECE = 2**24


def read_csv(
    data: pa.Buffer,
    *,
    encoding: str | None = None,
    gzip: bool = False,
    workspace: Workspace = IN_MEMORY,
    progress: Progress | None = None,
) -> tuple[pa.Table, TableFormat]:
    """Read a CSV with a header line, and how it is written.

    Parameters
    ----------
    data
        The whole file, decompressed; it may be mapped.
    encoding
        Its encoding, by Python's names; None for UTF-8, or UTF-16 with a byte order mark.
    gzip
        Remembered in the format: whether the file was compressed.
    workspace
        Where the table is made.

    Raises
    ------
    InvalidTable
        Another kind of file (``unreadable_file``), an encoding that does not fit (``wrong_encoding``), rows
        of unequal length (``ragged_rows``), no rows (``empty_table``).
    InvalidParameter
        An encoding that nobody knows (``unknown_encoding``).
    Cancelled
        Between two blocks of a megabyte, and between two columns.

    Notes
    -----
    All cells are read as text, then each column is cast as a whole, so that no column's type depends on where
    in the file a value stands. Three quarters of a second for a million rows of fifteen columns; three times the
    file's size in memory, or, where the workspace is in files, the size of a few columns.
    """
    progress = progress or Silent()
    data, bom = _as_utf8(data, encoding, workspace, progress)
    refuse_other_files(data)
    quotes = _survey(data, Part(progress, 0, 0.1))
    look = look_at(data)
    body = data.slice(look.header_bytes)
    if not first_bytes(body, 1024).strip(b"\r\n") and not body.to_pybytes().strip(b"\r\n"):
        raise InvalidTable("The CSV has a header line and no rows.", code="empty_table")
    quotes -= first_bytes(data, look.header_bytes).count(b'"')
    text = _rows(body, look, quotes, workspace, Part(progress, 0.1, 0.5))

    def read(position: int) -> Cells:
        cells = read_cells(text[position], decimal_comma=look.delimiter != ",")
        is_text = cells.values.type.equals(text.schema.types[position])
        return cells if is_text else cells._replace(values=_kept(cells.values, workspace))

    columns: list[Cells] = []
    for cells in in_order(read, range(len(look.names))):
        columns.append(cells)
        advance(Part(progress, 0.5, 1), STEP, len(columns), len(look.names))
    formats: dict[str, ColumnFormat] = {
        name: cells.format for name, cells in zip(look.names, columns, strict=True) if cells.format is not None
    }
    table = pa.Table.from_arrays([cells.values for cells in columns], names=list(look.names))
    return table, TableFormat(
        kind="csv",
        delimiter=look.delimiter,
        decimal="," if any(cells.decimal_comma for cells in columns) else ".",
        line_end=look.line_end,
        bom=bom,
        gzip=gzip,
        columns=formats,
    )


def _kept(values: pa.ChunkedArray, workspace: Workspace) -> pa.ChunkedArray:
    """A column in the workspace."""
    table = pa.table([values], names=["column"])
    return workspace.table("column", table.schema, table.to_batches())[0]


def _as_utf8(data: pa.Buffer, encoding: str | None, workspace: Workspace, progress: Progress) -> tuple[pa.Buffer, bool]:
    """The file in UTF-8 without a byte order mark, and whether it had one."""
    start = first_bytes(data, 4)
    bom = start.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    if encoding is None and start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    if encoding is not None:
        try:
            data = workspace.buffer("utf-8", _recoded(data, encoding, Part(progress, 0, 0)))
        except UnicodeError:
            raise _wrong_encoding(encoding) from None
    if first_bytes(data, 3) == codecs.BOM_UTF8:
        data = data.slice(3)
    return data, bom


def _recoded(data: pa.Buffer, encoding: str, progress: Progress) -> Iterator[bytes]:
    try:
        decoder = codecs.getincrementaldecoder(encoding)()
        # Some codecs are of other things than text.
        known = isinstance(decoder.decode(b""), str)
    except LookupError:
        known = False
    if not known:
        raise InvalidParameter(
            f"Nobody knows the encoding {encoding!r}: try 'utf-8', 'latin-1' or 'cp1252'.",
            code="unknown_encoding",
        )
    for piece in slices(data.size, _PIECE):
        yield decoder.decode(memoryview(data)[piece]).encode()
        advance(progress, STEP, piece.stop, data.size)
    yield decoder.decode(b"", final=True).encode()


def _wrong_encoding(encoding: str) -> InvalidTable:
    return InvalidTable(
        f"The file is not encoded in {encoding}: save it as UTF-8, or say its encoding, such as encoding='cp1252'"
        " (--encoding cp1252 on the command line), which is what spreadsheets of Western Europe write.",
        code="wrong_encoding",
    )


def _survey(data: pa.Buffer, progress: Progress) -> int:
    """How many quotes a file holds; raises InvalidTable where it is not UTF-8."""
    content = np.frombuffer(data, np.uint8)
    quotes = checked = 0
    for piece in slices(data.size, _PIECE):
        quotes += int(np.count_nonzero(content[piece] == ord('"')))
        end = piece.stop
        # A character that goes on after the piece is left to the next one.
        while piece.stop - 4 < end < data.size and content[end] & 0xC0 == 0x80:
            end -= 1
        if not _is_utf8(data.slice(checked, end - checked)):
            raise _wrong_encoding("UTF-8")
        checked = end
        advance(progress, STEP, piece.stop, data.size)
    return quotes


def _is_utf8(data: pa.Buffer) -> bool:
    # As one long string to Arrow, which checks a gigabyte a second and copies nothing.
    offsets = pa.py_buffer(np.array([0, data.size], np.int64))
    try:
        pa.Array.from_buffers(pa.large_string(), 1, [None, offsets, data]).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _rows(body: pa.Buffer, look: Look, quotes: int, workspace: Workspace, progress: Progress) -> pa.Table:
    """All rows, every cell as text, null where it is missing."""
    schema = pa.schema([(name, pa.string()) for name in look.names])
    refused: list[pyarrow.csv.InvalidRow] = []
    table = None
    try:
        batches = _parse(body, look, quotes > 0, refused, progress)
        table = workspace.table("text", schema, batches)
    except pa.ArrowInvalid:
        # Arrow's message may quote the row, and a chained exception would carry it into a log.
        pass
    if refused:
        row = refused[0]
        raise InvalidTable(
            f"Row {row.number} (the header not counted) of the CSV has {row.actual_columns} cells, but the header has"
            f" {row.expected_columns}: every row must have as many, and cells that hold the delimiter"
            f" {look.delimiter!r} must stand in quotes.",
            code="ragged_rows",
        )
    if table is None:
        raise InvalidTable(
            "The file cannot be read as CSV: a row is too long or a quote is never closed.", code="unreadable_file"
        )
    last = table[-1][-1].as_py() if table.num_rows else None
    if quotes % 2 and last is not None and "\n" in last:
        raise InvalidTable("A quote is opened in the CSV and never closed.", code="unreadable_file")
    return table


def _parse(
    body: pa.Buffer, look: Look, quoted: bool, refused: list[pyarrow.csv.InvalidRow], progress: Progress
) -> Iterator[pa.RecordBatch]:
    """The rows; ends with ``ArrowInvalid`` at one with too many or too few cells, which is then in `refused`."""

    def refuse(row: pyarrow.csv.InvalidRow) -> str:
        refused.append(row)
        return "error"

    source = pa.BufferReader(body)
    with pyarrow.csv.open_csv(
        source,
        # Threads do not count the rows, and one reads as fast as columns can be cast afterwards.
        read_options=pyarrow.csv.ReadOptions(column_names=list(look.names), use_threads=False),
        # Looking for line ends in quotes costs time, and only a file with quotes can have them.
        parse_options=pyarrow.csv.ParseOptions(
            delimiter=look.delimiter, newlines_in_values=quoted, invalid_row_handler=refuse
        ),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(look.names, pa.string()),
            null_values=list(MISSING),
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            check_utf8=False,
        ),
    ) as reader:
        for batch in reader:
            yield batch
            advance(progress, STEP, source.tell(), body.size)
