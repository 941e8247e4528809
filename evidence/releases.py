"""What could be published: avatars, what simple methods make, and what nobody should publish."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from avatars.engine.errors import AvatarsWarning
from avatars.engine.parameters import Parameters
from avatars.engine.run import run
from evidence.cohorts import Cohort

Make = Callable[[pa.Table, int], pa.Table]
"""A release of a table, by a seed."""

K_LOCAL, K_AVATAR = 100, 20
"""The default of a table of 500 rows or more, and the published article's."""


@dataclass(frozen=True)
class Way:
    """A way of making releases.

    Attributes
    ----------
    is_linked
        Whether row i of the release belongs to row i of the table.
    must_block
        Whether the gate has to say BLOCK.
    """

    name: str
    make: Make
    is_linked: bool = True
    must_block: bool = False


def ways(cohort: Cohort) -> list[Way]:
    """Return all ways that suit a cohort, fresh people excepted: they have to come from somewhere."""
    most = max(2, cohort.table.num_rows // 4)
    k = min(K_LOCAL, most)
    found = [
        Way(f"local, k = {k}", _engine(cohort, "local", k)),
        Way(f"avatar (published), k = {K_AVATAR}", _engine(cohort, "avatar", min(K_AVATAR, most))),
        Way("columns drawn one by one", independent, is_linked=False),
        Way("one Gaussian (copula of ranks)", gaussian, is_linked=False),
        Way("30 % of the cells redrawn", redrawn, must_block=True),
        Way("noise of 1 % of a standard deviation", noisy, must_block=True),
        Way("the table itself", lambda table, seed: table, must_block=True),
    ]
    if cohort.group:
        named = f"local, k = {k}, {', '.join(cohort.group)} declared"
        found.insert(1, Way(named, _engine(cohort, "local", k, cohort.group)))
    return found


def _engine(cohort: Cohort, method: str, k: int, group: tuple[str, ...] = ()) -> Make:
    def make(table: pa.Table, seed: int) -> pa.Table:
        groups = (group,) if group else ()
        fewer = min(k, table.num_rows - 1)
        parameters = Parameters(k=fewer, seed=seed, method=method, groups=groups)  # type: ignore[arg-type]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AvatarsWarning)
            made = run(table, parameters, to_categorical_threshold=cohort.to_categorical_threshold)
        return made.sensitive_unshuffled_avatars

    return make


def independent(table: pa.Table, seed: int) -> pa.Table:
    """Draw each column anew from its own cells: all shares, no relation."""
    random = np.random.default_rng(seed)
    rows = table.num_rows
    columns = [column.take(pa.array(random.integers(rows, size=rows))) for column in table.columns]
    return pa.table(columns, table.column_names)


def gaussian(table: pa.Table, seed: int) -> pa.Table:
    """Draw from one Gaussian over the normal scores of all columns (levels by frequency), read back as quantiles."""
    from scipy.special import ndtr, ndtri

    random = np.random.default_rng(seed)
    rows = table.num_rows
    orders, scores = [], []
    for column in table.columns:
        cells = pd.Series(column.to_pandas())
        keys = cells if pd.api.types.is_numeric_dtype(cells) else cells.map(cells.value_counts())
        order = np.argsort(keys.to_numpy(dtype=float, na_value=np.inf), kind="stable")
        places = np.empty(rows)
        places[order] = np.arange(rows)
        orders.append(order)
        scores.append(ndtri((places + 0.5) / rows))
    matrix = np.corrcoef(scores) + 1e-6 * np.eye(len(scores))
    drawn = random.normal(size=(rows, len(scores))) @ np.linalg.cholesky(matrix).T
    places = np.minimum((ndtr(drawn) * rows).astype(int), rows - 1)
    columns = [
        column.take(pa.array(order[places[:, i]]))
        for i, (column, order) in enumerate(zip(table.columns, orders, strict=True))
    ]
    return pa.table(columns, table.column_names)


def redrawn(table: pa.Table, seed: int) -> pa.Table:
    """Replace 30 % of the cells by others of their column."""
    random = np.random.default_rng(seed)
    rows = np.arange(table.num_rows)
    columns = [
        column.take(
            pa.array(np.where(random.random(len(rows)) < 0.3, random.integers(len(rows), size=len(rows)), rows))
        )
        for column in table.columns
    ]
    return pa.table(columns, table.column_names)


def noisy(table: pa.Table, seed: int) -> pa.Table:
    """Add noise of 1 % of a standard deviation to each number; levels stay."""
    random = np.random.default_rng(seed)
    columns = []
    for column in table.columns:
        if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
            cells = column.to_pandas().astype(float)
            moved = cells + 0.01 * cells.std() * random.normal(size=len(cells))
            whole = moved.round() if pa.types.is_integer(column.type) else moved
            column = pa.array(whole, from_pandas=True).cast(column.type)
        columns.append(column)
    return pa.table(columns, table.column_names)
