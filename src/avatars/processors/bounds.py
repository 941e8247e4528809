"""Changes as shares of the room that is left for them: no sum of changes leaves the bounds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from avatars.processors.columns import Numbers, to_integers
from avatars.processors.records import Records


@dataclass(frozen=True)
class Bounds:
    """The least and the greatest value that there is."""

    low: float
    high: float

    @classmethod
    def of(cls, *columns: Numbers) -> Bounds:
        """Take them from columns of numbers."""
        if any(len(values) == 0 for values in columns):
            raise ValueError("The frame has no rows: there are no bounds to keep within.")
        return cls(min(float(values.min()) for values in columns), max(float(values.max()) for values in columns))

    def shares(self, before: Numbers, after: Numbers) -> Numbers:
        """Express changes within the bounds by shares, from -1 (to the low bound) to 1 (to the high one)."""
        change = after - before
        room = np.where(change < 0, before - self.low, self.high - before)
        return change / np.where(change == 0, 1, room)

    def walk(self, records: Records, first: Numbers, *shares: Numbers) -> npt.NDArray[np.float64]:
        """Undo `shares`: each individual begins at the first value of its first row and takes its changes in turn.

        Returns
        -------
        numpy.ndarray
            The values after each of the changes of a row, shape (len(shares), n), all within the bounds.
        """
        values = np.empty((len(shares), len(first)))
        firsts, steps = first.tolist(), [share.tolist() for share in shares]
        value = 0.0
        for row, begins in zip(records.rows.tolist(), records.begins.tolist(), strict=True):
            value = self._within(firsts[row]) if begins else value
            for at, step in enumerate(steps):
                room = value - self.low if step[row] < 0 else self.high - value
                values[at, row] = value = self._within(value + step[row] * room)
        return values

    def rounded(self, values: Numbers) -> Numbers:
        """Round half to even to integers within the bounds."""
        whole: Numbers = to_integers(np.clip(values, np.ceil(self.low), np.floor(self.high)), np.dtype(np.int64))
        return whole

    def _within(self, value: float) -> float:
        return min(max(value, self.low), self.high)
