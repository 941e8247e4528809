"""Where the arrays and tables of one run live: in memory while they fit, in the files of a working folder beyond that.

Files are mapped into memory, so that everything works on them as on any array or table, page by page as it is needed,
and the system can take the pages back. The folder is for its owner alone, and gone when the run is over, whatever
happens; what a killed process left behind is removed by the next run beside it.
"""

from __future__ import annotations

import errno
import math
import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from avatars.engine.errors import EngineError
from avatars.engine.machine import free_disk, in_words

_PREFIX = "avatars-work-"
_LOCK = "lock"


class FileArray(np.ndarray[Any, Any]):
    """An array, or a view of one, whose cells are in a file.

    Pickled it is its path and its place there, not its cells: a task that another process gets opens the same file, to
    read it. What is computed from it is an ordinary array.
    """

    _file: tuple[str, int] | None = None
    """The path, and where its first byte stands in this process's memory; None for cells that are in no file."""

    def __array_finalize__(self, parent: Any) -> None:
        """Views are of the same file, copies of none."""
        file = getattr(parent, "_file", None)
        self._file = file if file is not None and np.may_share_memory(self, parent) else None

    def __array_wrap__(self, array: Any, context: Any = None, return_scalar: bool = False) -> Any:
        """Give results of arithmetic as ordinary arrays."""
        return array if array is self else np.asarray(array)[()] if return_scalar else np.asarray(array)

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Pickle the place; copies as numpy does."""
        if self._file is None:
            return np.asarray(self).__reduce_ex__(protocol)
        path, start = self._file
        return _open, (path, self.dtype, self.shape, self.ctypes.data - start, self.strides)


def _open(path: str, dtype: npt.DTypeLike, shape: tuple[int, ...], offset: int, strides: tuple[int, ...]) -> FileArray:
    mapped = np.memmap(path, np.uint8, mode="r")
    return _file_array(path, mapped, dtype, shape, offset, strides)


def _file_array(path: str, mapped: Any, dtype: Any, shape: Any, offset: int, strides: Any = None) -> FileArray:
    array = FileArray(shape, dtype, buffer=mapped, offset=offset, strides=strides)
    array._file = path, mapped.ctypes.data
    return array


class Workspace:
    """The arrays and tables of one run; use it as a context manager.

    In memory until ``make_room`` says otherwise. Names are for people who look into the folder; they need not be
    unique. What was made is valid until the workspace is closed.

    Raises ``EngineError`` (``not_enough_disk``), from any method, where the folder's disk is or becomes full.
    """

    def __init__(self, parent: Path | None = None, budget: int | None = None, *, shared: bool = False) -> None:
        """Make a workspace that keeps to ``budget`` bytes of memory (None: without any bound).

        The folder is made inside of ``parent`` (None: the system's folder for temporary files) when it is needed; it
        always is where the workspace is ``shared`` with other processes, which open its files.
        """
        self.budget = budget
        self.shared = shared
        self.parent: Path = parent or Path(tempfile.gettempdir())
        self._folder: Path | None = None
        self._lock: IO[bytes] | None = None

    def __enter__(self) -> Workspace:
        """Enter the workspace."""
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the folder. Arrays that are still mapped stay readable where the system allows it."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
        if self._lock is not None:
            self._lock.close()

    @property
    def in_files(self) -> bool:
        """Whether what is made from now on is in files."""
        return self._folder is not None

    def make_room(self, memory: int, disk: int) -> None:
        """Go over to files where ``memory`` bytes are more than the budget; ``disk`` is what the files will then take.

        Raises ``EngineError`` where the disk has less free. Never goes back to memory.
        """
        if not self.shared and (self.budget is None or memory <= self.budget):
            return
        if disk > free_disk(self.parent):
            raise not_enough_disk(self.parent, disk)
        if self._folder is None:
            with disk_full_in_words(self.parent, disk):
                _remove_abandoned(self.parent)
                self._folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=self.parent))
                self._lock = _locked(self._folder)

    def empty(self, name: str, shape: tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
        """Return an array that is still to be filled, C order; in files a ``FileArray`` in a file of numpy's format."""
        size = math.prod(shape) * np.dtype(dtype).itemsize
        if self._folder is None or size == 0:
            return np.empty(shape, dtype)
        if size > free_disk(self.parent):
            raise not_enough_disk(self.parent, size)
        path = self._path(name, ".npy")
        with disk_full_in_words(self.parent, size):
            mapped = np.lib.format.open_memmap(path, mode="w+", dtype=np.dtype(dtype), shape=shape)
            # A mapped file that finds the disk full in the middle would kill the process: its place is taken now.
            _reserve(path)
        content = np.memmap(path, np.uint8, mode="r+")
        return _file_array(str(path), content, dtype, shape, mapped.offset)

    def copy(self, name: str, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return a copy of an array, C order."""
        made = self.empty(name, array.shape, array.dtype)
        made[...] = array
        return made

    def buffer(self, name: str, pieces: Iterable[Any]) -> pa.Buffer:
        """Return the bytes of some pieces, one after the other."""
        if self._folder is None:
            memory = pa.BufferOutputStream()
            for piece in pieces:
                memory.write(piece)
            return memory.getvalue()

        def write(file: IO[bytes]) -> None:
            for piece in pieces:
                file.write(piece)

        return self._written(name, write)

    def table(self, name: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> pa.Table:
        """Return a table of some batches; in files an Arrow stream that is mapped, not read."""
        if self._folder is None:
            return pa.Table.from_batches(batches, schema)

        def write(file: IO[bytes]) -> None:
            # Not Arrow's file format: there, a column can have but one dictionary.
            with pa.ipc.new_stream(file, schema) as stream:
                for batch in batches:
                    stream.write_batch(batch)

        with pa.ipc.open_stream(pa.BufferReader(self._written(name, write))) as stream:
            return stream.read_all()

    def _written(self, name: str, write: Callable[[IO[bytes]], None]) -> pa.Buffer:
        path = self._path(name, ".bytes")
        with disk_full_in_words(self.parent), path.open("xb") as file:
            write(file)
        if path.stat().st_size == 0:
            return pa.py_buffer(b"")
        with pa.memory_map(str(path)) as mapped:
            return mapped.read_buffer()

    def _path(self, name: str, suffix: str) -> Path:
        assert self._folder is not None
        return self._folder / f"{name}-{secrets.token_hex(4)}{suffix}"


IN_MEMORY = Workspace()
"""Of everything that is small, or whose size nobody asked about."""


@contextmanager
def disk_full_in_words(folder: Path, needed: int | None = None) -> Iterator[None]:
    """Turn the system's error of a full disk into one sentence, about a folder that the user has chosen."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise not_enough_disk(folder, needed) from None


def not_enough_disk(folder: Path, needed: int | None) -> EngineError:
    """Make the refusal of a disk that is too small."""
    much = "" if needed is None else f" of the {in_words(needed)} that are needed"
    return EngineError(
        f"The disk of the folder {folder} has only {in_words(free_disk(folder))} free{much}: "
        "make room there, or choose another folder.",
        code="not_enough_disk",
    )


def _reserve(path: Path) -> None:
    with path.open("r+b") as file:
        size = os.fstat(file.fileno()).st_size
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, size)


def _locked(folder: Path) -> IO[bytes] | None:
    """Show that a folder is in use, for as long as this process lives; None where the system has no such locks."""
    if sys.platform == "win32":
        return None
    import fcntl

    lock = (folder / f"{_LOCK}.new").open("xb")
    fcntl.flock(lock, fcntl.LOCK_EX)
    # It gets its name when it is locked: whoever finds one that is not may be sure that nobody is there.
    (folder / f"{_LOCK}.new").rename(folder / _LOCK)
    return lock


def _remove_abandoned(parent: Path) -> None:
    """Remove working folders whose process is gone: they hold originals."""
    if sys.platform == "win32":
        return
    import fcntl

    for folder in parent.glob(f"{_PREFIX}*"):
        # Another user's, or removed in this moment.
        with suppress(OSError), (folder / _LOCK).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
