"""Files of the platform: one folder or bucket, keys like ``datasets/<id>/table.parquet``.

A key names a complete file or nothing: output goes under a temporary name and is renamed into place. Keys are made
of the server's own ids; what a user calls a file is data and never comes near a key.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import pyarrow as pa
from pyarrow import fs

TEMPORARY = "temporary"
"""The folder of files that are still being written."""

_KEY = re.compile(r"[a-z0-9_-]+(/[a-z0-9_-]+)*(\.[a-z]+)?")
_COPY_CHUNK = 1 << 20


class Storage:
    """A place for files, safe to use from several threads and to send to worker processes.

    Parameters
    ----------
    location
        A local folder, made if needed and readable by its owner only, or the URL of a bucket that Arrow knows
        (``s3://...``, ``gs://...``).
    """

    def __init__(self, location: str | Path) -> None:
        self.location = str(location)
        self._folder: Path | None = None
        if "://" in self.location:
            base, path = fs.FileSystem.from_uri(self.location)
        else:
            self._folder = Path(self.location).absolute()
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            base, path = fs.LocalFileSystem(), str(self._folder)
        self._files: fs.FileSystem = fs.SubTreeFileSystem(path, base)

    def __reduce__(self) -> tuple[type[Storage], tuple[str]]:
        return Storage, (self.location,)

    @contextmanager
    def open_output(self, key: str) -> Iterator[pa.NativeFile]:
        """Write the file ``key``: it appears, whole and on the disk, when the block ends without an error."""
        _check(key)
        temporary = f"{TEMPORARY}/{uuid4().hex}"
        self._files.create_dir(TEMPORARY)
        try:
            with self._files.open_output_stream(temporary, compression=None) as stream:
                yield stream
            self._settle(temporary)
            self._files.create_dir(_parent(key))
            self._files.move(temporary, key)
            self._settle(_parent(key))
        except BaseException:
            with suppress(FileNotFoundError):
                self._files.delete_file(temporary)
            raise

    def open_input(self, key: str) -> pa.NativeFile:
        """Open a file for reading, at any position; raises ``FileNotFoundError``."""
        _check(key)
        return self._files.open_input_file(key)

    def read_bytes(self, key: str) -> bytes:
        """Read a small file whole; raises ``FileNotFoundError``."""
        with self.open_input(key) as stream:
            return bytes(stream.read())

    def write_bytes(self, key: str, content: bytes) -> None:
        """Write a small file whole."""
        with self.open_output(key) as stream:
            stream.write(content)

    @contextmanager
    def local_path(self, key: str) -> Iterator[Path]:
        """Give a file as a path, for libraries that only take one; a copy of it where the storage is not local."""
        _check(key)
        if self._folder is not None:
            yield self._folder / key
            return
        with TemporaryDirectory(prefix="avatars-") as folder:
            path = Path(folder) / key.rpartition("/")[2]
            with self.open_input(key) as source, path.open("wb") as copy:
                while chunk := source.read(_COPY_CHUNK):
                    copy.write(chunk)
            yield path

    def exists(self, key: str) -> bool:
        """Whether there is a file of this name."""
        _check(key)
        return bool(self._files.get_file_info(key).type == fs.FileType.File)

    def size(self, key: str) -> int:
        """Size of a file in bytes; raises ``FileNotFoundError``."""
        with self.open_input(key) as stream:
            return int(stream.size())

    def list(self, folder: str) -> list[str]:
        """Names of the files and folders directly in a folder, sorted; none where it does not exist."""
        _check(folder)
        entries = self._files.get_file_info(fs.FileSelector(folder, allow_not_found=True))
        return sorted(entry.base_name for entry in entries)

    def delete(self, key: str) -> None:
        """Delete a file, or a folder with all that is in it; nothing happens where there is none."""
        _check(key)
        kind = self._files.get_file_info(key).type
        with suppress(FileNotFoundError):
            if kind == fs.FileType.File:
                self._files.delete_file(key)
            elif kind == fs.FileType.Directory:
                self._files.delete_dir(key)

    def sweep(self) -> int:
        """Delete what writers that died left half-written; returns how many. Only while nobody writes."""
        names = self.list(TEMPORARY)
        for name in names:
            self.delete(f"{TEMPORARY}/{name}")
        return len(names)

    def _settle(self, key: str) -> None:
        """Have the disk hold what was written: the database will speak of it as soon as we return."""
        if self._folder is None:
            return
        descriptor = os.open(self._folder / key, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _parent(key: str) -> str:
    return key.rpartition("/")[0] or "."


def _check(key: str) -> None:
    # Keys are ours, so this never fails; it is the wall behind which a mistake elsewhere stays harmless.
    if not _KEY.fullmatch(key):
        raise ValueError("A storage key is made of lower-case words, digits and hyphens.")
