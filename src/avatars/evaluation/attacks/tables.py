"""What an attack is given: members, others and a release, encoded alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa

from avatars.engine.columns import Column, Encoded, Kind, detect, encode
from avatars.engine.errors import InvalidTable
from avatars.evaluation.alignment import aligned
from avatars.evaluation.attacks.space import Space
from avatars.evaluation.rows import overlap


@dataclass(frozen=True, eq=False)
class Attacked:
    """Three tables of the same columns.

    Attributes
    ----------
    members
        The people that the release was made from.
    others
        People like them, none of whom is among them.
    release
        What was published, in any order.
    """

    members: Encoded
    others: Encoded
    release: Encoded

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of all three."""
        return self.members.columns

    @cached_property
    def space(self) -> Space:
        """Where the attacker measures."""
        return Space.of(self.release, self.members, self.others)


def read_tables(
    members: pa.Table,
    others: pa.Table,
    release: pa.Table,
    types: Mapping[str, Kind] | None = None,
    to_categorical_threshold: int | None = None,
) -> Attacked:
    """Return the tables encoded alike.

    Raises ``InvalidTable`` where columns or types differ (``different_columns``, ``different_types``), or where there
    are no rows (``empty_table``, ``too_few_rows``).
    """
    tables = aligned(members, [("held-out people", others), ("synthetic rows", release)])
    columns = detect(pa.concat_tables(tables).unify_dictionaries(), types, to_categorical_threshold)
    return Attacked(*(encode(table, columns) for table in tables))


def refuse_overlap(tables: Attacked) -> None:
    """Raise ``InvalidTable`` where the others coincide with members far more often than members with each other."""
    if (counts := overlap(tables.members, tables.others)) is not None:
        found, expected = counts
        raise InvalidTable(
            f"{found:,} of the {len(tables.others.codes):,} held-out people are among the members, where about "
            f"{expected:,} would coincide by chance: hold out people who are not in the table.",
            code="overlapping_people",
        )
