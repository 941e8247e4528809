"""What each column of a table is: its kind with the reason, its levels or its granularity."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from avatars.engine.datetimes import DatetimeFormat, local_clock, read_dates, read_in_any_order
from avatars.engine.errors import InvalidParameter, InvalidTable, unknown_column
from avatars.engine.kinds import Column, Kind
from avatars.engine.plain import (
    distinct,
    floats_of,
    integers_of,
    is_text,
    plain,
    refuse_incomputable,
    refuse_infinite,
    spelt_out,
)
from avatars.engine.progress import Progress, Silent, advance
from avatars.engine.text_numbers import read_floats, read_integers

STEP = "reading the table"
MOST_DECIMALS = 15
"""Float64 carries 15 decimal digits faithfully: what has more decimals has no typical number of them."""

_SAMPLE = 100_000
_LARGEST_EXACT = 2**53


def detect(
    table: pa.Table,
    types: Mapping[str, Kind] | None = None,
    to_categorical_threshold: int | None = None,
    *,
    progress: Progress | None = None,
) -> tuple[Column, ...]:
    """Say what each column of a table is.

    Integers (durations and times of day among them) are INT, floats and decimals FLOAT, booleans BOOL, dates
    and timestamps DATETIME, and so is text that reads as dates throughout and in one way only; other text,
    dictionaries and columns without any type are CATEGORY.

    Parameters
    ----------
    table
        The table, at least one row and one column.
    types
        Kinds that override what is detected, by column. Text may be declared a number or a datetime when
        every value reads as one; anything may be declared a category; at most two distinct values may be
        declared bool.
    to_categorical_threshold
        Columns of numbers with at most that many distinct values become categories, unless `types` names
        them.

    Raises
    ------
    InvalidTable
        No rows or columns (``empty_table``), duplicate labels (``duplicate_columns``), a type without a kind
        (``unsupported_type``), infinite values (``infinite_values``), values that are not of the declared
        kind (``wrong_type``), dates whose day and month cannot be told apart (``ambiguous_dates``).
    InvalidParameter
        `types` names a column that the table has not (``unknown_column``) or a kind that there is not
        (``unknown_type``); the threshold is no whole number from 1 on (``invalid_threshold``).

    Notes
    -----
    A few passes over each column; categories cost a hash table of their distinct values. The typical number
    of decimals is the mode over at most 100,000 evenly spaced rows, zeros left out because they say nothing
    about the precision of the others (**ours**).
    """
    types, progress = types or {}, progress or Silent()
    _check_labels(table, types)
    _check_threshold(to_categorical_threshold)
    columns = []
    for name, values in zip(table.column_names, table.columns, strict=True):
        columns.append(_column(name, values, types.get(name), to_categorical_threshold))
        advance(progress, STEP, len(columns), table.num_columns)
    return tuple(columns)


def _check_threshold(threshold: object) -> None:
    if threshold is not None and (not isinstance(threshold, int) or isinstance(threshold, bool) or threshold < 1):
        raise InvalidParameter(
            "to_categorical_threshold must be a whole number, 1 or more, or left out.", code="invalid_threshold"
        )


def _check_labels(table: pa.Table, types: Mapping[str, Kind]) -> None:
    if table.num_columns == 0:
        raise InvalidTable("The table has no columns.", code="empty_table")
    names = table.column_names
    name, count = Counter(names).most_common(1)[0]
    if count > 1:
        raise InvalidTable(
            f"The table has {count} columns called {name!r}: labels must be unique.",
            code="duplicate_columns",
            column=name,
        )
    if table.num_rows == 0:
        raise InvalidTable("The table has no rows.", code="empty_table")
    for name, kind in types.items():
        if name not in names:
            raise unknown_column(name, names)
        if kind not in list(Kind):
            raise InvalidParameter(
                f"Column {name!r} is declared as {kind!r}, but a type is one of {', '.join(Kind)}.",
                code="unknown_type",
                column=name,
            )


def _column(name: str, values: pa.ChunkedArray, declared: Kind | None, threshold: int | None) -> Column:
    natural = _natural_kind(values.type)
    if natural is None:
        raise InvalidTable(
            f"Column {name!r} is of the type {values.type}, which cannot be avatarized: leave the column out"
            " or turn it into text, numbers or dates.",
            code="unsupported_type",
            column=name,
        )
    kind, why = natural
    if declared is not None:
        kind, why = Kind(declared), "declared"
    elif is_text(values.type) and read_dates(plain(values)) is not None:
        # As pandas reads a CSV. They are written as they were: the column's type stays text.
        kind, why = Kind.DATETIME, "dates written as text"
    elif threshold is not None and kind in (Kind.INT, Kind.FLOAT) and _has_at_most(values, threshold):
        kind, why = Kind.CATEGORY, f"at most {threshold} distinct values"

    if not kind.is_numeric:
        if pa.types.is_floating(values.type):
            refuse_infinite(name, floats_of(values))
        return _categorical(name, values, kind, why)
    numbers, text_format = _as_numbers(name, values, kind)
    if pa.types.is_floating(numbers.type) or pa.types.is_decimal(numbers.type):
        return _floating(name, numbers, values.type, kind, why)
    return _integral(name, numbers, values.type, kind, why, text_format)


def _natural_kind(type_: pa.DataType) -> tuple[Kind, str] | None:
    """The kind of an Arrow type and the reason; None when the method has no place for it."""
    is_ = pa.types
    if is_.is_dictionary(type_):
        return (Kind.CATEGORY, "a categorical type") if _natural_kind(type_.value_type) else None
    if is_.is_boolean(type_):
        return Kind.BOOL, "true or false"
    if is_.is_integer(type_):
        return Kind.INT, "integers"
    if is_.is_floating(type_):
        return Kind.FLOAT, "floating-point numbers"
    if is_.is_decimal(type_):
        return Kind.FLOAT, "decimal numbers"
    if is_.is_date(type_):
        return Kind.DATETIME, "dates"
    if is_.is_timestamp(type_):
        return Kind.DATETIME, "dates and times"
    if is_.is_duration(type_):
        return Kind.INT, "durations"
    if is_.is_time(type_):
        return Kind.INT, "times of day"
    if is_text(type_):
        return Kind.CATEGORY, "text"
    if is_.is_null(type_):
        return Kind.CATEGORY, "no values"
    return None


def _has_at_most(values: pa.ChunkedArray, threshold: int) -> bool:
    """Whether a column of numbers has between 1 and `threshold` distinct values; most answer early."""
    if len(distinct(values.slice(0, 10 * threshold + 1000))) > threshold:
        return False
    return 1 <= len(distinct(values)) <= threshold


def _categorical(name: str, values: pa.ChunkedArray, kind: Kind, why: str) -> Column:
    levels, dictionary = distinct(values), None
    if pa.types.is_dictionary(values.type):
        # In the order of the dictionary: it may mean something, and does when the type is ordered.
        dictionary = pc.unique(pa.chunked_array([plain(chunk.dictionary) for chunk in values.chunks])).drop_null()
        levels = dictionary.filter(pc.is_in(dictionary, value_set=levels))
        if len(dictionary) > 2 ** (values.type.index_type.bit_width - 1):
            raise InvalidTable(
                f"Column {name!r} has more categories than its type can number: convert it to text.",
                code="unsupported_type",
                column=name,
            )
    elif len(levels):
        levels = levels.take(pc.array_sort_indices(levels))
    if kind is Kind.BOOL and len(levels) > 2:
        raise _wrong_type(name, "bool", f"it has {len(levels)} distinct values; declare it as category")
    missing = values.null_count
    if dictionary is not None and any(plain(chunk.dictionary).null_count for chunk in values.chunks):
        missing = spelt_out(values).null_count
    elif pa.types.is_floating(values.type):
        missing = int(np.isnan(floats_of(values)).sum())
    return Column(name, kind, values.type, why, missing, levels=levels, dictionary=dictionary)


def _as_numbers(name: str, values: pa.ChunkedArray, kind: Kind) -> tuple[pa.ChunkedArray, DatetimeFormat | None]:
    """The values as Arrow numbers or datetimes for a numeric kind; text is read."""
    type_ = values.type
    if pa.types.is_dictionary(type_):
        raise _wrong_type(name, kind, "its type is categorical; convert the column itself to numbers or dates")
    if pa.types.is_null(type_):
        return values.cast(pa.int64()), None
    if is_text(type_):
        return _read_text(name, plain(values), kind)
    if kind is Kind.DATETIME and not (pa.types.is_date(type_) or pa.types.is_timestamp(type_)):
        raise _wrong_type(name, kind, f"its type is {type_}; convert the column itself to dates")
    return values, None


def _read_text(name: str, text: pa.ChunkedArray, kind: Kind) -> tuple[pa.ChunkedArray, DatetimeFormat | None]:
    if text.null_count == len(text):
        return text.cast(pa.int64()), None
    if kind is not Kind.DATETIME:
        numbers = read_integers(text) if kind is Kind.INT else read_floats(text)
        if numbers is None:
            raise _wrong_type(name, kind, "not every value reads as one; declare it as category")
        return numbers, None
    readings = read_in_any_order(text)
    if not readings:
        raise _wrong_type(name, kind, "not every value reads as one; write dates as YYYY-MM-DD")
    if len(readings) > 1:
        raise InvalidTable(
            f"Column {name!r} has dates whose day and month cannot be told apart: write them as YYYY-MM-DD.",
            code="ambiguous_dates",
            column=name,
        )
    return readings[0]


def _floating(name: str, numbers: pa.ChunkedArray, type_: pa.DataType, kind: Kind, why: str) -> Column:
    floats = floats_of(numbers)
    refuse_incomputable(name, floats)
    if kind is Kind.INT:
        with np.errstate(invalid="ignore"):
            if np.any((floats != np.rint(floats)) & ~np.isnan(floats)):
                raise _wrong_type(name, kind, "it has values with decimals; declare it as float")
    decimals = 0 if kind is Kind.INT else _typical_decimals(floats, numbers.type)
    missing = int(np.isnan(floats).sum())
    read_type = numbers.type if is_text(type_) else None
    return Column(name, kind, type_, why, missing, decimals=decimals, read_type=read_type)


def _typical_decimals(floats: npt.NDArray[np.float64], type_: pa.DataType) -> int | None:
    """The mode of the number of decimals that the values need in their type; None above `MOST_DECIMALS`."""
    sample = floats[:: -(-floats.size // _SAMPLE)]
    values = sample[~np.isnan(sample) & (sample != 0)]
    total = values.size
    if total == 0:
        return 0
    precision = np.dtype(f"f{type_.bit_width // 8}") if pa.types.is_floating(type_) else np.dtype("f8")
    counts: list[int] = []
    for decimals in range(MOST_DECIMALS + 1):
        scale = 10.0**decimals
        with np.errstate(over="ignore"):
            rounded = (np.rint(values * scale) / scale).astype(precision).astype(np.float64)
        values = values[rounded != values]
        counts.append(total - sum(counts) - values.size)
        if max(counts) > values.size:
            break
    # Between equally common numbers of decimals the larger one loses nothing.
    most = max(counts)
    return None if values.size > most else len(counts) - 1 - counts[::-1].index(most)


def _integral(
    name: str,
    numbers: pa.ChunkedArray,
    type_: pa.DataType,
    kind: Kind,
    why: str,
    text_format: DatetimeFormat | None,
) -> Column:
    integers, missing = integers_of(numbers)
    present = integers if missing is None else integers[~missing]
    origin, step, step_is_local = 0, 1, False
    if present.size:
        low, high = int(present.min()), int(present.max())
        if pa.types.is_temporal(numbers.type):
            origin = low
            step, step_is_local = _granularity(numbers, present)
        elif max(-low, high) > _LARGEST_EXACT:
            origin = low
    return Column(
        name,
        kind,
        type_,
        why,
        len(numbers) - present.size,
        decimals=None if kind is Kind.DATETIME else 0,
        origin=origin,
        step=step,
        step_is_local=step_is_local,
        text_format=text_format,
        read_type=numbers.type if is_text(type_) else None,
    )


def _granularity(numbers: pa.ChunkedArray, present: npt.NDArray[np.int64]) -> tuple[int, bool]:
    """The coarsest of day, hour, minute, second ... that all values keep, and whether by the local clock."""
    type_ = numbers.type
    if pa.types.is_date32(type_):
        return 1, False
    unit = "ms" if pa.types.is_date64(type_) else type_.unit
    per_second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
    steps = [per_second * seconds for seconds in (86400, 3600, 60, 1)]
    steps += [per_second // parts for parts in (10**3, 10**6, 10**9) if parts <= per_second]
    step = _coarsest(present, steps)
    if step < steps[0] and pa.types.is_timestamp(type_) and type_.tz:
        # Midnights in Paris are 22 or 23 o'clock in UTC: days are whole by the clock on the wall.
        clock = local_clock(pc.drop_null(numbers))
        local = step if clock is None else _coarsest(integers_of(clock)[0], steps)
        if local > step:
            return local, True
    return step, False


def _coarsest(integers: npt.NDArray[np.int64], steps: list[int]) -> int:
    for step in steps:
        if not np.any(integers[:1000] % step) and not np.any(integers % step):
            return step
    return 1


def _wrong_type(name: str, kind: str, reason: str) -> InvalidTable:
    return InvalidTable(f"Column {name!r} is declared as {kind!s}, but {reason}.", code="wrong_type", column=name)
