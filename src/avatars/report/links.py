"""How strongly variables go together, two by two, among originals and among avatars."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avatars.engine.batches import spread
from avatars.engine.columns import Encoded
from avatars.engine.excluded import without
from avatars.engine.features import Floats
from avatars.evaluation.pair import Pair
from avatars.evaluation.rows import cells
from avatars.evaluation.utility.association import correlation_ratio, cramers_v
from avatars.evaluation.utility.correlation import correlations
from avatars.report.small_counts import FEWEST_FOR_MOMENTS

MOST_VARIABLES = 30

Matrix = tuple[tuple[float | None, ...], ...]


@dataclass(frozen=True)
class Links:
    """Associations of pairs of variables.

    Between numbers Pearson's r, from -1 to 1; with a category the correlation ratio or Cramer's V, from 0 to 1.

    Attributes
    ----------
    names
        The variables, in the order of rows and columns: the table's.
    of_all
        Whether these are all variables of the table.
    originals, avatars
        None where too few people have both cells, and on the diagonal.
    """

    names: tuple[str, ...]
    of_all: bool
    originals: Matrix
    avatars: Matrix


def describe_links(pair: Pair, worst_first: Sequence[str]) -> Links | None:
    """Return the links between the variables, or the first ones of those named; None where there are none.

    Cost: O(n) time a pair of variables.
    """
    chosen = set(worst_first[:MOST_VARIABLES])
    if len(chosen) < 2 or len(pair.original) < FEWEST_FOR_MOMENTS:
        return None
    left_out = set(worst_first) - chosen
    original, avatars = (without(side.cells, left_out) for side in (pair.original, pair.avatars))
    names = [column.name for column in original.columns]
    enough = _people_with_both(original, names) >= FEWEST_FOR_MOMENTS
    return Links(tuple(names), not left_out, _matrix(original, enough), _matrix(avatars, enough))


def _matrix(table: Encoded, enough: NDArray[np.bool_]) -> Matrix:
    """Return the associations of all columns, in the table's order."""
    numbers = {column.name: place for place, column in enumerate(table.numeric_columns)}
    levels = {column.name: place for place, column in enumerate(table.categorical_columns)}
    r = correlations(table.numeric) if len(numbers) > 1 else np.empty((0, 0))
    # Column by column in memory: each is read as often as there are others.
    cells, codes = np.asfortranarray(table.numeric), np.asfortranarray(table.codes)

    def association(pair: tuple[str, str]) -> float:
        a, b = pair if pair[0] in numbers else pair[::-1]
        if b in numbers:
            return float(r[numbers[a], numbers[b]])
        if a in numbers:
            return correlation_ratio(cells[:, numbers[a]], codes[:, levels[b]])
        return cramers_v(codes[:, levels[a]], codes[:, levels[b]])

    names = [column.name for column in table.columns]
    pairs = list(itertools.combinations(names, 2))
    found: dict[tuple[str, str], float] = {}
    for (a, b), value in zip(pairs, spread(association, pairs), strict=True):
        found[a, b] = found[b, a] = round(value, 3)
    return tuple(
        tuple(found[one, other] if one != other and enough[a, b] else None for b, other in enumerate(names))
        for a, one in enumerate(names)
    )


def _people_with_both(table: Encoded, names: Sequence[str]) -> Floats:
    """Return (p, p) how many people have both cells of a pair."""
    there = np.empty((len(table.codes), len(names)), dtype=np.float32)
    for place, name in enumerate(names):
        column = cells(table, name)
        there[:, place] = ~np.isnan(column) if column.dtype.kind == "f" else column >= 0
    both: Floats = (there.T @ there).astype(np.float64)
    return both
