"""PCA, MCA and FAMD as one projection.

Numeric features are standardised, ``z = (x - mean) / sd``; the indicator ``y`` of a level with share ``pi`` becomes
``z = (y - pi) / sqrt(pi)``; each is multiplied by the square root of its feature's weight. The axes ``V`` are the
eigenvectors of ``Z'Z / n``, the coordinates ``F = Z V``. With numeric features alone this is PCA, with categorical ones
MCA (up to its usual constant scaling), with both FAMD (Pages, "Analyse factorielle de donnees mixtes", 2004; the
conventions are FactoMineR's).
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from scipy import linalg
from scipy.sparse.linalg import LinearOperator, eigsh

from avatars.engine.batches import each_block, slices
from avatars.engine.errors import AvatarsWarning
from avatars.engine.features import Features, Floats
from avatars.engine.progress import Progress
from avatars.engine.statistics import PAIR_ROWS, STEP, Statistics, gather, indicators, pair_shares
from avatars.engine.workspace import IN_MEMORY, Workspace

# Up to this many dimensions Z'Z/n is built and decomposed; beyond, it is only multiplied with, level by level.
DENSE_DIMENSIONS = 2000
# Eigenvalues below this share of the largest are rounding noise.
_RANK_TOLERANCE = 1e-10
# Bits of what coordinates are made of that are kept: the last ones are not the table's but the processor's, for which
# linear algebra is written anew. Where two neighbours are as near as each other, they would decide.
_BITS = 24
# Eigenvalues and axes, largest first, and the covariances of the unscaled features with these components.
_Solved = tuple[Floats, Floats, Floats]


@dataclass(frozen=True, eq=False)
class Projection:
    """A fitted projection; it serves new rows with the statistics of the rows that it was fitted on.

    Attributes
    ----------
    statistics
        What the features' scaling is made of.
    eigenvalues
        (d,) variance of each component, largest first.
    total_variance
        Sum of ALL eigenvalues, those beyond d included.
    axes
        (T, d) unit eigenvectors; each one's largest entry is positive. Numeric features first, then levels.
    """

    statistics: Statistics
    eigenvalues: Floats
    total_variance: float
    axes: Floats
    scales: Floats
    """(T,) what a centred number or indicator is multiplied by: sqrt(weight) / sd, or sqrt(weight / share)."""
    covariances: Floats
    """(T, d) covariance of each number and of each level's indicator with each component, whatever its weight."""
    sizes: tuple[int, ...]

    @property
    def ncp(self) -> int:
        """Number of components."""
        return len(self.eigenvalues)

    @property
    def explained_variance_ratio(self) -> Floats:
        """(d,) share of the total variance per component."""
        return self.eigenvalues / self.total_variance

    def transform(
        self, features: Features, progress: Progress, *, step: str = STEP, workspace: Workspace = IN_MEMORY
    ) -> Floats:
        """Return the (n, d) coordinates of rows. A NaN or a code of -1 counts as the mean of its feature.

        Every row is computed by the same element-wise operations wherever it stands, from numbers of 24 bits: equal
        rows get bitwise equal coordinates, on every processor. Cost: O(n (q + c) d) time, no memory beyond the result.
        """

        def project(_: int, rows: slice) -> Floats:
            part = features.take(rows)
            total = np.zeros((self.ncp, len(part)))
            for feature in range(len(features.names)):
                total += self.share(part, feature)
            return total.T

        coordinates = workspace.empty("coordinates", (len(features), self.ncp), np.float64)
        for rows, part in each_block(project, len(features), step=step, progress=progress):
            coordinates[rows] = part
        return coordinates

    def share(self, features: Features, feature: int) -> Floats:
        """Return (d, n): what one feature, counted as in ``features.names``, adds to the coordinates of each row."""
        q = len(self.statistics.mean)
        if feature < q:
            centred = features.numeric[:, feature] - self.statistics.mean[feature]
            numbers: Floats = self._loadings[feature][:, None] * np.where(np.isnan(centred), 0.0, centred)
            return numbers
        share: Floats = self._level_tables[feature - q][:, features.codes[:, feature - q]]
        return share

    @cached_property
    def _loadings(self) -> Floats:
        """(T, d) what a number or an indicator is multiplied by, to a precision that every processor has."""
        digits, exponents = np.frexp(self.scales)  # whatever the column's unit
        return _rounded(self.axes) * np.ldexp(_rounded(digits), exponents)[:, None]

    @cached_property
    def _level_tables(self) -> list[Floats]:
        """Per categorical feature, (d, size + 1): what each level adds; the last, for code -1, adds nothing."""
        q, shares = len(self.statistics.mean), self.statistics.shares
        tables = []
        for start, size in zip(np.cumsum((0, *self.sizes)), self.sizes, strict=False):
            part = self._loadings[q + start : q + start + size]
            centred = part - (shares[start : start + size, None] * part).sum(axis=0)
            tables.append(np.ascontiguousarray(np.vstack([centred, np.zeros(self.ncp)]).T))
        return tables


class Fit(Protocol):
    """Fits a projection to features; see ``fit``."""

    def __call__(
        self, features: Features, weights: Mapping[str, float], ncp: int, progress: Progress, *, quiet: bool = False
    ) -> Projection:
        """Return the projection to at most ``ncp`` components."""
        ...


