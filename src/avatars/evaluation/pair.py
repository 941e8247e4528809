"""Originals and avatars, ready to be compared: made once, asked by all metrics."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from avatars.engine.columns import Encoded
from avatars.engine.features import Features
from avatars.engine.projection import Projection
from avatars.engine.spots import Spots
from avatars.evaluation.privacy.closeness import Closeness, measure_closeness


@dataclass(frozen=True, eq=False)
class Side:
    """One of the tables.

    Attributes
    ----------
    cells
        All columns, as they are.
    complete
        The columns that were modelled, with missing cells filled in.
    spots
        Where the rows are in the originals' projection.
    """

    cells: Encoded
    complete: Features
    spots: Spots

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.cells.codes)


@dataclass(frozen=True, eq=False)
class Pair:
    """Originals, avatars, and people who were held out, all encoded alike.

    Attributes
    ----------
    linked
        Whether row i of the avatars belongs to record i.
    space
        The originals' projection, in which the spots are.
    """

    original: Side
    avatars: Side
    held_out: Side | None
    linked: bool
    space: Projection

    @cached_property
    def closeness(self) -> Closeness:
        """How close the avatars come to the records."""
        return measure_closeness(self.original.spots, self.avatars.spots)
