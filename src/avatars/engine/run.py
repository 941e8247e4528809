"""The whole path of one table, in one screen: the file to read first.

types -> missing cells -> projection -> k nearest others -> one draw each -> original types -> an order without trace.
The method is that of Guillaudeux et al., npj Digital Medicine 6:37 (2023); ``docs/method.md`` has the formulas.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from avatars.engine import missing, projection
from avatars.engine.batches import each_block, single_threaded_blas
from avatars.engine.columns import Encoded, Kind, decode, detect, encode
from avatars.engine.draws import make_draw
from avatars.engine.features import Features
from avatars.engine.neighbors import nearest_others
from avatars.engine.parameters import DEFAULT_NCP, Parameters, check_parameters, check_size
from avatars.engine.progress import Progress, Silent, advance
from avatars.engine.publish import publishing_order
from avatars.engine.random import Purpose, RowRandom, fresh_seed


@dataclass(frozen=True, eq=False)
class Avatarization:
    """What a run gives.

    Attributes
    ----------
    avatars
        The avatars in an order that carries no trace of the originals.
    sensitive_unshuffled_avatars
        SENSITIVE: row i is the avatar of record i.
    parameters
        With the seed that was used.
    original, sensitive_unshuffled
        Both tables as numbers and codes, row by row; for metrics.
    imputer, complete
        How missing cells are filled in, and the originals so filled.
    projection
        The space in which neighbours were searched, indicators of missing cells included.
    """

    avatars: pa.Table
    sensitive_unshuffled_avatars: pa.Table
    parameters: Parameters
    original: Encoded
    sensitive_unshuffled: Encoded
    imputer: missing.Imputer
    complete: Features
    projection: projection.Projection


def run(
    table: pa.Table,
    parameters: Parameters,
    *,
    types: Mapping[str, Kind] | None = None,
    to_categorical_threshold: int | None = None,
    progress: Progress | None = None,
) -> Avatarization:
    """Turn a table about people into avatars: as many rows, the same columns, order and types.

    ``types`` override detection by column name. Raises ``InvalidTable``, ``InvalidParameter`` (before work starts) and
    ``Cancelled``; warns with ``AvatarsWarning``. The same table, parameters and seed give the same bytes.
    Cost: O(n log n) time in the rows; memory about three times the table plus n k x 12 bytes.
    """
    progress = progress or Silent()
    seed = fresh_seed() if parameters.seed is None else parameters.seed
    parameters = replace(parameters, seed=seed)
    with single_threaded_blas():
        encoded = read(table, parameters, types, to_categorical_threshold, progress)
        imputer = missing.fit(encoded, parameters.imputation, seed, progress)
        complete = imputer.fill(encoded, progress)
        features = imputer.with_indicators(complete, encoded)

        space = fit_projection(features, parameters, progress)
        coordinates = space.transform(features, progress)
        neighbors, distances = nearest_others(coordinates, parameters.k, RowRandom(seed, Purpose.TIES), progress)

        draw, random = make_draw(parameters), RowRandom(seed, Purpose.DRAW)
        numeric, codes = np.empty_like(features.numeric), np.empty_like(features.codes)

        def draw_block(index: int, rows: slice) -> None:
            numeric[rows], codes[rows] = draw(features, neighbors[rows], distances[rows], random.block(index))

        each_block(draw_block, len(features), step="drawing avatars", progress=progress)

        unshuffled = decode(imputer.empty_again(encoded, numeric, codes))
        as_published = encode(unshuffled, encoded.columns)
        avatars = unshuffled.take(publishing_order(as_published, seed))
        advance(progress, "casting back", 1, 1)
    return Avatarization(avatars, unshuffled, parameters, encoded, as_published, imputer, complete, space)


def read(
    table: pa.Table,
    parameters: Parameters,
    types: Mapping[str, Kind] | None,
    to_categorical_threshold: int | None,
    progress: Progress,
) -> Encoded:
    """Return the table as numbers and codes, after everything that can be refused before work starts was refused."""
    columns = detect(table, types, to_categorical_threshold)
    check_parameters(parameters, columns)
    check_size(parameters, table.num_rows)
    encoded = encode(table, columns)
    advance(progress, "reading the table", 1, 1)
    return encoded


def fit_projection(features: Features, parameters: Parameters, progress: Progress) -> projection.Projection:
    """Return the projection to the parameters' ``ncp``; quiet about clamping where nobody asked for a number."""
    ncp = parameters.ncp or DEFAULT_NCP
    return projection.fit(features, parameters.column_weights, ncp, progress, quiet=parameters.ncp is None)
