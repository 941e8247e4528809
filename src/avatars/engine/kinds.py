"""What a column is: how it takes part in the method and what brings its values back."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import pyarrow as pa
import pyarrow.compute as pc

from avatars.engine.datetimes import DatetimeFormat


class Kind(StrEnum):
    """How a column takes part in the method."""

    INT = "int"
    FLOAT = "float"
    BOOL = "bool"
    CATEGORY = "category"
    DATETIME = "datetime"

    @property
    def is_numeric(self) -> bool:
        """Whether values of this kind are numbers to the method (the others are modalities)."""
        return self in (Kind.INT, Kind.FLOAT, Kind.DATETIME)


@dataclass(frozen=True, eq=False)
class Column:
    """One column of a table, as `detect` sees it.

    Attributes
    ----------
    name
        The label.
    kind
        How the column takes part in the method.
    type
        The Arrow type; avatars come back in it.
    why
        A short reason for the kind, for people: "integers", "text", "declared".
    missing
        Number of missing cells (null or NaN).
    levels
        The modalities in use, sorted, without nulls, of the type `type` (of its values when that is a
        dictionary): code ``c`` stands for ``levels[c]``. None for numeric kinds; empty when every cell is
        missing.
    decimals
        Decimals that avatars are rounded to: 0 for integers, None when the column has no typical number of
        them (full floating-point precision) or is not a number.
    origin
        What the method's numbers are counted from: ``value = origin + number``. 0 for ordinary numbers; the
        smallest value for datetimes, durations and integers beyond 2**53, so that float64 keeps them exact.
    step
        Granularity of integral values, in units of the type: avatars are multiples of it. 1 for integers; for
        datetimes the coarsest of day, hour, minute, second ... that every original value keeps.
    step_is_local
        Whether `step` holds for the wall clock of the column's time zone rather than for UTC.
    text_format
        How the dates are written, when the column is text declared to be a datetime.
    read_type
        What the text reads as, when the column is text declared to be a number or a datetime.
    dictionary
        All values of a dictionary type in their order, those not in use too.
    """

    name: str
    kind: Kind
    type: pa.DataType
    why: str
    missing: int
    levels: pa.Array | None = None
    decimals: int | None = None
    origin: int = 0
    step: int = 1
    step_is_local: bool = False
    text_format: DatetimeFormat | None = None
    read_type: pa.DataType | None = None
    dictionary: pa.Array | None = None

    @property
    def is_numeric(self) -> bool:
        """Whether the column is numbers to the method: int, float and datetime."""
        return self.kind.is_numeric

    @cached_property
    def places_in_dictionary(self) -> pa.Array:
        """Where each of `levels` stands in `dictionary`."""
        return pc.index_in(self.levels, value_set=self.dictionary)
