"""What a run is said to take, beside what it takes."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.unit.engine.tables import mixed_table

from avatars.engine.columns import detect
from avatars.engine.errors import EngineError
from avatars.engine.estimate import Estimate, estimate_run
from avatars.engine.files import write_table
from avatars.engine.parameters import ExcludeVariables, Parameters
from avatars.engine.run import run
from avatars.engine.workspace import Workspace

FACTOR = 1.5
"""How far the memory of an estimate may be off."""


def table_with_codes(rows: int, levels: int) -> pa.Table:
    codes = np.random.default_rng(0).integers(0, levels, rows)
    names = pa.array([f"diagnosis {level:05d}" for level in range(levels)])
    return mixed_table(rows).append_column("diagnosis", names.take(pa.array(codes)))


def wide_table(rows: int) -> pa.Table:
    numbers = np.random.default_rng(0).normal(size=(40, rows)).round(3)
    return pa.table({f"x{i}": column for i, column in enumerate(numbers)})


def estimate(table: pa.Table, **parameters: object) -> Estimate:
    return estimate_run(detect(table), table.num_rows, Parameters(**{"k": 20, **parameters}))  # type: ignore[arg-type]


def peak(command: list[str]) -> int:
    """Run a command; return the most memory that it had, in bytes."""
    most = 0
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as child:
        while child.poll() is None:
            found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{child.pid}/status").read_text())
            most = max(most, int(found[1]) * 1024 if found else 0)
            time.sleep(0.01)
    assert child.returncode == 0
    return most


@pytest.mark.soak
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says what a process has")
@pytest.mark.parametrize(
    "table",
    [mixed_table(150), mixed_table(120_000), table_with_codes(60_000, 30_000), wide_table(60_000)],
    ids=["small", "long", "levels", "wide"],
)
def test_memory_is_within_a_factor_of_what_the_command_takes(tmp_path: Path, table: pa.Table) -> None:
    pq.write_table(table, tmp_path / "in.parquet")
    words = ["run", str(tmp_path / "in.parquet"), "-k", "20", "-o", str(tmp_path / "out.parquet")]
    taken = peak([sys.executable, "-m", "avatars", *words])
    assert 1 / FACTOR < estimate(table).memory / taken < FACTOR


def test_more_of_anything_takes_more() -> None:
    few, many = estimate(mixed_table(1000)), estimate(mixed_table(10_000))
    assert many.memory > few.memory
    assert many.disk == pytest.approx(10 * few.disk, rel=0.05)
    assert many.seconds > few.seconds
    assert estimate(mixed_table(1000), k=200).seconds > few.seconds
    assert estimate(mixed_table(1000), k=200).memory == few.memory
    assert estimate(mixed_table(1000, missing=0.1)).disk > few.disk
    assert few.memory_with_files < few.memory
    # The local draw keeps scores.
    assert (
        estimate(mixed_table(1000), method="local", k=5).disk > estimate(mixed_table(1000), method="avatar", k=5).disk
    )


def test_the_dearest_column_is_named_with_its_levels() -> None:
    dear = estimate(table_with_codes(2000, 1500))
    assert dear.dearest == "diagnosis"
    assert dear.dearest_levels > 1000
    assert f"column 'diagnosis' with its {dear.dearest_levels:,} levels costs most" in dear.in_words()
    assert dear.in_words().startswith("2,000 rows of 7 columns: about ")


def test_levels_of_excluded_columns_cost_nothing_in_the_projection() -> None:
    table = table_with_codes(5000, 4000)
    left_out = estimate(table, exclude_variables=ExcludeVariables(["diagnosis"]))
    assert left_out.memory_with_files < estimate(table).memory_with_files


@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_the_output_is_at_least_as_large_as_said(tmp_path: Path, missing: float) -> None:
    table = mixed_table(2000, missing=missing)
    write_table(table, tmp_path / "out.csv")
    written = (tmp_path / "out.csv").stat().st_size
    assert written / 4 < estimate(table).least_output < written


def test_a_run_says_its_estimate_and_is_refused_where_memory_will_not_do(tmp_path: Path) -> None:
    said: list[Estimate] = []
    table = table_with_codes(300, 200)
    run(table, Parameters(k=5, seed=1), announce=said.append)
    assert said == [estimate(table, k=5)]
    with (
        Workspace(tmp_path, budget=10**6) as workspace,
        pytest.raises(EngineError, match=r"may use 1\.0 MB: allow more .*; column 'diagnosis'") as refused,
    ):
        run(table, Parameters(k=5, seed=1), workspace=workspace)
    assert refused.value.code == "not_enough_memory"
    assert refused.value.column == "diagnosis"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.2, "about 1 s "), (75, "about 75 s "), (600, "about 10 minutes "), (9000, "2.5 hours")]
)
def test_times_in_words(seconds: float, words: str) -> None:
    few = estimate(mixed_table(100))
    assert words in Estimate(**{**few.__dict__, "seconds": seconds}).in_words()
