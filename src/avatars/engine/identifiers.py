"""Columns that say who somebody is: no value of theirs is shared by enough people to be drawn.

A name, a number that was declared a category, an address: whatever avatars had of it would be somebody's own. Such a
column is refused by its name, or, where that was asked for (``identifiers="replace"``), taken out before the method and
given back with the numbers 1 to n in the order of publication: numbers of avatars, of which none is anybody's.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from avatars.engine.errors import InvalidParameter, InvalidTable
from avatars.engine.kinds import Column, Kind
from avatars.engine.parameters import Parameters, excluded_columns

RARE = 5
"""People that must share a level, or a combination of levels, for it to be drawn; see ``people_needed``."""


def people_needed(rows: int) -> int:
    """Return how many people must share a level for it to be drawn: ``RARE``, in tables under 100 rows fewer."""
    return int(np.clip(rows // 20, 2, RARE))


def identifiers_among(table: pa.Table, columns: Sequence[Column], parameters: Parameters) -> list[str]:
    """Return the columns that have values, but none that enough people share; for the local draw, none for others.

    Raises ``InvalidTable`` where they are not to be replaced. Cost: a pass over columns of many levels.
    """
    if parameters.method != "local":
        return []
    excluded, needed = excluded_columns(parameters, columns), people_needed(table.num_rows)
    names = [column.name for column in columns if column.name not in excluded and _is_identifier(table, column, needed)]
    if names and parameters.identifiers == "refuse":
        raise InvalidTable(
            f"Column {names[0]!r} identifies people: no value of it is shared by {needed} of them. Remove it, or say "
            'identifiers="replace" to have it filled with new numbers.',
            code="identifier",
            column=names[0],
        )
    if len(names) == len(columns):
        raise InvalidTable("Every column identifies people: there is nothing to make avatars from.", code="identifier")
    named = {*parameters.column_weights, *itertools.chain.from_iterable(parameters.groups)}
    for name in named.intersection(names):
        raise InvalidParameter(
            f"Column {name!r} identifies people and is replaced: leave it out of column_weights and groups.",
            code="identifier",
            column=name,
        )
    return names


def _is_identifier(table: pa.Table, column: Column, needed: int) -> bool:
    if column.kind is not Kind.CATEGORY:
        return False
    assert column.levels is not None
    known = table.num_rows - column.missing
    # A column that few have is no identifier: it comes out empty. And of few levels one is shared by enough people.
    if 2 * known <= table.num_rows or len(column.levels) * (needed - 1) < known:
        return False
    counts = pc.value_counts(table[column.name].drop_null())
    return bool(pc.max(pc.struct_field(counts, 1)).as_py() < needed)
