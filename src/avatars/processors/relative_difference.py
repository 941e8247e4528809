"""A number, avatarized as its distance from others."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from avatars.processors.columns import (
    Numbers,
    names_of,
    numbers,
    ordered_as,
    refuse_columns,
    require_columns,
    to_integers,
)


@dataclass(eq=False)
class RelativeDifferenceProcessor:
    """Expresses a column as its difference from the sum of others, so that avatars keep the distance between them.

    ``difference = (target - sum of references) / scaling_unit``, and back. An avatar lies between originals: where the
    target is never below its reference, no avatar's is. A missing target stays missing.

    Integers come back as integers, rounded; other numbers as floats. Dates: put a `DatetimeProcessor`
    before this one in the list.

    Parameters
    ----------
    target
        The column to express.
    references
        The columns whose sum it is expressed from.
    scaling_unit
        What differences are divided by: with 86,400, seconds become days.
    target_rename
        A new column for the difference, beside the target, in place of the target itself. ``postprocess`` computes
        the target from it and keeps it.
    drop_original_target
        Whether to leave the target out of what is avatarized, where the difference has a column of its own.

    Raises
    ------
    ValueError
        A column is not there, not of numbers, or there already; a reference is missing in a row;
        ``drop_original_target`` without ``target_rename``; a ``scaling_unit`` of 0.

    Examples
    --------
    >>> import pandas as pd
    >>> df = pd.DataFrame({"systolic": [120, 140], "diastolic": [80, 85]})
    >>> processor = RelativeDifferenceProcessor("systolic", ["diastolic"])
    >>> differences = processor.preprocess(df)
    >>> differences
       systolic  diastolic
    0        40         80
    1        55         85
    >>> processor.postprocess(df, differences.assign(diastolic=[81, 83]))
       systolic  diastolic
    0       121         81
    1       138         83
    """

    target: str
    references: Sequence[str]
    scaling_unit: float | None = None
    target_rename: str | None = None
    drop_original_target: bool = False
    _dtype: Any = field(default=None, init=False, repr=False)
    """The dtype that the target had in the frame that ``preprocess`` saw."""

    def __post_init__(self) -> None:
        """Refuse parameters that cannot work."""
        self.references = names_of(self.references, "references")
        if self.target in self.references:
            raise ValueError("The target is among the references: nothing would be left of it.")
        if self.scaling_unit is not None and (self.scaling_unit == 0 or not math.isfinite(self.scaling_unit)):
            raise ValueError("scaling_unit must be a finite number other than 0, or left out.")
        if self.drop_original_target and self.target_rename is None:
            raise ValueError(
                "Expected drop_original_target to be False if a target_rename is None, got True: "
                "without a column of its own, the difference takes the target's place."
            )

    def preprocess(self, df: pd.DataFrame) -> pd.DataFrame:
        """Return the frame with the difference in the place of the target, or beside it."""
        require_columns(df, [self.target], expected="Expected the target in dataset columns")
        references = self._sum(df)
        if np.isnan(references).any():
            raise ValueError(
                "Expected no missing values for `references`, got some: fill them in, or leave those rows out."
            )
        if self.target_rename is not None:
            refuse_columns(df, [self.target_rename])
        difference = numbers(df[self.target]) - references
        self._dtype = df[self.target].dtype
        df = df.copy()
        df[self.target_rename or self.target] = (
            difference if self.scaling_unit is None else difference / self.scaling_unit
        )
        return df.drop(columns=self.target) if self.drop_original_target else df

    def postprocess(self, source: pd.DataFrame, dest: pd.DataFrame) -> pd.DataFrame:
        """Return the avatars with the target computed from the difference."""
        name = self.target_rename or self.target
        references = self._sum(dest)
        require_columns(dest, [name], expected="Expected the difference in dataset columns")
        difference = numbers(dest[name])
        dest = dest.copy()
        target = difference * (1 if self.scaling_unit is None else self.scaling_unit) + references
        dest[self.target] = to_integers(target, self._dtype)
        return ordered_as(source, dest)

    def _sum(self, frame: pd.DataFrame) -> Numbers:
        require_columns(frame, self.references, expected="Expected all reference variables in dataset columns, got")
        return sum((numbers(frame[name]) for name in self.references), start=np.zeros(len(frame), dtype=np.int64))
