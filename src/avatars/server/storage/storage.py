"""The storage: files under keys like ``datasets/<id>/table.parquet``, in a folder or a bucket, encrypted or not.

A key names a complete file or nothing. Keys are made of the server's own ids; what a user calls a file is data and
never comes near a key.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

import pyarrow as pa

from avatars.server.storage.bucket import Bucket
from avatars.server.storage.faults import UnusableKey, told_apart
from avatars.server.storage.folder import Folder
from avatars.server.storage.keys import Keyring, read_keys
from avatars.server.storage.place import Place
from avatars.server.storage.sealing import MAGIC, SealedReader, SealingWriter, is_sealed

KEY_FILE = "AVATARS_ENCRYPTION_KEY_FILE"

_KEY = re.compile(r"[a-z0-9_-]+(/[a-z0-9_-]+)*(\.[a-z]+)?")


class Storage:
    """A place for files, safe to use from several threads and to send to worker processes.

    Every call may raise `StorageError`, the ones about a file ``FileNotFoundError``.

    Parameters
    ----------
    location
        A local folder, made if needed and readable by its owner only, or the URL of a bucket that Arrow knows
        (``s3://...``, ``gs://...``, ``abfss://...``).
    key_file
        The keys that files are encrypted with; by default none are.
    """

    def __init__(self, location: str | Path, key_file: Path | None = None) -> None:
        self.location = str(location)
        self.key_file = key_file
        self._keyring: Keyring | None = None if key_file is None else read_keys(key_file)
        with told_apart():
            self._place: Place = Bucket(self.location) if "://" in self.location else Folder(Path(self.location))

    def __reduce__(self) -> tuple[Any, ...]:
        # No key goes from process to process: each reads the file.
        return _on_this_machine, (self.location, self.key_file)

    @property
    def is_encrypted(self) -> bool:
        """Whether what is written is encrypted."""
        return self._keyring is not None

    @contextmanager
    def open_output(self, key: str, *, durable: bool = True) -> Iterator[IO[bytes]]:
        """Write the file ``key``: it appears, whole and on the disk, when the block ends without an error.

        What is lost with the power without harm need not be ``durable``.
        """
        _check(key)
        with told_apart(), self._place.open_output(key, durable=durable) as stream:
            if self._keyring is None:
                yield stream
            else:
                sealing = SealingWriter(stream, self._keyring, key)
                yield cast("IO[bytes]", sealing)
                sealing.finish()

    def open_input(self, key: str) -> SealedReader | pa.NativeFile:
        """Open a file for reading, at any position; ``size()`` is the length of its content."""
        _check(key)
        with told_apart():
            stream = self._place.open_input(key)
            try:
                return stream if self._keyring is None else SealedReader(stream, self._keyring, key)
            except BaseException:
                stream.close()
                raise

    def read_buffer(self, key: str) -> pa.Buffer:
        """Give a file whole: mapped where it is a plain one on this machine, else in memory."""
        _check(key)
        if self._keyring is None:
            with told_apart():
                return self._place.read_buffer(key)
        with told_apart(), self.open_input(key) as stream:
            buffer = pa.allocate_buffer(stream.size())
            stream.readinto(buffer)
            return buffer

    def read_bytes(self, key: str) -> bytes:
        """Read a small file whole."""
        with told_apart(), self.open_input(key) as stream:
            content = bytes(stream.read())
        if self._keyring is None and is_sealed(content):
            raise UnusableKey(f"The files of the storage are encrypted: set {KEY_FILE} to the file with their keys.")
        return content

    def write_bytes(self, key: str, content: bytes) -> None:
        """Write a small file whole."""
        with self.open_output(key) as stream:
            stream.write(content)

    def exists(self, key: str) -> bool:
        """Whether there is a file of this name."""
        _check(key)
        with told_apart():
            return self._place.exists(key)

    def size(self, key: str) -> int:
        """Length of a file's content in bytes."""
        with told_apart(), self.open_input(key) as stream:
            return int(stream.size())

    def list(self, folder: str) -> list[str]:
        """Names of the files and folders directly in a folder, sorted; none where it does not exist."""
        _check(folder)
        with told_apart():
            return self._place.names(folder)

    def delete(self, key: str) -> None:
        """Delete a file, or a folder with all that is in it; nothing happens where there is none."""
        _check(key)
        with told_apart():
            self._place.delete(key)

    def sweep(self) -> int:
        """Delete what writers that died left half-written; returns how many. Only while nobody writes."""
        with told_apart():
            return self._place.sweep()

    def rotate(self) -> Iterator[bool]:
        """Bring every file under the first key of the key file, those too that are not encrypted yet.

        Only while nobody else uses the storage. Each file is replaced at once or not at all: after an interruption,
        call it again. Gives, a file at a time, whether it had to be written anew.

        Raises
        ------
        UnusableKey
            There is no key file, or a file is encrypted with a key that is not in it.
        """
        if self._keyring is None:
            raise UnusableKey(
                f"There is no key to encrypt with: make one with avatars storage new-key, and set {KEY_FILE}."
            )
        for key in list(self._place.all_keys()):
            yield self._rotated(key, self._keyring)

    def _rotated(self, key: str, keyring: Keyring) -> bool:
        with told_apart(), self._place.open_input(key) as stream:
            source: Any = stream
            is_encrypted = is_sealed(stream.read(len(MAGIC)))
            stream.seek(0)
            if is_encrypted:
                source = SealedReader(stream, keyring, key)
                if source.key_id == keyring.first:
                    return False
            with self.open_output(key) as target:
                while piece := source.read(1 << 20):
                    target.write(piece)
            return True


def _on_this_machine(location: str, key_file: Path | None) -> Storage:
    """Open a storage that another process has sent; its keys may be elsewhere on this machine."""
    here = os.environ.get(KEY_FILE)
    return Storage(location, Path(here) if key_file is not None and here else key_file)


def _check(key: str) -> None:
    # Keys are ours, so this never fails; it is the wall behind which a mistake elsewhere stays harmless.
    if not _KEY.fullmatch(key):
        raise ValueError("A storage key is made of lower-case words, digits and hyphens.")
