"""The k nearest OTHER rows of every row: Euclidean, exact, float64, ties broken at random.

Three ideas make it fast. Rows at the same place are collapsed into one *spot*, so duplicates cost nothing in the tree.
Spots are laid out, and queried, in the order in which the tree holds them, so that memory is read where it was just
read. And only the rows whose answer involves duplicates or equal distances take the longer path that picks among them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from avatars.engine.batches import default_threads
from avatars.engine.features import Floats
from avatars.engine.progress import Progress, advance
from avatars.engine.random import RowRandom, blocks

Indices = NDArray[np.int32]
STEP = "finding neighbours"
# Distances that differ by less than this share are equal: they differ by rounding alone.
TIE = 1e-12
# Spots queried between two reports of progress.
_BATCH = 65_536


@dataclass(frozen=True, eq=False)
class Spots:
    """The distinct places of a cloud of points, in the order of a tree over them.

    Attributes
    ----------
    tree
        Over the (u, d) places.
    spot_of
        (n,) the spot of each row.
    members, starts
        Rows by spot: those of spot s are ``members[starts[s]:starts[s + 1]]``.
    rank
        (n,) where each row stands among its spot's members.
    """

    tree: cKDTree
    spot_of: NDArray[np.int64]
    members: NDArray[np.int64]
    starts: NDArray[np.int64]
    rank: NDArray[np.int64]

    @classmethod
    def of(cls, points: Floats) -> Spots:
        """Collapse equal points and build the tree. Cost: O(n log n) time, O(n d) memory."""
        # -0.0 and 0.0 are the same place, and so is what is too small for its square to be a number.
        points = np.where(np.abs(points) < 1e-100, 0.0, points)
        by_place = _order_by_place(points)
        ordered = points[by_place]
        first = np.concatenate([[True], (ordered[1:] != ordered[:-1]).any(axis=1)])
        places, place_of_ordered = ordered[first], np.cumsum(first) - 1
        # The first tree says in which order it holds the places; the second holds them in just that order.
        in_tree_order = _tree(places).indices
        tree = _tree(places[in_tree_order])
        spot_of_place = np.empty(len(places), dtype=np.int64)
        spot_of_place[in_tree_order] = np.arange(len(places))
        spot_of = np.empty(len(points), dtype=np.int64)
        spot_of[by_place] = spot_of_place[place_of_ordered]
        members = np.argsort(spot_of, kind="stable")
        starts = np.concatenate([[0], np.cumsum(np.bincount(spot_of, minlength=len(places)))])
        rank = np.empty(len(points), dtype=np.int64)
        rank[members] = np.arange(len(points)) - starts[spot_of[members]]
        return cls(tree, spot_of, members, starts, rank)

    @property
    def counts(self) -> NDArray[np.int64]:
        """(u,) rows at each spot."""
        return np.diff(self.starts)

    def nearest(self, points: Floats, width: int) -> tuple[NDArray[np.int64], Floats]:
        """Return the (b, width) nearest spots of (b, d) points and their distances, nearest first; on all cores."""
        distances, places = self.tree.query(points, width, workers=default_threads())
        shape = (len(points), width)
        return np.asarray(places, dtype=np.int64).reshape(shape), np.asarray(distances).reshape(shape)


def _tree(places: Floats) -> cKDTree:
    # Sliding-midpoint splits without shrunk nodes: the quickest to build and, on such clouds, to query.
    return cKDTree(places, balanced_tree=False, compact_nodes=False)


def _order_by_place(points: Floats) -> NDArray[np.int64]:
    """Return an order of the rows in which equal points stand together, by sorting a 64-bit hash of each."""
    words = np.ascontiguousarray(points).view(np.uint64)
    hashed = np.zeros(len(points), dtype=np.uint64)
    for column in words.T:
        hashed = (hashed ^ column) * np.uint64(0x9E3779B97F4A7C15)
        hashed ^= hashed >> np.uint64(32)
    return np.argsort(hashed, kind="stable")


def nearest_others(points: Floats, k: int, seed_of_ties: RowRandom, progress: Progress) -> tuple[Indices, Floats]:
    """Return for each row its k nearest other rows and their distances, nearest first.

    Parameters
    ----------
    points
        (n, d) coordinates, finite.
    k
        1 <= k < n.
    seed_of_ties
        Decides among rows at equal distances; one stream per block of rows.

    Returns
    -------
    indices : (n, k) int32
    distances : (n, k) float64

    Notes
    -----
    Cost: O(n log n) time for clouds of a few dimensions; n k x 12 bytes of memory for the answer.
    """
    n = len(points)
    spots = Spots.of(points)
    u = len(spots.counts)
    asked = min(u, k + 2)  # myself, my k neighbours, and one more to see whether the last is tied
    indices, distances = np.empty((n, k), dtype=np.int32), np.empty((n, k))
    unsettled: list[tuple[NDArray[np.int64], NDArray[np.int64], Floats]] = []
    for start in range(0, u, _BATCH):
        batch = np.arange(start, min(u, start + _BATCH))
        near, far = spots.nearest(spots.tree.data[batch], asked)
        plain = _plain(spots, batch, near, far, k)
        if plain.any():
            rows = spots.members[spots.starts[batch[plain]]]
            indices[rows] = spots.members[spots.starts[near[plain, 1 : k + 1]]]
            distances[rows] = far[plain, 1 : k + 1]
        unsettled.append((batch[~plain], near[~plain], far[~plain]))
        advance(progress, STEP, start + len(batch), u * 1.1)
    hard_spots, near, far = (np.concatenate(parts) for parts in zip(*unsettled, strict=True))
    if len(hard_spots):
        where = np.full(u, -1)
        where[hard_spots] = np.arange(len(hard_spots))
        for index, block in blocks(n):
            answer = where[spots.spot_of[block]]
            hard = np.flatnonzero(answer >= 0)
            if len(hard):
                rows, found = hard + block.start, answer[hard]
                random = seed_of_ties.block(index)
                indices[rows], distances[rows] = _pick(spots, rows, near[found], far[found], k, random)
    advance(progress, STEP, 1, 1)
    return indices, distances


def _plain(spots: Spots, batch: NDArray[np.int64], near: NDArray[np.int64], far: Floats, k: int) -> NDArray[np.bool_]:
    """Return which spots are one row whose k nearest spots are one row each, with no tie at the end of the list."""
    if near.shape[1] < k + 1:
        return np.zeros(len(near), dtype=np.bool_)
    single: NDArray[np.bool_] = (spots.counts == 1)[near[:, : k + 1]].all(axis=1)
    plain: NDArray[np.bool_] = single & (near[:, 0] == batch)
    if near.shape[1] > k + 1:
        plain &= far[:, k + 1] > far[:, k] * (1 + TIE)
    return plain


def _pick(
    spots: Spots,
    rows: NDArray[np.int64],
    place: NDArray[np.int64],
    distance: Floats,
    k: int,
    random: np.random.Generator,
) -> tuple[Indices, Floats]:
    """Return the k nearest others of some rows where spots hold several rows or distances are tied.

    The others of a row are counted off spot by spot. All of those nearer than the k-th distance are taken; of those AT
    the k-th distance as many as are wanted, each subset being equally likely.
    """
    chosen_indices, chosen_distances = np.empty((len(rows), k), dtype=np.int32), np.empty((len(rows), k))
    # One number per row and slot, drawn before rows are split by how far they must look.
    draws = random.random((len(rows), k))
    todo = np.arange(len(rows))
    while len(todo):
        # Others within the first t + 1 spots; the row itself is always at distance 0, so it is among them.
        others = np.cumsum(spots.counts[place], axis=1) - 1
        last = np.argmax(others >= k, axis=1)  # the spot that holds the k-th
        reached = others[:, -1] >= k
        radius = np.take_along_axis(distance, last[:, None], axis=1)
        tied = distance >= radius * (1 - TIE)
        closed = (distance[:, -1:] > radius * (1 + TIE))[:, 0] | (place.shape[1] == len(spots.counts))
        ready = reached & closed
        if ready.any():
            first_tied = np.argmax(tied[ready], axis=1)
            end_tied = np.sum(distance[ready] <= radius[ready] * (1 + TIE), axis=1)
            sure = np.where(first_tied > 0, _at(others[ready], np.maximum(first_tied - 1, 0)), 0)
            pool = _at(others[ready], end_tied - 1) - sure
            order = _choose(sure, pool, k, draws[todo[ready]])
            done = todo[ready]
            chosen_indices[done], chosen_distances[done] = _count_off(
                spots, rows[done], place[ready], distance[ready], others[ready], order
            )
        todo = todo[~ready]
        if len(todo):
            wider = min(len(spots.counts), 2 * place.shape[1])
            place, distance = spots.nearest(spots.tree.data[spots.spot_of[rows[todo]]], wider)
    return chosen_indices, chosen_distances


def _choose(sure: NDArray[np.int64], pool: NDArray[np.int64], k: int, draws: Floats) -> NDArray[np.int64]:
    """Return (b, k) which of the others, counted from the nearest: 0 .. sure-1, then k - sure of the next ``pool``.

    Floyd's sampling without replacement (Bentley, "Programming pearls", 1987): every subset is equally likely.
    """
    slots = np.arange(k)
    order = np.broadcast_to(slots, draws.shape).copy()
    wanted = k - sure
    for slot in range(k):
        t = slot - sure  # the t-th pick of the pool
        active = (t >= 0) & (pool > wanted)
        if not active.any():
            continue
        top = pool - wanted + t
        pick = sure + (draws[:, slot] * (top + 1)).astype(np.int64)
        taken = ((order[:, :slot] == pick[:, None]) & (slots[:slot] >= sure[:, None])).any(axis=1)
        order[active, slot] = np.where(taken, sure + top, pick)[active]
    return order


def _count_off(
    spots: Spots,
    rows: NDArray[np.int64],
    place: NDArray[np.int64],
    distance: Floats,
    others: NDArray[np.int64],
    order: NDArray[np.int64],
) -> tuple[Indices, Floats]:
    """Return the rows that stand at ``order`` among each row's others, and their distances, nearest first."""
    order = np.sort(order, axis=1)
    b, width = place.shape
    # One search for all: each row's running counts are lifted above those of the row before.
    lift = np.arange(b)[:, None] * (int(others.max()) + 2)
    slot = np.searchsorted((others + lift).ravel(), (order + lift).ravel(), side="right").reshape(order.shape)
    slot -= np.arange(b)[:, None] * width
    spot = np.take_along_axis(place, slot, axis=1)
    before = np.where(slot > 0, np.take_along_axis(others, np.maximum(slot - 1, 0), axis=1), 0)
    within = order - before
    # The row itself is skipped among the members of its own spot; in later spots nothing is to skip, but the
    # running count of others is one short of the rows, which only the spots after its own must not notice.
    own = spot == spots.spot_of[rows][:, None]
    within += own & (within >= spots.rank[rows][:, None])
    return spots.members[spots.starts[spot] + within].astype(np.int32), np.take_along_axis(distance, slot, axis=1)


def _at(table: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray[np.int64]:
    return table[np.arange(len(table)), columns]
