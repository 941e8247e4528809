"""What workers find out about the columns of a dataset: statistics, probable identifiers, correlations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from avatars.engine.columns import Column, Kind, detect, encode
from avatars.engine.errors import InvalidTable
from avatars.engine.features import Floats
from avatars.engine.plain import plain, spelt_out
from avatars.engine.progress import Progress, advance
from avatars.evaluation.utility.correlation import correlations

SKEWED = 1.0
"""Absolute skewness (third standardised moment) beyond which a column counts as skewed: a common rule of thumb."""

RARE_ROWS = 5
"""A modality of fewer rows counts as rare: the least count that statistics offices commonly publish."""

IDENTIFYING = 0.95
"""Share of distinct values among its cells from which text looks as if it named people. Of integers it takes all."""

MOST_CORRELATED = 500
"""Numeric columns that correlations are given for: their number is squared in the answer."""


def summarise(table: pa.Table, types: Mapping[str, Kind], progress: Progress) -> dict[str, Any]:
    """Return the wire's ``DatasetSummary``, as JSON.

    Cost: O(n) per column, and memory for the distinct values of one column and all numbers.
    """
    columns = detect(table, types)
    numbers = dict(_numbers(table, columns))
    stats, identifiers = [], []
    for done, column in enumerate(columns):
        counts = _counts(table[column.name])
        stats.append(_statistics(column, table.num_rows, counts, numbers.get(column.name)))
        if _looks_like_an_identifier(column.kind, counts):
            identifiers.append(column.name)
        advance(progress, "analysing", done + 1, len(columns))
    return {"stats": stats, "probable_ids": identifiers}


def correlate(table: pa.Table, types: Mapping[str, Kind]) -> dict[str, dict[str, float | None]]:
    """Return Pearson correlations of the numeric columns by label and label, over rows with both; None for constants.

    Raises
    ------
    InvalidTable
        The table has too many numeric columns (``too_many_columns``).
    """
    columns = detect(table, types)
    names = [column.name for column in columns if column.is_numeric]
    if len(names) > MOST_CORRELATED:
        raise InvalidTable(
            f"The dataset has {len(names)} numeric columns: correlations are given for at most {MOST_CORRELATED}.",
            code="too_many_columns",
        )
    found = correlations(encode(table, columns).numeric)
    # A constant does not even correlate with itself.
    known = np.diag(found) > 0
    return {
        name: {other: float(found[i, j]) if known[i] and known[j] else None for j, other in enumerate(names)}
        for i, name in enumerate(names)
    }


def _statistics(column: Column, rows: int, counts: pa.StructArray, numbers: Floats | None) -> dict[str, Any]:
    often = counts.field("counts").to_numpy()
    stats: dict[str, Any] = {
        "label": column.name,
        "dtype": column.kind.value,
        "missing_number": column.missing,
        "missing_proportion": column.missing / rows,
        "unique_number": len(counts),
        "unique_proportion": len(counts) / rows,
        "mode": _mode(counts, often),
    }
    if column.kind is Kind.CATEGORY:
        stats["is_rare"] = bool(len(often) and often.min() < RARE_ROWS)
    if numbers is not None and len(numbers):
        spread = float(numbers.std())
        skewness = float((((numbers - numbers.mean()) / spread) ** 3).mean()) if spread > 0 else 0.0
        stats |= {
            "mean": float(numbers.mean()),
            "median": float(np.median(numbers)),
            "standard_deviation": spread,
            "is_skewed": abs(skewness) > SKEWED,
        }
    return stats


def _numbers(table: pa.Table, columns: tuple[Column, ...]) -> list[tuple[str, Floats]]:
    """Return the present values of integers and floats; dates have no mean that JSON could say."""
    encoded = encode(table, columns).numeric.T
    numeric = [column for column in columns if column.is_numeric]
    return [
        (column.name, values[~np.isnan(values)] + column.origin)
        for column, values in zip(numeric, encoded, strict=True)
        if column.kind is not Kind.DATETIME
    ]


def _counts(values: pa.ChunkedArray) -> pa.StructArray:
    """Return the distinct values that are there, and how often each is."""
    return pc.value_counts(plain(spelt_out(values)).drop_null())


def _mode(counts: pa.StructArray, often: Any) -> str | int | float | None:
    """Return the most frequent value, the first of several; None where no value occurs twice."""
    if not len(often) or often.max() < 2:
        return None
    value = counts.field("values")[int(often.argmax())].as_py()
    return value if isinstance(value, int | float | str) and not isinstance(value, bool) else str(value)


def _looks_like_an_identifier(kind: Kind, counts: pa.StructArray) -> bool:
    present = pc.sum(counts.field("counts")).as_py() or 0
    if present < 2:
        return False
    if kind is Kind.INT:
        return len(counts) == present
    return kind is Kind.CATEGORY and len(counts) >= IDENTIFYING * present
