"""One to one: each avatar gets a record that is like it in the coordinates, and each record is given once.

Two clouds of n points are halved together: the half of the records that lies lowest along the axis on which they vary
most goes with the half of the avatars that lies lowest along it, and so on in either half, until few are left; these
are matched at the least sum of squared distances. On one axis that IS the least sum overall; on several it is near it
and takes n log n steps, where the least takes n^3. Cutting either cloud at its own middle is what makes it one to one:
avatars lie closer to the centre than records do, and the outermost of them get the outermost records.

The definition is ours; matching clouds by partitions that halve both of them is known from optimal transport. Rows are
shuffled before: places that are equal are cut apart by chance, never by where a row stood in the table.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from avatars.engine.features import Floats
from avatars.engine.progress import Progress, advance

Rows = NDArray[np.int64]
# Matching m rows outright takes m^3 steps: with this few it is as quick as cutting them further.
_FEW = 32


def match(records: Floats, avatars: Floats, random: np.random.Generator, progress: Progress, *, step: str) -> Rows:
    """Return (n,) the record of each avatar, a permutation, for (n, d) coordinates of both.

    Cost: O(n log n) time (5 s for a million rows), O(n) memory.
    """
    n = len(records)
    record_of = np.empty(n, dtype=np.int64)
    todo = [(random.permutation(n), random.permutation(n))]
    done = reported = 0
    while todo:
        theirs, ours = todo.pop()
        if len(theirs) > _FEW:
            todo += zip(*_halved_together(records, theirs, avatars, ours), strict=True)
            continue
        gaps = records[theirs][:, None, :] - avatars[ours][None, :, :]
        first, second = linear_sum_assignment((gaps**2).sum(axis=2))
        record_of[ours[second]] = theirs[first]
        done += len(theirs)
        if done - reported >= n / 100:
            reported = done
            advance(progress, step, done, n)
    return record_of


def _halved_together(records: Floats, theirs: Rows, avatars: Floats, ours: Rows) -> tuple[list[Rows], list[Rows]]:
    """Return the lower and the upper half of some records, and of as many avatars, along the records' widest axis."""
    points = records[theirs]
    axis = int(points.var(axis=0).argmax())
    return _halves(theirs, points[:, axis]), _halves(ours, avatars[ours, axis])


def _halves(rows: Rows, values: Floats) -> list[Rows]:
    middle = len(rows) // 2
    order = np.argpartition(values, middle)
    return [rows[order[:middle]], rows[order[middle:]]]
