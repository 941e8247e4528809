"""What a run will take in memory, disk and time, known from the columns and the number of rows before it starts.

The formulas count the arrays that live at the same time, step by step, as the modules make them; times are sums of
costs that were measured (two cores of 2.5 GHz, tables of 15 columns with 30,000 to 1,000,000 rows). All are estimates:
memory within a factor of 1.5 (tested), time no more than a guide. (Ours.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from avatars.engine.columns import Column
from avatars.engine.errors import EngineError
from avatars.engine.machine import in_words
from avatars.engine.parameters import DEFAULT_NCP, Parameters, default_k, excluded_columns
from avatars.engine.plain import is_text
from avatars.engine.projection import DENSE_DIMENSIONS

# The interpreter with all libraries that a run loads.
_PROCESS = 185e6
# Of the neighbour search and of the metrics, a row, and a row and component: what can be in files (places in the
# order of the tree), and what is in memory all the same (places and order while a tree is made, distances, answers).
_PLACES, _PLACES_A_COMPONENT = 16, 16
_SEARCH, _SEARCH_A_COMPONENT = 104, 40
# The compiler of the search, and what a step holds while it works on its batches; small tables need less of both.
_AT_WORK, _AT_WORK_LOCAL, _AT_WORK_ROWS = 165e6, 250e6, 20_000
# A row, in the local draw's calibration.
_SORTING = 160
# Square matrices of all dimensions that are there at the same time while their eigenvectors are found.
_MATRICES = 6
# Sums by level that wait to be merged.
_BLOCKS_OF_SUMS = 32
# Seconds a row: of reading, encoding, decoding and writing a cell; of searching, a component and neighbour; of drawing
# a cell from a neighbour.
_CELL, _NEIGHBOR, _DRAW, _DRAW_LOCAL = 0.25e-6, 0.03e-6, 0.012e-6, 0.006e-6
START = 1.5
"""Seconds until the first row is looked at."""


@dataclass(frozen=True)
class Estimate:
    """What a run will take.

    Attributes
    ----------
    rows, columns
        Size of the table.
    memory
        Bytes at the peak when all arrays are in memory, the table and the process itself included.
    memory_with_files
        The same when arrays and table are in files of a working folder, whose pages the system can take back.
    disk
        Bytes of these files.
    least_output
        Bytes that the avatars need at least when they are written as plain CSV.
    seconds
        Of the run with its metrics.
    dearest
        The column that costs most memory.
    dearest_levels
        Its levels; 0 where it is numbers.
    assessment
        Seconds that attacks take after the run, where they were counted.
    """

    rows: int
    columns: int
    memory: int
    memory_with_files: int
    disk: int
    least_output: int
    seconds: float
    dearest: str
    dearest_levels: int
    assessment: float = 0.0

    def check(self, budget: int | None) -> None:
        """Refuse a run that needs more memory than it may use, in files too; raises ``EngineError``."""
        if budget is not None and self.memory_with_files > budget:
            raise EngineError(
                f"The run needs about {in_words(self.memory_with_files)} of memory and may use {in_words(budget)}:"
                f" allow more (--memory on the command line), or make the table smaller{self._most()}.",
                code="not_enough_memory",
                column=self.dearest,
            )

    def in_words(self) -> str:
        """Return the estimate as one sentence."""
        attacks = f", {_time(self.assessment)} more for the assessment," if self.assessment else ""
        return (
            f"{self.rows:,} rows of {self.columns} columns: about {_time(self.seconds)}{attacks} and"
            f" {in_words(self.memory)} of memory{self._most()}."
        )

    def _most(self) -> str:
        levels = f" with its {self.dearest_levels:,} levels" if self.dearest_levels else ""
        return f"; column {self.dearest!r}{levels} costs most"


def estimate_run(columns: Sequence[Column], rows: int, parameters: Parameters) -> Estimate:
    """Estimate a run with its metrics on ``rows`` rows of columns that were detected. Cost: O(levels)."""
    excluded = excluded_columns(parameters, columns)
    modelled = [column for column in columns if column.name not in excluded]
    q = sum(column.is_numeric for column in modelled)
    incomplete = sum(column.missing > 0 for column in modelled)
    codes = len(modelled) - q + incomplete
    dimensions = sum(_dimensions(column) for column in modelled) + 2 * incomplete
    d, k = min(parameters.ncp or DEFAULT_NCP, dimensions), parameters.k or default_k(rows)

    table = rows * sum(_width(column) for column in columns)
    # The originals, the drawn numbers and codes, and the numbers again as they are published; with missing cells also
    # the originals without any (twice, and once with indicators), and the avatars when they are emptied again.
    row_bytes = 3 * 8 * q + 2 * 4 * codes + (4 * (8 * q + 4 * codes) if incomplete else 0)
    arrays = rows * (row_bytes + 2 * sum(_cell(column) for column in columns if column.name in excluded))
    by_distance = parameters.method == "avatar"
    # Neighbours are found as they are drawn from: whatever k is, nobody holds those of all rows.
    places = rows * (8 * d + _PLACES + _PLACES_A_COMPONENT * d)
    search = rows * (_SEARCH + _SEARCH_A_COMPONENT * d)
    levels = _projection_bytes(rows, q, codes, dimensions)
    masks = 2 * rows * len(modelled) if incomplete else 0
    # Of the local draw: scores twice, once more in single precision, levels of everybody and of the avatars; and in
    # memory levels as they are drawn together, and what some columns are sorted by.
    drawn = 0 if by_distance else rows * (20 * q + 8 * codes + 4)
    sorting = 0 if by_distance else rows * (4 * codes + _SORTING)
    at_work = (_AT_WORK if by_distance else _AT_WORK_LOCAL) * min(1, rows / _AT_WORK_ROWS)
    resident = _PROCESS + at_work + max(search, levels, masks, sorting)
    files = table + arrays + places + drawn
    # When the metrics search, what was only there for the draw is gone, but for its files.
    memory = _PROCESS + at_work + table + arrays + places + max(search, levels, masks, drawn + sorting)

    per_column = {column.name: rows * (_width(column) + 4 * _cell(column)) for column in columns}
    for column in modelled:
        per_column[column.name] += levels * _dimensions(column) / dimensions
    dearest = max(columns, key=lambda column: per_column[column.name])
    seconds = (
        START
        + rows
        * (len(columns) * _CELL + d * k * _NEIGHBOR + len(modelled) * k * (_DRAW if by_distance else _DRAW_LOCAL))
        + _projection_seconds(rows, q, codes, dimensions)
    )
    return Estimate(
        rows=rows,
        columns=len(columns),
        memory=int(memory),
        memory_with_files=int(resident),
        disk=int(files),
        least_output=sum(_least_text(column, rows) for column in columns),
        seconds=seconds,
        dearest=dearest.name,
        dearest_levels=0 if dearest.levels is None else len(dearest.levels),
    )


def _dimensions(column: Column) -> int:
    return 1 if column.levels is None else max(1, len(column.levels))


def _cell(column: Column) -> int:
    """Return the bytes of a cell among the method's numbers or codes."""
    return 8 if column.is_numeric else 4


