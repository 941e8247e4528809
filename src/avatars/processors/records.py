"""Several rows for each individual, its records, in an order: what the inter-record processors share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from avatars.processors.columns import Numbers, require_columns, require_pairs


def require_distinct(*names: str) -> None:
    """Refuse parameters that name one column twice."""
    if len(set(names)) < len(names):
        raise ValueError(f"The columns {', '.join(map(repr, names))} must have names that differ from each other.")


def require_complete(frame: pd.DataFrame, names: Mapping[str, str], *, where: str = "") -> None:
    """Refuse a frame that lacks a column, named by the parameter that asks for it, or has missing cells there."""
    for parameter, name in names.items():
        require_columns(frame, [name], expected=f"Expected a valid `{parameter}`{where}")
        if frame[name].isna().any():
            raise ValueError(f"Expected no missing values for `{parameter}`{where}: column {name!r} has some.")


@dataclass(frozen=True, eq=False)
class Records:
    """A frame's rows, sorted by individual, the records of each in their order.

    Attributes
    ----------
    rows
        The positions of the rows, sorted so; shape (n,).
    begins
        Whether a row, sorted so, is its individual's first record; shape (n,).
    """

    rows: npt.NDArray[np.intp]
    begins: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, individuals: pd.Series[Any], order: pd.Series[Any] | None = None) -> Records:
        """Sort rows by individual and ``order``; records that this leaves equal stay in the order of their rows.

        Time O(n log n).
        """
        rows = np.arange(len(individuals))
        if order is not None:
            try:
                rows = rows[order.reset_index(drop=True).sort_values(kind="stable").index]
            except TypeError:
                raise ValueError(f"Column {order.name!r} cannot be sorted: make its values of one kind.") from None
        numbers = pd.factorize(individuals)[0]
        rows = rows[np.argsort(numbers[rows], kind="stable")]
        return cls(rows, np.diff(numbers[rows], prepend=-1) != 0)

    def firsts(self, values: Numbers) -> Numbers:
        """Return, for each row of the frame, the value of its individual's first record."""
        sorted_values = values[self.rows]
        return self._unsorted(sorted_values[self.begins][self._individuals()])

    def previous(self, values: Numbers, at_first: Numbers) -> Numbers:
        """Return, for each row, the value of its individual's record before; of a first record, ``at_first``."""
        before = np.where(self.begins, at_first[self.rows], np.roll(values[self.rows], 1))
        return self._unsorted(before)

    def totals(self, values: Numbers) -> Numbers:
        """Return, for each row, the sum of its individual's values up to it."""
        return self._unsorted(pd.Series(values[self.rows]).groupby(self._individuals()).cumsum().to_numpy())

    def _individuals(self) -> npt.NDArray[np.intp]:
        return np.cumsum(self.begins) - 1

    def _unsorted(self, sorted_values: Numbers) -> Numbers:
        values = np.empty_like(sorted_values)
        values[self.rows] = sorted_values
        return values


def records_of_avatars(
    source: pd.DataFrame,
    dest: pd.DataFrame,
    id_variable: str,
    sort_by: str | None,
    *,
    keep_record_order: bool,
    seen: Records | None,
) -> Records:
    """Sort the avatars' rows by individual, its records as told.

    With ``keep_record_order`` they stand as the originals do at their rows: as ``seen`` by preprocess, or else by the
    source's ``sort_by``. Without, by their own ``sort_by``; where that was not avatarized, in the order of their rows.
    """
    if not keep_record_order:
        return Records.of(dest[id_variable], dest[sort_by] if sort_by in dest.columns else None)
    require_pairs(source, dest)
    if seen is None:
        names = {"id_variable": id_variable} | ({"sort_by_variable": sort_by} if sort_by else {})
        require_complete(source, names, where=" in source")
        seen = Records.of(source[id_variable], source[sort_by] if sort_by else None)
    if len(seen.rows) != len(dest):
        raise ValueError("preprocess saw a frame with another number of rows: use a processor for one table at a time.")
    places = np.empty_like(seen.rows)
    places[seen.rows] = np.arange(len(places))
    return Records.of(dest[id_variable], pd.Series(places))
