"""How a file wrote its table, so that avatars can be written the same way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from avatars.engine.datetimes import DatetimeFormat

DELIMITERS = (",", ";", "\t", "|")
"""What may stand between cells."""


@dataclass(frozen=True)
class BoolFormat:
    """The two spellings of a column of true and false."""

    true: str = "True"
    false: str = "False"


ColumnFormat = BoolFormat | DatetimeFormat


@dataclass(frozen=True)
class TableFormat:
    """The textual form of a table; `to_dict` and `from_dict` carry it through JSON.

    Attributes
    ----------
    kind
        csv or parquet. The other attributes are of CSV only.
    delimiter
        What stands between cells.
    decimal
        The decimal mark of numbers, a point or a comma.
    line_end
        What stands after each line.
    bom
        Whether the file begins with a byte order mark, as spreadsheets like it.
    gzip
        Whether the file is compressed.
    columns
        By label, how booleans are spelt and how dates are written.
    """

    kind: Literal["csv", "parquet"] = "csv"
    delimiter: str = ","
    decimal: str = "."
    line_end: str = "\n"
    bom: bool = False
    gzip: bool = False
    columns: Mapping[str, ColumnFormat] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The format as JSON values."""
        columns = {
            name: {"bool": [style.true, style.false]}
            if isinstance(style, BoolFormat)
            else {"datetime": style.to_dict()}
            for name, style in self.columns.items()
        }
        return {
            "kind": self.kind,
            "delimiter": self.delimiter,
            "decimal": self.decimal,
            "line_end": self.line_end,
            "bom": self.bom,
            "gzip": self.gzip,
            "columns": columns,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> TableFormat:
        """The format that `to_dict` turned into JSON values."""
        columns: dict[str, ColumnFormat] = {
            name: BoolFormat(*style["bool"]) if "bool" in style else DatetimeFormat(**style["datetime"])
            for name, style in values.get("columns", {}).items()
        }
        return cls(**{**values, "columns": columns})
