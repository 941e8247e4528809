"""The published draw (Guillaudeux et al., npj Digital Medicine 6:37, 2023).

For neighbours j = 1..k of a record: ``D_j = 1 / distance_j``, ``R_j ~ Exponential(1)``, ``C`` a random permutation of
``1/2, 1/4, ... 1/2^k``; ``P_j = D_j R_j C_j / sum``. A number is the barycentre ``sum_j P_j x_j`` of the
neighbours' own values, which equals the barycentre over all components followed by the inverse projection and is
far cheaper. A modality is that of one neighbour, taken with probability P_j, anew for each column.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from avatars.engine.batches import each_block, slices
from avatars.engine.columns import Encoded
from avatars.engine.draws.records import Records
from avatars.engine.features import Codes, Features, Floats
from avatars.engine.parameters import ModalityDraw, Parameters
from avatars.engine.progress import Progress
from avatars.engine.random import Purpose, RowRandom
from avatars.engine.workspace import Workspace

STEP = "drawing avatars"
# Distances below this count as this; it reproduces the published behaviour: a duplicate outweighs all others.
DISTANCE_FLOOR = 1e-12
# Neighbours' numbers that are gathered at a time: 4 MB of them.
_CELLS = 2**19


def draw(records: Records, parameters: Parameters, progress: Progress, workspace: Workspace) -> Encoded:
    """Return the avatars of all records. Cost: O(n k (q + c)) time; O(n (q + c)) memory."""
    assert parameters.seed is not None
    features, random = records.features, RowRandom(parameters.seed, Purpose.DRAW)
    members = records.nearby.spots.members
    numeric = workspace.empty("drawn-numbers", features.numeric.shape, np.float64)
    codes = workspace.empty("drawn-codes", features.codes.shape, np.int32)

    def draw_block(index: int, places: slice) -> tuple[Floats, Codes]:
        # In the order of the tree: whom one looks for was just looked at for the one before.
        near, far = records.nearby.of(index, np.arange(places.start, places.stop))
        return avatars_of(features, members[near], far, random.block(index), parameters.modalities)

    for places, block in each_block(draw_block, len(features), step=STEP, progress=progress):
        numeric[members[places]], codes[members[places]] = block
    imputed = parameters.return_data_imputed
    return records.imputer.empty_again(records.table, numeric, codes, workspace, imputed=imputed)


def avatars_of(
    features: Features,
    neighbors: NDArray[np.integer],
    distances: Floats,
    random: np.random.Generator,
    modalities: ModalityDraw = "random",
) -> tuple[Floats, Codes]:
    """Return (b, q) numbers and (b, c) codes for (b, k) neighbours. Cost: O(b k (q + c)) time, O(b k) memory."""
    weights = contributions(distances, random)
    numeric = np.empty((len(neighbors), features.numeric.shape[1]))
    for rows in slices(len(neighbors), max(1, _CELLS // max(1, neighbors.shape[1] * numeric.shape[1]))):
        theirs = features.numeric.take(neighbors[rows], axis=0)
        np.einsum("bk,bkq->bq", weights[rows], theirs, out=numeric[rows])
    codes = np.empty((len(neighbors), len(features.sizes)), dtype=np.int32)
    pick = _most_probable if modalities == "most_probable" else _one_neighbors
    cumulated = np.cumsum(weights, axis=1)
    for c in range(codes.shape[1]):
        codes[:, c] = pick(features.codes[:, c], neighbors, weights, cumulated, random)
    return numeric, codes


def contributions(distances: Floats, random: np.random.Generator) -> Floats:
    """Return (b, k): the share P_j that each neighbour has in the avatar; rows sum to 1."""
    b, k = distances.shape
    halves = np.broadcast_to(0.5 ** np.arange(1, k + 1), (b, k))
    weights = random.permuted(halves, axis=1)
    weights *= random.standard_exponential((b, k))
    weights /= np.maximum(distances, DISTANCE_FLOOR)
    weights /= weights.sum(axis=1, keepdims=True)
    return weights


def _one_neighbors(
    codes: Codes, neighbors: NDArray[np.integer], weights: Floats, cumulated: Floats, random: np.random.Generator
) -> Codes:
    threshold = random.random((len(neighbors), 1)) * cumulated[:, -1:]
    # The first whose cumulated share is above; the last needs no look, and rounding cannot leave it out.
    above = cumulated > threshold
    above[:, -1] = True
    chosen = above.argmax(axis=1)
    theirs: Codes = codes[neighbors[np.arange(len(neighbors)), chosen]]
    return theirs


def _most_probable(
    codes: Codes, neighbors: NDArray[np.integer], weights: Floats, cumulated: Floats, random: np.random.Generator
) -> Codes:
    theirs: Codes = codes[neighbors]
    order = np.argsort(theirs, axis=1, kind="stable")
    ordered = np.take_along_axis(theirs, order, axis=1)
    sums = np.cumsum(np.take_along_axis(weights, order, axis=1), axis=1)
    ends = np.hstack([ordered[:, 1:] != ordered[:, :-1], np.ones((len(theirs), 1), dtype=np.bool_)])
    # Weight of a run of equal levels = sum at its end minus sum at the end of the run before.
    at_ends = np.where(ends, sums, 0.0)
    before = np.maximum.accumulate(np.hstack([np.zeros((len(theirs), 1)), at_ends[:, :-1]]), axis=1)
    best = np.where(ends, sums - before, -1.0).argmax(axis=1)
    most_probable: Codes = ordered[np.arange(len(theirs)), best]
    return most_probable
