"""How close avatars come to people, beside how close others come.

The others are people who were held out, and the people themselves to each other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from avatars.engine.features import Floats
from avatars.evaluation.pair import Pair
from avatars.evaluation.privacy.closeness import distances_between, measure_closeness
from avatars.report.small_counts import merged, round_edges, summed, whole_edges

BINS = 24
PEOPLE_PER_BIN = 12
LEAST_PEOPLE = 20
MOST_PEOPLE = 20_000
"""Whose distance to their nearest other is measured; of more, so many, spread over all."""


@dataclass(frozen=True)
class Distances:
    """Shares of distances to the closest of the originals, in bins.

    Attributes
    ----------
    edges
        Of the bins; the last one holds what is beyond too.
    avatars, held_out, people
        Of avatars; of people who were held out, where there are some; of the originals themselves, to the closest
        OTHER one.
    measured_people
        How many of the originals that last one rests on.
    medians
        In the order of these three.
    """

    edges: tuple[float, ...]
    avatars: tuple[float, ...]
    held_out: tuple[float, ...] | None
    people: tuple[float, ...]
    measured_people: int
    medians: tuple[float, float | None, float]


def describe_distances(pair: Pair) -> Distances | None:
    """Return the distances; None where there are too few people. Cost: O(n log n) time, O(n) memory."""
    people = _between_people(pair)
    series = [pair.closeness.closest, people]
    if pair.held_out is not None:
        series.append(measure_closeness(pair.original.spots, pair.held_out.spots).closest)
    fewest = min(map(len, series))
    if fewest < LEAST_PEOPLE:
        return None
    inner = round_edges(np.concatenate(series), max(4, min(BINS, fewest // PEOPLE_PER_BIN)))
    inner = inner[inner > 0]
    counts = [np.bincount(np.searchsorted(inner, each, side="right"), minlength=len(inner) + 1) for each in series]
    starts = merged(counts)
    if starts is None:
        return None
    shares = [tuple(round(float(share), 3) for share in summed(each, starts) / each.sum()) for each in counts]
    medians = [float(f"{np.median(each):.3g}") for each in series]
    return Distances(
        (0.0, *whole_edges(inner, starts)[1:]),
        shares[0],
        shares[2] if len(shares) > 2 else None,
        shares[1],
        len(people),
        (medians[0], medians[2] if len(medians) > 2 else None, medians[1]),
    )


def _between_people(pair: Pair) -> Floats:
    spots = pair.original.spots
    some = slice(None, None, max(1, len(spots.counts) // MOST_PEOPLE))
    return np.repeat(distances_between(spots, some), spots.counts[some])
