"""A numeric column of avatars from what was drawn for it: scores, and the levels that speak of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avatars.engine.draws.calibration import calibrated
from avatars.engine.draws.composites import Composite
from avatars.engine.draws.strata import Strata, Tellers, strata_of_bins, strata_of_levels
from avatars.engine.draws.traits import Role, Trait
from avatars.engine.features import Codes, Floats


@dataclass(frozen=True, eq=False)
class Numbers:
    """The originals' numbers and the avatars' levels.

    Attributes
    ----------
    known, complete
        (n, q) the originals', NaN where missing, and with those cells filled in.
    composites, levels
        What levels there are, and (n, t) which the avatars drew.
    tellers
        Those that could tell of a number.
    imputed
        Whether cells that were filled in count as if they had been there.
    """

    known: Floats
    complete: Floats
    composites: Sequence[Composite]
    levels: Codes
    tellers: Tellers
    imputed: bool

    def of(self, column: int, scores: Floats, random: np.random.Generator) -> Floats:
        """Return (n,) the avatars' numbers for their scores; NaN where a missing cell was drawn. Cost: two sorts."""
        numbers = self.complete[:, column]
        continuous = np.ones(len(numbers), dtype=np.bool_) if self.imputed else ~np.isnan(self.known[:, column])
        drawn, drawn_continuous = np.full(len(scores), np.nan), np.ones(len(scores), dtype=np.bool_)
        strata: Strata | None = None
        for place, position, trait in self._traits(column):
            codes = self.composites[place].cells[self.levels[:, place], position]
            if trait.role is Role.VALUE:
                assert trait.values is not None
                values: Floats = trait.values[codes]
                return values
            if trait.role is Role.GAP:
                drawn_continuous &= codes == 0
            elif trait.role is Role.SPIKE:
                assert trait.values is not None
                at = codes > 0
                drawn[at] = trait.values[codes[at] - 1]
                drawn_continuous &= ~at
                continuous &= trait.codes == 0
            else:
                drawn_continuous &= codes < trait.size - int(not continuous.all())
                strata = strata_of_bins(self.composites[place], place, position)
        if not continuous.any():
            return drawn
        for place, composite in enumerate(self.composites):
            if composite.calibrates == column:
                strata = strata_of_levels(composite, place)
        strata = strata or self.tellers.strata_of(numbers, continuous)
        theirs, ours = self._strata(strata)
        drawn[drawn_continuous] = calibrated(
            scores[drawn_continuous], ours[drawn_continuous], numbers[continuous], theirs[continuous], random
        )
        return drawn

    def _traits(self, column: int) -> Iterator[tuple[int, int, Trait]]:
        """Yield the composite, the place in it, and the trait itself of all that speak of a number."""
        for place, composite in enumerate(self.composites):
            for position, trait in enumerate(composite.traits):
                if trait.role is not Role.LEVEL and trait.column == column:
                    yield place, position, trait

    def _strata(self, strata: Strata) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return (n,) the strata of the originals, and of the avatars."""
        if strata.composite is None:
            together = np.zeros(len(self.levels), dtype=np.int64)
            return together, together
        of_originals = self.composites[strata.composite].levels
        return strata.stratum_of[of_originals], strata.stratum_of[self.levels[:, strata.composite]]
