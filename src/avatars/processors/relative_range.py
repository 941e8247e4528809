"""A number within bounds that each row has of its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from avatars.processors.columns import Numbers, numbers, ordered_as, require_columns, to_integers


@dataclass(eq=False)
class RelativeRangeProcessor:
    """Keeps a column between two others, row by row.

    By default the target is not avatarized at all: ``postprocess`` draws it, uniformly between the avatar's bounds.
    With ``drop_target=False`` it is avatarized, and drawn only where it is missing or outside. Which of the two bounds
    is lower does not matter, and is decided in each row. Where a bound is missing, so is the target.

    What was drawn cannot be the original again. Drawn numbers are floats; integers where the target was of integers
    and both of the avatars' bounds are.

    Parameters
    ----------
    target
        The column to keep within bounds.
    bounds
        The two columns that are its bounds.
    drop_target
        Whether to leave the target out of what is avatarized.
    drop_references
        Whether to leave the bounds out of what ``postprocess`` returns.
    seed
        Repeats the draws, at each call.

    Raises
    ------
    ValueError
        There are not two bounds; a column is not there, or not of numbers.

    Examples
    --------
    >>> import pandas as pd
    >>> df = pd.DataFrame({"low": [1, 4], "dose": [2, 5], "high": [3, 9]})
    >>> processor = RelativeRangeProcessor("dose", ("low", "high"), seed=1)
    >>> bounds = processor.preprocess(df)
    >>> bounds
       low  high
    0    1     3
    1    4     9
    >>> processor.postprocess(df, bounds)["dose"].between(df["low"], df["high"]).tolist()
    [True, True]
    """

    target: str
    bounds: tuple[str, str]
    drop_target: bool = True
    drop_references: bool = False
    seed: int | None = None
    _dtype: Any = field(default=None, init=False, repr=False)
    """The dtype that the target had in the frame that ``preprocess`` saw."""

    def __post_init__(self) -> None:
        """Refuse parameters that cannot work."""
        if len(tuple(self.bounds)) != 2 or self.target in self.bounds:
            raise ValueError("bounds must name two columns other than the target.")

    def preprocess(self, df: pd.DataFrame) -> pd.DataFrame:
        """Return the frame, by default without the target."""
        self._read_bounds(df)
        require_columns(df, [self.target], expected="Expected the target in dataset columns")
        self._dtype = df[self.target].dtype
        return df.drop(columns=self.target) if self.drop_target else df.copy()

    def postprocess(self, source: pd.DataFrame, dest: pd.DataFrame) -> pd.DataFrame:
        """Return the avatars with the target within the bounds."""
        low, high = self._read_bounds(dest)
        target = numbers(dest[self.target]) if self.target in dest.columns else np.full(len(dest), np.nan)
        drawn = low + np.random.default_rng(self.seed).random(len(dest)) * (high - low)
        target = np.where((low <= target) & (target <= high), target, drawn)
        # Only between integers does rounding stay within.
        is_whole = all(pd.api.types.is_integer_dtype(dest[name].dtype) for name in self.bounds)
        dest = dest.copy()
        dest[self.target] = to_integers(target, self._dtype) if is_whole else target
        dest = ordered_as(source, dest)
        return dest.drop(columns=list(self.bounds)) if self.drop_references else dest

    def _read_bounds(self, frame: pd.DataFrame) -> tuple[Numbers, Numbers]:
        """Read the bounds, the lower one first in each row; both are missing where one is."""
        require_columns(frame, self.bounds, expected="Expected all bounds variables in dataset columns, got")
        first, second = (numbers(frame[name]) for name in self.bounds)
        return np.minimum(first, second), np.maximum(first, second)
