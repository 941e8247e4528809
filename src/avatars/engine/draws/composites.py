"""Traits that belong together are drawn as one: structural zeros and tight relations survive.

Two traits are merged while ``I(A; B) / min(H(A), H(B))``, the share of the less telling one's entropy that the other
explains, is at least ``ASSOCIATION``; greedily, the tightest first. A composite has at most ``MOST_LEVELS``
combinations that enough people share, and those that fewer share hold under ``RARE_MASS`` of the rows. Groups that
somebody declares are merged whatever their association: one number as it is, further ones by bins. (Ours.)
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from avatars.engine.columns import Encoded
from avatars.engine.draws.traits import Role, Trait, bin_trait, entropy, gap_trait, level_trait, traits_of
from avatars.engine.errors import InvalidParameter
from avatars.engine.features import Codes, Features, Floats
from avatars.engine.identifiers import people_needed

ASSOCIATION = 0.4
MOST_LEVELS = 200
RARE_MASS = 0.03
GROUP_BINS = 10
"""Bins of a number in a declared group, at most."""
_GROUP_RARE_MASS, _MOST_GROUP_RARE_MASS = 0.02, 0.1
# Entropy below which a trait has nothing to tell.
_LITTLE = 0.02
# The search for associations multiplies indicators of some rows: levels in all, and multiplications, at most.
_LEVELS, _MULTIPLICATIONS = 4096, 5e10
_ROWS = 20_000


@dataclass(frozen=True, eq=False)
class Composite:
    """Traits that are drawn together.

    Attributes
    ----------
    traits
        At least one.
    cells
        (m, traits) the traits' codes at each level.
    levels
        (n,) the level of each row.
    counts
        (m,) rows at each level.
    calibrates
        The numeric column that belongs to the group as well: it is calibrated within each level, see ``calibration``.
    """

    traits: tuple[Trait, ...]
    cells: Codes
    levels: Codes
    counts: NDArray[np.int64]
    calibrates: int | None = None

    @classmethod
    def of(cls, trait: Trait) -> Composite:
        """Make one of a single trait."""
        cells = np.arange(trait.size, dtype=np.int32)[:, None]
        return cls((trait,), cells, trait.codes, np.bincount(trait.codes, minlength=trait.size))

    def with_other(self, other: Composite) -> Composite:
        """Return both as one; its levels are the combinations that occur."""
        width = len(other.cells)
        pairs, levels, counts = np.unique(
            self.levels * np.int64(width) + other.levels, return_inverse=True, return_counts=True
        )
        cells = np.hstack([self.cells[pairs // width], other.cells[pairs % width]])
        return Composite((*self.traits, *other.traits), cells, levels.astype(np.int32), counts)

    def rare_mass(self, needed: int) -> float:
        """Return the share of the rows whose level fewer than ``needed`` rows have."""
        return float(self.counts[self.counts < needed].sum() / len(self.levels))

    def fits(self, needed: int) -> bool:
        """Return whether the levels are few enough, and shared by enough people."""
        return int((self.counts >= needed).sum()) <= MOST_LEVELS and self.rare_mass(needed) < RARE_MASS


def composites_of(
    table: Encoded, complete: Features, groups: Sequence[Sequence[str]], *, imputed: bool
) -> list[Composite]:
    """Return every trait of the table in one composite each, those of declared groups first.

    Raises ``InvalidParameter`` for a group whose combinations too few people share. Cost: O(n c log n) time for c
    traits, and some steps of O(c) for each merger; O(n c) memory.
    """
    declared = [_declared(table, complete, group, imputed=imputed) for group in groups]
    done = {_column(trait) for composite in declared for trait in composite.traits}
    done |= {(False, composite.calibrates) for composite in declared if composite.calibrates is not None}
    rest = [Composite.of(trait) for trait in traits_of(table, complete, imputed=imputed) if _column(trait) not in done]
    return [*declared, *_merged(rest, people_needed(len(complete)))]


def _column(trait: Trait) -> tuple[bool, int]:
    return trait.role is Role.LEVEL, trait.column


def _declared(table: Encoded, complete: Features, group: Sequence[str], *, imputed: bool) -> Composite:
    """Return a group as one composite, with as many bins of its numbers as its people are enough for."""
    needed = people_needed(len(complete))
    for count in range(GROUP_BINS, 1, -1):
        made = _of_group(table, complete, group, count, imputed=imputed)
        if made.rare_mass(needed) <= _GROUP_RARE_MASS:
            return made
    if made.rare_mass(needed) > _MOST_GROUP_RARE_MASS:
        raise InvalidParameter(
            f"The group of {', '.join(map(repr, group))} is too large: {made.rare_mass(needed):.0%} of the rows are in "
            f"combinations that fewer than {needed} people share. Leave a column out of it.",
            code="group_too_large",
            column=group[0],
        )
    return made


def _of_group(table: Encoded, complete: Features, group: Sequence[str], count: int, *, imputed: bool) -> Composite:
    """Return a group with ``count`` bins of its numbers; the first needs none, it is calibrated within the rest."""
    numbers = [column.name for column in table.numeric_columns]
    others = [column.name for column in table.categorical_columns]
    traits = [level_trait(table, complete, others.index(name), imputed=imputed) for name in group if name in others]
    numeric = [numbers.index(name) for name in group if name in numbers]
    traits += [bin_trait(table, complete, column, count, imputed=imputed) for column in numeric[1:]]
    traits += [trait for column in numeric[:1] if (trait := gap_trait(table, column, imputed=imputed)) is not None]
    made = functools.reduce(Composite.with_other, map(Composite.of, traits))
    return replace(made, calibrates=numeric[0]) if numeric else made


def _merged(composites: list[Composite], needed: int) -> list[Composite]:
    """Merge what is tightly associated, the tightest first."""
    candidates = _candidates(composites, needed)
    merged: list[Composite | None] = [composites[place] for place in candidates]
    alone = [one for place, one in enumerate(composites) if place not in candidates]
    if len(merged) > 1:
        _merge_tightest(merged, _some_rows(composites, candidates), needed)
    return [*alone, *(one for one in merged if one is not None)]


def _candidates(composites: list[Composite], needed: int) -> list[int]:
    """Return those that could be trait of a merger; those with the fewest levels where there are too many."""
    telling = [place for place, one in enumerate(composites) if one.fits(needed) and entropy(one.counts) > _LITTLE]
    telling.sort(key=lambda place: len(composites[place].cells))
    levels = np.cumsum([len(composites[place].cells) for place in telling])
    return sorted(telling[: int(np.searchsorted(levels, _LEVELS, side="right"))])


def _some_rows(composites: list[Composite], candidates: list[int]) -> NDArray[np.int64]:
    """Return the rows that associations are looked for in: all, or some that stand evenly in the table."""
    n, levels = len(composites[0].levels), sum(len(composites[place].cells) for place in candidates)
    affordable = int(min(_ROWS, _MULTIPLICATIONS / levels**2))
    return np.linspace(0, n - 1, min(n, affordable)).astype(np.int64)


def _merge_tightest(merged: list[Composite | None], rows: NDArray[np.int64], needed: int) -> None:
    """Merge within the list; what became trait of another is None."""
    tight = _associations([one for one in merged if one is not None], rows)
    while tight.max() >= ASSOCIATION:
        one, other = sorted(map(int, np.unravel_index(tight.argmax(), tight.shape)))
        first, second = merged[one], merged[other]
        assert first is not None
        assert second is not None
        both = first.with_other(second)
        if not both.fits(needed):
            tight[one, other] = tight[other, one] = 0.0
            continue
        # A third that neither is close to is not close to both together either, as a rule.
        near = np.flatnonzero(np.maximum(tight[one], tight[other]) >= ASSOCIATION / 2)
        merged[one], merged[other] = both, None
        tight[[one, other]] = tight[:, [one, other]] = 0.0
        for third in near:
            theirs = merged[third]
            if third != one and theirs is not None:
                tight[one, third] = tight[third, one] = _associations([both, theirs], rows)[0, 1]


def _associations(composites: list[Composite], rows: NDArray[np.int64]) -> Floats:
    """Return (c, c) ``I(A; B) / min(H(A), H(B))`` over some rows; 0 on the diagonal.

    Cost: O(rows m^2) for m levels, by multiplication of indicators; O(rows m + m^2 / c) memory.
    """
    sizes = [len(one.cells) for one in composites]
    starts = np.cumsum([0, *sizes])
    indicators = np.zeros((len(rows), starts[-1]), dtype=np.float32)
    for start, one in zip(starts, composites, strict=False):
        indicators[np.arange(len(rows)), start + one.levels[rows]] = 1.0
    alone = np.array([entropy(np.bincount(one.levels[rows])) for one in composites])
    together = np.empty((len(sizes), len(sizes)))
    for place, (start, end) in enumerate(itertools.pairwise(starts)):
        shares = (indicators[:, start:end].T @ indicators).astype(np.float64) / len(rows)
        terms = -np.log(shares, out=np.zeros_like(shares), where=shares > 0) * shares
        together[place] = np.add.reduceat(terms.sum(axis=0), starts[:-1])
    least = np.minimum.outer(alone, alone)
    shared = np.add.outer(alone, alone) - together
    found: Floats = np.divide(shared, least, out=np.zeros_like(shared), where=least > _LITTLE)
    np.fill_diagonal(found, 0.0)
    return found
