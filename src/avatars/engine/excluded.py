"""Columns that the method leaves alone: taken out before it, given back to the avatars after it.

An excluded column takes no part in projection, search or draw. Afterwards each avatar gets original cells, digit for
digit, by one of two strategies:

- ``row_order``: avatar i gets the cells of record i. SENSITIVE: original values are published next to the avatar of
  the very person that they belong to;
- ``coordinate_similarity``: each avatar gets the cells of a record that is like it in the coordinates of the other
  columns, and each record's cells are given once (``engine/matching.py``), so every column keeps its distribution
  exactly. Which record that is depends on coordinates and chance alone.

The excluded columns of an avatar that are given back alike come from ONE record: values that belong together stay
together, and whoever knows somebody by them recognises them. What identifies people should be removed, not excluded.
Missing cells travel like any other.
"""

from __future__ import annotations

import warnings
from collections.abc import Container, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa

from avatars.engine import rare
from avatars.engine.columns import Column, Encoded, Kind, decode, detect, encode
from avatars.engine.errors import AvatarsWarning
from avatars.engine.features import Floats
from avatars.engine.matching import Rows, match
from avatars.engine.parameters import Parameters, columns_with_many_levels, excluded_columns
from avatars.engine.progress import Progress
from avatars.engine.random import Purpose, RowRandom
from avatars.engine.workspace import IN_MEMORY, Workspace

STEP = "casting back"
"""The step of the run that giving back belongs to."""


def as_they_are(table: pa.Table, columns: Sequence[Column], names: Container[str]) -> tuple[Column, ...]:
    """Return the columns such that cells of those that are excluded survive encoding and decoding digit for digit.

    Their numbers are not rounded. Where float64 cannot hold them exactly (large integers, decimals, fine-grained dates
    over long times, numbers with a spelling of their own) the column is held as levels. Cost: O(n) a column.
    """
    kept = []
    for column in columns:
        if column.name in names and column.is_numeric:
            alone = table.select([column.name])
            column = replace(column, decimals=None)
            if not decode(encode(alone, [column])).equals(alone):
                (column,) = detect(alone, {column.name: Kind.CATEGORY})
        kept.append(column)
    return tuple(kept)


def check_rows(encoded: Encoded, parameters: Parameters) -> None:
    """Refuse a column that has rare levels alone (``InvalidParameter``); warn of what is allowed but unwise."""
    by_levels = [column.name for column in columns_with_many_levels(parameters, encoded.columns)]
    if parameters.exclude_categorical is not None:
        rare.check_common(encoded, by_levels, parameters.exclude_categorical)
    for name in by_levels:
        if name in parameters.column_weights:
            message = f"The weight of column {name!r} does nothing: exclude_categorical excludes the column."
            warnings.warn(message, AvatarsWarning, 2)
    in_row_order = [name for name, how in excluded_columns(parameters, encoded.columns).items() if how == "row_order"]
    if in_row_order:
        message = (
            f"row_order publishes the original values of {', '.join(map(repr, in_row_order))} next to the avatar of "
            "the same person, and only metrics that compare cells see it: treat these avatars as sensitive, or choose "
            "coordinate_similarity."
        )
        warnings.warn(message, AvatarsWarning, 2)


def without(encoded: Encoded, names: Container[str], workspace: Workspace = IN_MEMORY) -> Encoded:
    """Return the table without some of its columns; the same one where it has none of them."""
    columns = tuple(column for column in encoded.columns if column.name not in names)
    if len(columns) == len(encoded.columns):
        return encoded
    numbers = [place for place, column in enumerate(encoded.numeric_columns) if column.name not in names]
    others = [place for place, column in enumerate(encoded.categorical_columns) if column.name not in names]
    numeric = workspace.empty("modelled-numbers", (len(encoded.codes), len(numbers)), np.float64)
    codes = workspace.empty("modelled-codes", (len(encoded.codes), len(others)), np.int32)
    # Any other mode than the default one writes to `out` without a copy in between.
    np.take(encoded.numeric, np.array(numbers, np.intp), axis=1, out=numeric, mode="clip")
    np.take(encoded.codes, np.array(others, np.intp), axis=1, out=codes, mode="clip")
    schema = pa.schema([encoded.schema.field(column.name) for column in columns], encoded.schema.metadata)
    return Encoded(columns, numeric, codes, schema)


def give_back(
    avatars: Encoded,
    originals: Encoded,
    parameters: Parameters,
    coordinates: tuple[Floats, Floats],
    progress: Progress,
    workspace: Workspace = IN_MEMORY,
) -> Encoded:
    """Return the avatars with all columns of the originals.

    Parameters
    ----------
    avatars
        Without the excluded columns; row i is that of record i.
    originals
        With all columns.
    parameters
        With the seed.
    coordinates
        (n, d) of the records and (n, d) of their avatars, without the excluded columns.

    Notes
    -----
    Cost: O(n log n) time where a column is given back by similarity or has rare levels, otherwise one copy.
    """
    rows_of = _rows_to_copy(originals, parameters, coordinates, progress)
    numeric = workspace.empty("given-back-numbers", originals.numeric.shape, np.float64)
    codes = workspace.empty("given-back-codes", originals.codes.shape, np.int32)
    drawn_numbers, drawn_codes = iter(avatars.numeric.T), iter(avatars.codes.T)
    for position, column in enumerate(originals.numeric_columns):
        rows = rows_of.get(column.name)
        numeric[:, position] = next(drawn_numbers) if rows is None else originals.numeric[rows, position]
    for position, column in enumerate(originals.categorical_columns):
        rows = rows_of.get(column.name)
        if rows is None:
            codes[:, position] = next(drawn_codes)
        else:
            codes[:, position] = np.where(rows < 0, -1, originals.codes[rows, position])
    return replace(originals, numeric=numeric, codes=codes)


def _rows_to_copy(
    originals: Encoded, parameters: Parameters, coordinates: tuple[Floats, Floats], progress: Progress
) -> dict[str, Rows]:
    """Return by excluded column (n,) the row of the originals whose cell each avatar gets; -1 for a missing one."""
    assert parameters.seed is not None
    strategies = excluded_columns(parameters, originals.columns)
    with_rare = {column.name for column in columns_with_many_levels(parameters, originals.columns)}
    record_of = rows = np.arange(len(originals.codes))
    if "coordinate_similarity" in strategies.values():
        record_of = match(*coordinates, RowRandom(parameters.seed, Purpose.MATCH).block(0), progress, step=STEP)
    found = {}
    for place, (name, strategy) in enumerate(strategies.items()):
        shown = rows
        if name in with_rare and parameters.exclude_categorical is not None:
            codes = originals.codes[:, rare.position(originals, name)]
            random = RowRandom(parameters.seed, Purpose.RARE).block(0, place)
            shown = rare.rows_to_copy(codes, parameters.exclude_categorical, coordinates[0], random)
        found[name] = shown if strategy == "row_order" else shown[record_of]
    return found
