"""Ranges that follow each other from record to record, avatarized as their lengths and the gaps between them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from avatars.processors.columns import numbers, ordered_as, refuse_columns, to_integers
from avatars.processors.records import Records, records_of_avatars, require_complete, require_distinct


@dataclass(eq=False, kw_only=True)
class InterRecordRangeDifferenceProcessor:
    """Expresses ranges as the individual's first start, each range's length, and the gap since the range before.

    For tables with several rows, records, for each individual, each with a start and an end: stays, treatments.
    ``length = end - start``, ``gap = start - end of the record before`` (0 for the first record). Rows stay where they
    are. ``postprocess`` lays ranges and gaps one after the other again, from each row's first start. Integers
    come back as integers, rounded; other numbers as floats. Dates: put a `DatetimeProcessor` before this one.

    Make the ids categories before (``df.astype({"id": "category"})``): the method takes numbers for quantities.

    Parameters
    ----------
    id_variable
        Who a row is about.
    target_start_variable, target_end_variable
        The ranges; they are left out of what is avatarized.
    sort_by_variable
        What an individual's records are sorted by; often the start.
    new_first_variable
        A new column for the individual's first start.
    new_range_variable
        A new column for the length of the range.
    new_difference_variable
        A new column for the gap.
    keep_record_order
        Whether avatars are laid out in the order that the source's records have; otherwise by their own
        ``sort_by_variable``, and where that was not avatarized, in the order of their rows. The avatars' rows must be
        those of the source, in their order.

    Raises
    ------
    ValueError
        A column is not there, not of numbers, there already, or has missing cells; with ``keep_record_order``, the
        rows of the avatars are not those of the source.

    Examples
    --------
    >>> import pandas as pd
    >>> df = pd.DataFrame({"id": ["A", "B", "A"], "start": [12, 10, 6], "end": [15, 12, 7]})
    >>> processor = InterRecordRangeDifferenceProcessor(
    ...     id_variable="id",
    ...     target_start_variable="start",
    ...     target_end_variable="end",
    ...     sort_by_variable="start",
    ...     new_first_variable="first",
    ...     new_range_variable="length",
    ...     new_difference_variable="gap",
    ...     keep_record_order=True,
    ... )
    >>> ranges = processor.preprocess(df)
    >>> ranges
      id  length  first  gap
    0  A       3      6    5
    1  B       2     10    0
    2  A       1      6    0
    >>> processor.postprocess(df, ranges.assign(length=[4, 2, 2]))
      id  start  end
    0  A     13   17
    1  B     10   12
    2  A      6    8
    """

    id_variable: str
    target_start_variable: str
    target_end_variable: str
    sort_by_variable: str
    new_first_variable: str
    new_range_variable: str
    new_difference_variable: str
    keep_record_order: bool = False
    _seen: Records | None = field(default=None, init=False, repr=False)
    """The records of the frame that ``preprocess`` saw."""
    _dtypes: dict[str, Any] = field(default_factory=dict, init=False, repr=False)
    """The dtypes that the targets had in the frame that ``preprocess`` saw."""

    def __post_init__(self) -> None:
        """Refuse parameters that cannot work."""
        targets = (self.target_start_variable, self.target_end_variable)
        names = (self.new_first_variable, self.new_range_variable, self.new_difference_variable)
        require_distinct(self.id_variable, *targets, *names)

    def preprocess(self, df: pd.DataFrame) -> pd.DataFrame:
        """Return the frame with first start, length and gap in the place of start and end."""
        read = ["id_variable", "target_start_variable", "target_end_variable", "sort_by_variable"]
        require_complete(df, {parameter: getattr(self, parameter) for parameter in read})
        refuse_columns(df, [self.new_range_variable, self.new_first_variable, self.new_difference_variable])
        start, end = numbers(df[self.target_start_variable]), numbers(df[self.target_end_variable])
        self._seen = records = Records.of(df[self.id_variable], df[self.sort_by_variable])
        self._dtypes = {name: df[name].dtype for name in (self.target_start_variable, self.target_end_variable)}
        df = df.drop(columns=[self.target_start_variable, self.target_end_variable])
        df[self.new_range_variable] = end - start
        df[self.new_first_variable] = records.firsts(start)
        df[self.new_difference_variable] = start - records.previous(end, at_first=start)
        return df

    def postprocess(self, source: pd.DataFrame, dest: pd.DataFrame) -> pd.DataFrame:
        """Return the avatars with start and end laid out from first start, lengths and gaps."""
        new = ["new_range_variable", "new_first_variable", "new_difference_variable"]
        require_complete(dest, {parameter: getattr(self, parameter) for parameter in ["id_variable", *new]})
        records = records_of_avatars(
            source,
            dest,
            self.id_variable,
            self.sort_by_variable,
            keep_record_order=self.keep_record_order,
            seen=self._seen,
        )
        length = numbers(dest[self.new_range_variable])
        passed = records.totals(numbers(dest[self.new_difference_variable])) + records.totals(length)
        end = numbers(dest[self.new_first_variable]) + passed
        dest = dest.drop(columns=[getattr(self, parameter) for parameter in new])
        dest[self.target_start_variable] = to_integers(end - length, self._dtypes.get(self.target_start_variable))
        dest[self.target_end_variable] = to_integers(end, self._dtypes.get(self.target_end_variable))
        return ordered_as(source, dest)
