"""Missing cells: an indicator takes part in the method, the cell is filled in, and emptied again in the avatars.

Every column with missing cells gets an indicator feature (0 there, 1 missing) that is projected, searched and
drawn like any other. The knn imputation of mixed tables is ours: neighbours are searched among the rows that have
the cell (the donors), in components of the FAMD of the table from which the column itself is left out; other
missing cells count as the mean. Numbers take the donors' mean, modalities their majority. Donors at the same place
come together, so that an answer may rest on more than k of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from avatars.engine import projection
from avatars.engine.columns import Encoded
from avatars.engine.features import Features, Floats
from avatars.engine.parameters import Imputation
from avatars.engine.progress import Progress, Silent, advance
from avatars.engine.random import Purpose, key
from avatars.engine.spots import Spots
from avatars.engine.workspace import IN_MEMORY, Workspace

STEP = "filling missing values"
# fast_knn looks in the first components, as the method itself does; knn in practically all of them.
_COMPONENTS = {"fast_knn": 5, "knn": 50}
# In many dimensions a tree compares almost everything: a bounded number of donors keeps knn linear in the rows.
_MOST_KNN_DONORS = 10_000


@dataclass(frozen=True, eq=False)
class Donors:
    """The rows that have a cell, by place, ready to lend it.

    Attributes
    ----------
    spots
        The places of the donors without the column itself.
    values
        (u,) mean number, or most frequent level, at each place.
    votes
        (u,) how many donors stand behind it.
    """

    spots: Spots
    values: Floats
    votes: Floats
    k: int
    is_number: bool

    @classmethod
    def at(cls, points: Floats, cells: Floats, k: int, is_number: bool) -> Donors:
        """Gather donors with (n, d) ``points`` and (n,) ``cells``. Cost: O(n log n)."""
        spots = Spots.of(points)
        if is_number:
            values = np.bincount(spots.spot_of, weights=cells) / spots.counts
            return cls(spots, values, spots.counts.astype(np.float64), k, is_number)
        levels = int(cells.max()) + 1
        pairs, counts = np.unique(spots.spot_of * levels + cells.astype(np.int64), return_counts=True)
        best = np.lexsort((pairs % levels, -counts, pairs // levels))
        best = best[np.unique(pairs[best] // levels, return_index=True)[1]]
        return cls(spots, (pairs[best] % levels).astype(np.float64), counts[best].astype(np.float64), k, is_number)

    def lend(self, points: Floats) -> Floats:
        """Return (b,) the cells of rows at (b, d) ``points``, from the nearest places that hold k donors together."""
        width = min(self.k, len(self.values))
        near, _ = self.spots.nearest(points, width)
        before = np.cumsum(self.spots.counts[near], axis=1) - self.spots.counts[near]
        votes = np.where(before < self.k, self.votes[near], 0.0)
        if self.is_number:
            means: Floats = (votes * self.values[near]).sum(axis=1) / votes.sum(axis=1)
            return means
        same = self.values[near][:, :, None] == self.values[near][:, None, :]
        winner = (same * votes[:, None, :]).sum(axis=2).argmax(axis=1)
        levels: Floats = self.values[near[np.arange(len(points)), winner]]
        return levels


@dataclass(frozen=True, eq=False)
class Imputer:
    """Fills in rows with what was learnt from the originals; made by ``fit``.

    Columns are counted numeric ones first, then the others (p of them).

    Attributes
    ----------
    incomplete
        The columns of the originals that have missing cells; each has an indicator feature, in this order.
    plain
        (p,) the number or level that fills a column where no donors do.
    donors
        Per column that the knn methods fill.
    space
        Where the donors' neighbours are searched; None without donors.
    """

    incomplete: NDArray[np.intp]
    plain: Floats
    donors: dict[int, Donors]
    space: projection.Projection | None

    def fill(
        self, encoded: Encoded, progress: Progress, *, step: str = STEP, workspace: Workspace = IN_MEMORY
    ) -> Features:
        """Return the columns of originals or avatars, complete. Cost: O(missing cells x log n) time."""
        columns = _columns(encoded)
        missing = _missing(columns)
        if not missing.any():
            return columns
        q = columns.numeric.shape[1]
        numeric, codes = workspace.copy("complete", columns.numeric), workspace.copy("complete", columns.codes)
        coordinates = self.space.transform(columns, Silent(), step=step) if self.space else None
        todo = np.flatnonzero(missing.any(axis=0))
        for done, column in enumerate(todo):
            rows = np.flatnonzero(missing[:, column])
            donors = self.donors.get(int(column))
            cells = self.plain[column] if donors is None or coordinates is None else donors.lend(coordinates[rows])
            if column < q:
                numeric[rows, column] = cells
            else:
                codes[rows, column - q] = cells
            advance(progress, step, done + 1, len(todo))
        return replace(columns, numeric=numeric, codes=codes)

    def with_indicators(self, complete: Features, encoded: Encoded, workspace: Workspace = IN_MEMORY) -> Features:
        """Return the originals' complete columns with an indicator behind them for each incomplete one."""
        if not len(self.incomplete):
            return complete
        missing = _missing(_columns(encoded))[:, self.incomplete]
        n, c = complete.codes.shape
        codes = workspace.empty("features", (n, c + len(self.incomplete)), np.int32)
        codes[:, :c], codes[:, c:] = complete.codes, missing
        return Features(
            complete.numeric,
            codes,
            (*complete.sizes, *(2 for _ in self.incomplete)),
            (*complete.names, *(complete.names[column] for column in self.incomplete)),
        )

    def empty_again(
        self,
        encoded: Encoded,
        numeric: Floats,
        codes: NDArray[np.int32],
        workspace: Workspace = IN_MEMORY,
        *,
        imputed: bool = False,
    ) -> Encoded:
        """Return drawn features as an encoded table: cells are missing where their indicator says so.

        With ``imputed`` none is, but for columns without any cell to learn from.
        """
        q, c = encoded.numeric.shape[1], encoded.codes.shape[1]
        if not len(self.incomplete):
            return replace(encoded, numeric=numeric, codes=codes)
        indicators = codes[:, c:] == 1
        numeric, codes = workspace.copy("emptied", numeric), workspace.copy("emptied", codes[:, :c])
        columns = (*encoded.numeric_columns, *encoded.categorical_columns)
        for column, gone in zip(self.incomplete, indicators.T, strict=True):
            if imputed and columns[column].missing < len(gone):
                continue
            if column < q:
                numeric[gone, column] = np.nan
            else:
                codes[gone, column - q] = -1
        return replace(encoded, numeric=numeric, codes=codes)


