"""The k nearest OTHER rows of every row: Euclidean, exact, float64, ties broken at random.

They are found when they are asked for, block by block, and held by nobody: k times the table would be most of what a
run takes. Only the rows whose answer involves duplicates or equal distances take the longer path that picks among them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avatars.engine.features import Floats
from avatars.engine.random import RowRandom
from avatars.engine.spots import TIE, Spots
from avatars.engine.tree import Counts

Indices = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Nearby:
    """Who is near whom.

    Rows are asked for, and given, by their *place* in ``spots.members``: those of a block are near each other.

    Attributes
    ----------
    spots
        Of (n, d) points.
    k
        1 <= k < n.
    ties
        Decides among rows at equal distances; one stream per block of places.
    """

    spots: Spots
    k: int
    ties: RowRandom

    def of(self, index: int, places: Counts) -> tuple[Indices, Floats]:
        """Return (b, k) the nearest others, as places, of those at some places of block ``index``, and their distances.

        Nearest first. Cost: O(b log n) time for clouds of a few dimensions; O(b k) memory.
        """
        spots, k = self.spots, self.k
        rows = spots.members[places]
        here, which = np.unique(spots.spot_of[rows], return_inverse=True)
        # Myself, my k neighbours, and one more to see whether the last is tied.
        near, far = spots.query(spots.places[here], min(len(spots.places), k + 2))
        is_plain = _plain(spots, here, near, far, k)[which]
        found, distances = np.empty((len(rows), k), dtype=np.int32), np.empty((len(rows), k))
        plain, hard = which[is_plain], which[~is_plain]
        if len(plain):
            found[is_plain], distances[is_plain] = spots.starts[near[plain, 1 : k + 1]], far[plain, 1 : k + 1]
        if len(hard):
            theirs = _pick(spots, rows[~is_plain], near[hard], far[hard], k, self.ties.block(index))
            found[~is_plain], distances[~is_plain] = theirs
        return found, distances


def _plain(spots: Spots, batch: Counts, near: Counts, far: Floats, k: int) -> NDArray[np.bool_]:
    """Return which spots are one row whose k nearest spots are one row each, with no tie at the end of the list."""
    if near.shape[1] < k + 1:
        return np.zeros(len(near), dtype=np.bool_)
    single: NDArray[np.bool_] = (spots.rows_at(near[:, : k + 1]) == 1).all(axis=1)
    plain: NDArray[np.bool_] = single & (near[:, 0] == batch)
    if near.shape[1] > k + 1:
        plain &= far[:, k + 1] > far[:, k] * (1 + TIE)
    return plain


def _pick(
    spots: Spots,
    rows: Counts,
    place: Counts,
    distance: Floats,
    k: int,
    random: np.random.Generator,
) -> tuple[Indices, Floats]:
    """Return the k nearest others, as places, of some rows where spots hold several rows or distances are tied.

    The others of a row are counted off spot by spot. All of those nearer than the k-th distance are taken; of those AT
    the k-th distance as many as are wanted, each subset being equally likely.
    """
    chosen_indices, chosen_distances = np.empty((len(rows), k), dtype=np.int32), np.empty((len(rows), k))
    # One number per row and slot, drawn before rows are split by how far they must look.
    draws = random.random((len(rows), k))
    todo = np.arange(len(rows))
    while len(todo):
        # Others within the first t + 1 spots; the row itself is always at distance 0, so it is among them.
        others = np.cumsum(spots.rows_at(place), axis=1) - 1
        last = np.argmax(others >= k, axis=1)  # the spot that holds the k-th
        reached = others[:, -1] >= k
        radius = np.take_along_axis(distance, last[:, None], axis=1)
        tied = distance >= radius * (1 - TIE)
        closed = (distance[:, -1:] > radius * (1 + TIE))[:, 0] | (place.shape[1] == len(spots.places))
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
            wider = min(len(spots.places), 2 * place.shape[1])
            place, distance = spots.query(spots.places[spots.spot_of[rows[todo]]], wider)
    return chosen_indices, chosen_distances


def _choose(sure: Counts, pool: Counts, k: int, draws: Floats) -> Counts:
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
    rows: Counts,
    place: Counts,
    distance: Floats,
    others: Counts,
    order: Counts,
) -> tuple[Indices, Floats]:
    """Return the places of those at ``order`` among each row's others, and their distances, nearest first."""
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
    return (spots.starts[spot] + within).astype(np.int32), np.take_along_axis(distance, slot, axis=1)


def _at(table: Counts, columns: Counts) -> Counts:
    return table[np.arange(len(table)), columns]
