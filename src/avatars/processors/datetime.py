"""Datetimes, avatarized as numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from avatars.processors.columns import Numbers, numbers, require_columns

_TICKS = {"s": 1, "ms": 10**3, "us": 10**6}
"""Units of a datetime in a second; nanoseconds are beyond what a float number of seconds can hold."""


@dataclass(eq=False)
class DatetimeProcessor:
    """Turns all datetime columns into seconds since 1970-01-01 UTC, and back.

    The method avatarizes datetimes by itself; this processor lets those that need numbers work on them: put it before
    them in the list. ``postprocess`` looks for columns that hold datetimes in the source and numbers in the avatars,
    and gives them the source's unit and time zone. Missing datetimes stay missing.

    Seconds are floats: datetimes come back exactly to the microsecond from 1834 to 2105, farther from 1970 to a few
    microseconds; nanoseconds are lost. What does not fit into the source's unit becomes its first or last moment.
    Columns of Python's ``datetime`` or ``date`` objects are no datetime columns: convert them with
    ``pandas.to_datetime`` before.

    Raises
    ------
    ValueError
        By ``postprocess``: a column of datetimes comes back as neither numbers nor datetimes.

    Examples
    --------
    >>> import pandas as pd
    >>> df = pd.DataFrame({"admitted": pd.to_datetime(["2024-01-01 12:00", "2024-03-01 00:00"]), "age": [61, 70]})
    >>> processor = DatetimeProcessor()
    >>> seconds = processor.preprocess(df)
    >>> seconds
           admitted  age
    0  1.704110e+09   61
    1  1.709251e+09   70
    >>> avatars = seconds.assign(admitted=seconds["admitted"] + 86400)
    >>> processor.postprocess(df, avatars)
                 admitted  age
    0 2024-01-02 12:00:00   61
    1 2024-03-02 00:00:00   70
    """

    def preprocess(self, df: pd.DataFrame) -> pd.DataFrame:
        """Return the frame with float seconds in the place of datetimes."""
        names = [cells.name for _, cells in df.items() if _is_datetime(cells)]
        require_columns(df, names, expected="Expected names that are there once")
        df = df.copy()
        for name in names:
            df[name] = _to_seconds(df[name])
        return df

    def postprocess(self, source: pd.DataFrame, dest: pd.DataFrame) -> pd.DataFrame:
        """Return the avatars with datetimes where the source has them."""
        dest = dest.copy()
        for name, cells in source.items():
            if _is_datetime(cells) and name in dest.columns and not _is_datetime(dest[name]):
                dest[name] = _to_datetimes(numbers(dest[name]), cells)
        return dest


def _is_datetime(cells: pd.Series[Any]) -> bool:
    return cells.dtype.kind == "M"  # Arrow's timestamps and dates too


def _to_seconds(cells: pd.Series[Any]) -> Numbers:
    moments = pd.DatetimeIndex(cells)
    if moments.tz is not None:
        moments = moments.tz_convert("UTC").tz_localize(None)
    if moments.unit == "ns":
        moments = moments.as_unit("us")
    seconds = moments.to_numpy().astype(np.int64) / _TICKS[moments.unit]
    return np.where(moments.isna(), np.nan, seconds)


def _to_datetimes(seconds: Numbers, cells: pd.Series[Any]) -> Any:
    """Give seconds the unit, zone and dtype of the source's cells."""
    like = pd.DatetimeIndex(cells.iloc[:0])
    unit = "us" if like.unit == "ns" else like.unit
    # The farthest moments that the unit reaches, as floats that are within.
    limit = np.nextafter(2.0**63 / (1000 if like.unit == "ns" else 1), 0)
    missing = np.isnan(seconds)
    ticks = np.clip(np.rint(np.where(missing, 0, seconds) * _TICKS[unit]), -limit, limit)
    moments = pd.DatetimeIndex(np.where(missing, np.datetime64("NaT"), ticks.astype(np.int64).astype(f"M8[{unit}]")))
    moments = moments.as_unit(like.unit)
    if like.tz is not None:
        moments = moments.tz_localize("UTC").tz_convert(like.tz)
    return pd.Series(moments).astype(cells.dtype).array
