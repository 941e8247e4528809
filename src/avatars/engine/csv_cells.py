"""Cells of CSV: a column of text becomes integers, numbers, booleans, dates, or stays text, always as a whole."""

from __future__ import annotations

from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from avatars.engine.datetimes import read_dates
from avatars.engine.formats import BoolFormat, ColumnFormat
from avatars.engine.text_numbers import read_floats, read_integers

MISSING = ("", "NA", "N/A", "NaN", "nan", "null", "NULL", "None")
"""What stands for a missing cell when it is not in quotes; the first is what is written."""

_HEAD = 1000


class Cells(NamedTuple):
    """A column, how it was written, and whether its numbers had decimal commas."""

    values: pa.ChunkedArray
    format: ColumnFormat | None = None
    decimal_comma: bool = False


def read_cells(text: pa.ChunkedArray, *, decimal_comma: bool) -> Cells:
    """Cast a column of text to the first of int64, float64, bool, date, timestamp that every cell reads as.

    Spaces around numbers and dates are left out; missing cells among them may be in quotes. A column without
    any value is of the null type. Text stays as it is, and so do dates of which no cell tells the day from the month.
    """
    if text.null_count == len(text):
        return Cells(pa.chunked_array([pa.nulls(len(text))]))
    cells = _typed(text, decimal_comma)
    if cells is None and _needs_cleaning(text):
        clean = pc.utf8_trim_whitespace(text)
        missing = pc.is_in(clean, value_set=pa.array(MISSING, clean.type))
        clean = pc.if_else(missing, pa.scalar(None, clean.type), clean)
        cells = _typed(clean, decimal_comma) if clean.null_count < len(clean) else None
    return cells or Cells(text)


def _typed(text: pa.ChunkedArray, decimal_comma: bool) -> Cells | None:
    """The column as something else than text; each type is tried on the first cells before it is on all."""
    head = text.slice(0, _HEAD).drop_null()
    head = head if len(head) else text.drop_null().slice(0, _HEAD)
    if read_integers(head) is not None and (integers := read_integers(text)) is not None:
        return Cells(integers)
    if read_floats(head) is not None and (floats := read_floats(text)) is not None:
        return Cells(floats)
    if decimal_comma and read_floats(head, ",") is not None and (floats := read_floats(text, ",")) is not None:
        return Cells(floats, None, True)
    if (dates := read_dates(text)) is not None:
        return Cells(*dates)
    if _spelling(head) is not None and (spelling := _spelling(text)) is not None:
        truth = pc.equal(pc.ascii_lower(text), "true")
        return Cells(truth, spelling)
    return None


def _spelling(text: pa.ChunkedArray) -> BoolFormat | None:
    """How true and false are spelt, whatever their case; None when the text holds anything else."""
    counts = pc.value_counts(text.combine_chunks().drop_null())
    common: dict[str, str] = {}
    if len(counts) > 2 ** len("true") + 2 ** len("false"):
        return None
    for count in sorted(counts.to_pylist(), key=lambda count: -count["counts"]):
        common.setdefault(count["values"].lower(), count["values"])
    if not common.keys() <= {"true", "false"}:
        return None
    # When only one of the two is there, the other is spelt the way it is.
    seen = next(iter(common.values()))
    change = next((change for change in (str.title, str.upper) if change(seen) == seen), str.lower)
    return BoolFormat(common.get("true", change("true")), common.get("false", change("false")))


def _needs_cleaning(text: pa.ChunkedArray) -> bool:
    """Whether the first cells have spaces around them, or missing ones in quotes."""
    head = text.slice(0, _HEAD)
    missing = pc.is_in(head, value_set=pa.array(MISSING, head.type))
    spaces = pc.not_equal(pc.utf8_trim_whitespace(head), head)
    return bool(pc.any(pc.or_(missing, spaces)).as_py())
