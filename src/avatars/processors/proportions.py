"""Parts of a whole, avatarized as shares of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from avatars.processors.columns import Numbers, is_whole, names_of, numbers, require_columns, to_integers
from avatars.processors.rounding import round_parts


@dataclass(eq=False)
class ProportionProcessor:
    """Expresses columns as shares of a whole, so that avatars keep ``whole = part + part + ...``.

    A row's parts become shares of their own sum; of the avatars, each share becomes that share of the avatar's
    reference. A cell of 0 stays 0. A missing cell stays missing and takes no part in the sum.

    The parts come back as they were where they sum to the reference; otherwise they come back in the same
    proportions, summing to it. Parts that are all 0 come back as 0 where the reference is 0, and are missing where it
    is not: they tell nothing of how to divide it. Parts come back as floats; with ``decimal_count=0`` as integers
    where they were integers before.

    Parameters
    ----------
    variable_names
        The parts.
    reference
        The whole; it is avatarized as it is.
    sum_to_one
        Whether the parts make up the whole. If not, they are divided by the reference, and multiplied by it.
    decimal_count
        How many decimals the parts come back with; not rounded by default. With ``sum_to_one`` they are rounded so
        that they still sum to the reference (rounded likewise), by the method of the largest remainders; otherwise
        one by one. (Clients from 0.2.2 round to one decimal if not told otherwise.)

    Raises
    ------
    ValueError
        A column is not there, or not of numbers; a part that is not 0 is to be divided by 0.

    Examples
    --------
    >>> import pandas as pd
    >>> df = pd.DataFrame({"hours": [40, 35], "ward": [30, 14], "office": [10, 21]})
    >>> processor = ProportionProcessor(["ward", "office"], "hours", decimal_count=0)
    >>> shares = processor.preprocess(df)
    >>> shares
       hours  ward  office
    0     40  0.75    0.25
    1     35  0.40    0.60
    >>> avatars = shares.assign(hours=[39, 36])
    >>> processor.postprocess(df, avatars)
       hours  ward  office
    0     39    29      10
    1     36    14      22
    """

    variable_names: Sequence[str]
    reference: str
    sum_to_one: bool = True
    _: KW_ONLY
    decimal_count: int | None = None
    _dtypes: dict[str, Any] = field(default_factory=dict, init=False, repr=False)
    """The dtypes that the parts had in the frame that ``preprocess`` saw."""

    def __post_init__(self) -> None:
        """Refuse parameters that cannot work."""
        self.variable_names = names_of(self.variable_names, "variable_names")
        if self.reference in self.variable_names:
            raise ValueError("The reference is among variable_names: a whole is no part of itself.")
        if not (self.decimal_count is None or is_whole(self.decimal_count)):
            raise ValueError("decimal_count must be a whole number, 0 or more, or left out.")

    def preprocess(self, df: pd.DataFrame) -> pd.DataFrame:
        """Return the frame with shares, as floats, in the place of the parts."""
        parts, reference = self._read(df)
        whole = np.nansum(parts, axis=1) if self.sum_to_one else reference
        if ((parts != 0) & ~np.isnan(parts) & (whole == 0)[:, None]).any():
            divisor = "The sum of variable_names" if self.sum_to_one else f"Column {self.reference!r}"
            raise ValueError(f"{divisor} is 0 in rows where a part is not: those rows have no proportions.")
        # What is 0 stays 0, of whatever.
        shares = np.where(parts == 0, 0.0, parts / np.where(whole == 0, 1.0, whole)[:, None])
        self._dtypes = {name: df[name].dtype for name in self.variable_names}
        df = df.copy()
        for name, share in zip(self.variable_names, shares.T, strict=True):
            df[name] = share
        return df

    def postprocess(self, source: pd.DataFrame, dest: pd.DataFrame) -> pd.DataFrame:
        """Return the avatars with parts in the place of the shares."""
        shares, reference = self._read(dest)
        if self.sum_to_one:
            whole = np.nansum(shares, axis=1)
            undivided = np.where(reference == 0, 0.0, np.nan)[:, None]
            divisor = np.where(whole == 0, 1.0, whole)[:, None]
            parts = np.where((whole == 0)[:, None], shares * undivided, shares * reference[:, None] / divisor)
        else:
            parts = shares * reference[:, None]
        if self.decimal_count is not None:
            parts = round_parts(parts, self.decimal_count) if self.sum_to_one else parts.round(self.decimal_count)
        dest = dest.copy()
        for name, part in zip(self.variable_names, parts.T, strict=True):
            dest[name] = to_integers(part, self._dtypes.get(name)) if self.decimal_count == 0 else part
        return dest

    def _read(self, frame: pd.DataFrame) -> tuple[Numbers, Numbers]:
        """Read the parts, shape (rows, parts), and the reference, as floats."""
        expected = f"variable {self.reference} cannot be found in the dataframe variables"
        require_columns(frame, [self.reference], expected=expected)
        require_columns(frame, self.variable_names, expected="Expected all variable_names in the dataframe")
        parts = [numbers(frame[name]).astype(np.float64) for name in self.variable_names]
        return np.column_stack(parts), numbers(frame[self.reference]).astype(np.float64)
