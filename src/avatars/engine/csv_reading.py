"""Reading CSV: what the file looks like, its rows as text, its columns as what they are."""

from __future__ import annotations

import codecs
import csv
import io
import re
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.csv

from avatars.engine.csv_cells import MISSING, Cells, read_cells
from avatars.engine.errors import AvatarsWarning, InvalidParameter, InvalidTable
from avatars.engine.formats import DELIMITERS, ColumnFormat, TableFormat

_HEAD_BYTES = 4 * 2**20
_LOOK_ROWS = 50

# What other kinds of file begin with, and what they are. A label may begin with "<" or "[": signatures say more.
_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (rb"PK\x03\x04", "an Excel workbook or a zip archive"),
    (rb"\xd0\xcf\x11\xe0", "an Excel workbook"),
    (rb"%PDF-", "a PDF"),
    (rb"ARROW1\x00", "an Arrow file"),
    (rb"BZh[1-9]1AY&SY", "a file compressed with bzip2"),
    (rb"\xfd7zXZ", "a file compressed with xz"),
    (rb"\x28\xb5\x2f\xfd", "a file compressed with zstd"),
    (rb"(?i)<(!doctype|!--|\?xml|html|head|body|table)\b", "HTML or XML"),
    (rb'\{\s*"|\[\s*[{\[]', "JSON"),
)


def read_csv(data: pa.Buffer, *, encoding: str | None = None, gzip: bool = False) -> tuple[pa.Table, TableFormat]:
    """Read a CSV with a header line, and how it is written.

    Parameters
    ----------
    data
        The whole file, decompressed.
    encoding
        Its encoding, by Python's names; None for UTF-8, or UTF-16 with a byte order mark.
    gzip
        Remembered in the format: whether the file was compressed.

    Raises
    ------
    InvalidTable
        Another kind of file (``unreadable_file``), an encoding that does not fit (``wrong_encoding``), rows
        of unequal length (``ragged_rows``), no rows (``empty_table``).
    InvalidParameter
        An encoding that nobody knows (``unknown_encoding``).

    Notes
    -----
    All cells are read as text, then each column is cast as a whole, so that no column's type depends on where
    in the file a value stands. About a second and three times the file's size for a million rows of fifteen
    columns.
    """
    data, bom = _as_utf8(data, encoding)
    _refuse_other_files(data)
    if not _is_utf8(data):
        raise _wrong_encoding("UTF-8")
    head, truncated = _head(data)
    delimiter = _delimiter(head, truncated)
    names, header_bytes = _header(head, truncated, delimiter)
    body = data.slice(header_bytes)
    if not first_bytes(body, 1024).strip(b"\r\n") and not body.to_pybytes().strip(b"\r\n"):
        raise InvalidTable("The CSV has a header line and no rows.", code="empty_table")
    text = _rows(body, names, delimiter)

    with ThreadPoolExecutor(pa.cpu_count()) as threads:
        read = partial(read_cells, decimal_comma=delimiter != ",")
        columns: list[Cells] = list(threads.map(read, text.columns))
    formats: dict[str, ColumnFormat] = {
        name: cells.format for name, cells in zip(names, columns, strict=True) if cells.format is not None
    }
    table = pa.Table.from_arrays([cells.values for cells in columns], names=list(names))
    first_line = head.partition("\n")[0]
    return table, TableFormat(
        kind="csv",
        delimiter=delimiter,
        decimal="," if any(cells.decimal_comma for cells in columns) else ".",
        line_end="\r\n" if first_line.endswith("\r") else "\n",
        bom=bom,
        gzip=gzip,
        columns=formats,
    )


def first_bytes(data: pa.Buffer, size: int) -> bytes:
    """The beginning of a file, all of it when it is shorter."""
    return bytes(memoryview(data)[:size])


def _as_utf8(data: pa.Buffer, encoding: str | None) -> tuple[pa.Buffer, bool]:
    """The file in UTF-8 without a byte order mark, and whether it had one."""
    start = first_bytes(data, 4)
    bom = start.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    if encoding is None and start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    if encoding is not None:
        try:
            text = data.to_pybytes().decode(encoding)
        except LookupError:
            text = None
        except UnicodeError:
            raise _wrong_encoding(encoding) from None
        if text is None:
            raise InvalidParameter(
                f"Nobody knows the encoding {encoding!r}: try 'utf-8', 'latin-1' or 'cp1252'.",
                code="unknown_encoding",
            )
        data = pa.py_buffer(text.encode())
    if first_bytes(data, 3) == codecs.BOM_UTF8:
        data = data.slice(3)
    return data, bom


def _wrong_encoding(encoding: str) -> InvalidTable:
    return InvalidTable(
        f"The file is not encoded in {encoding}: save it as UTF-8, or say its encoding, such as encoding='latin-1'"
        " (--encoding latin-1 on the command line).",
        code="wrong_encoding",
    )


def _refuse_other_files(data: pa.Buffer) -> None:
    start = first_bytes(data, 64 * 1024)
    stripped = start.lstrip()
    if not start.strip(b"\r\n"):
        raise InvalidTable("The file is empty.", code="empty_table")
    for signature, kind in _SIGNATURES:
        if re.match(signature, stripped):
            raise InvalidTable(
                f"The file is not a table in CSV or Parquet: it looks like {kind}. Save it as CSV in UTF-8.",
                code="unreadable_file",
            )
    if b"\0" in start:
        raise InvalidTable(
            "The file is not a table in CSV or Parquet: it holds binary data. Save it as CSV in UTF-8.",
            code="unreadable_file",
        )


