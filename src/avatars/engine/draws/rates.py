"""Rates of the race, such that every level is drawn about as often as people have it.

Who is in many others' company is drawn more often than who stands apart, so the shares of levels drift. The rates are
raked: ``r_m <- r_m clip((wanted_m + 1/2) / (got_m + 1/2), 1/2, 2) ^ 0.7``, at most ``ROUNDS`` times, on all rows or on
a sample of blocks that stand evenly in the table; the coefficients are those that the avatars are drawn with
afterwards. (Raking: Deming and Stephan, 1940; its use on a race is ours.)
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from avatars.engine.batches import in_order, slices, spread
from avatars.engine.draws.crowd import Blocks, Town
from avatars.engine.draws.race import Arrivals, arrivals
from avatars.engine.features import Floats
from avatars.engine.progress import Progress, advance
from avatars.engine.random import blocks

ROUNDS = 12
_DAMPING, _MOST_AT_ONCE, _GOOD_ENOUGH = 0.7, 2.0, 0.002
# Rows that rates are learnt from: their arrivals are held in memory, some composites at a time.
_MOST_ROWS, _ROWS_AND_COMPOSITES, _LEAST_ROWS = 65_536, 2e6, 8192
_TOGETHER = 16


def learn_rates(
    town: Town,
    chosen: Blocks,
    strangers: Floats,
    counts: Sequence[NDArray[np.int64]],
    progress: Progress,
    step: str,
) -> list[Floats]:
    """Return for each composite the rate of each of its levels.

    ``chosen`` are the blocks that they are learnt from, ``strangers`` (t,) the composites' shares of strangers,
    ``counts`` the people who have each level, 0 for those that may not be drawn. Cost: that of drawing the rows that
    are looked at, and O(their arrivals) a round.
    """
    rates: list[Floats] = []
    for composites in slices(len(counts), _TOGETHER):
        places = range(composites.start, composites.stop)

        def race(block: tuple[int, slice], places: range = places) -> list[Arrivals]:
            met = town.company(*block)
            return [arrivals(town.crowd, met, place, float(strangers[place]), len(counts[place])) for place in places]

        found = list(zip(*spread(race, chosen), strict=True))
        of_places = zip(places, found, strict=True)
        rates += in_order(lambda found: _raked(_joined(found[1]), counts[found[0]]), of_places)
        advance(progress, step, composites.stop, len(counts))
    return rates


def chosen_blocks(n: int, composites: int) -> Blocks:
    """Return the blocks of n rows that rates of so many composites are learnt from."""
    every = list(blocks(n))
    rows = np.clip(_ROWS_AND_COMPOSITES / max(1, composites), _LEAST_ROWS, _MOST_ROWS)
    wanted = int(np.ceil(min(n, rows) / (every[0][1].stop - every[0][1].start)))
    places = np.linspace(0, len(every) - 1, min(wanted, len(every))).astype(int)
    return [every[place] for place in places]


def _joined(parts: Sequence[Arrivals]) -> Arrivals:
    lengths = np.cumsum([0, *(len(part.levels) for part in parts)])
    return Arrivals(
        np.concatenate([part.starts + before for part, before in zip(parts, lengths, strict=False)]),
        np.concatenate([part.levels for part in parts]),
        np.concatenate([part.times for part in parts]),
    )


def _raked(race: Arrivals, counts: NDArray[np.int64]) -> Floats:
    rates = np.ones(len(counts))
    rows = len(race.starts)
    if not rows or not counts.any():
        return rates
    wanted = counts * (rows / counts.sum())
    sizes = np.diff(np.append(race.starts, len(race.times)))
    for _ in range(ROUNDS):
        times = race.times / rates[race.levels]
        first = np.minimum.reduceat(times, race.starts)
        winners = race.levels[times == np.repeat(first, sizes)]
        got = np.bincount(winners, minlength=len(counts))
        if np.abs(got - wanted).sum() < _GOOD_ENOUGH * rows:
            break
        change = np.clip((wanted + 0.5) / (got + 0.5), 1 / _MOST_AT_ONCE, _MOST_AT_ONCE)
        rates *= change**_DAMPING
    return rates
