"""Whole runs of `avatars run` on tables of many shapes: seconds, and memory at the peak."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from bench.generate import mixed
from demo.run import command, environment

CHUNK = 1_000_000
"""Rows that a table is written by: a benchmark should not need more memory than what it measures."""


@dataclass(frozen=True)
class Shape:
    """A table to run on, and what the run may take."""

    name: str
    kind: str
    batches: Callable[[], Iterator[pa.Table]]
    most_seconds: float | None = None
    most_gigabytes: float | None = None


@dataclass(frozen=True)
class Taken:
    """What a run took, from the command to the written file with its metrics."""

    name: str
    seconds: float
    gigabytes: float
    most_seconds: float | None
    most_gigabytes: float | None


def long(rows: int) -> Iterator[pa.Table]:
    """Yield mixed rows by chunks."""
    for start in range(0, rows, CHUNK):
        yield mixed(min(CHUNK, rows - start), part=start // CHUNK)


def repeated(rows: int, distinct: int) -> Iterator[pa.Table]:
    """Yield rows of which all but ``distinct`` are there before."""
    some = np.random.default_rng(0).integers(0, distinct, rows)
    yield mixed(distinct).take(pa.array(some))


def wide(rows: int, numbers: int, categories: int) -> Iterator[pa.Table]:
    """Yield rows of many columns that follow ten hidden factors."""
    random = np.random.default_rng(0)
    hidden = random.normal(size=(rows, 10))
    columns: dict[str, pa.Array] = {}
    for i in range(numbers):
        columns[f"n{i}"] = pa.array(np.round(hidden @ random.normal(size=10) + random.normal(size=rows), 3))
    levels = pa.array(["low", "middling", "high", "very high"])
    for i in range(categories):
        score = hidden @ random.normal(size=10) + random.normal(size=rows)
        columns[f"c{i}"] = levels.take(pa.array(np.searchsorted([-2.0, 0.0, 2.0], score)))
    yield pa.table(columns)


def many_levels(rows: int, levels: int) -> Iterator[pa.Table]:
    """Yield mixed rows with one more column of that many levels."""
    codes = np.random.default_rng(0).integers(0, levels, rows)
    yield mixed(rows).append_column("code", pa.array(np.char.add("code ", codes.astype(str))))


SHAPES = (
    Shape("1,000,000 x 15, CSV to CSV", "csv", lambda: long(1_000_000), 20, 3),
    Shape("1,000,000 x 15, Parquet to Parquet", "parquet", lambda: long(1_000_000)),
    Shape("10,000,000 x 15, Parquet to Parquet", "parquet", lambda: long(10_000_000), None, 8),
    Shape("200,000 x 15, no row twice", "parquet", lambda: long(200_000)),
    Shape("200,000 x 15, 90 % of them duplicates", "parquet", lambda: repeated(200_000, 20_000)),
    Shape("20,000 x 2,000", "parquet", lambda: wide(20_000, 1500, 500), 60),
    Shape("1,000,000 x 16, one column of 300,000 levels", "parquet", lambda: many_levels(1_000_000, 300_000)),
)


def measure(shape: Shape) -> Taken:
    """Write the table, run the command on it in a process of its own, and return what that took."""
    with tempfile.TemporaryDirectory(prefix="open-avatars-bench-") as folder:
        source, target = (Path(folder) / f"{name}.{shape.kind}" for name in ("table", "avatars"))
        _write(source, shape)
        started = time.perf_counter()
        with subprocess.Popen(
            command("run", str(source), "-k", "20", "--seed", "1", "-o", str(target)),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=environment(),
        ) as process:
            assert process.stderr is not None
            complaint = process.stderr.read().decode()
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - started
        if process.returncode:
            raise RuntimeError(complaint)
    return Taken(shape.name, seconds, usage.ru_maxrss / 2**20, shape.most_seconds, shape.most_gigabytes)


def _write(path: Path, shape: Shape) -> None:
    writer = None
    for batch in shape.batches():
        if writer is None:
            kinds = {"csv": pyarrow.csv.CSVWriter, "parquet": pyarrow.parquet.ParquetWriter}
            writer = kinds[shape.kind](path, batch.schema)
        writer.write_table(batch)
    assert writer is not None
    writer.close()
