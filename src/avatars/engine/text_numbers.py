"""Numbers written as text: reading them strictly and writing them in their shortest form."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

MOST_DIGITS = 18
"""Whole numbers with more digits than this are identifiers: int64 and float64 would damage them."""


def read_integers(strings: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """The text as int64; None unless every value is written plainly, without + or leading zeros."""
    integers = _cast(strings, pa.int64())
    if integers is None:
        return None
    extremes = pc.min_max(integers).as_py().values()
    if any(value is not None and abs(value) >= 10**MOST_DIGITS for value in extremes):
        return None
    # Arrow also reads "007" and "0x1f"; nothing but the plain form may lose its text.
    return integers if integers.cast(strings.type).equals(strings) else None


def read_floats(strings: pa.ChunkedArray, decimal: str = ".") -> pa.ChunkedArray | None:
    """The text as float64, null for NaN; None when a value is no number or looks like an identifier."""
    if decimal == ",":
        if pc.any(pc.match_substring(strings, ".")).as_py():
            return None
        strings = pc.replace_substring(strings, ",", ".")
    floats = _cast(strings, pa.float64())
    if floats is None or _has_identifiers(strings):
        return None
    return pc.if_else(pc.is_nan(floats), pa.scalar(None, pa.float64()), floats)


def _has_identifiers(strings: pa.ChunkedArray) -> bool:
    """Whether a value has a leading zero ("007") or is a whole number of more than `MOST_DIGITS` digits."""
    for chunk in strings.chunks:
        text = chunk.drop_null()
        if len(text) == 0:
            continue
        if np.any(_has_leading_zero(text)):
            return True
        long = text.filter(pc.greater(pc.binary_length(text), MOST_DIGITS))
        long = long.filter(pc.invert(pc.match_substring(long, ".")))
        if len(long) and pc.any(pc.match_substring_regex(long, rf"^[+-]?[0-9]{{{MOST_DIGITS + 1},}}$")).as_py():
            return True
    return False


def _has_leading_zero(text: pa.Array) -> npt.NDArray[np.bool_]:
    """For numbers as text without nulls: whether a 0 is followed by another digit at the start.

    Looks at the bytes themselves: a regular expression would cost more than reading the numbers.
    """
    wide = pa.types.is_large_string(text.type)
    _, offset_buffer, data_buffer = text.buffers()
    offsets = np.frombuffer(offset_buffer, np.int64 if wide else np.int32)[text.offset : text.offset + len(text) + 1]
    if data_buffer is None or offsets[-1] == offsets[0]:
        return np.zeros(len(text), np.bool_)
    data = np.frombuffer(data_buffer, np.uint8)
    last, end = data.size - 1, offsets[1:].astype(np.int64)
    first = offsets[:-1].astype(np.int64)
    sign = data[np.minimum(first, last)]
    first += (sign == ord("+")) | (sign == ord("-"))
    following = data[np.minimum(first + 1, last)]
    has_zero = (first < end) & (data[np.minimum(first, last)] == ord("0"))
    has_digit = (first + 1 < end) & (following >= ord("0")) & (following <= ord("9"))
    found: npt.NDArray[np.bool_] = has_zero & has_digit
    return found


def write_floats(floats: pa.ChunkedArray) -> pa.ChunkedArray:
    """Floats in the shortest text that reads back as the same float, "1.0" for whole numbers."""
    text = pc.cast(floats, pa.string())
    short = pc.fill_null(pc.invert(pc.match_substring(text, ".")), False)
    # Few have no point: those alone are looked at again.
    few = text.filter(short)
    if not len(few):
        return text
    whole = pc.invert(pc.match_substring_regex(few, "[en]"))
    ended = pc.if_else(whole, pc.binary_join_element_wise(few, ".0", ""), few)
    parts = (part.combine_chunks() for part in (text, short, ended))
    return pa.chunked_array([pc.replace_with_mask(*parts)])


def _cast(strings: pa.ChunkedArray, type_: pa.DataType) -> pa.ChunkedArray | None:
    try:
        return strings.cast(type_)
    except pa.ArrowInvalid:
        return None
