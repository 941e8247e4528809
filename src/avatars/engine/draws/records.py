"""What every draw is given: the records, and who is near whom."""

from __future__ import annotations

from dataclasses import dataclass

from avatars.engine.columns import Encoded
from avatars.engine.features import Features
from avatars.engine.missing import Imputer
from avatars.engine.neighbors import Nearby


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
    nearby
        Who is near whom in the space of the search.
    """

    table: Encoded
    imputer: Imputer
    complete: Features
    features: Features
    nearby: Nearby
