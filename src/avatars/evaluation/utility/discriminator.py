"""Can avatars be told from people? The area under the curve of one who tries: 0.5 is guessing, 1 always right.

The one who tries is a logistic regression on the bins of all columns, on the first components of the originals'
projection, and on their squares and products: it sees moved shares, moved correlations and shrunken clouds. Each half
of the rows is judged by what was learnt from the other half. Ours.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import sparse

from avatars.engine.features import Codes, Features
from avatars.evaluation.metric import Columns
from avatars.evaluation.rows import Flags
from avatars.evaluation.utility.learner import area_under_curve, design, learn_odds, scores_of

LEAST_ROWS = 4
"""Of people and of others: both must be in both halves."""

_NO_SPREAD = 1e-100
# Standard deviations; who is further out is told apart as easily.
_FAR_OUT = 100.0


def discriminator_auc(people: Features, others: Features) -> dict[Columns, float]:
    """Return how well others are told from people; both as bins, with (n, d) coordinates for numbers.

    One figure, of no columns in particular; none with fewer than ``LEAST_ROWS``. Somewhat below 0.5 is chance. Cost:
    two logistic regressions.
    """
    if min(len(people), len(others)) < LEAST_ROWS:
        return {}
    spread = people.numeric.std(axis=0)
    scale = np.where(spread > _NO_SPREAD, spread, 1.0)
    placed = [np.clip(table.numeric / scale, -_FAR_OUT, _FAR_OUT) for table in (people, others)]
    tables = [_with_products(replace(t, numeric=places)) for t, places in zip((people, others), placed, strict=True)]
    rows = sparse.csr_array(sparse.vstack([design(table) for table in tables], format="csr"))
    other = np.repeat([False, True], [len(people), len(others)])
    # Where both have as many rows, row i of both is in the same half: an avatar is not judged by its own record.
    half = np.concatenate([_halves(len(table)) for table in tables])
    areas = [_area(rows, other, half == which) for which in (0, 1)]
    return {(): float(np.mean(areas))}


def _area(rows: sparse.csr_array, other: Flags, judged: Flags) -> float:
    weights = learn_odds(rows[~judged], other[~judged])
    return area_under_curve(scores_of(rows[judged], weights), other[judged])


def _halves(n: int) -> Codes:
    return np.random.Generator(np.random.Philox(n)).permutation(np.arange(n, dtype=np.int32)) % 2


def _with_products(table: Features) -> Features:
    d = table.numeric.shape[1]
    left, right = np.triu_indices(d)
    products = table.numeric[:, left] * table.numeric[:, right]
    return replace(table, numeric=np.hstack([table.numeric, products]))
