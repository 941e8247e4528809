"""The k nearest OTHER rows of every row: Euclidean, exact, float64, ties broken at random.

Only the rows whose answer involves duplicates or equal distances take the longer path that picks among them.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from avatars.engine.batches import slices, spread
from avatars.engine.features import Floats
from avatars.engine.progress import Progress, advance
from avatars.engine.random import RowRandom, blocks
from avatars.engine.spots import QUERIES, STEP, TIE, Spots
from avatars.engine.tree import Counts
from avatars.engine.workspace import IN_MEMORY, Workspace

Indices = NDArray[np.int32]
# Spots, or rows, whose k nearest places were found, but not yet who of those at them is taken.
_Unsettled = tuple[Counts, Counts, Floats]


def nearest_others(
    spots: Spots,
    k: int,
    seed_of_ties: RowRandom,
    progress: Progress,
    workspace: Workspace = IN_MEMORY,
    *,
    keep_distances: bool = True,
) -> tuple[Indices, Floats]:
    """Return for each row its k nearest other rows and their distances, nearest first.

    Parameters
    ----------
    spots
        Of (n, d) points.
    k
        1 <= k < n.
    seed_of_ties
        Decides among rows at equal distances; one stream per block of rows.

    Returns
    -------
    indices : (n, k) int32
    distances : (n, k) float64, or (n, 0) where they are not to be kept

    Notes
    -----
    Cost: O(n log n) time for clouds of a few dimensions; n k x 12 bytes of memory for the answer, 4 without distances.
    """
    n, u = len(spots.spot_of), len(spots.places)
    indices = workspace.empty("neighbors", (n, k), np.int32)
    kept = k if keep_distances else 0
    distances = workspace.empty("distances", (n, kept), np.float64)
    asked = min(u, k + 2)  # myself, my k neighbours, and one more to see whether the last is tied

    def search(batch: slice) -> tuple[Counts, Indices, Floats, _Unsettled]:
        """Settle the rows that stand alone among others that do; leave the rest."""
        here = np.arange(batch.start, batch.stop)
        near, far = spots.query(spots.places[batch], asked)
        plain = _plain(spots, here, near, far, k)
        theirs = spots.members[spots.starts[near[plain, 1 : k + 1]]].astype(np.int32)
        rows = spots.members[spots.starts[here[plain]]]
        return rows, theirs, far[plain, 1 : k + 1], (here[~plain], near[~plain], far[~plain])

    unsettled: list[_Unsettled] = []
    for done, (rows, theirs, far, left) in enumerate(spread(search, slices(u, QUERIES))):
        if len(rows):
            indices[rows], distances[rows] = theirs, far[:, :kept]
        unsettled.append(left)
        advance(progress, STEP, (done + 1) * QUERIES, u * 1.1 + QUERIES)

    def settle(item: tuple[int, _Unsettled]) -> tuple[Counts, Indices, Floats]:
        index, (rows, near, far) = item
        return rows, *_pick(spots, rows, near, far, k, seed_of_ties.block(index))

    for rows, theirs, far in spread(settle, _by_block(spots, unsettled)):
        indices[rows], distances[rows] = theirs, far[:, :kept]
        advance(progress, STEP, u * 1.1, u * 1.1 + QUERIES)
    advance(progress, STEP, 1, 1)
    return indices, distances


def _by_block(spots: Spots, unsettled: list[_Unsettled]) -> Iterator[tuple[int, _Unsettled]]:
    """Yield the rows at unsettled spots with what was found for those, block by block of the table."""
    here, near, far = (np.concatenate(parts) for parts in zip(*unsettled, strict=True))
    if not len(here):
        return
    where = np.full(len(spots.places), -1)
    where[here] = np.arange(len(here))
    for index, block in blocks(len(spots.spot_of)):
        answer = where[spots.spot_of[block]]
        hard = np.flatnonzero(answer >= 0)
        if len(hard):
            yield index, (hard + block.start, near[answer[hard]], far[answer[hard]])


def _plain(spots: Spots, batch: Counts, near: Counts, far: Floats, k: int) -> NDArray[np.bool_]:
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
    rows: Counts,
    place: Counts,
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


def _at(table: Counts, columns: Counts) -> Counts:
    return table[np.arange(len(table)), columns]
