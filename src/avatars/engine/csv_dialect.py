"""What a CSV looks like: whether it can be a CSV at all, what stands between its cells, what its columns are called."""

from __future__ import annotations

import codecs
import csv
import io
import re
import warnings
from typing import NamedTuple

import pyarrow as pa

from avatars.engine.errors import AvatarsWarning, InvalidTable
from avatars.engine.formats import DELIMITERS

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


class Look(NamedTuple):
    """What the beginning of a CSV shows."""

    delimiter: str
    names: tuple[str, ...]
    """The labels, made unique the way pandas does."""
    header_bytes: int
    """How many bytes they take."""
    line_end: str


def look_at(data: pa.Buffer) -> Look:
    """Look at the first megabytes of a file that is UTF-8; raises ``InvalidTable`` where they cannot be a CSV's."""
    head, truncated = _head(data)
    delimiter = _delimiter(head, truncated)
    names, header_bytes = _header(head, truncated, delimiter)
    line_end = "\r\n" if head.partition("\n")[0].endswith("\r") else "\n"
    return Look(delimiter, names, header_bytes, line_end)


def first_bytes(data: pa.Buffer, size: int) -> bytes:
    """The beginning of a file, all of it when it is shorter."""
    return bytes(memoryview(data)[:size])


def refuse_other_files(data: pa.Buffer) -> None:
    """Raise ``InvalidTable`` where a file is empty, or of a kind that is known by its first bytes."""
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
