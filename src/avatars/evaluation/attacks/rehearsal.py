"""The maker of a release in the attacker's hands: what is needed to make more of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from avatars.engine.columns import Column, Encoded, encode
from avatars.engine.errors import InvalidTable

Make = Callable[[pa.Table, int], pa.Table]
"""Makes a release of a table, by a seed; row i of the one belongs to row i of the other."""
MOST_PEOPLE = 2200
"""People, of members and others together, among whom attacks that rehearse are run: each takes dozens of releases."""


@dataclass(frozen=True, eq=False)
class Rehearsal:
    """A maker of releases, and people to make them of.

    Attributes
    ----------
    people
        Drawn from both, ``members`` of them first.
    columns
        As all tables of the attack are encoded.
    make
        The maker.
    seed
        Of everything that is drawn or made.
    """

    people: pa.Table
    members: int
    columns: tuple[Column, ...]
    make: Make
    seed: int

    @classmethod
    def of(cls, members: pa.Table, others: pa.Table, columns: tuple[Column, ...], make: Make, seed: int) -> Rehearsal:
        """Draw the people, as many as make rehearsals affordable; the members come first."""
        random = np.random.default_rng([seed % 2**64, 7])
        halves = []
        for table in (members, others):
            most = min(MOST_PEOPLE // 2, table.num_rows)
            halves.append(table.take(pa.array(np.sort(random.permutation(table.num_rows)[:most]))))
        return cls(pa.concat_tables(halves).unify_dictionaries(), halves[0].num_rows, columns, make, seed)

    def __len__(self) -> int:
        """Return the number of people."""
        return int(self.people.num_rows)

    def encoded(self) -> Encoded:
        """Return the people as numbers and codes."""
        return encode(self.people, self.columns)

    def release(self, rows: NDArray[np.intp], number: int) -> Encoded:
        """Make a release of some of the people; row i belongs to the i-th of them.

        Raises ``EngineError`` where it cannot be made, or has other columns, types or levels than the first one.
        """
        made = self.make(self.people.take(pa.array(rows)), 1 + number + 10_000 * self.seed)
        if made.num_rows != len(rows):
            raise InvalidTable("make must give a row for each row.", code="different_rows")
        return encode(made.select(self.people.column_names), self.columns)
