"""A folder of this machine, or one that is mounted: output goes under a temporary name and is renamed into place."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO
from uuid import uuid4

import pyarrow as pa

TEMPORARY = "temporary"
"""The folder of files that are still being written."""


class Folder:
    """A `Place` on the disk; made if needed, for its owner only."""

    def __init__(self, path: Path) -> None:
        self._path = path.absolute()
        self._path.mkdir(mode=0o700, parents=True, exist_ok=True)

    @contextmanager
    def open_output(self, key: str, *, durable: bool) -> Iterator[IO[bytes]]:
        """Write a file: it appears, whole, when the block ends without an error."""
        target, temporary = self._path / key, self._path / TEMPORARY / uuid4().hex
        temporary.parent.mkdir(mode=0o700, exist_ok=True)
        try:
            with temporary.open("xb") as stream:
                yield stream
                stream.flush()
                if durable:
                    # The database will speak of it as soon as we return.
                    os.fsync(stream.fileno())
            made = self._make_parents(target)
            temporary.replace(target)
            if durable:
                for folder in made:
                    _settle(folder)
        except BaseException:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise

    def open_input(self, key: str) -> pa.NativeFile:
        """Open a file for reading at any position."""
        return pa.OSFile(str(self._path / key), "rb")

    def read_buffer(self, key: str) -> pa.Buffer:
        """Map a file."""
        path = self._path / key
        if path.stat().st_size == 0:
            return pa.py_buffer(b"")
        with pa.memory_map(str(path)) as mapped:
            return mapped.read_buffer()

    def exists(self, key: str) -> bool:
        """Whether there is a file of this name."""
        return (self._path / key).is_file()

    def names(self, folder: str) -> list[str]:
        """Names of the files and folders directly in a folder, sorted."""
        try:
            return sorted(entry.name for entry in os.scandir(self._path / folder))
        except (FileNotFoundError, NotADirectoryError):
            return []

    def all_keys(self) -> Iterator[str]:
        """Give the names of all files that are complete."""
        for path in sorted(self._path.rglob("*")):
            key = path.relative_to(self._path).as_posix()
            if path.is_file() and not key.startswith(f"{TEMPORARY}/"):
                yield key

    def delete(self, key: str) -> None:
        """Delete a file, or a folder with all that is in it."""
        path = self._path / key
        with suppress(FileNotFoundError):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()

    def sweep(self) -> int:
        """Delete what writers that died left half-written."""
        names = self.names(TEMPORARY)
        for name in names:
            self.delete(f"{TEMPORARY}/{name}")
        return len(names)

    def _make_parents(self, target: Path) -> list[Path]:
        """Make the folder of a file; gives the folders whose entries have changed, or are about to."""
        changed = [target.parent]
        for folder in target.parents:
            if folder.is_dir():
                break
            changed.append(folder.parent)
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return changed


def _settle(folder: Path) -> None:
    if os.name == "nt":  # which cannot do it, and does not need it
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
