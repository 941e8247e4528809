"""What may be shown of people: nothing that rests on one to four of them.

Bins are merged with their neighbours, rare levels with each other, cells of a plane are left empty, until whatever is
shown is about five people or more, or about nobody. Edges are round numbers, never somebody's own value. Ours, after
the threshold rule of statistics offices.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from avatars.engine.features import Floats

FEWEST = 5
"""People that a count must be of."""
FEWEST_FOR_MOMENTS = 10
"""People that a mean, a standard deviation or an association must be of."""

Counts = NDArray[np.int64]


def is_small(counts: Counts) -> NDArray[np.bool_]:
    """Return which counts are of too few people to be shown; 0 is of nobody."""
    return (counts > 0) & (counts < FEWEST)


def merged(counts: Sequence[Counts]) -> list[int] | None:
    """Return where groups of neighbouring bins start, so that no group is small in any of the series of counts.

    None where even all bins together are. Cost: O(bins).
    """
    table = np.column_stack(counts)
    starts: list[int] = []
    open_since = 0
    for end in range(1, len(table) + 1):
        if not is_small(table[open_since:end].sum(axis=0)).any():
            starts.append(open_since)
            open_since = end
    # What is left at the end is too few by itself: it joins those before.
    while open_since < len(table):
        if not starts:
            return None
        last = starts.pop()
        if not is_small(table[last:].sum(axis=0)).any():
            starts.append(last)
            open_since = len(table)
    return starts


def summed(counts: Counts, starts: Sequence[int]) -> Counts:
    """Return the counts of groups of bins."""
    found: Counts = np.add.reduceat(counts, starts)
    return found


def whole_edges(inner: Floats, starts: Sequence[int]) -> tuple[float, ...]:
    """Return the edges of groups of bins, one more than groups; the outer bins, which are open, as wide as most."""
    if not len(inner):
        return 0.0, 1.0
    usual = float(np.median(np.diff(inner))) if len(inner) > 1 else abs(float(inner[0])) or 1.0
    return (
        float(inner[0]) - usual,
        *(float(inner[start - 1]) for start in starts[1:]),
        float(inner[-1]) + usual,
    )


def largest_first(counts: Counts, most: int) -> list[int]:
    """Return up to ``most`` levels that may be shown by themselves, the most frequent first; the rest goes together.

    The rest is large enough too, or nobody.
    """
    order = np.argsort(-counts, kind="stable")
    shown = [int(level) for level in order[:most] if counts[level] >= FEWEST]
    while shown and is_small(counts.sum() - counts[shown].sum()):
        shown.pop()
    return shown


def round_edges(cells: Floats, bins: int, *, whole: bool = False) -> Floats:
    """Return inner edges at round numbers, for about so many bins where most of the cells are; the outer two are open.

    None at all for cells that are all the same. For whole numbers the edges lie between them.
    """
    low, high = (float(edge) for edge in np.quantile(cells, [0.01, 0.99]))
    if low == high:
        low, high = float(cells.min()), float(cells.max())
    step = _round_step(high / bins - low / bins)
    if step == 0.0:
        return np.empty(0)
    if whole:
        step = max(1.0, np.ceil(step))
    edges: Floats = np.unique(step * np.arange(np.floor(low / step), np.ceil(high / step) + 1))
    return edges - 0.5 if whole else edges


def _round_step(length: float) -> float:
    """Return 1, 2 or 5 times a power of ten, at least ``length``; 0 for nothing."""
    if not length > 0 or not np.isfinite(length):
        return 0.0
    power = float(10.0 ** np.floor(np.log10(length)))
    return next((factor * power for factor in (1.0, 2.0, 5.0) if factor * power >= length), 10.0 * power)
