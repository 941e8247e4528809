"""A number that grows from record to record, avatarized as its growth."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from avatars.processors.columns import numbers, ordered_as, refuse_columns, to_integers
from avatars.processors.records import Records, records_of_avatars, require_complete, require_distinct


@dataclass(eq=False, kw_only=True)
class InterRecordCumulatedDifferenceProcessor:
    """Expresses a number as the individual's first value and the difference from the record before.

    For tables with several rows, records, for each individual, where a value grows from record to record: a mileage,
    a sum of doses. Records of an individual are taken in the order of their values, so that no difference is negative;
    rows stay where they are. ``postprocess`` returns each row's first value plus the individual's differences up to
    that row. Integers come back as integers, rounded; other numbers as floats.

    Make the ids categories before (``df.astype({"id": "category"})``): the method takes numbers for quantities.

    Parameters
    ----------
    id_variable
        Who a row is about.
    target_variable
        The number to express; it is left out of what is avatarized.
    new_first_variable_name
        A new column for the individual's least value.
    new_difference_variable_name
        A new column for the difference from the record before; 0 for the first.
    keep_record_order
        Whether avatars are summed up in the order that the source's records have; otherwise in the order of their
        rows. The avatars' rows must be those of the source, in their order.

    Raises
    ------
    ValueError
        A column is not there, not of numbers, there already, or has missing cells; with ``keep_record_order``, the
        rows of the avatars are not those of the source.

    Examples
    --------
    >>> import pandas as pd
    >>> df = pd.DataFrame({"car": ["A", "B", "A", "A"], "mileage": [1025, 20000, 1000, 1130]})
    >>> processor = InterRecordCumulatedDifferenceProcessor(
    ...     id_variable="car",
    ...     target_variable="mileage",
    ...     new_first_variable_name="first",
    ...     new_difference_variable_name="driven",
    ...     keep_record_order=True,
    ... )
    >>> differences = processor.preprocess(df)
    >>> differences
      car  first  driven
    0   A   1000      25
    1   B  20000       0
    2   A   1000       0
    3   A   1000     105
    >>> processor.postprocess(df, differences.assign(driven=[30, 0, 0, 100]))
      car  mileage
    0   A     1030
    1   B    20000
    2   A     1000
    3   A     1130
    """

    id_variable: str
    target_variable: str
    new_first_variable_name: str
    new_difference_variable_name: str
    keep_record_order: bool = False
    _seen: Records | None = field(default=None, init=False, repr=False)
    """The records of the frame that ``preprocess`` saw."""
    _dtypes: dict[str, Any] = field(default_factory=dict, init=False, repr=False)
    """The dtypes that the target had in the frame that ``preprocess`` saw."""

    def __post_init__(self) -> None:
        """Refuse parameters that cannot work."""
        names = (self.new_first_variable_name, self.new_difference_variable_name)
        require_distinct(self.id_variable, self.target_variable, *names)

    def preprocess(self, df: pd.DataFrame) -> pd.DataFrame:
        """Return the frame with first value and difference in the place of the target."""
        require_complete(df, {"id_variable": self.id_variable, "target_variable": self.target_variable})
        refuse_columns(df, [self.new_first_variable_name, self.new_difference_variable_name])
        values = numbers(df[self.target_variable])
        self._seen = records = Records.of(df[self.id_variable], pd.Series(values))
        self._dtypes = {self.target_variable: df[self.target_variable].dtype}
        df = df.drop(columns=self.target_variable)
        df[self.new_first_variable_name] = records.firsts(values)
        df[self.new_difference_variable_name] = values - records.previous(values, at_first=values)
        return df

    def postprocess(self, source: pd.DataFrame, dest: pd.DataFrame) -> pd.DataFrame:
        """Return the avatars with the target summed up from first value and differences."""
        new = {
            "new_first_variable_name": self.new_first_variable_name,
            "new_difference_variable_name": self.new_difference_variable_name,
        }
        require_complete(dest, {"id_variable": self.id_variable} | new)
        records = records_of_avatars(
            source,
            dest,
            self.id_variable,
            self.target_variable,
            keep_record_order=self.keep_record_order,
            seen=self._seen,
        )
        first = numbers(dest[self.new_first_variable_name])
        values = first + records.totals(numbers(dest[self.new_difference_variable_name]))
        dest = dest.drop(columns=list(new.values()))
        dest[self.target_variable] = to_integers(values, self._dtypes.get(self.target_variable))
        return ordered_as(source, dest)
