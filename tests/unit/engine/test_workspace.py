"""Arrays and tables in memory and in files: the same to whoever works on them, and nothing left behind."""

from __future__ import annotations

import errno
import math
import pickle
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from avatars.engine.errors import EngineError
from avatars.engine.machine import free_disk
from avatars.engine.workspace import IN_MEMORY, FileArray, Workspace, disk_full_in_words


@pytest.fixture
def in_files(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace(tmp_path, budget=0) as workspace:
        workspace.make_room(memory=1, disk=1)
        yield workspace


def test_in_memory_while_it_fits(tmp_path: Path) -> None:
    with Workspace(tmp_path, budget=1000) as workspace:
        workspace.make_room(memory=1000, disk=10**18)
        assert not workspace.in_files
        assert type(workspace.empty("x", (3, 2), np.float64)) is np.ndarray
        workspace.make_room(memory=1001, disk=1)
        assert workspace.in_files
        assert isinstance(workspace.empty("x", (3, 2), np.float64), FileArray)
        workspace.make_room(memory=1, disk=1)
        assert workspace.in_files
    assert list(tmp_path.iterdir()) == []


def test_without_a_budget_everything_is_in_memory() -> None:
    IN_MEMORY.make_room(memory=10**18, disk=10**18)
    assert not IN_MEMORY.in_files


@pytest.mark.parametrize("shape", [(5, 3), (5, 0), (0, 3), (7,)], ids=str)
@pytest.mark.parametrize("dtype", [np.float64, np.int32], ids=["float64", "int32"])
def test_arrays_in_files_are_arrays(in_files: Workspace, shape: tuple[int, ...], dtype: type) -> None:
    plain: NDArray[Any] = np.arange(math.prod(shape)).reshape(shape).astype(dtype)
    array = in_files.copy("x", plain)
    assert array.flags.c_contiguous
    assert array.dtype == dtype
    np.testing.assert_array_equal(array, plain)
    np.testing.assert_array_equal(array[1:3].T, plain[1:3].T)
    assert type(array + 1) is np.ndarray
    assert type(np.add(array, array, out=array)) is type(array)
    np.testing.assert_array_equal(array, plain + plain)


def test_another_process_opens_the_file(in_files: Workspace) -> None:
    array = in_files.empty("x", (100_000, 3), np.float64)
    array[...] = np.arange(300_000).reshape(100_000, 3)
    sent = pickle.dumps(array[10:90_000:7, 1:])
    assert len(sent) < 1000
    there = (
        "import pickle, sys; x = pickle.load(sys.stdin.buffer); "
        "print(type(x).__name__, x.shape, x.sum(), x.flags.writeable)"
    )
    said = subprocess.run([sys.executable, "-c", there], input=sent, capture_output=True, check=True).stdout
    expected = np.arange(300_000).reshape(100_000, 3)[10:90_000:7, 1:].astype(float)
    assert said.decode().split("\n")[0] == f"FileArray {expected.shape} {expected.sum()} False"


bounds = st.none() | st.integers(-12, 12)
slices = st.builds(slice, bounds, bounds, st.none() | st.integers(-3, 3).filter(bool))


@given(slices, slices, st.booleans())
def test_every_view_comes_back_from_its_place(rows: slice, columns: slice, transposed: bool) -> None:
    with Workspace(budget=0) as workspace:
        workspace.make_room(1, 1)
        array = workspace.copy("x", np.arange(60.0).reshape(10, 6))
        view = array[rows, columns]
        view = view.T if transposed else view
        np.testing.assert_array_equal(pickle.loads(pickle.dumps(view)), view)


def test_what_is_no_view_is_pickled_with_its_cells(in_files: Workspace) -> None:
    array = in_files.copy("x", np.arange(10.0))
    for copied in (array[[1, 2]], array.copy(), array.astype(np.int32)):
        back = pickle.loads(pickle.dumps(copied))
        assert type(back) is np.ndarray
        np.testing.assert_array_equal(back, copied)


@pytest.mark.parametrize(
    "table",
    [
        pa.table({"x": range(10), "c": [*"abcdefghi", None]}),
        pa.table({"x": pa.array([], pa.int64())}),
        pa.concat_tables([pa.table({"c": pa.array(part).dictionary_encode()}) for part in (["a", "b"], ["c", "a"])]),
    ],
    ids=["plain", "no rows", "dictionaries that differ"],
)
def test_tables_are_the_same_in_files(in_files: Workspace, table: pa.Table) -> None:
    for workspace in (IN_MEMORY, in_files):
        made = workspace.table("t", table.schema, iter(table.to_batches(max_chunksize=3)))
        assert made.equals(table)
        assert made.schema.equals(table.schema, check_metadata=True)


def test_a_table_in_files_takes_no_memory(in_files: Workspace) -> None:
    part = pa.record_batch({"x": np.zeros(100_000)})
    before = pa.total_allocated_bytes()
    made = in_files.table("t", part.schema, (part for _ in range(10)))
    assert made.nbytes == 10 * part.nbytes
    assert pa.total_allocated_bytes() - before < part.nbytes


def test_bytes_are_the_same_in_files(in_files: Workspace) -> None:
    for workspace in (IN_MEMORY, in_files):
        assert workspace.buffer("b", iter([b"ab", b"", b"c"])).to_pybytes() == b"abc"
        assert workspace.buffer("b", iter([])).to_pybytes() == b""


def fail_in_files(parent: Path) -> None:
    with Workspace(parent, budget=0) as workspace:
        workspace.make_room(1, 1)
        workspace.empty("x", (10,), np.float64)
        [folder] = parent.iterdir()
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        raise RuntimeError("in the middle")


def test_the_folder_is_for_its_owner_and_gone_whatever_happens(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="in the middle"):
        fail_in_files(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_removed_and_what_a_living_one_uses_is_not(tmp_path: Path) -> None:
    killed = (
        "import os, sys, pathlib; from avatars.engine.workspace import Workspace; "
        "Workspace(pathlib.Path(sys.argv[1]), budget=0).make_room(1, 1); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", killed, str(tmp_path)], check=False)
    [left] = tmp_path.iterdir()
    with Workspace(tmp_path, budget=0) as living, Workspace(tmp_path, budget=0) as other:
        living.make_room(1, 1)
        assert not left.exists()
        [used] = tmp_path.iterdir()
        other.make_room(1, 1)
        assert used.exists()
        assert len(list(tmp_path.iterdir())) == 2


def test_too_small_a_disk_is_said_before_anything_is_written(tmp_path: Path) -> None:
    with Workspace(tmp_path, budget=0) as workspace:
        with pytest.raises(EngineError, match=r"needed: make room there, or choose another folder") as refused:
            workspace.make_room(memory=1, disk=free_disk(tmp_path) + 10**12)
        assert refused.value.code == "not_enough_disk"
        assert str(tmp_path) in str(refused.value)
        assert list(tmp_path.iterdir()) == []
        workspace.make_room(1, 1)
        with pytest.raises(EngineError, match="only"):
            workspace.empty("x", (free_disk(tmp_path) // 8 + 10**11,), np.float64)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no disk that is always full")
def test_a_disk_that_becomes_full_is_said_in_words(tmp_path: Path) -> None:
    with (
        pytest.raises(EngineError, match="make room there") as refused,
        disk_full_in_words(tmp_path),
        Path("/dev/full").open("wb") as full,
    ):
        full.write(b"x" * 10**6)
    assert refused.value.code == "not_enough_disk"
    assert refused.value.__suppress_context__
    with pytest.raises(OSError, match="elsewhere"), disk_full_in_words(tmp_path):
        raise OSError(errno.EIO, "elsewhere")
    assert list(tmp_path.iterdir()) == []
