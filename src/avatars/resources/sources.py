"""What a table can be sent from, as the body of one multipart part: paths, open files, bytes, frames, Arrow."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar, Union, cast

from avatars.errors import InvalidInput
from avatars.resources.frames import ArrowStream, stream_of

if TYPE_CHECKING:
    import pandas as pd

BLOCK = 64 * 1024
"""Bytes that are read at once."""

BlockT_co = TypeVar("BlockT_co", str, bytes, covariant=True)


class Readable(Protocol[BlockT_co]):
    """An open file, as far as sending it needs one."""

    def read(self, size: int = -1, /) -> BlockT_co:
        """Return the next characters or bytes; none at the end."""
        ...


# A Union in quotes: pandas is there for type checkers only.
Source: TypeAlias = Union[
    Readable[str], Readable[bytes], str, os.PathLike[str], bytes, bytearray, memoryview, ArrowStream, "pd.DataFrame"
]
"""Where a table is read from: an open file (text or binary), the path of one, the bytes of one, a frame, or whatever
gives itself as an Arrow stream."""


@contextmanager
def body_of(source: Source) -> Iterator[Body]:
    """Open what can be sent; what cannot raises `InvalidInput`, before anything is sent."""
    if isinstance(source, (str, os.PathLike)):
        with _open(source) as file:
            yield Body(file)
    elif isinstance(source, (bytes, bytearray, memoryview)):
        yield Body(io.BytesIO(source))
    elif hasattr(source, "__arrow_c_stream__"):
        table = cast("ArrowStream", source)
        # What knows its shape is a table; a mere stream is used up when it has been read.
        again = partial(stream_of, table) if hasattr(table, "shape") else None
        yield Body(stream_of(table), again)
    else:
        yield Body(source)


class Body:
    """The rest of an open file: bytes, their number known where possible.

    httpx2 by itself refuses text, begins every file anew, and moves a spooled temporary file to the disk.

    Attributes
    ----------
    size
        Bytes in all; None where that is not known.
    is_repeatable
        Whether it can be sent a second time, from its beginning.
    watch
        Is told the share of the whole that has been read, 0 to 1, None where that is not known; at the end 1.
    """

    def __init__(self, handle: Any, again: Callable[[], Any] | None = None) -> None:
        if not hasattr(handle, "read"):
            raise InvalidInput("create_dataset takes an open file, the path of one, its bytes, or a frame.")
        if getattr(handle, "closed", False):
            raise InvalidInput("The file is closed: open it again, and call create_dataset inside of the `with` block.")
        self._handle = handle
        self._again = again
        self.size: int | None = None
        self.watch: Callable[[float | None], object] = lambda share: None
        self._read = 0
        self._start = 0
        # The first block of what cannot be measured: read before anything is sent, to know that there is one.
        self._head = b""
        if _is_seekable(handle) and isinstance(self._get(0), bytes):
            self._start = self._handle.tell()
            self.size = self._handle.seek(0, os.SEEK_END) - self._start
            self._handle.seek(self._start)
        else:
            self._head = _as_bytes(self._get(BLOCK))
        self.is_repeatable: bool = self.size is not None or again is not None
        if not (self.size or self._head):
            raise InvalidInput("There is nothing to send: the file is empty, or was read to its end (file.seek(0)).")

    def read(self, size: int) -> bytes:
        """Return the next bytes, about ``size`` of them; none at the end."""
        head, self._head = self._head, b""
        block = head or _as_bytes(self._get(size))
        self._read += len(block)
        if not block:
            self.watch(1.0)
        else:
            self.watch(self._read / self.size if self.size else None)
        return block

    def tell(self) -> int:
        """Return how many bytes have been read."""
        if self.size is None:
            raise io.UnsupportedOperation
        return int(self._handle.tell() - self._start)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to another place; where the size is not known, only back to the beginning."""
        self._read = 0
        if self.size is None:
            if self._again is None or (offset, whence) != (0, os.SEEK_SET):
                raise io.UnsupportedOperation
            if not self._head:
                self._handle = self._again()
            return 0
        origin = self._start + (self.size if whence == os.SEEK_END else 0)
        return int(self._handle.seek(origin + offset) - self._start)

    def _get(self, size: int) -> str | bytes:
        try:
            block: str | bytes = self._handle.read(size)
        except io.UnsupportedOperation:
            raise InvalidInput('The file is open for writing only: open it with mode "r" or "rb".') from None
        except UnicodeDecodeError:
            raise InvalidInput(
                "The file is not text in the encoding that it was opened with: "
                'name its own, for example open(path, encoding="cp1252").'
            ) from None
        return block


def _is_seekable(handle: object) -> bool:
    seekable = getattr(handle, "seekable", None)
    return seekable is not None and bool(seekable())


def _as_bytes(block: str | bytes) -> bytes:
    if isinstance(block, bytes):
        return block
    try:
        return block.encode("utf-8")
    except UnicodeEncodeError:
        raise InvalidInput(
            "The text has characters that UTF-8 cannot hold: open the file without an `errors` handler."
        ) from None


def _open(path: str | os.PathLike[str]) -> IO[bytes]:
    text = os.fspath(path)
    if "\n" in text or "\0" in text:
        raise InvalidInput("create_dataset takes an open file or a path: wrap the text of a table in io.StringIO.")
    try:
        return Path(path).open("rb")
    except FileNotFoundError:
        raise InvalidInput(
            f"There is no file {text}: check the path and the folder that the program runs in."
        ) from None
    except IsADirectoryError:
        raise InvalidInput(f"{text} is a folder: pass one file.") from None
    except OSError as error:
        raise InvalidInput(f"The file {text} cannot be opened: {error.strerror or 'check the path'}.") from None
