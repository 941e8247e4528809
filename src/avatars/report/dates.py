"""Dates on an axis: edges at the beginnings of years, months, days or hours."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from avatars.engine.features import Floats

Moments = NDArray[Any]

# Coarse enough that an edge tells nobody's moment, fine enough for some bins.
_STEPS = (
    ("s", 1), ("s", 10), ("m", 1), ("m", 10), ("h", 1), ("h", 6), ("D", 1), ("D", 7), ("M", 1), ("M", 3),
    ("Y", 1), ("Y", 2), ("Y", 5), ("Y", 10), ("Y", 20), ("Y", 50), ("Y", 100), ("Y", 1000),
)  # fmt: skip


def moments(numbers: Floats, origin: int, type_: pa.DataType) -> Moments:
    """Return (n,) datetimes of the method's numbers of a column of this type, NaT for NaN."""
    unit = "D" if pa.types.is_date32(type_) else "ms" if pa.types.is_date64(type_) else type_.unit
    known = ~np.isnan(numbers)
    whole = np.full(len(numbers), np.iinfo(np.int64).min)
    whole[known] = np.round(numbers[known]).astype(np.int64) + origin
    return whole.astype(f"datetime64[{unit}]")


def date_edges(cells: Moments, bins: int) -> Moments:
    """Return inner edges for at most about so many bins where most of the cells are; none where all are the same."""
    ordered = np.sort(cells)
    low, high = ordered[len(cells) // 100], ordered[len(cells) - 1 - len(cells) // 100]
    if low == high:
        low, high = ordered[0], ordered[-1]
    if low == high:
        return cells[:0]
    for unit, length in _STEPS:
        first, last = (int(edge.astype(f"datetime64[{unit}]").astype(np.int64)) for edge in (low, high))
        count = last // length - first // length + 2
        if count <= bins or (unit, length) == _STEPS[-1]:
            places = length * np.arange(first // length, first // length + min(count, bins))
            return places.astype(np.int64).astype(f"datetime64[{unit}]")
    raise AssertionError("the last step is always taken")
