"""How well shares are kept: of the bins of a column, of pairs of bins, and of triples.

Accuracy is ``1 - 1/2 sum_b |p_b - q_b|``, one minus the total variation distance, over the bins of ``bins.py``: 1 means
equal shares everywhere, 0 no bin in common. The more columns are looked at together, the further two samples of the
same people differ by chance alone: the figure means nothing without what fresh people reach (``ceiling.py``).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np

from avatars.engine.batches import spread
from avatars.engine.features import Features, Floats
from avatars.evaluation.metric import Columns
from avatars.evaluation.wording import said

MOST = 1000
"""Combinations of columns that are looked at; of more, so many are drawn at random."""

Combination = tuple[int, ...]


def combinations(columns: int, together: int) -> list[Combination]:
    """Return all combinations of so many columns, or ``MOST`` of them, drawn at random: always the same ones."""
    if math.comb(columns, together) <= MOST:
        return list(itertools.combinations(range(columns), together))
    random = np.random.Generator(np.random.Philox(columns))
    drawn: set[Combination] = set()
    while len(drawn) < MOST:
        drawn.add(tuple(sorted(random.choice(columns, together, replace=False).tolist())))
    return sorted(drawn)


def drawn_note(figures: Sequence[float], columns: int, together: int) -> str | None:
    """Return on how many combinations a mean rests, with its 95 % interval; None where it is all of them."""
    every = math.comb(columns, together)
    if every <= MOST:
        return None
    reach = 1.96 * float(np.std(figures, ddof=1)) / math.sqrt(len(figures)) * math.sqrt(1 - len(figures) / every)
    return said(
        "mean of {some} of {every} combinations, drawn at random: give or take {reach:.4f}",
        some=len(figures),
        every=every,
        reach=reach,
    )


def accuracies(original: Features, avatars: Features, wanted: Sequence[Combination]) -> dict[Columns, float]:
    """Return the accuracy of each combination of binned columns, under the names of its columns.

    Cost: O(n) time a combination.
    """

    def accuracy(columns: Combination) -> float:
        shares = [_shares(table, columns) for table in (original, avatars)]
        return 1.0 - 0.5 * float(np.abs(shares[0] - shares[1]).sum())

    names = [tuple(original.names[column] for column in columns) for columns in wanted]
    return dict(zip(names, spread(accuracy, wanted), strict=True))


def _shares(table: Features, columns: Combination) -> Floats:
    cell, size = np.zeros(len(table), dtype=np.int64), 1
    for column in columns:
        cell = cell * table.sizes[column] + table.codes[:, column]
        size *= table.sizes[column]
    return np.bincount(cell, minlength=size) / len(table)
