"""Where a table can be written to as its bytes come: paths, open files."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Protocol, TypeAlias, cast

from avatars._bar import Section
from avatars.errors import ConnectionFailed, InvalidInput


class Writable(Protocol):
    """A file that is open for writing bytes, as far as a download needs one."""

    def write(self, block: bytes, /) -> object:
        """Take the next bytes."""
        ...


Destination: TypeAlias = Writable | str | os.PathLike[str]
"""Where a table is written to: a file that is open for writing bytes, or the path of one."""


class Incoming:
    """What takes the body of an answer, from its beginning again where the connection was lost."""

    def __init__(self, file: Writable, steps: Section) -> None:
        self._file = cast("IO[bytes]", file)  # `begin` finds out whether it is as much
        self._steps = steps
        seekable = getattr(file, "seekable", None)
        self._start = self._file.tell() if seekable is not None and seekable() else None
        self._received = 0

    def begin(self) -> None:
        """Throw away what has come so far."""
        if self._received == 0:
            return
        if self._start is None:
            raise ConnectionFailed(
                "The connection broke while the dataset came, and what has been written to the file cannot be taken "
                "back: download it again, to a path."
            )
        self._file.seek(self._start)
        self._file.truncate()
        self._received = 0

    def write(self, block: bytes) -> None:
        """Take the next bytes."""
        self._file.write(block)
        self._received += len(block)
        self._steps(f"download ({self._received / 1e6:.1f} MB)" if self._received >= 1e5 else "download", None)


@contextmanager
def opened(destination: Destination) -> Iterator[Writable]:
    """Open a path, whose file appears when the body is over and it is complete; an open file is taken as it is."""
    if not isinstance(destination, (str, os.PathLike)):
        if not hasattr(destination, "write") or isinstance(destination, io.TextIOBase):
            raise InvalidInput('destination must be a path or a file that is open for writing bytes (mode "wb").')
        yield destination
        return
    path = Path(destination)
    if path.is_dir():
        raise InvalidInput(f"{path} is a folder: name a file in it.")
    try:
        file = NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False)  # noqa: SIM115  # see below
    except OSError as error:
        raise InvalidInput(f"The file {path} cannot be written: {error.strerror or 'check the path'}.") from None
    try:
        with file:
            yield file
        Path(file.name).replace(path)
    except BaseException:
        Path(file.name).unlink(missing_ok=True)
        raise
