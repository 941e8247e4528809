"""Tables from anywhere brought to the originals' columns and types, or refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pyarrow as pa

from avatars.engine.errors import InvalidTable
from avatars.engine.plain import is_text

LEAST_ROWS = 3


def aligned(original: pa.Table, others: Sequence[tuple[str, pa.Table]]) -> list[pa.Table]:
    """Return the originals and the other tables, all with the originals' columns, in their order and in one type each.

    What the others are called, such as "avatars", stands in the sentences. Whole numbers that another table has with
    decimals become floats in all of them. Raises ``InvalidTable`` where columns (``different_columns``) or types
    (``different_types``) differ, where labels are not unique (``duplicate_columns``), and where there are too few rows
    (``too_few_rows``, ``empty_table``).
    """
    for whose, table in (("originals", original), *others):
        _check_labels(table, whose)
    if original.num_rows < LEAST_ROWS:
        rows = "1 row" if original.num_rows == 1 else f"{original.num_rows} rows"
        raise InvalidTable(f"The originals have {rows}: metrics need at least {LEAST_ROWS}.", code="too_few_rows")
    for whose, table in others:
        _check_columns(original, table, whose)
        if not table.num_rows:
            raise InvalidTable(f"There are no rows among the {whose}: at least one is needed.", code="empty_table")
    columns = [_in_one_type(original, others, name) for name in original.column_names]
    return [pa.table(list(cells), names=original.column_names) for cells in zip(*columns, strict=True)]


def check_rows(original: pa.Table, avatars: pa.Table) -> None:
    """Refuse tables whose rows cannot belong together one by one (``different_rows``)."""
    if original.num_rows != avatars.num_rows:
        raise InvalidTable(
            f"The originals have {original.num_rows:,} rows and the avatars {avatars.num_rows:,}: "
            "row i of one must belong to row i of the other, unless the avatars are said to be shuffled.",
            code="different_rows",
        )


def _check_labels(table: pa.Table, whose: str) -> None:
    if not table.num_columns:
        raise InvalidTable(f"The {whose} have no columns.", code="empty_table")
    name, count = Counter(table.column_names).most_common(1)[0]
    if count > 1:
        raise InvalidTable(
            f"The {whose} have {count} columns called {name!r}: labels must be unique.",
            code="duplicate_columns",
            column=name,
        )


def _check_columns(original: pa.Table, other: pa.Table, whose: str) -> None:
    lost = [name for name in original.column_names if name not in other.column_names]
    added = [name for name in other.column_names if name not in original.column_names]
    if lost or added:
        names = [repr(name) for name in lost or added]
        raise InvalidTable(
            f"The {whose} {'lack' if lost else 'have'} the column{'s' if len(names) > 1 else ''} {', '.join(names)}, "
            "unlike the originals: compare tables of the same columns.",
            code="different_columns",
            column=(lost or added)[0],
        )


def _in_one_type(original: pa.Table, others: Sequence[tuple[str, pa.Table]], name: str) -> list[pa.ChunkedArray]:
    """Return one column of all tables."""
    cells = original[name]
    there = [(whose, table[name]) for whose, table in others]
    if pa.types.is_integer(cells.type) and any(_has_decimals(each, cells.type) for _, each in there):
        # Not safe: beyond 2**53 a whole number is rounded, which no metric sees.
        cells = cells.cast(pa.float64(), safe=False)
    return [cells, *(_cast(each, cells.type, whose, name) for whose, each in there)]


def _has_decimals(cells: pa.ChunkedArray, type_: pa.DataType) -> bool:
    if not pa.types.is_floating(cells.type):
        return False
    try:
        cells.cast(type_)
    except pa.ArrowInvalid:
        return True
    return False


def _cast(cells: pa.ChunkedArray, type_: pa.DataType, whose: str, name: str) -> pa.ChunkedArray:
    try:
        return cells.cast(type_)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        kinds = [_in_words(type_), _in_words(cells.type)]
        here, there = kinds if kinds[0] != kinds[1] else (type_, cells.type)
        raise InvalidTable(
            f"Column {name!r} is {here} in the originals and {there} in the {whose}: give both the same type.",
            code="different_types",
            column=name,
        ) from error


def _in_words(type_: pa.DataType) -> str:
    if pa.types.is_temporal(type_):
        return "a duration" if pa.types.is_duration(type_) else "a date or a time"
    if pa.types.is_boolean(type_):
        return "yes or no"
    is_number = pa.types.is_integer(type_) or pa.types.is_floating(type_) or pa.types.is_decimal(type_)
    return "a number" if is_number else "text" if is_text(type_) or pa.types.is_dictionary(type_) else str(type_)
