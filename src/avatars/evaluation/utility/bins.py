"""Columns cut into few bins, by the originals.

Ours: a number falls into bins of equal mass in the originals, the outer two open; a level into its own bin, or, where
there are more levels than bins, the rare ones into one together; a missing cell into bin 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from avatars.engine.columns import Encoded
from avatars.engine.features import Codes, Features, Floats

BINS = 10


def edges_of(cells: Floats, bins: int) -> Floats:
    """Return the inner edges of bins of equal mass; fewer where cells repeat, none where there are none."""
    known = cells[~np.isnan(cells)]
    if not len(known):
        return np.empty(0)
    edges: Floats = np.unique(np.quantile(known, np.arange(1, bins) / bins, method="inverted_cdf"))
    return edges


def bin_numbers(cells: Floats, edges: Floats) -> Codes:
    """Return bin numbers from 1 on, the last one beyond the last edge; 0 for missing. Cost: O(n log bins)."""
    return np.where(np.isnan(cells), 0, np.searchsorted(edges, cells, side="left") + 1).astype(np.int32)


@dataclass(frozen=True, eq=False)
class Bins:
    """The bins of a table's columns: the edges of numeric ones, the bin of each level (and of missing) of others."""

    edges: list[Floats]
    bin_of_level: list[Codes]
    names: tuple[str, ...]

    @classmethod
    def of(cls, original: Encoded) -> Bins:
        """Learn them from the originals. Cost: O(n log n) time a numeric column."""
        edges = [edges_of(cells, BINS) for cells in original.numeric.T]
        tables = []
        for codes, column in zip(original.codes.T, original.categorical_columns, strict=True):
            size = max(1, len(column.levels) if column.levels is not None else 1)
            by_frequency = np.argsort(-np.bincount(codes[codes >= 0], minlength=size), kind="stable")
            place = np.empty(size, dtype=np.int32)
            place[by_frequency] = np.arange(size)
            # The last entry is that of code -1.
            tables.append(np.append(np.minimum(place, BINS - 1) + 1, 0).astype(np.int32))
        names = [column.name for column in (*original.numeric_columns, *original.categorical_columns)]
        return cls(edges, tables, tuple(names))

    def bin(self, table: Encoded) -> Features:
        """Return a table's bins as codes, numeric columns first. Cost: O(n) a column; memory for them."""
        codes = np.empty((len(table.codes), len(self.names)), dtype=np.int32)
        for place, edges in enumerate(self.edges):
            codes[:, place] = bin_numbers(table.numeric[:, place], edges)
        for place, bin_of in enumerate(self.bin_of_level):
            codes[:, len(self.edges) + place] = bin_of[table.codes[:, place]]
        sizes = (*(len(edges) + 2 for edges in self.edges), *(int(bin_of.max()) + 1 for bin_of in self.bin_of_level))
        return Features(np.empty((len(codes), 0)), codes, sizes, self.names)
