"""Rare levels of excluded columns are replaced before anything of the column is given back.

A level that few people have tells who they are. Where ``exclude_categorical`` takes a column out of the method, its
levels of at most ``rare_occurrence_threshold`` records are replaced, record by record:

- ``most_similar``: by the level of the record that is nearest in the coordinates of the columns that are modelled,
  among those whose level is common (the *donors*);
- ``probabilistic``: by the level of a donor drawn at random, so with the frequencies of the common levels;
- ``missing``: the cell is emptied.

``number_reference_records`` bounds the donors that ``most_similar`` looks at, drawn at random. It is raised to the
number of levels to replace, so that each can find a donor of its own, and capped at all donors. That reading of the
parameter is ours. Missing cells stay missing: they are neither rare nor donors.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from avatars.engine.columns import Encoded
from avatars.engine.errors import InvalidParameter
from avatars.engine.features import Codes, Floats
from avatars.engine.parameters import ExcludeCategorical
from avatars.engine.spots import Spots

Rows = NDArray[np.int64]


def check_common(encoded: Encoded, names: Iterable[str], rule: ExcludeCategorical) -> None:
    """Refuse a column all of whose levels are rare: nothing could stand in for them; raises ``InvalidParameter``."""
    if rule.rare_replacement_strategy == "missing":
        return
    for name in names:
        codes = encoded.codes[:, position(encoded, name)]
        is_rare, is_common = _rare_and_common(codes, rule)
        if is_rare.any() and not is_common.any():
            most = rule.rare_occurrence_threshold
            times = "1 time" if most == 1 else f"{most} times"
            raise InvalidParameter(
                f"Every level of column {name!r} occurs at most {times}, so none can stand in for the rare ones: lower "
                "rare_occurrence_threshold, or replace them by missing.",
                code="no_common_level",
                column=name,
            )


def rows_to_copy(codes: Codes, rule: ExcludeCategorical, coordinates: Floats, random: np.random.Generator) -> Rows:
    """Return (n,) the row whose cell each record shows: its own, a donor's in place of a rare level, -1 for none.

    ``codes`` (n,) are the column's levels, ``coordinates`` (n, d) those of the records. Cost: O(n log n).
    """
    rows = np.arange(len(codes))
    is_rare, is_common = _rare_and_common(codes, rule)
    rare, donors = np.flatnonzero(is_rare), np.flatnonzero(is_common)
    if not len(rare):
        return rows
    if rule.rare_replacement_strategy == "missing":
        rows[rare] = -1
    elif rule.rare_replacement_strategy == "probabilistic":
        rows[rare] = donors[random.integers(len(donors), size=len(rare))]
    else:
        wanted = max(rule.number_reference_records or len(donors), len(np.unique(codes[rare])))
        if wanted < len(donors):
            donors = random.choice(donors, wanted, replace=False)
        rows[rare] = _nearest(coordinates[rare], donors, coordinates[donors], random)
    return rows


def position(encoded: Encoded, name: str) -> int:
    """Return where a categorical column stands among the codes."""
    return [column.name for column in encoded.categorical_columns].index(name)


def _nearest(points: Floats, donors: Rows, places: Floats, random: np.random.Generator) -> Rows:
    """Return the donor nearest to each point; among those at one place any, by chance."""
    spots = Spots.of(places)
    nearest = spots.nearest(points, 1)[0][:, 0]
    which = random.integers(spots.counts[nearest])
    found: Rows = donors[spots.members[spots.starts[nearest] + which]]
    return found


def _rare_and_common(codes: Codes, rule: ExcludeCategorical) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return (n,) which records have a rare level, and which a common one."""
    is_known = codes >= 0
    occurrences = np.bincount(codes[is_known], minlength=1)
    is_few = occurrences[np.maximum(codes, 0)] <= rule.rare_occurrence_threshold
    return is_known & is_few, is_known & ~is_few
