"""One block's draw: numbers by a Gaussian of the company's spread, levels by a race on the same coefficients.

Each of a row's company j has a share ``p_j`` of a column's local model: neighbours ``(1 - s) / k`` each, strangers ``s
/ k`` each, where s is the column's share of strangers (``reach``). With ``g_j ~ N(0, 1)``:

- a number's score is ``m + sum_j sqrt(p_j) g_j (z_j - m) / sqrt(1 - sum p_j^2)``, ``m = sum_j p_j z_j``: normal with
  the company's mean and its (unbiased) variance, and with its covariances between columns, for g is the same for all of
  them;
- for a composite with levels m, ``p_m = sum_{j has m} p_j`` and ``u_m = sum_{j has m} sqrt(p_j) g_j / sqrt(p_m)``: the
  level that arrives first, ``T_m = -log Phi(u_m) / (p_m r_m)``, is drawn. Without the rates r (``rates``) each level
  comes with probability ``p_m`` exactly, for ``-log Phi(u)`` is exponential; and as g is shared, levels go together
  with the numbers, and with the other levels, of those who have them.

The row itself is not in its company, and no weight depends on distance: who is near counts, not how near. (Ours.)
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr

from avatars.engine.batches import slices
from avatars.engine.compiling import compiled, part_of_compiled
from avatars.engine.draws.crowd import Company, Crowd, Singles
from avatars.engine.features import Codes, Floats
from avatars.engine.neighbors import Indices
from avatars.engine.spots import SMALL

REACH, STEPS = 9.0, 512.0
"""The table of ``-log Phi``: how far it goes, and its steps a unit."""
# Cells of one-hot counts at a time where nothing is compiled.
_CELLS = 2**21
# Of so many levels each is looked at, of more those that somebody in company has.
_FEW_LEVELS = 64


@dataclass(frozen=True, eq=False)
class Arrivals:
    """When each level arrives in the race of one composite, for the rows where any does.

    Attributes
    ----------
    starts
        (r,) where each row's arrivals begin.
    levels, times
        (a,) of all of them, one row after the other.
    """

    starts: NDArray[np.int64]
    levels: Codes
    times: Floats


def draw_scores(crowd: Crowd, company: Company, strangers: Floats) -> Floats:
    """Return (b, q) the avatars' scores; ``strangers`` (q,) are the shares of strangers. Cost: O(b k q)."""
    drawn = np.empty((len(company.near), crowd.scores.shape[1]))
    weights = _weights(company, strangers)
    if len(crowd) > SMALL:
        compiled(_scores)(
            crowd.scores, company.pool.scores, company.near, company.strangers, company.normal,
            weights, np.sqrt(weights), drawn,
        )  # fmt: skip
        return drawn
    for column, (near, far) in enumerate(weights):
        theirs = np.hstack([crowd.scores[company.near, column], company.pool.scores[company.strangers, column]])
        shares = _spread_out(company, near, far)
        # Sums, not products of matrices, whose last bits are the processor's.
        mean = (theirs * shares).sum(axis=1)[:, None]
        left = 1.0 - float((shares**2).sum())
        spread = np.einsum("bk,bk->b", company.normal * np.sqrt(shares), theirs - mean)
        drawn[:, column] = mean[:, 0] + spread / (math.sqrt(left) if left > 0 else 1.0)
    return drawn


def draw_levels(
    crowd: Crowd, company: Company, strangers: Floats, slowness: Floats, starts: NDArray[np.int64]
) -> Codes:
    """Return (b, t) the avatars' levels, -1 where nobody in company has one.

    Level m of composite t has the rate ``1 / slowness[starts[t] + m]``. Cost: O(b k t).
    """
    drawn = np.full((len(company.near), crowd.levels.shape[1]), -1, dtype=np.int32)
    weights = _weights(company, strangers)
    if len(crowd) > SMALL:
        _race_loop()(
            crowd.levels, company.pool.levels, company.near, company.strangers, company.normal,
            weights, np.sqrt(weights), _exponential(), slowness, starts, drawn,
        )  # fmt: skip
        return drawn
    for composite, (near, far) in enumerate(weights):
        for rows, times in _dense_times(crowd, company, composite, near, far):
            times *= slowness[starts[composite] : starts[composite] + times.shape[1]]
            (arrived,) = np.nonzero(np.isfinite(times).any(axis=1))
            if len(arrived):
                drawn[rows.start + arrived, composite] = times[arrived].argmin(axis=1)
    return drawn


