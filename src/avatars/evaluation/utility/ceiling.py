"""What fresh people reach: nobody can ask more of avatars.

Two samples of the same people never agree quite. Held-out people, compared with the originals as the avatars are, show
what is to be had; where there are none, one half of the originals, drawn at random, stands for them and is compared
with the other half. Small samples differ more, so beside the ceiling stands what the avatars reach on just as few rows
(all of them are used, in parts of that size, and the mean is taken). Ours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from avatars.evaluation.metric import Baseline, Columns
from avatars.evaluation.wording import said

Rows = NDArray[np.intp]


class Takes(Protocol):
    """Something that has rows."""

    def take(self, rows: Rows) -> Self:
        """Return some of them."""
        ...


T = TypeVar("T", bound=Takes)
Measure = Callable[[T, T], Mapping[Columns, float]]
"""What compares a reference with a candidate: figures, one a column, pair or whatever it looks at."""


@dataclass(frozen=True, eq=False)
class Ceiling:
    """Who stands for fresh people.

    Attributes
    ----------
    what
        In a few words, with how many rows.
    reference
        Rows of the originals that fresh people are compared with.
    fresh
        Rows of the held-out people; of the originals where nobody was held out.
    parts
        All avatars, in parts of about as many rows as ``fresh``.
    """

    what: str
    reference: Rows
    fresh: Rows
    parts: list[Rows]

    @classmethod
    def among(cls, originals: int, avatars: int, held_out: int | None) -> Ceiling:
        """Choose, always the same rows for the same numbers of them."""
        random = np.random.Generator(np.random.Philox(originals))
        if held_out is None:
            order = random.permutation(originals)
            reference, fresh = np.sort(order[: originals // 2]), np.sort(order[originals // 2 :])
            what = said("half of the originals against the other ({rows} rows)", rows=len(fresh))
        else:
            reference, fresh = np.arange(originals), np.sort(random.permutation(held_out)[:avatars])
            what = said("held-out people ({rows} rows)", rows=len(fresh))
        parts = np.array_split(random.permutation(avatars), max(1, round(avatars / len(fresh))))
        return cls(what, reference, fresh, [np.sort(part) for part in parts])

    def of(self, measure: Measure[T], original: T, avatars: T, held_out: T | None) -> Baseline | None:
        """Return what fresh people reach, and what the avatars do on as few rows: means over a measure's figures.

        None where so few rows leave nothing to measure.
        """
        reference = original.take(self.reference)
        fresh = (original if held_out is None else held_out).take(self.fresh)
        reached = measure(reference, fresh)
        same = [measure(reference, avatars.take(part)) for part in self.parts]
        if not reached or not all(same):
            return None
        return Baseline(self.what, mean(reached), float(np.mean([mean(figures) for figures in same])))


def mean(figures: Mapping[Columns, float]) -> float:
    """Return the mean of a measure's figures."""
    return float(np.mean(list(figures.values())))