def fit(
    encoded: Encoded,
    imputation: Imputation,
    seed: int,
    progress: Progress,
    project: projection.Fit = projection.fit,
    workspace: Workspace = IN_MEMORY,
) -> Imputer:
    """Learn how to fill in the missing cells of a table. Cost: O(n log n) per column with missing cells.

    ``project`` fits the space in which the knn methods look for donors.
    """
    columns = _columns(encoded)
    missing = _missing(columns)
    incomplete = np.flatnonzero(missing.any(axis=0))
    plain = _plain_cells(columns, imputation.method)
    donors: dict[int, Donors] = {}
    if imputation.method not in _COMPONENTS or not len(incomplete):
        return Imputer(incomplete, plain, donors, None)
    space = project(_filled(columns, plain, workspace), {}, _COMPONENTS[imputation.method], Silent(), quiet=True)
    coordinates = space.transform(columns, Silent(), step=STEP)
    drawn = np.random.Generator(np.random.Philox(key=key(seed, Purpose.IMPUTE))).random(len(columns))
    q = columns.numeric.shape[1]
    for done, column in enumerate(incomplete):
        rows = np.flatnonzero(~missing[:, column])
        most = _MOST_KNN_DONORS if imputation.method == "knn" else len(rows)
        wanted = min(most, max(min(len(rows), imputation.k), round(len(rows) * imputation.training_fraction)))
        if wanted < len(rows):
            rows = np.sort(rows[np.argsort(drawn[rows], kind="stable")[:wanted]])
        if len(rows):
            there = columns.take(rows)
            cells = there.numeric[:, column] if column < q else there.codes[:, column - q].astype(np.float64)
            points = coordinates[rows] - space.share(there, int(column)).T
            donors[int(column)] = Donors.at(points, cells, imputation.k, bool(column < q))
        advance(progress, STEP, done + 1, len(incomplete))
    return Imputer(incomplete, plain, donors, space)


def _columns(encoded: Encoded) -> Features:
    """Return the columns as features, cells missing as they are; a column without any level counts as having one."""
    return Features(
        encoded.numeric,
        encoded.codes,
        tuple(max(1, len(column.levels)) if column.levels is not None else 1 for column in encoded.categorical_columns),
        tuple(column.name for column in (*encoded.numeric_columns, *encoded.categorical_columns)),
    )


def _missing(columns: Features) -> NDArray[np.bool_]:
    return np.hstack([np.isnan(columns.numeric), columns.codes < 0])


def _filled(columns: Features, plain: Floats, workspace: Workspace) -> Features:
    q = columns.numeric.shape[1]
    numeric, codes = workspace.copy("filled", columns.numeric), workspace.copy("filled", columns.codes)
    for cells, number in zip(numeric.T, plain[:q], strict=True):
        cells[np.isnan(cells)] = number
    for cells, level in zip(codes.T, plain[q:], strict=True):
        cells[cells < 0] = level
    return replace(columns, numeric=numeric, codes=codes)


def _plain_cells(columns: Features, method: str) -> Floats:
    """Return (p,): mean, median or mode of each numeric column (knn: the mean), mode of each other; 0 if empty."""
    cells = [_plain_number(column[~np.isnan(column)], method) for column in columns.numeric.T]
    cells += [float(np.bincount(column[column >= 0], minlength=1).argmax()) for column in columns.codes.T]
    return np.array(cells, dtype=np.float64)


def _plain_number(known: Floats, method: str) -> float:
    if not len(known):
        return 0.0
    if method == "median":
        return float(np.median(known))
    if method == "mode":
        values, counts = np.unique(known, return_counts=True)
        return float(values[counts.argmax()])
    return float(known.mean())
