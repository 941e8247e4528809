"""Membership by rehearsal: an attacker with the software makes releases with and without each person, and learns.

Threat model: as for membership, and the attacker has such people, the software and its parameters at hand. Releases are
made of random halves of the people: for each person about half of them hold an avatar of his or hers. Of each release
the attacker takes a few features per person, learns how they lie with the person in and out, and judges new releases.

Shokri et al., S&P 2017 (shadow models); Carlini et al., S&P 2022 (a Gaussian per target, in and out); Stadler et al.,
USENIX Security 2022, and Houssiau et al., 2022 (the same for synthetic tables). Ours: a target's features are centred
on the middle of its own means in and out and scaled by its own spread, as few runs are too few for a covariance each;
the weights of the features are learnt from all targets together, by Fisher's linear discriminant.

Features: logarithms of the distance to the 1st, 5th and 10th nearest avatar and of kernel densities, with two prices of
a level that differs; and the logarithm of how many avatars share each pair of (coarse) cells, summed over the pairs.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from avatars.engine.batches import in_order
from avatars.engine.columns import Encoded
from avatars.engine.errors import EngineError
from avatars.engine.features import Floats
from avatars.engine.progress import Progress, advance
from avatars.evaluation.attacks.figure import Figure, auc_figure, found_figure, not_run
from avatars.evaluation.attacks.rehearsal import Rehearsal
from avatars.evaluation.attacks.space import MISMATCH, UNIT, Space
from avatars.evaluation.rows import Flags
from avatars.evaluation.wording import said

RUNS, TESTS = 48, 8
LEAST_PEOPLE = 200
_BINS = 10
_FLOOR = 1e-4 * UNIT
_FALSE_ALARMS = 0.01
_NAMES = ("shadow_auc", "shadow_tpr")


def shadow(rehearsal: Rehearsal, progress: Progress, step: str) -> list[Figure]:
    """Return how well members are told on releases that were not learnt from.

    Cost: 56 releases, and O(people x avatars) time for each.
    """
    n = len(rehearsal)
    if n < LEAST_PEOPLE:
        reason = said("there are {people} people: rehearsals need {needed}", people=n, needed=LEAST_PEOPLE)
        return [not_run(name, reason) for name in _NAMES]
    people = rehearsal.encoded()
    random = np.random.default_rng([rehearsal.seed % 2**64, 6])
    member = np.zeros((RUNS + TESTS, n), dtype=np.bool_)
    for run in member:
        run[random.permutation(n)[: n // 2]] = True

    def releases() -> Iterator[Encoded]:
        for number, run in enumerate(member):
            yield rehearsal.release(np.flatnonzero(run), number)
            advance(progress, step, number + 1, len(member))

    cells = _Cells.of(people)
    try:
        seen = np.stack(list(in_order(lambda release: _features(people, release, cells), releases())))
    except EngineError as error:
        reason = said("a rehearsal could not be made: {reason}", reason=str(error).rstrip("."))
        return [not_run(name, reason) for name in _NAMES]
    scores = learnt(member[:RUNS], seen[:RUNS], seen[RUNS:])
    return _figures(member[RUNS:], scores)


def learnt(member: Flags, seen: Floats, new: Floats) -> Floats:
    """Return (tests, n) scores of each target in new releases.

    ``member`` is (runs, n), ``seen`` (runs, n, f) and ``new`` (tests, n, f).
    """
    runs, f = len(member), seen.shape[2]
    inside = member[:, :, None]
    mean_in = (seen * inside).sum(axis=0) / np.maximum(inside.sum(axis=0), 1)
    mean_out = (seen * ~inside).sum(axis=0) / np.maximum((~inside).sum(axis=0), 1)
    spread = np.sqrt(((seen - np.where(inside, mean_in, mean_out)) ** 2).sum(axis=0) / max(runs - 2, 1) + 1e-8)
    middle, difference = (mean_in + mean_out) / 2, (mean_in - mean_out) / spread
    rest = ((seen - np.where(inside, mean_in, mean_out)) / spread).reshape(-1, f)
    weights = np.linalg.solve(np.cov(rest.T) + 1e-2 * np.eye(f), difference.mean(axis=0))
    return np.asarray(((new - middle) / spread) @ weights)


def _figures(member: Flags, scores: Floats) -> list[Figure]:
    # The people are the same in each test: all tests together are as certain as one.
    tests = [
        (
            auc_figure("shadow_auc", score[inside], score[~inside], null=0.5),
            found_figure("shadow_tpr", score[inside], score[~inside], _FALSE_ALARMS),
        )
        for inside, score in zip(member, scores, strict=True)
    ]
    return [_mean(figures) for figures in zip(*tests, strict=True)]


def _mean(figures: Sequence[Figure]) -> Figure:
    value, low, high = (float(np.mean([getattr(each, name) for each in figures])) for name in ("value", "low", "high"))
    return replace(figures[0], value=value, low=low, high=high)


def _features(people: Encoded, release: Encoded, cells: _Cells) -> Floats:
    """Return (n, f) what is seen of each person in one release."""
    space = Space.of(release, people)
    here, there = space.place(people), space.place(release)
    found = []
    for price, ranks, width in ((MISMATCH // 2, (1, 5), 0.1), (2 * MISMATCH, (1, 10), 0.5)):
        squares = space.squares(here, there, price)
        near = np.sort(np.partition(squares, max(ranks), axis=1)[:, : max(ranks)], axis=1)
        found += [0.5 * np.log(near[:, rank - 1] + _FLOOR) for rank in ranks]
        found.append(_log_density(squares, near[:, :1], 2 * width * (float(np.median(near[:, 0])) + _FLOOR)))
    return np.stack([*found, cells.shared(release)], axis=1)


def _log_density(squares: Floats, nearest: Floats, scale: float) -> Floats:
    """Return (n,) ``log sum exp(-squares / scale)``; the squares are used up, for they are large."""
    np.subtract(nearest, squares, out=squares)
    squares /= scale
    return np.asarray(np.log(np.exp(squares, out=squares).sum(axis=1)) - nearest[:, 0] / scale)


class _Cells:
    """Coarse cells of every column, and how crowded each pair of them is in a release."""

    def __init__(self, people: Encoded, edges: list[Floats]) -> None:
        self._edges = edges
        self._sizes = [len(edge) + 2 for edge in edges]
        self._sizes += [len(column.levels or ()) + 1 for column in people.categorical_columns]
        self._people = self._cut(people)

    @classmethod
    def of(cls, people: Encoded) -> _Cells:
        """Cut numbers at the people's deciles."""
        known = (column[~np.isnan(column)] for column in people.numeric.T)
        at = np.arange(1, _BINS) / _BINS
        return cls(people, [np.unique(np.quantile(each, at)) if len(each) else np.empty(0) for each in known])

    def _cut(self, table: Encoded) -> list[NDArray[np.int64]]:
        numbers = [
            np.where(np.isnan(column), 0, np.searchsorted(edge, column) + 1)
            for column, edge in zip(table.numeric.T, self._edges, strict=True)
        ]
        return [*numbers, *(column.astype(np.int64) + 1 for column in table.codes.T)]

    def shared(self, release: Encoded) -> Floats:
        """Return (n,) the sum over all pairs of columns of ``log(1 + avatars in the person's pair of cells)``."""
        theirs, total = self._cut(release), np.zeros(len(self._people[0]))
        for a, b in itertools.combinations(range(len(theirs)), 2):
            counts = np.bincount(theirs[a] * self._sizes[b] + theirs[b], minlength=self._sizes[a] * self._sizes[b])
            total += np.log1p(counts)[self._people[a] * self._sizes[b] + self._people[b]]
        return total
