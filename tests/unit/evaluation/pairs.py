"""Pairs of small tables, for properties: few values, so that rows agree, and missing cells."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
from hypothesis import strategies as st

from avatars.engine.columns import Encoded, detect, encode

NUMBERS = st.one_of(st.none(), st.sampled_from([-1.5, 0.0, -0.0, 1.0, 2.0, 100.0]))
LEVELS = st.one_of(st.none(), st.sampled_from("abc"))


@st.composite
def tables(draw: st.DrawFn, rows: int) -> pa.Table:
    columns = {"x": NUMBERS, "y": NUMBERS, "c": LEVELS, "d": LEVELS}
    return pa.table(
        {
            name: pa.array(
                draw(st.lists(cells, min_size=rows, max_size=rows)), pa.float64() if name in "xy" else pa.string()
            )
            for name, cells in columns.items()
        }
    )


@st.composite
def pairs(draw: st.DrawFn) -> tuple[pa.Table, pa.Table]:
    rows = draw(st.integers(3, 12))
    return draw(tables(rows)), draw(tables(rows))


def encoded(*given: pa.Table) -> list[Encoded]:
    columns = detect(pa.concat_tables(given))
    return [encode(table, columns) for table in given]


def cells_of(table: pa.Table) -> list[tuple[object, ...]]:
    """Each row as what it is: None for missing, and no difference between 0.0 and -0.0."""
    frame = table.to_pandas().astype(object)
    return [tuple(None if pd.isna(cell) else cell for cell in row) for row in frame.itertuples(index=False)]


def numbers_of(table: pa.Table, name: str) -> np.ndarray:
    return np.array([np.nan if cell is None else cell for cell in table[name].to_pylist()], dtype=np.float64)
