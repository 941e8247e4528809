"""``avatars run`` under a budget of memory: in files where it must, the same bytes, and nothing left behind."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from tests.unit.engine.tables import mixed_table
from typer.testing import CliRunner

from avatars.cli import app
from avatars.engine.columns import detect
from avatars.engine.estimate import estimate_run
from avatars.engine.parameters import Parameters

TABLE = mixed_table(40_000, missing=0.02)
ESTIMATE = estimate_run(detect(TABLE), TABLE.num_rows, Parameters(k=20))
TOO_LITTLE_FOR_ARRAYS = (ESTIMATE.memory + ESTIMATE.memory_with_files) // 2


@pytest.fixture
def data(tmp_path: Path) -> Path:
    pq.write_table(TABLE, tmp_path / "data.parquet")
    return tmp_path / "data.parquet"


@pytest.fixture
def work_folder(tmp_path: Path) -> Path:
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


def start(data: Path, output: Path, *words: object) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "avatars", "run", data, "-o", output, "-k", "20", "--seed", "1", *words]
    return subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def wait_for_files(process: subprocess.Popen[bytes], folder: Path) -> list[Path]:
    found: list[Path] = []
    while not found and process.poll() is None:
        found = list(folder.glob("avatars-work-*/*.npy"))
        time.sleep(0.005)
    return found


def test_in_files_the_same_bytes_come_out_and_nothing_is_left(data: Path, work_folder: Path, tmp_path: Path) -> None:
    plain = start(data, tmp_path / "memory.csv")
    plain.communicate()
    assert plain.returncode == 0
    process = start(data, tmp_path / "files.csv", "--memory", f"{TOO_LITTLE_FOR_ARRAYS}B", "--work-folder", work_folder)
    assert wait_for_files(process, work_folder)
    said = process.communicate()[0].decode()
    assert process.returncode == 0, said
    assert (tmp_path / "files.csv").read_bytes() == (tmp_path / "memory.csv").read_bytes()
    assert said.startswith("40,000 rows of 6 columns: about ")
    assert list(work_folder.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals that ask for an end")
def test_a_run_that_is_told_to_stop_leaves_nothing(data: Path, work_folder: Path, tmp_path: Path) -> None:
    process = start(data, tmp_path / "out.csv", "--memory", TOO_LITTLE_FOR_ARRAYS, "--work-folder", work_folder)
    assert wait_for_files(process, work_folder)
    process.send_signal(signal.SIGTERM)
    said = process.communicate()[0].decode()
    assert process.returncode == 128 + signal.SIGTERM, said
    assert list(work_folder.iterdir()) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data.parquet", "work"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--memory", "1MB"], "may use 1.0 MB: allow more (--memory"),
        (["--memory", "much"], "such as 4GB"),
        (["--work-folder", "nowhere"], "does not exist"),
    ],
)
def test_what_will_not_do_is_refused(data: Path, tmp_path: Path, words: list[str], says: str) -> None:
    result = CliRunner().invoke(app, ["run", str(data), "-k", "15", "-o", str(tmp_path / "out.csv"), *words])
    assert result.exit_code != 0
    assert says in result.output
    assert [path.name for path in tmp_path.iterdir()] == ["data.parquet"]
