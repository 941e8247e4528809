"""The whole path of one table, in one screen: the file to read first.

types -> excluded columns -> missing cells -> projection -> k nearest others -> one draw each -> excluded columns and
original types again -> an order without trace.
The method is that of Guillaudeux et al., npj Digital Medicine 6:37 (2023); ``docs/method.md`` has the formulas.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from avatars.engine import missing, projection, reduction
from avatars.engine.batches import single_threaded_blas
from avatars.engine.columns import Decoded, Encoded, Kind, detect, encode, rounded
from avatars.engine.draws import Records, draw
from avatars.engine.estimate import Estimate, estimate_run
from avatars.engine.excluded import STEP, as_they_are, check_rows, give_back, without
from avatars.engine.features import Features
from avatars.engine.identifiers import identifiers_among
from avatars.engine.neighbors import Nearby
from avatars.engine.parameters import (
    DEFAULT_NCP,
    Parameters,
    check_parameters,
    check_size,
    excluded_columns,
    settled,
)
from avatars.engine.progress import Part, Progress, Silent
from avatars.engine.publish import publishing_order
from avatars.engine.random import Purpose, RowRandom
from avatars.engine.renumbering import Replaced
from avatars.engine.spots import Spots
from avatars.engine.workspace import IN_MEMORY, Workspace


@dataclass(frozen=True, eq=False)
class Avatarization:
    """What a run gives.

    Attributes
    ----------
    drawn, order
        SENSITIVE: the avatars as numbers and codes, row i that of record i; and the order without any trace of them.
    parameters
        With the seed that was used.
    original, sensitive_unshuffled
        Both tables as numbers and codes, row by row and with all columns; for metrics.
    excluded
        Names of the columns that the method left alone; what follows does not know them.
    imputer, complete
        How missing cells are filled in, and the originals so filled.
    projection
        The space in which neighbours were searched, indicators of missing cells included.
    spots
        Where the originals are in it.
    replaced
        Identifiers that were taken out before everything else, and are given back with new numbers.
    """

    drawn: Encoded
    order: NDArray[np.intp]
    parameters: Parameters
    original: Encoded
    sensitive_unshuffled: Encoded
    excluded: tuple[str, ...]
    imputer: missing.Imputer
    complete: Features
    projection: projection.Projection
    spots: Spots
    replaced: Replaced | None = None

    @property
    def published(self) -> Decoded:
        """The avatars in an order that carries no trace of the originals, made as they are read."""
        return Decoded(self.drawn, self.order, self.replaced, np.arange(1, len(self.order) + 1))

    @cached_property
    def avatars(self) -> pa.Table:
        """The same, made at once."""
        return self.published.to_table()

    @cached_property
    def sensitive_unshuffled_avatars(self) -> pa.Table:
        """SENSITIVE: row i is the avatar of record i."""
        numbers = np.empty(len(self.order), dtype=np.int64)
        numbers[self.order] = np.arange(1, len(self.order) + 1)
        return Decoded(self.drawn, None, self.replaced, numbers).to_table()

    def modelled(self, encoded: Encoded) -> Encoded:
        """Return the columns that imputer and projection know, of originals or avatars with all columns."""
        return without(encoded, self.excluded)


def run(
    table: pa.Table,
    parameters: Parameters,
    *,
    types: Mapping[str, Kind] | None = None,
    to_categorical_threshold: int | None = None,
    progress: Progress | None = None,
    workspace: Workspace = IN_MEMORY,
    announce: Callable[[Estimate], None] | None = None,
) -> Avatarization:
    """Turn a table about people into avatars: as many rows, the same columns, order and types.

    ``types`` override detection by column name. ``announce`` is told, before work starts, what the run will take; the
    ``workspace`` holds its arrays, in files where that is too much for memory, and must outlive what is returned.
    Raises ``InvalidTable``, ``InvalidParameter``, ``EngineError`` where the disk will not do (before work starts) and
    ``Cancelled``; warns with ``AvatarsWarning``. The same table, parameters and seed give the same bytes.
    Cost: O(n log n) time in the rows; memory as ``engine/estimate.py`` counts it.
    """
    progress = progress or Silent()
    parameters = settled(parameters, table.num_rows)
    seed, k = parameters.seed, parameters.k
    assert seed is not None
    assert k is not None
    with single_threaded_blas():
        encoded, replaced = read(table, parameters, types, to_categorical_threshold, progress, workspace, announce)
        # The table is not looked at again: where the caller has let go of it too, all that follows has its memory.
        del table
        pa.default_memory_pool().release_unused()
        excluded = tuple(excluded_columns(parameters, encoded.columns))
        modelled = without(encoded, excluded, workspace)
        imputer = missing.fit(modelled, parameters.imputation, seed, progress, projecting(parameters), workspace)
        complete = imputer.fill(modelled, progress, workspace=workspace)
        features = imputer.with_indicators(complete, modelled, workspace)

        space = fit_projection(features, parameters, progress)
        coordinates = space.transform(features, progress, workspace=workspace)
        spots = Spots.of(coordinates, workspace, Part(progress, 0, 0))
        del coordinates

        nearby = Nearby(spots, k, RowRandom(seed, Purpose.TIES))
        drawn = draw(Records(modelled, imputer, complete, features, nearby), parameters, progress, workspace)
        if excluded:
            again = imputer.with_indicators(imputer.fill(drawn, Part(progress, 0, 0), step=STEP), drawn)
            theirs = space.transform(again, Part(progress, 0, 0), step=STEP)
            places = spots.places[spots.spot_of], theirs
            drawn = give_back(drawn, encoded, parameters, places, Part(progress, 0, 0), workspace)
        as_published = rounded(drawn, workspace, Part(progress, 0, 0.5))
        order = publishing_order(as_published, seed, Part(progress, 0.5, 1))
    return Avatarization(
        drawn, order, parameters, encoded, as_published, excluded, imputer, complete, space, spots, replaced
    )


def read(
    table: pa.Table,
    parameters: Parameters,
    types: Mapping[str, Kind] | None,
    to_categorical_threshold: int | None,
    progress: Progress,
    workspace: Workspace,
    announce: Callable[[Estimate], None] | None,
) -> tuple[Encoded, Replaced | None]:
    """Return the table as numbers and codes, after everything that can be refused before work starts was refused.

    Without the columns that identify people, where these are replaced.
    """
    columns = detect(table, types, to_categorical_threshold, progress=Part(progress, 0, 0.3))
    check_parameters(parameters, columns)
    check_size(parameters, table.num_rows)
    estimate = estimate_run(columns, table.num_rows, parameters)
    if announce is not None:
        announce(estimate)
    estimate.check(workspace.budget)
    workspace.make_room(estimate.memory, estimate.disk)
    replaced = None
    if names := identifiers_among(table, columns, parameters):
        replaced = Replaced.of(table, names)
        table, columns = table.drop_columns(names), tuple(column for column in columns if column.name not in names)
    columns = as_they_are(table, columns, excluded_columns(parameters, columns))
    encoded = encode(table, columns, workspace=workspace, progress=Part(progress, 0.3, 1))
    check_rows(encoded, parameters)
    return encoded, replaced


def fit_projection(features: Features, parameters: Parameters, progress: Progress) -> projection.Projection:
    """Return the projection to the parameters' ``ncp``; quiet about clamping where nobody asked for a number."""
    ncp, fit = parameters.ncp or DEFAULT_NCP, projecting(parameters)
    return fit(features, parameters.column_weights, ncp, progress, quiet=parameters.ncp is None)


def projecting(parameters: Parameters) -> projection.Fit:
    """Return what fits projections: with the levels of the columns as they are, or reduced."""
    return reduction.fit if parameters.use_categorical_reduction else projection.fit
