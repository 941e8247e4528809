"""Where files are: what a folder and a bucket have in common."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import IO, Protocol

import pyarrow as pa


class Place(Protocol):
    """Files under keys, each of them complete or not there. Safe to use from several threads and processes."""

    def open_output(self, key: str, *, durable: bool) -> AbstractContextManager[IO[bytes]]:
        """Write a file: it appears, whole, in the place of an earlier one, when the block ends without an error.

        With ``durable`` it will still be there after the power has failed.
        """
        ...

    def open_input(self, key: str) -> pa.NativeFile:
        """Open a file for reading at any position; raises ``FileNotFoundError``."""
        ...

    def read_buffer(self, key: str) -> pa.Buffer:
        """Read a file whole, without a copy where it can be mapped; raises ``FileNotFoundError``."""
        ...

    def exists(self, key: str) -> bool:
        """Whether there is a file of this name."""
        ...

    def names(self, folder: str) -> list[str]:
        """Names of the files and folders directly in a folder, sorted; none where it does not exist."""
        ...

    def all_keys(self) -> Iterator[str]:
        """Give the names of all files."""
        ...

    def delete(self, key: str) -> None:
        """Delete a file, or a folder with all that is in it; nothing happens where there is none."""
        ...

    def sweep(self) -> int:
        """Delete what writers that died left half-written; returns how many. Only while nobody writes."""
        ...
