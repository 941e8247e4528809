"""How the variables of a table relate to the components of a projection, by FactoMineR's definitions.

Every function returns (p, d): a row per feature in the order of ``Features.names`` (numeric ones first), a column per
component. All come from what the fit left behind: no pass over the rows, O(T d) time and memory. Nothing is ever NaN:
a constant, an absent level and a component without variance relate to nothing and count as 0 (ours).

Sources: PCA.R, MCA.R and FAMD.R of FactoMineR (Le, Josse & Husson, J. Stat. Softw. 25(1), 2008); Pages, "Analyse
factorielle de donnees mixtes", Revue de statistique appliquee 52(4), 2004.
"""

from __future__ import annotations

import numpy as np

from avatars.engine.features import Floats
from avatars.engine.projection import Projection


def contributions(projection: Projection) -> Floats:
    """Return (p, d): percent of each component's variance that each feature brings in; a component's sum is 100.

    A dimension (a number, or one level) contributes its squared coordinate over the eigenvalue, which is its squared
    entry in the axis; a categorical feature contributes the sum over its levels. This is ``$var$contrib`` of PCA (with
    ``col.w`` for column weights) and of FAMD, and the sums by variable of ``$var$contrib`` of MCA. A feature of
    weight 0 contributes nothing.
    """
    has_variance = projection.eigenvalues > 0
    return _by_feature(projection, 100 * projection.axes**2 * has_variance)


def correlations_and_eta2(projection: Projection) -> Floats:
    """Return (p, d): Pearson's correlation of a number, squared correlation ratio of a category, with each component.

    Correlations, in [-1, 1], are ``$var$cor`` of PCA and ``$quanti.var$coord`` of FAMD. Eta squared, in [0, 1], is the
    share of the component's variance that lies between the levels: ``$var$eta2`` of MCA, and the categories' rows of
    ``$var$coord`` of FAMD (whose rows of numbers hold the SQUARED correlations). Both are about the columns themselves,
    so column weights act through the components alone; a column of weight 0 is what FactoMineR calls supplementary.
    """
    statistics, q = projection.statistics, _numbers(projection)
    covariances, variance = projection.covariances, projection.eigenvalues
    correlation = _quotient(covariances[:q], np.multiply.outer(statistics.sd, np.sqrt(np.maximum(variance, 0))))
    between = _quotient(covariances[q:] ** 2, np.multiply.outer(statistics.shares, variance))
    return _by_feature(projection, np.vstack([correlation, between]))


def cos2(projection: Projection) -> Floats:
    """Return (p, d), in [0, 1]: how well each component alone represents each feature, as FactoMineR has it.

    Numbers alone: ``r^2``, which is ``$var$cos2`` of PCA. Otherwise ``r^4`` of a number and ``eta2^2 / (m - 1)`` of a
    category with m levels present, which is ``$var$cos2`` of FAMD: there a variable is a table of products between
    rows, so that both kinds are on one scale. (``r^2``, FAMD's ``$quanti.var$cos2``, is the square of
    ``correlations_and_eta2``.) MCA has cos2 of levels alone; FAMD's definition carried over to it is ours.
    """
    related, q = correlations_and_eta2(projection), _numbers(projection)
    if not projection.sizes:
        return related**2
    is_present = (projection.statistics.shares > 0).astype(np.float64)
    present = _by_feature(projection, np.concatenate([np.ones(q), is_present])[:, None])[q:]
    return np.vstack([related[:q] ** 4, _quotient(related[q:] ** 2, present - 1)])


def _numbers(projection: Projection) -> int:
    """Return q, the number of numeric features."""
    return len(projection.statistics.mean)


def _by_feature(projection: Projection, dimensions: Floats) -> Floats:
    """Return (p, d): the numbers' rows of (T, d) as they are, those of each category's levels summed up."""
    q = _numbers(projection)
    starts = q + np.concatenate([[0], np.cumsum(projection.sizes, dtype=np.int64)])[:-1]
    rows = [np.add.reduceat(dimensions, starts.astype(np.int64), axis=0)] if len(starts) else []
    return np.vstack([dimensions[:q], *rows])


def _quotient(numerator: Floats, denominator: Floats) -> Floats:
    """Return numerator / denominator, and 0 where the denominator is not positive."""
    denominator = np.broadcast_to(denominator, numerator.shape)
    return np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator > 0)
