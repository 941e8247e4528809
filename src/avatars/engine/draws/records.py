"""What every draw is given: the records, and who is near whom."""

from __future__ import annotations

from dataclasses import dataclass

from avatars.engine.columns import Encoded
from avatars.engine.features import Features, Floats
from avatars.engine.missing import Imputer
from avatars.engine.neighbors import Indices
from avatars.engine.spots import Spots


@dataclass(frozen=True, eq=False)
class Records:
    """The records of a table, ready to be drawn around.

    Attributes
    ----------
    table
        The columns that take part, cells missing as they are.
    imputer, complete
        What fills missing cells in, and the columns so filled.
    features
        The same with the indicators of missing cells.
    spots
        Where the records are in the space of the search.
    neighbors, distances
        (n, k) rows of the nearest others of each record, nearest first, and how far they are; (n, 0) distances for a
        draw that looks at none.
    """

    table: Encoded
    imputer: Imputer
    complete: Features
    features: Features
    spots: Spots
    neighbors: Indices
    distances: Floats