def arrivals(crowd: Crowd, company: Company, composite: int, stranger: float, size: int) -> Arrivals:
    """Return when the levels of one composite arrive, all rates being 1."""
    weights = _weights(company, np.array([stranger]))
    if len(crowd) > SMALL:
        b, width = company.normal.shape
        counts = np.zeros(b, dtype=np.int64)
        levels, times = np.empty(b * width, dtype=np.int32), np.empty(b * width)
        _arrivals_loop()(
            crowd.levels, company.pool.levels, company.near, company.strangers, company.normal,
            weights, np.sqrt(weights), _exponential(), composite, size, counts, levels, times,
        )  # fmt: skip
        used = int(counts.sum())
        return Arrivals((np.cumsum(counts) - counts)[counts > 0], levels[:used].copy(), times[:used].copy())
    found = []
    for _, times in _dense_times(crowd, company, composite, *weights[0]):
        rows, levels = np.nonzero(np.isfinite(times))
        found.append((np.bincount(rows, minlength=len(times)), levels, times[rows, levels]))
    counts, levels, times = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return Arrivals((np.cumsum(counts) - counts)[counts > 0], levels.astype(np.int32), times)


def _dense_times(
    crowd: Crowd, company: Company, composite: int, near: float, far: float
) -> Iterator[tuple[slice, Floats]]:
    """Yield rows with the (r, m) times of one composite's levels, infinite where nobody in company has the level."""
    k, size = company.near.shape[1], int(crowd.levels[:, composite].max()) + 1
    for rows in slices(len(company.near), max(1, _CELLS // (size + 1))):
        neighbors = crowd.levels[company.near[rows], composite]
        strangers = company.pool.levels[company.strangers[rows], composite]
        # Levels that may not be drawn are counted too, in a column of their own that is then left out.
        shape = (len(neighbors), size + 1)
        first = np.arange(1, shape[0] * shape[1], shape[1])[:, None]
        of_levels, totals = np.zeros(shape[0] * shape[1]), np.zeros(shape[0] * shape[1])
        normal = company.normal[rows]
        for theirs, of_theirs, share in ((neighbors, normal[:, :k], near), (strangers, normal[:, k:], far)):
            cells = (first + theirs).ravel()
            of_levels += share * np.bincount(cells, minlength=len(of_levels))
            totals += math.sqrt(share) * np.bincount(cells, of_theirs.ravel(), minlength=len(totals))
        of_levels, totals = of_levels.reshape(shape)[:, 1:], totals.reshape(shape)[:, 1:]
        times = np.full(of_levels.shape, np.inf)
        there = of_levels > 0
        times[there] = -log_ndtr(totals[there] / np.sqrt(of_levels[there])) / of_levels[there]
        yield rows, times


def _weights(company: Company, strangers: Floats) -> Floats:
    """Return (columns, 2) the share of each neighbour, and of each stranger, in the columns' local models."""
    return np.column_stack([(1 - strangers) / company.near.shape[1], strangers / company.strangers.shape[1]])


def _spread_out(company: Company, near: float, far: float) -> Floats:
    return np.repeat([near, far], [company.near.shape[1], company.strangers.shape[1]])


@functools.cache
def _exponential() -> Floats:
    """Return ``-log Phi`` from -REACH to REACH in even steps: between them a straight line is right within 1e-6."""
    table: Floats = -log_ndtr(np.linspace(-REACH, REACH, int(2 * REACH * STEPS) + 1))
    return table


# What follows is compiled: plain loops over arrays.


def _scores(
    scores: Singles,
    pool: Singles,
    near: Indices,
    strangers: Indices,
    normal: Singles,
    weights: Floats,
    roots: Floats,
    drawn: Floats,
) -> None:
    b, k = near.shape
    s = strangers.shape[1]
    q = scores.shape[1]
    sums = np.empty((4, q))
    for row in range(b):
        sums[:] = 0.0
        total_near = 0.0
        total_far = 0.0
        for j in range(k):
            g = normal[row, j]
            total_near += g
            person = near[row, j]
            for c in range(q):
                z = scores[person, c]
                sums[0, c] += z
                sums[1, c] += g * z
        for j in range(s):
            g = normal[row, k + j]
            total_far += g
            person = strangers[row, j]
            for c in range(q):
                z = pool[person, c]
                sums[2, c] += z
                sums[3, c] += g * z
        for c in range(q):
            mean = weights[c, 0] * sums[0, c] + weights[c, 1] * sums[2, c]
            spread = roots[c, 0] * (sums[1, c] - total_near * mean) + roots[c, 1] * (sums[3, c] - total_far * mean)
            left = 1.0 - k * weights[c, 0] ** 2 - s * weights[c, 1] ** 2
            drawn[row, c] = mean + spread / (math.sqrt(left) if left > 0.0 else 1.0)


def _tally(
    levels: Codes,
    pool: Codes,
    near: Indices,
    strangers: Indices,
    normal: Singles,
    row: int,
    first: int,
    base: NDArray[np.int64],
    sums: Floats,
) -> None:
    """Count the levels of a row's company in the composites from ``first`` on, and sum their coefficients.

    ``sums[base[t] + level]`` are counts and coefficients of neighbours, then of strangers. The composites take turns:
    a processor need not wait for one sum to go on with the next.
    """
    k = near.shape[1]
    for j in range(k):
        person = near[row, j]
        g = normal[row, j]
        for t in range(len(base)):
            place = base[t] + levels[person, first + t]
            sums[place, 0] += 1.0
            sums[place, 1] += g
    for j in range(strangers.shape[1]):
        person = strangers[row, j]
        g = normal[row, k + j]
        for t in range(len(base)):
            place = base[t] + pool[person, first + t]
            sums[place, 2] += 1.0
            sums[place, 3] += g


def _level_met(
    levels: Codes, pool: Codes, near: Indices, strangers: Indices, row: int, composite: int, number: int
) -> int:
    """Return the level of the ``number``-th of a row's company."""
    k = near.shape[1]
    if number < k:
        level: int = levels[near[row, number], composite]
    else:
        level = pool[strangers[row, number - k], composite]
    return level


def _arrival(share: float, total: float, exponential: Floats) -> float:
    """Return ``T = -log Phi(u) / p`` of a level with ``u = total / sqrt(p)``."""
    inverse = 1.0 / math.sqrt(share)
    step = (total * inverse + REACH) * STEPS
    below = min(max(int(step), 0), len(exponential) - 2)
    left = min(max(step - below, 0.0), 1.0)
    time: float = (exponential[below] + left * (exponential[below + 1] - exponential[below])) * inverse * inverse
    return time


# The two loops below are alike to the lines that sum up a level and forget it: as a function these take twice the time.


@functools.cache
def _race_loop() -> Callable[..., None]:
    tally, level_met, arrive = part_of_compiled(_tally), part_of_compiled(_level_met), part_of_compiled(_arrival)

    def race(
        levels: Codes,
        pool: Codes,
        near: Indices,
        strangers: Indices,
        normal: Singles,
        weights: Floats,
        roots: Floats,
        exponential: Floats,
        slowness: Floats,
        starts: NDArray[np.int64],
        drawn: Codes,
    ) -> None:
        composites = len(starts) - 1
        base = starts[:composites] + np.arange(1, composites + 1)  # each has a place for level -1 before its own
        sums = np.zeros((starts[composites] + composites, 4))
        for row in range(len(near)):
            tally(levels, pool, near, strangers, normal, row, 0, base, sums)
            for t in range(composites):
                size = starts[t + 1] - starts[t]
                near_share, far_share, near_root, far_root = weights[t, 0], weights[t, 1], roots[t, 0], roots[t, 1]
                first = np.inf
                for number in range(size if size <= _FEW_LEVELS else normal.shape[1]):
                    # Of few levels each is looked at, of many those of the company.
                    level = number if size <= _FEW_LEVELS else level_met(levels, pool, near, strangers, row, t, number)
                    place = base[t] + level
                    share = near_share * sums[place, 0] + far_share * sums[place, 2]
                    if level < 0 or share <= 0.0:
                        continue
                    total = near_root * sums[place, 1] + far_root * sums[place, 3]
                    sums[place, 0] = sums[place, 1] = sums[place, 2] = sums[place, 3] = 0.0
                    time = arrive(share, total, exponential) * slowness[starts[t] + level]
                    if time < first:
                        first = time
                        drawn[row, t] = level

    loop: Callable[..., None] = compiled(race)
    return loop


@functools.cache
def _arrivals_loop() -> Callable[..., None]:
    tally, level_met, arrive = part_of_compiled(_tally), part_of_compiled(_level_met), part_of_compiled(_arrival)

    def every_arrival(
        levels: Codes,
        pool: Codes,
        near: Indices,
        strangers: Indices,
        normal: Singles,
        weights: Floats,
        roots: Floats,
        exponential: Floats,
        composite: int,
        size: int,
        counts: NDArray[np.int64],
        found: Codes,
        times: Floats,
    ) -> None:
        base = np.ones(1, dtype=np.int64)
        sums = np.zeros((size + 1, 4))
        near_share, far_share, near_root, far_root = weights[0, 0], weights[0, 1], roots[0, 0], roots[0, 1]
        used = 0
        for row in range(len(near)):
            tally(levels, pool, near, strangers, normal, row, composite, base, sums)
            for number in range(size if size <= _FEW_LEVELS else normal.shape[1]):
                level = (
                    number if size <= _FEW_LEVELS else level_met(levels, pool, near, strangers, row, composite, number)
                )
                place = 1 + level
                share = near_share * sums[place, 0] + far_share * sums[place, 2]
                if level < 0 or share <= 0.0:
                    continue
                total = near_root * sums[place, 1] + far_root * sums[place, 3]
                sums[place, 0] = sums[place, 1] = sums[place, 2] = sums[place, 3] = 0.0
                found[used] = level
                times[used] = arrive(share, total, exponential)
                counts[row] += 1
                used += 1

    loop: Callable[..., None] = compiled(every_arrival)
    return loop
