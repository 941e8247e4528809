"""Whole runs of `avatars run` on tables of many shapes, without attacks: seconds, and memory at the peak."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import tempfile
import threading
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
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Taken:
    """What a run took, from the command to the written file with its metrics; or until it was stopped."""

    name: str
    finished: bool
    seconds: float
    cpu_seconds: float
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


STOP = 600
"""Seconds after which a run is stopped: the whole benchmark should not take longer than half an hour."""
PUBLISHED = ("--method", "avatar", "-k", "20")
SHAPES = (
    Shape("1,000,000 x 15, CSV to CSV", "csv", lambda: long(1_000_000), 20, 3),
    Shape("1,000,000 x 15, CSV to CSV, published draw", "csv", lambda: long(1_000_000), 20, 3, PUBLISHED),
    Shape("1,000,000 x 15, Parquet to Parquet", "parquet", lambda: long(1_000_000)),
    Shape("200,000 x 15, no row twice", "parquet", lambda: long(200_000)),
    Shape("200,000 x 15, 90 % of them duplicates", "parquet", lambda: repeated(200_000, 20_000)),
    Shape("20,000 x 2,000", "parquet", lambda: wide(20_000, 1500, 500), 60),
    Shape("1,000,000 x 16, one column of 300,000 levels", "parquet", lambda: many_levels(1_000_000, 300_000)),
    Shape("10,000,000 x 15, Parquet to Parquet", "parquet", lambda: long(10_000_000), None, 8),
)


def measure(shape: Shape) -> Taken:
    """Write the table, run the command on it in a process of its own, and return what that took."""
    with tempfile.TemporaryDirectory(prefix="open-avatars-bench-") as folder:
        source, target = (Path(folder) / f"{name}.{shape.kind}" for name in ("table", "avatars"))
        _write(source, shape)
        started = time.perf_counter()
        with subprocess.Popen(
            command("run", str(source), *shape.words, "--assess", "none", "--seed", "1", "-o", str(target)),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=environment(),
        ) as process:
            assert process.stderr is not None
            timer = threading.Timer(STOP, process.kill)
            timer.start()
            peak = _Peak(process.pid)
            peak.start()
            complaint = process.stderr.read().decode()
            _, status, usage = os.wait4(process.pid, 0)
            timer.cancel()
            process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - started
        finished = seconds < STOP
        if finished and process.returncode:
            raise RuntimeError(complaint)
    cpu_seconds = usage.ru_utime + usage.ru_stime
    goals = (shape.most_seconds, shape.most_gigabytes)
    return Taken(shape.name, finished, seconds, cpu_seconds, peak.bytes / 2**30, *goals)


class _Peak(threading.Thread):
    """Looks at the most memory that a process has had, until it is gone.

    What is said of a child when it is gone, ``ru_maxrss``, counts what its parent had when it was made.
    """

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._status = Path(f"/proc/{pid}/status")
        self.bytes = 0

    def run(self) -> None:
        """Look every 20 milliseconds: the system keeps the peak, only what comes after the last look is missed."""
        with contextlib.suppress(OSError):
            while found := re.search(r"VmHWM:\s+(\d+) kB", self._status.read_text()):
                self.bytes = int(found[1]) * 1024
                time.sleep(0.02)


def _write(path: Path, shape: Shape) -> None:
    writer = None
    for batch in shape.batches():
        if writer is None:
            kinds = {"csv": pyarrow.csv.CSVWriter, "parquet": pyarrow.parquet.ParquetWriter}
            writer = kinds[shape.kind](path, batch.schema)
        writer.write_table(batch)
    assert writer is not None
    writer.close()
