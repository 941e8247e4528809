"""Normal scores: a number by its rank among the table's, on the scale of a standard normal.

``z = Phi^-1((lower + upper) / 2)`` for the lower and the upper empirical distribution function at the number
(mid-ranks: equal numbers get equal scores), standardised to mean 0 and variance 1. Local models of scores know nothing
of a column's scale, skew or outliers; the ranks of what they draw are given the column's own numbers again by
``calibration``. (van der Waerden scores, 1952; mid-ranks and the standardisation are ours.)
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

from avatars.engine.batches import in_order
from avatars.engine.features import Floats
from avatars.engine.workspace import Workspace

# A spread below this is no spread.
_CONSTANT = 1e-12


def normal_scores(numbers: Floats, workspace: Workspace) -> Floats:
    """Return (n, q) scores of (n, q) complete numbers; a constant column's are 0.

    Cost: a sort a column; beyond the result, memory for some columns at a time.
    """
    scores: Floats = workspace.empty("scores", numbers.shape, np.float64)
    for column, found in enumerate(in_order(lambda column: _scores(numbers[:, column]), range(numbers.shape[1]))):
        scores[:, column] = found
    return scores


def _scores(numbers: Floats) -> Floats:
    n, order = len(numbers), np.argsort(numbers, kind="stable")
    ordered = numbers[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    sizes = np.diff(np.append(starts, n))
    of_values = ndtri((starts + sizes / 2) / n)
    # Sums, not products of vectors, whose last bits are the processor's.
    mean = float((of_values * sizes).sum()) / n
    spread = float(np.sqrt(((of_values - mean) ** 2 * sizes).sum() / n))
    scores = np.empty(n)
    scores[order] = np.repeat((of_values - mean) / (spread if spread > _CONSTANT else 1.0), sizes)
    return scores
