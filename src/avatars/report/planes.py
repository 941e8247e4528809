"""Originals and avatars in the first planes of the projection: originals as counted cells, avatars as points.

Avatars are what is published. Of the originals only cells with enough people are shown, never a point. The avatars
stand in the order of their coordinates: that of the rows would lead from a record to its own.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from avatars.engine.features import Floats
from avatars.engine.spots import Spots
from avatars.evaluation.pair import Pair
from avatars.report.small_counts import FEWEST, Counts, is_small, round_edges

COMPONENTS = 5
MOST_POINTS = 1000
"""Avatars that are drawn; of more, so many by chance, always the same ones."""
BINS = (32, 24, 20, 16, 12, 10, 8, 6, 4)
"""A side; the most with which enough people are in cells that are shown."""
ENOUGH = 0.75
LEAST_PEOPLE = 20

Edges = tuple[float, ...]


@dataclass(frozen=True)
class Cell:
    """Originals in one cell of a plane: its corners are edges ``x``, ``x + 1`` and ``y``, ``y + 1``."""

    x: int
    y: int
    share: float


@dataclass(frozen=True)
class Plane:
    """The originals in two components.

    Attributes
    ----------
    x, y
        The components, from 1 on.
    shown
        Share of the originals that are in the cells; the others are in cells of too few people, or outside.
    """

    x: int
    y: int
    cells: tuple[Cell, ...]
    shown: float


@dataclass(frozen=True)
class Planes:
    """All pairs of the first components.

    Attributes
    ----------
    edges
        Of the cells, by component.
    planes
        The originals, by pair of components.
    avatars
        Coordinates of avatars, sorted; in as many components as there are edges.
    """

    edges: tuple[Edges, ...]
    planes: tuple[Plane, ...]
    avatars: tuple[Edges, ...]


def describe_planes(pair: Pair) -> Planes | None:
    """Return the planes; None where there are too few people or components. Cost: O(n) time a plane."""
    people = len(pair.original)
    components = min(COMPONENTS, pair.space.ncp)
    if people < LEAST_PEOPLE or components < 2:
        return None
    originals = _coordinates(pair.original.spots)[:, :components]
    avatars = _some(_coordinates(pair.avatars.spots)[:, :components])
    for bins in BINS:
        edges, planes = _grid(originals, bins)
        if planes and np.mean([plane.shown for plane in planes]) >= ENOUGH:
            break
    if not planes:
        return None
    decimals = 3 - int(np.floor(np.log10(max(originals.std(), 1e-300))))
    points = sorted(tuple(map(float, row)) for row in np.round(avatars, decimals))
    return Planes(tuple(tuple(map(float, each)) for each in edges), planes, tuple(points))


def _grid(originals: Floats, bins: int) -> tuple[list[Floats], tuple[Plane, ...]]:
    """Return the edges of each component and all planes; none where a component has no cell."""
    edges = [round_edges(places, bins) for places in originals.T]
    if min(len(each) for each in edges) < 2:
        return edges, ()
    places = [np.searchsorted(each, cells, side="right") - 1 for each, cells in zip(edges, originals.T, strict=True)]
    return edges, tuple(
        _plane(a, b, places[a], places[b], (len(edges[a]) - 1, len(edges[b]) - 1))
        for a, b in itertools.combinations(range(len(edges)), 2)
    )


def _coordinates(spots: Spots) -> Floats:
    coordinates: Floats = spots.places[spots.spot_of]
    return coordinates


def _some(avatars: Floats) -> Floats:
    random = np.random.Generator(np.random.Philox(len(avatars)))
    return avatars[random.permutation(len(avatars))[:MOST_POINTS]]


def _plane(a: int, b: int, x: Counts, y: Counts, shape: tuple[int, int]) -> Plane:
    inside = (x >= 0) & (x < shape[0]) & (y >= 0) & (y < shape[1])
    counts = np.bincount(x[inside] * shape[1] + y[inside], minlength=shape[0] * shape[1])
    shown = np.flatnonzero(counts >= FEWEST)
    shown = shown[np.argsort(-counts[shown], kind="stable")]
    # Those who are not shown must not be so few that the gap in the sum tells of them.
    while len(shown) and is_small(np.array([len(x) - counts[shown].sum()])).any():
        shown = shown[:-1]
    cells = tuple(
        Cell(int(cell // shape[1]), int(cell % shape[1]), round(float(counts[cell]) / len(x), 5))
        for cell in np.sort(shown)
    )
    return Plane(a + 1, b + 1, cells, round(float(counts[shown].sum()) / len(x), 3))
