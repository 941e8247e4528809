"""Columns with many levels seen as a few numbers each, for projection and search; the draw still draws the level.

The definition is ours. To PCA, MCA and FAMD a categorical column of m levels is the space of all functions of its
level: m - 1 dimensions, any orthonormal basis of which (over the rows) gives the same projection. A column of more
than ``DIMENSIONS`` levels is restricted to the functions that have to do with the other columns: with G_a what those
bring to component a = 1 .. 20, to the span of the means ``E[G_a | level]``. So the squared correlation ratio of the
column with each G_a, which is what it adds to the inertia along G_a, is kept exactly; what is lost is what its levels
share with nothing else. A column that nothing else hangs together with adds nothing; where that leaves nothing at
all, as in a table of one column, nothing is reduced.

The components are those of the same table with all levels of such columns taken as one, but for the ``DIMENSIONS``
most frequent: that is how two columns with many levels know of each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from scipy import linalg

from avatars.engine import projection
from avatars.engine.features import Codes, Features, Floats
from avatars.engine.progress import Part, Progress
from avatars.engine.projection import Projection
from avatars.engine.statistics import Statistics

DIMENSIONS = 20
"""Most dimensions that a categorical column has; one of more levels is reduced to them."""
# Variances of means below this share of the largest component's are rounding noise.
_NOISE = 1e-10


def fit(
    features: Features, weights: Mapping[str, float], ncp: int, progress: Progress, *, quiet: bool = False
) -> Projection:
    """Fit the projection to complete features whose columns with many levels are reduced.

    As ``projection.fit``, and what it returns serves the same features; eigenvalues, total variance and axes are those
    of the reduced table. Cost: one more pass over the rows and O(n) per dimension of a reduced column, where
    ``projection.fit`` iterates; memory for ``DIMENSIONS`` numbers a row and reduced column.
    """
    many = [c for c, size in enumerate(features.sizes) if size > DIMENSIONS]
    if not many:
        return projection.fit(features, weights, ncp, progress, quiet=quiet)
    bases = _bases(features, many, weights, Part(progress, 0, 0.4))
    reduced = _reduced(features, bases)
    if not reduced.dimensions:
        return projection.fit(features, weights, ncp, progress, quiet=quiet)
    fitted = projection.fit(reduced, weights, ncp, Part(progress, 0.4, 0.8), quiet=quiet)
    coordinates = fitted.transform(reduced, Part(progress, 0.8, 1))
    return _on_levels(fitted, coordinates, features, bases, weights)


def _reduced(features: Features, bases: Mapping[int, Floats]) -> Features:
    """Return the features with numbers in place of the columns with many levels, behind the other numbers."""
    q = features.numeric.shape[1]
    few = [c for c in range(len(features.sizes)) if c not in bases]
    names = [*features.names[:q], *(features.names[q + c] for c, basis in bases.items() for _ in basis.T)]
    return Features(
        np.hstack([features.numeric, *(basis[features.codes[:, c]] for c, basis in bases.items())]),
        np.ascontiguousarray(features.codes[:, few]),
        tuple(features.sizes[c] for c in few),
        (*names, *(features.names[q + c] for c in few)),
    )


def _bases(features: Features, many: list[int], weights: Mapping[str, float], progress: Progress) -> dict[int, Floats]:
    """Return per column with many levels (size, r): r functions of its level, of mean 0, variance 1, uncorrelated."""
    q, codes, sizes, merged = features.numeric.shape[1], features.codes.copy(), list(features.sizes), {}
    for c in many:
        merged[c] = _rest_as_one(features.codes[:, c], features.sizes[c])
        codes[:, c], sizes[c] = merged[c][features.codes[:, c]], DIMENSIONS + 1
    context = replace(features, codes=codes, sizes=tuple(sizes))
    around = projection.fit(context, weights, DIMENSIONS, progress, quiet=True)
    components = around.transform(context, progress)
    found = {}
    for c in many:
        size = features.sizes[c]
        counts = np.bincount(features.codes[:, c], minlength=size)
        one_row_a_level = replace(
            context.take(np.zeros(size, dtype=np.intp)),
            codes=np.broadcast_to(merged[c][:, None], (size, codes.shape[1])),
        )
        means = _level_means(components, features.codes[:, c], counts) - around.share(one_row_a_level, q + c).T
        found[c] = _orthonormal(means * (counts > 0)[:, None], counts / len(features), around.eigenvalues[0])
    return found


def _rest_as_one(codes: Codes, size: int) -> Codes:
    """Return (size,) 0 .. DIMENSIONS - 1 for the most frequent levels, DIMENSIONS for all others."""
    counts = np.bincount(codes, minlength=size)
    merged = np.full(size, DIMENSIONS, dtype=np.int32)
    merged[np.argsort(-counts, kind="stable")[:DIMENSIONS]] = np.arange(DIMENSIONS)
    return merged


def _level_means(values: Floats, codes: Codes, counts: np.ndarray) -> Floats:
    """Return (size, d) means of (n, d) values by level; 0 where no row has the level."""
    means = np.empty((len(counts), values.shape[1]))
    for a, column in enumerate(values.T):
        means[:, a] = np.bincount(codes, weights=column, minlength=len(counts)) / np.maximum(counts, 1)
    return means


def _orthonormal(means: Floats, shares: Floats, largest: float) -> Floats:
    """Return (size, r): a basis of the span of functions of a level, orthonormal over the rows."""
    centred = means - shares @ means
    variances, directions = linalg.eigh(centred.T @ (shares[:, None] * centred))
    is_there = variances > _NOISE * largest
    basis: Floats = centred @ (directions[:, is_there] / np.sqrt(variances[is_there]))
    return basis


def _on_levels(
    fitted: Projection,
    coordinates: Floats,
    features: Features,
    bases: Mapping[int, Floats],
    weights: Mapping[str, float],
) -> Projection:
    """Return the projection of the reduced table as one of the table itself.

    The coordinates of a row are a sum over its features, so a level's part in them is known; divided by what a level is
    scaled with, it gives unit and orthogonal axes again. ``coordinates`` are those of the rows.
    """
    q, n, small = features.numeric.shape[1], len(features), fitted.statistics
    number, level = q, len(small.mean)  # where the next reduced column, and the next other one, begins in `fitted`
    centred = features.numeric - small.mean[:q]
    axes, scales, covariances = [fitted.axes[:q]], [fitted.scales[:q]], [fitted.covariances[:q]]
    shares, level_covariance = [np.zeros(0)], [np.zeros((0, q))]
    for c, size in enumerate(features.sizes):
        if c not in bases:
            own = slice(level, level := level + size)
            of_levels = slice(own.start - len(small.mean), own.stop - len(small.mean))
            axes.append(fitted.axes[own])
            scales.append(fitted.scales[own])
            covariances.append(fitted.covariances[own])
            shares.append(small.shares[of_levels])
            level_covariance.append(small.level_covariance[of_levels, :q])
            continue
        own = slice(number, number := number + bases[c].shape[1])
        counts = np.bincount(features.codes[:, c], minlength=size)
        share, weight = counts / n, weights.get(features.names[q + c], 1.0)
        axes.append(np.sqrt(share)[:, None] * (bases[c] @ fitted.axes[own]))
        scales.append(np.sqrt(np.divide(weight, share, out=np.zeros(size), where=share > 0)))
        covariances.append(share[:, None] * _level_means(coordinates, features.codes[:, c], counts))
        shares.append(share)
        level_covariance.append(share[:, None] * _level_means(centred, features.codes[:, c], counts))
    statistics = Statistics(
        n,
        small.mean[:q],
        small.sd[:q],
        np.concatenate(shares),
        small.covariance[:q, :q],
        np.vstack(level_covariance),
    )
    return replace(
        fitted,
        statistics=statistics,
        axes=np.vstack(axes),
        scales=np.concatenate(scales),
        covariances=np.vstack(covariances),
        sizes=features.sizes,
    )