def _width(column: Column) -> float:
    """Return the bytes of a cell in the table."""
    type_ = column.type
    if pa.types.is_dictionary(type_):
        return float(type_.index_type.bit_width) / 8
    try:
        return float(type_.bit_width) / 8
    except ValueError:
        pass
    levels = column.levels
    # Text that reads as numbers or dates has no levels: such cells are short.
    return 12.0 if levels is None or not len(levels) else 8 + levels.nbytes / len(levels)


def _least_text(column: Column, rows: int) -> int:
    """Return the bytes of a column with its delimiters in a CSV, were every text the shortest of its levels."""
    levels, shortest = column.levels, 1
    if levels is not None and len(levels) and is_text(levels.type):
        shortest = pc.min(pc.binary_length(levels)).as_py()
    return rows + shortest * (rows - column.missing)


def _projection_bytes(rows: int, q: int, codes: int, dimensions: int) -> float:
    """Return what levels cost: sums by level of many blocks, and a square matrix or an iteration's vectors."""
    sums = _BLOCKS_OF_SUMS * dimensions * (q + 1) * 8
    if dimensions <= DENSE_DIMENSIONS:
        return sums + _MATRICES * 8 * dimensions**2 + 8 * rows * codes
    return sums + 50 * 8 * dimensions + 16 * rows * codes


def _projection_seconds(rows: int, q: int, codes: int, dimensions: int) -> float:
    if dimensions <= DENSE_DIMENSIONS:
        return 1e-9 * rows * codes**2 + 1e-10 * dimensions**3
    return 1.2e-6 * rows * (q + codes)


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"