def _is_utf8(data: pa.Buffer) -> bool:
    # As one long string to Arrow, which checks a gigabyte a second and copies nothing.
    offsets = pa.py_buffer(np.array([0, data.size], np.int64))
    try:
        pa.Array.from_buffers(pa.large_string(), 1, [None, offsets, data]).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _head(data: pa.Buffer) -> tuple[str, bool]:
    """The file's first lines, and whether the last of them may be cut."""
    start = first_bytes(data, _HEAD_BYTES)
    truncated = len(start) < data.size
    # Without the character that may be cut at the end.
    text, _ = codecs.utf_8_decode(start, "strict", not truncated)
    return text, truncated


def _delimiter(head: str, truncated: bool) -> str:
    """The delimiter that splits the first rows into the most columns, all of the same number."""
    splits = {delimiter: _split(head, delimiter, truncated) for delimiter in DELIMITERS}
    several = {delimiter: split for delimiter, split in splits.items() if split.columns > 1}
    if not several:
        return DELIMITERS[0]
    return max(several, key=lambda delimiter: several[delimiter])


class _Split(NamedTuple):
    """What a delimiter makes of the first rows; of two, the larger one is the better."""

    regular: bool
    well_quoted: bool
    columns: int


def _split(head: str, delimiter: str, truncated: bool) -> _Split:
    # Strictly: with the wrong delimiter a quote is often closed in the middle of a cell.
    reader = csv.reader(io.StringIO(head, newline=""), delimiter=delimiter, strict=True)
    lengths: list[int] = []
    well_quoted = True
    try:
        for row in reader:
            if row:
                lengths.append(len(row))
            if len(lengths) == _LOOK_ROWS:
                break
        else:
            # The last row of what was looked at may be cut in the middle.
            lengths = lengths[:-1] if truncated and len(lengths) > 1 else lengths
    except csv.Error:
        well_quoted = False
    return _Split(len(set(lengths)) == 1, well_quoted, lengths[0] if lengths else 0)


def _header(head: str, truncated: bool, delimiter: str) -> tuple[tuple[str, ...], int]:
    """The labels, made unique the way pandas does, and how many bytes they take."""
    reader = csv.reader(io.StringIO(head, newline=""), delimiter=delimiter)
    try:
        labels = next(row for row in reader if row)
    except csv.Error:
        labels = []
    lines = io.StringIO(head, newline="")
    header = "".join(next(lines) for _ in range(reader.line_num))
    if not labels or (truncated and not header.endswith(("\n", "\r"))):
        raise InvalidTable("The file's first line is too long to be the header of a CSV.", code="unreadable_file")
    unique: dict[str, None] = {}
    for position, label in enumerate(labels):
        label = label or f"Unnamed: {position}"
        name, number = label, 1
        while name in unique or (name != label and name in labels):
            name, number = f"{label}.{number}", number + 1
        unique[name] = None
    if twice := [name for name, label in zip(unique, labels, strict=True) if label and name != label]:
        warnings.warn(
            f"The CSV's header names some columns more than once; here they are called {', '.join(map(repr, twice))}: "
            "rename them in the file to tell them apart.",
            AvatarsWarning,
            stacklevel=2,
        )
    return tuple(unique), len(header.encode())


def _rows(body: pa.Buffer, names: Sequence[str], delimiter: str) -> pa.Table:
    """All rows, every cell as text, null where it is missing."""
    quotes = _count(body, ord('"'))
    refused: list[pyarrow.csv.InvalidRow] = []
    # Threads do not count the rows: only when a row is wrong they are read again, one after the other.
    table = _parse(body, names, delimiter, quotes > 0, refused, threads=True)
    if table is None:
        _parse(body, names, delimiter, quotes > 0, refused, threads=False)
        row = refused[-1]
        where = "A row" if row.number is None else f"Row {row.number} (the header not counted)"
        raise InvalidTable(
            f"{where} of the CSV has {row.actual_columns} cells, but the header has {row.expected_columns}: every"
            f" row must have as many, and cells that hold the delimiter {delimiter!r} must stand in quotes.",
            code="ragged_rows",
        )
    last = table[len(names) - 1][-1].as_py() if table.num_rows else None
    if quotes % 2 and last is not None and "\n" in last:
        raise InvalidTable("A quote is opened in the CSV and never closed.", code="unreadable_file")
    return table


def _parse(
    body: pa.Buffer,
    names: Sequence[str],
    delimiter: str,
    quoted: bool,
    refused: list[pyarrow.csv.InvalidRow],
    *,
    threads: bool,
) -> pa.Table | None:
    """The rows, or None when one has too many or too few cells; it is then the last of `refused`."""

    def refuse(row: pyarrow.csv.InvalidRow) -> str:
        refused.append(row)
        return "error"

    try:
        return pyarrow.csv.read_csv(
            pa.BufferReader(body),
            read_options=pyarrow.csv.ReadOptions(column_names=list(names), use_threads=threads),
            # Looking for line ends in quotes costs time, and only a file with quotes can have them.
            parse_options=pyarrow.csv.ParseOptions(
                delimiter=delimiter, newlines_in_values=quoted, invalid_row_handler=refuse
            ),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                null_values=list(MISSING),
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
                check_utf8=False,
            ),
        )
    except pa.ArrowInvalid:
        # Arrow's message may quote the row, and a chained exception would carry it into a log.
        pass
    if refused:
        return None
    raise InvalidTable(
        "The file cannot be read as CSV: a row is too long or a quote is never closed.", code="unreadable_file"
    )


def _count(data: pa.Buffer, byte: int) -> int:
    numbers = np.frombuffer(data, np.uint8)
    block = 2**24
    return sum(int(np.count_nonzero(numbers[at : at + block] == byte)) for at in range(0, numbers.size, block))
