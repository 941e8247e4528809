"""Two small learners over bins: they show differences, they are not the best model of anything.

Additive in one-hot bins, so they follow any shape of one column's influence, and linear in further numbers. Written
with numpy and scipy alone: a library of learners would be a large dependency of the platform for two figures.
"""

from __future__ import annotations

import numpy as np
from scipy import optimize, sparse, special
from scipy.sparse.linalg import lsqr

from avatars.engine.features import Features, Floats
from avatars.evaluation.rows import Flags

PENALTY = 1.0
"""Of the squared coefficients, beside the SUM of the rows' losses: it fades where there are many rows."""
_STEPS = 100


def design(table: Features) -> sparse.csr_array:
    """Return (n, t) one-hot bins, and the table's numbers behind them."""
    n, columns = table.codes.shape
    starts = np.cumsum((0, *table.sizes))
    ones = sparse.csr_array(
        (np.ones(n * columns), (table.codes + starts[:-1]).ravel(), np.arange(0, n * columns + 1, max(1, columns)))
        if columns
        else (n, 0),
        shape=(n, int(starts[-1])),
    )
    return sparse.csr_array(sparse.hstack([ones, sparse.csr_array(table.numeric)], format="csr"))


def learn_odds(rows: sparse.csr_array, positive: Flags) -> Floats:
    """Return (t + 1,) coefficients of a logistic regression, the last one the intercept.

    Cost: at most 100 steps of O(n p) by L-BFGS.
    """
    n, t = rows.shape
    truth = positive.astype(np.float64)

    def loss(weights: Floats) -> tuple[float, Floats]:
        scores = rows @ weights[:t] + weights[t]
        gap = special.expit(scores) - truth
        slope = np.append(rows.T @ gap + PENALTY * weights[:t], gap.sum())
        total = float((np.logaddexp(0.0, scores) - truth * scores).sum())
        return (total + 0.5 * PENALTY * float(weights[:t] @ weights[:t])) / n, slope / n

    found = optimize.minimize(loss, np.zeros(t + 1), jac=True, method="L-BFGS-B", options={"maxiter": _STEPS})
    weights: Floats = found.x
    return weights


def learn_number(rows: sparse.csr_array, numbers: Floats) -> Floats:
    """Return (t + 1,) coefficients of a ridge regression, the last one the intercept. Cost: some steps of O(n p)."""
    centre = float(numbers.mean())
    found = lsqr(rows, numbers - centre, damp=np.sqrt(PENALTY), iter_lim=_STEPS)[0]
    return np.append(found, centre)


def scores_of(rows: sparse.csr_array, weights: Floats) -> Floats:
    """Return (n,) what coefficients say of rows: log odds, or numbers."""
    scores: Floats = rows @ weights[:-1] + weights[-1]
    return scores


def area_under_curve(scores: Floats, positive: Flags) -> float:
    """Return the share of pairs of a positive and another row that the scores order rightly; ties count half."""
    _, place, count = np.unique(scores, return_inverse=True, return_counts=True)
    # Those that tie share the mean of their ranks. (scipy.stats has this too, and takes half a second to import.)
    ranks = (np.cumsum(count) - (count - 1) / 2)[place]
    positives = int(positive.sum())
    others = len(positive) - positives
    return float((ranks[positive].sum() - positives * (positives + 1) / 2) / (positives * others))
