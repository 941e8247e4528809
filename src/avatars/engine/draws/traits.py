"""What is drawn as levels: categories, missing cells, spikes of numbers, and numbers that a category gives away.

- a category's level; its missing cells are a level of their own;
- whether a number's cell is missing;
- the *spikes* of a number: values that far more people hold than the values beside them (a dose of 0, a top-coded age);
- a number of few values that a category determines (a code and its plain text): the category's levels give it;
- in groups that somebody declared, which of a few bins a number is in.

All of them are codes; ``composites`` draws together what belongs together. (Definitions of ours.)
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from avatars.engine.columns import Encoded
from avatars.engine.features import Codes, Features, Floats

SPIKE_SHARE = 0.05
"""Of all rows that hold a spike's value, at least."""
_SPIKE_PEOPLE = 20
_SPIKE_ABOVE_OTHERS = 4.0
# Numbers of at most so many values are levels already, to the quantile function: each keeps its mass there.
_FEW_VALUES = 12
# Values of a number that a category may determine, at most; what may be left to tell of it; and what there is to tell.
_MOST_VALUES = 24
_LEFT_TO_TELL, _TELLING = 0.01, 0.02
_SAMPLE = 20_000


class Role(StrEnum):
    """What a trait's codes mean for its column."""

    LEVEL = "level"
    """A categorical column's level; the last code is a missing cell where the column has any."""
    GAP = "gap"
    """1 where a number's cell is missing."""
    SPIKE = "spike"
    """0, or 1 + the spike that the number is at."""
    VALUE = "value"
    """The number itself, one of a few."""
    BIN = "bin"
    """The number's bin; the last code is a missing cell where the column has any."""


@dataclass(frozen=True, eq=False)
class Trait:
    """One column of codes.

    Attributes
    ----------
    role
        What the codes mean.
    column
        Which of the numeric columns they are about; for ``LEVEL`` which of the categorical ones.
    codes
        (n,) from 0 to ``size - 1``.
    size
        Number of codes.
    values
        The numbers behind the codes: of spikes, in their order, and of ``VALUE``.
    """

    role: Role
    column: int
    codes: Codes
    size: int
    values: Floats | None = None


def traits_of(table: Encoded, complete: Features, *, imputed: bool) -> list[Trait]:
    """Return all traits of a table's columns, with its missing cells filled in ``complete``.

    With ``imputed`` cells that were filled in count as if they had been there. Cost: O(n) a column.
    """
    levels = [level_trait(table, complete, column, imputed=imputed) for column in range(table.codes.shape[1])]
    gaps, numbers = [], []
    for column, filled in enumerate(complete.numeric.T):
        is_missing = np.isnan(table.numeric[:, column])
        if (gap := gap_trait(table, column, imputed=imputed)) is not None:
            gaps.append(gap)
        elif (given := _given_by_a_category(filled, column, levels)) is not None:
            numbers.append(given)
            continue
        if len(spikes := _spikes(filled[~is_missing], len(filled))):
            at = np.searchsorted(spikes, filled)
            is_at = (spikes[np.minimum(at, len(spikes) - 1)] == filled) & ~is_missing
            codes = np.where(is_at, at + 1, 0).astype(np.int32)
            numbers.append(Trait(Role.SPIKE, column, codes, len(spikes) + 1, spikes))
    return [*levels, *gaps, *numbers]


def level_trait(table: Encoded, complete: Features, column: int, *, imputed: bool) -> Trait:
    """Return the levels of a categorical column."""
    codes, size = table.codes[:, column], complete.sizes[column]
    missing = codes < 0
    if not missing.any():
        return Trait(Role.LEVEL, column, codes, size)
    if imputed and not missing.all():
        return Trait(Role.LEVEL, column, complete.codes[:, column], size)
    return Trait(Role.LEVEL, column, np.where(missing, size, codes).astype(np.int32), size + 1)


def gap_trait(table: Encoded, column: int, *, imputed: bool) -> Trait | None:
    """Return whether a number's cells are missing; None where none is, or none is to come out."""
    is_missing = np.isnan(table.numeric[:, column])
    if not is_missing.any() or (imputed and not is_missing.all()):
        return None
    return Trait(Role.GAP, column, is_missing.astype(np.int32), 2)


def bin_trait(table: Encoded, complete: Features, column: int, count: int, *, imputed: bool) -> Trait:
    """Return a number's bins: at most ``count`` of about equal mass."""
    filled, missing = complete.numeric[:, column], np.isnan(table.numeric[:, column])
    if imputed:
        missing = np.zeros_like(missing)
    known = filled[~missing]
    shares = np.arange(1, count) / count
    edges = np.unique(np.quantile(known, shares, method="inverted_cdf")) if len(known) else np.empty(0)
    # An edge at the largest number would leave nothing above it.
    edges = edges[edges < known.max()] if len(known) else edges
    codes = np.searchsorted(edges, filled, side="left").astype(np.int32)
    size = len(edges) + 1
    if missing.any():
        codes[missing], size = size, size + 1
    return Trait(Role.BIN, column, codes, size)


def entropy(counts: NDArray[Any]) -> float:
    """Return the entropy of counts, in nats."""
    known = counts[counts > 0]
    shares = known / known.sum()
    return float(-(shares * np.log(shares)).sum())


def _spikes(numbers: Floats, n: int) -> Floats:
    """Return the spikes of a number's (m,) known cells in a table of ``n`` rows, ascending."""
    some = numbers[:: max(1, len(numbers) // _SAMPLE)]
    values, counts = np.unique(some, return_counts=True)
    if len(values) <= _FEW_VALUES:
        return np.empty(0)
    # What a twentieth of all hold is in the sample, give or take a hundredth.
    frequent = values[counts >= (SPIKE_SHARE - 0.01) * len(some)]
    return np.array([value for value in frequent if _is_spike(float(value), numbers, n)])


def _is_spike(value: float, numbers: Floats, n: int) -> bool:
    mass = int(np.sum(numbers == value))
    if mass < max(SPIKE_SHARE * n, _SPIKE_PEOPLE):
        return False
    beside = 0
    for others, nearest in ((numbers[numbers < value], np.max), (numbers[numbers > value], np.min)):
        if len(others):
            beside += int(np.sum(others == nearest(others)))
    return mass >= _SPIKE_ABOVE_OTHERS * beside / 2


def _given_by_a_category(numbers: Floats, column: int, levels: list[Trait]) -> Trait | None:
    """Return a number's values as levels where some category all but determines them."""
    some = slice(None, None, max(1, len(numbers) // _SAMPLE))
    if len(np.unique(numbers[some])) > _MOST_VALUES or not any(_tells(numbers[some], trait, some) for trait in levels):
        return None
    values, codes = np.unique(numbers, return_inverse=True)
    if len(values) > _MOST_VALUES or not any(_tells(numbers, trait, slice(None)) for trait in levels):
        return None
    return Trait(Role.VALUE, column, codes.astype(np.int32), len(values), values)


def _tells(numbers: Floats, trait: Trait, rows: slice) -> bool:
    _, codes = np.unique(numbers, return_inverse=True)
    alone = entropy(np.bincount(codes))
    _, pairs = np.unique(trait.codes[rows] * np.int64(_MOST_VALUES) + codes, return_counts=True)
    left = entropy(pairs) - entropy(np.bincount(trait.codes[rows]))
    return alone > _TELLING and left < _LEFT_TO_TELL * alone
