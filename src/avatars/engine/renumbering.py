"""Identifiers that were taken out of a table, given back as the avatars' own numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from avatars.engine.errors import InvalidTable
from avatars.engine.plain import is_text


@dataclass(frozen=True, eq=False)
class Replaced:
    """Identifiers that were taken out of a table, to be given back with new numbers.

    Attributes
    ----------
    names
        Their columns.
    schema
        Of the whole table.
    """

    names: tuple[str, ...]
    schema: pa.Schema

    @classmethod
    def of(cls, table: pa.Table, names: Sequence[str]) -> Replaced:
        """Take columns out; refuses one whose type holds no numbers of avatars (``InvalidTable``)."""
        for name in names:
            type_ = table.schema.field(name).type
            if not _holds_numbers(type_, table.num_rows):
                raise InvalidTable(
                    f"Column {name!r} identifies people, and its type, {type_}, cannot hold new numbers: remove it, or "
                    "make it text.",
                    code="identifier",
                    column=name,
                )
        return cls(tuple(names), table.schema)

    def give_back(self, table: pa.Table, numbers: NDArray[np.int64]) -> pa.Table:
        """Return a table with all columns in their order; ``numbers`` are those of its rows."""
        for name in self.names:
            table = table.append_column(name, _as(pa.array(numbers), self.schema.field(name).type))
        return table.select(self.schema.names).cast(self.schema)


def _holds_numbers(type_: pa.DataType, most: int) -> bool:
    # Values of a dictionary are told to its owner by its type: there is no room for others.
    if pa.types.is_dictionary(type_) or pa.types.is_boolean(type_) or pa.types.is_temporal(type_):
        return False
    try:
        _as(pa.array([most]), type_)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return False
    return True


def _as(numbers: pa.Array, type_: pa.DataType) -> pa.Array:
    return numbers.cast(pa.string() if is_text(type_) else type_).cast(type_)
