"""A number that goes up and down from record to record, avatarized without leaving its bounds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from avatars.processors.bounds import Bounds
from avatars.processors.columns import Numbers, numbers, ordered_as, refuse_columns, to_integers
from avatars.processors.records import Records, require_complete, require_distinct


@dataclass(eq=False, kw_only=True)
class InterRecordBoundedCumulatedDifferenceProcessor:
    """Expresses a number as the individual's first value and changes as shares of the room that is left for them.

    For tables with several rows, records, for each individual, where a value changes from record to record but stays
    within bounds: a weight, a level. The bounds are the least and the greatest value of the column; a change from x
    is divided by ``x - least`` if it is a decrease, by ``greatest - x`` if it is an increase, which gives a share from
    -1 to 1. Records are in the order of their rows. ``postprocess`` lets each individual begin at the first value of
    its first row and takes one change after the other: whatever the avatars' shares are, no value leaves the bounds.
    The bounds are those of the frame that ``preprocess`` saw, or the source's where it saw none.

    Make the ids categories before (``df.astype({"id": "category"})``): the method takes numbers for quantities.
    Time O(n), about a second for a million rows.

    Parameters
    ----------
    id_variable
        Who a row is about.
    target_variable
        The number to express; it is left out of what is avatarized.
    new_first_variable_name
        A new column for the individual's first value.
    new_difference_variable_name
        A new column for the share; 0 for the first record.
    should_round_output
        Whether values come back as integers, rounded half to even; otherwise they are floats.

    Raises
    ------
    ValueError
        A column is not there, not of numbers, there already, or has missing cells.

    Examples
    --------
    >>> import pandas as pd
    >>> df = pd.DataFrame({"id": ["A", "A", "B", "B"], "level": [20, 60, 100, 60]})
    >>> processor = InterRecordBoundedCumulatedDifferenceProcessor(
    ...     id_variable="id",
    ...     target_variable="level",
    ...     new_first_variable_name="first",
    ...     new_difference_variable_name="change",
    ...     should_round_output=True,
    ... )
    >>> changes = processor.preprocess(df)
    >>> changes
      id  first  change
    0  A     20     0.0
    1  A     20     0.5
    2  B    100     0.0
    3  B    100    -0.5
    >>> processor.postprocess(df, changes.assign(first=[60, 60, 80, 80]))
      id  level
    0  A     60
    1  A     80
    2  B     80
    3  B     50
    """

    id_variable: str
    target_variable: str
    new_first_variable_name: str
    new_difference_variable_name: str
    should_round_output: bool = False
    _bounds: Bounds | None = field(default=None, init=False, repr=False)
    _dtypes: dict[str, Any] = field(default_factory=dict, init=False, repr=False)
    """The dtypes that the target had in the frame that ``preprocess`` saw."""

    def __post_init__(self) -> None:
        """Refuse parameters that cannot work."""
        names = (self.new_first_variable_name, self.new_difference_variable_name)
        require_distinct(self.id_variable, self.target_variable, *names)

    def preprocess(self, df: pd.DataFrame) -> pd.DataFrame:
        """Return the frame with first value and share in the place of the target."""
        refuse_columns(df, [self.new_first_variable_name, self.new_difference_variable_name])
        values = self._read(df)
        self._bounds = Bounds.of(values)
        records = Records.of(df[self.id_variable])
        self._dtypes = {self.target_variable: df[self.target_variable].dtype}
        df = df.drop(columns=self.target_variable)
        df[self.new_first_variable_name] = records.firsts(values)
        df[self.new_difference_variable_name] = self._bounds.shares(records.previous(values, at_first=values), values)
        return df

    def postprocess(self, source: pd.DataFrame, dest: pd.DataFrame) -> pd.DataFrame:
        """Return the avatars with the target computed from first value and shares."""
        new = {
            "new_first_variable_name": self.new_first_variable_name,
            "new_difference_variable_name": self.new_difference_variable_name,
        }
        require_complete(dest, {"id_variable": self.id_variable} | new)
        bounds = self._bounds or Bounds.of(self._read(source, where=" in source"))
        first, share = (numbers(dest[name]) for name in new.values())
        (values,) = bounds.walk(Records.of(dest[self.id_variable]), first, share)
        dest = dest.drop(columns=list(new.values()))
        name = self.target_variable
        dest[name] = to_integers(bounds.rounded(values), self._dtypes.get(name)) if self.should_round_output else values
        return ordered_as(source, dest)

    def _read(self, frame: pd.DataFrame, where: str = "") -> Numbers:
        names = {"id_variable": self.id_variable, "target_variable": self.target_variable}
        require_complete(frame, names, where=where)
        return numbers(frame[self.target_variable])