def fit(
    features: Features, weights: Mapping[str, float], ncp: int, progress: Progress, *, quiet: bool = False
) -> Projection:
    """Fit the projection to complete features.

    ``weights`` (1 where not given) multiply the squared distances that a feature contributes. ``ncp`` is clamped to the
    rank, with an ``AvatarsWarning`` unless ``quiet``. Cost: one pass over the rows plus O(n c^2 + T^3) up to
    ``DENSE_DIMENSIONS`` dimensions, beyond them a Lanczos iteration of O(T q + n c) a step; memory O(T^2), resp.
    O(T q + n c).
    """
    statistics = gather(features, progress)
    scales = _scales(features, statistics, weights)
    total = float(_variances(statistics) @ scales**2)
    if features.dimensions <= DENSE_DIMENSIONS:
        eigenvalues, axes, covariances = _dense_eigenpairs(features, statistics, scales, ncp)
    else:
        eigenvalues, axes, covariances = _iterated_eigenpairs(features, statistics, scales, ncp)
    rank = max(1, int(np.sum(eigenvalues > _RANK_TOLERANCE * eigenvalues[0])))
    if rank < ncp and not quiet:
        dimensions = "1 dimension" if rank == 1 else f"{rank} dimensions"
        warnings.warn(f"ncp is {ncp}, but the table has only {dimensions}: so many are used.", AvatarsWarning, 2)
    signs = _signs(axes[:, :rank])
    axes, covariances = axes[:, :rank] * signs, covariances[:, :rank] * signs
    return Projection(statistics, eigenvalues[:rank], total or 1.0, axes, scales, covariances, features.sizes)


def _scales(features: Features, statistics: Statistics, weights: Mapping[str, float]) -> Floats:
    """Return (T,): sqrt(weight) / sd and sqrt(weight / share); 0 where a feature is constant or a level is absent."""
    weight = np.array([weights.get(name, 1.0) for name in features.names], dtype=np.float64)
    q = features.numeric.shape[1]
    repeated = np.concatenate([weight[:q], np.repeat(weight[q:], features.sizes)])
    spread = np.concatenate([statistics.sd**2, statistics.shares])
    scales: Floats = np.sqrt(np.divide(repeated, spread, out=np.zeros_like(spread), where=spread > 0))
    return scales


def _variances(statistics: Statistics) -> Floats:
    """Return (T,): the variance of each number and of each level's indicator."""
    return np.concatenate([statistics.sd**2, statistics.shares * (1 - statistics.shares)])


def _dense_eigenpairs(features: Features, statistics: Statistics, scales: Floats, ncp: int) -> _Solved:
    shares = statistics.shares
    level_block = pair_shares(features) - np.outer(shares, shares)
    cross = statistics.level_covariance
    covariance = np.block([[statistics.covariance, cross.T], [cross, level_block]])
    size = len(covariance)
    scaled, wanted = covariance * np.outer(scales, scales), (max(0, size - ncp), size - 1)
    values, vectors = linalg.eigh(scaled, subset_by_index=wanted)
    if len(values) < min(ncp, size):
        # LAPACK's search for some of the eigenvalues may come back without those that are equal to each other.
        values, vectors = (found[..., wanted[0] :] for found in linalg.eigh(scaled))
    values, vectors = values[::-1].copy(), vectors[:, ::-1].copy()
    return values, vectors, covariance @ (scales[:, None] * vectors)


def _iterated_eigenpairs(features: Features, statistics: Statistics, scales: Floats, ncp: int) -> _Solved:
    """Return the same without the covariances of levels with each other, by Lanczos to machine precision."""
    n, q, size = len(features), features.numeric.shape[1], features.dimensions
    parts = [indicators(features, rows) for rows in slices(n, PAIR_ROWS)]
    shares, cross = statistics.shares, statistics.level_covariance

    def covariance_times(directions: Floats) -> Floats:
        """Multiply (T,) or (T, d) directions with the covariance matrix of numbers and indicators."""
        of_numbers, of_levels = directions[:q], directions[q:]
        products = functools.reduce(np.add, (part.T @ (part @ of_levels) for part in parts))
        between_levels = products / n - np.multiply.outer(shares, shares @ of_levels)
        return np.concatenate(
            [statistics.covariance @ of_numbers + cross.T @ of_levels, cross @ of_numbers + between_levels]
        )

    def multiply(vector: Floats) -> Floats:
        return scales * covariance_times(scales * vector.ravel())

    operator = LinearOperator((size, size), matvec=multiply, dtype=np.float64)
    start = np.random.Generator(np.random.Philox(size)).standard_normal(size)
    values, vectors = eigsh(operator, k=min(ncp, size - 1), v0=start, which="LA")
    order = np.argsort(values)[::-1]
    values, vectors = values[order], vectors[:, order]
    return values, vectors, covariance_times(scales[:, None] * vectors)


def _rounded(values: Floats) -> Floats:
    """Return values between -1 and 1 as multiples of 2^-24."""
    rounded: Floats = np.round(values * 2.0**_BITS) / 2.0**_BITS
    return rounded


def _signs(axes: Floats) -> Floats:
    """Return (d,) +1 or -1: an eigenvector's sign is free, so the largest entry is made positive, the first of several.

    Those of two levels that share a column half and half are as large as each other, but for the last bits.
    """
    sizes = np.abs(axes)
    largest = (sizes > (1 - 2.0**-_BITS) * sizes.max(axis=0)).argmax(axis=0)
    return np.where(axes[largest, np.arange(axes.shape[1])] < 0, -1.0, 1.0)
