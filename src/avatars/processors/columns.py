"""What the processors ask of a frame: that columns are there, their numbers and kinds, its rows in pairs."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from difflib import get_close_matches
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Numbers = npt.NDArray[Any]
"""The numbers of a column: int64 where all are whole and none is missing, else float64 with NaN."""

_NUMERIC = frozenset({"integer", "floating", "mixed-integer-float", "decimal"})
"""The kinds that `pandas.api.types.infer_dtype` calls numbers; booleans are none."""

_EXACT = 2**60
"""Whole numbers up to here are calculated with as such: differences and sums of a few stay within int64."""


def require_columns(frame: pd.DataFrame, names: Iterable[Hashable], *, expected: str) -> None:
    """Refuse a frame that has a column not at all, or more than once; the sentence begins with ``expected``."""
    for name in names:
        times = int((frame.columns == name).sum())
        if times == 0:
            near = get_close_matches(str(name), [str(label) for label in frame.columns], n=1)
            hint = f"did you mean {near[0]!r}?" if near else "check the spelling against the frame's columns."
            raise ValueError(f"{expected}: the frame has no column {name!r}: {hint}")
        if times > 1:
            raise ValueError(f"{expected}: column {name!r} is there more than once: give each column its own name.")


def refuse_columns(frame: pd.DataFrame, names: Iterable[Hashable]) -> None:
    """Refuse new names that the frame has already: what stands there would be lost."""
    for name in names:
        if name in frame.columns:
            raise ValueError(f"The frame has a column {name!r} already: choose another name for the new one.")


def names_of(value: Sequence[str], parameter: str) -> list[str]:
    """Copy a parameter's names; refuse an empty list, a name twice, and a text, whose letters would be names."""
    if isinstance(value, str):
        raise ValueError(f"{parameter} must be a list of names: write [{value!r}].")
    if len(value) == 0:
        raise ValueError(f"{parameter} must name at least one column.")
    if len(set(value)) < len(value):
        raise ValueError(f"{parameter} names a column twice.")
    return list(value)


def is_whole(value: object) -> bool:
    """Whether a parameter is a whole number, 0 or more."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool) and int(value) >= 0


def is_numeric(cells: pd.Series[Any]) -> bool:
    """Whether a column holds numbers, by whatever dtype; booleans, dates and categories of numbers are none."""
    return pd.api.types.infer_dtype(cells, skipna=True) in _NUMERIC


def numbers(cells: pd.Series[Any]) -> Numbers:
    """Read a column's numbers, by whatever dtype they come: NumPy's, nullable, Arrow's, or objects of Python.

    Raises
    ------
    ValueError
        The column holds something else, or infinite values.
    """
    name = cells.name
    kind = pd.api.types.infer_dtype(cells, skipna=True)
    if kind == "datetime64":
        raise ValueError(f"Column {name!r} holds dates, numbers are needed: put a DatetimeProcessor before this one.")
    if kind not in _NUMERIC and not cells.isna().all():
        raise ValueError(f"Column {name!r} ({cells.dtype}) does not hold numbers: convert it with pandas.to_numeric.")
    if kind == "integer" and len(cells) and not cells.isna().any():
        exact = cells.to_numpy()
        if exact.min() >= -_EXACT and exact.max() <= _EXACT:
            return exact.astype(np.int64)
    floats = cells.to_numpy(dtype=np.float64, na_value=np.nan)
    if np.isinf(floats).any():
        raise ValueError(f"Column {name!r} holds infinite values: replace them, or mark them as missing.")
    return floats


def to_integers(values: Numbers, dtype: Any) -> Any:
    """Give numbers the integer dtype that they had, rounded half to even and kept within its range.

    They stay as they are where ``dtype`` is another, or None; rounded, they stay floats where one is missing and the
    dtype has no place for it.
    """
    if isinstance(dtype, pd.SparseDtype):
        dtype = dtype.subtype
    if dtype is None or not pd.api.types.is_integer_dtype(dtype):
        return values
    limits, int64 = np.iinfo(getattr(dtype, "numpy_dtype", dtype)), np.iinfo(np.int64)
    if values.dtype.kind == "i":
        whole = np.clip(values, max(limits.min, int64.min), min(limits.max, int64.max))
    else:
        # Of 64 bits the limit itself, as a float, is one too many.
        high = np.nextafter(float(limits.max), 0) if limits.bits == 64 else float(limits.max)
        whole = np.clip(np.rint(values), float(limits.min), high)
    if isinstance(dtype, np.dtype):
        return whole if np.isnan(whole).any() else whole.astype(dtype)
    return pd.array(whole, dtype=dtype)


def require_pairs(source: pd.DataFrame, dest: pd.DataFrame) -> None:
    """Refuse avatars that are not row by row those of the source.

    They are paired by position. Their index must be the source's, or count from 0 as what comes from a platform
    does: any other says that rows were moved or left out.
    """
    counted = dest.index.equals(pd.RangeIndex(len(dest)))
    if len(source) != len(dest) or not (counted or dest.index.equals(source.index)):
        raise ValueError(
            "The rows of the avatars are not those of the source in their order: give the unshuffled avatars, "
            "with the source's index or one that counts from 0."
        )


def ordered_as(source: pd.DataFrame | None, dest: pd.DataFrame) -> pd.DataFrame:
    """Return ``dest`` with its columns in the source's order, those that the source has not after them."""
    if source is None:
        return dest
    places: dict[Any, int] = {label: place for place, label in enumerate(source.columns)}
    labels: list[Any] = dest.columns.tolist()
    return dest.iloc[:, sorted(range(len(labels)), key=lambda at: places.get(labels[at], len(places)))]
