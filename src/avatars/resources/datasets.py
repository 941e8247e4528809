"""Datasets: tables on the platform."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import IO, Any, Protocol, TypeAlias, TypeVar, cast
from uuid import UUID

from avatars._http import Http, as_uuid, parse
from avatars.errors import InvalidInput, UnexpectedAnswer
from avatars.models import Dataset, PatchDataset

BlockT_co = TypeVar("BlockT_co", str, bytes, covariant=True)


class Readable(Protocol[BlockT_co]):
    """An open file, as far as sending it needs one."""

    def read(self, size: int = -1, /) -> BlockT_co:
        """Return the next characters or bytes; none at the end."""
        ...


Source: TypeAlias = Readable[str] | Readable[bytes] | str | os.PathLike[str]
"""Where a table is read from: an open file (text or binary) or the path of one."""

UPLOAD_TIMEOUT = 600.0
"""Seconds of silence after an upload: the platform reads the whole table before it answers."""

FILE_NAME = "file.csv"
"""What every uploaded file is called: its own name is nobody's business, it may be a person's."""


class Datasets:
    """Tables on the platform: send, describe, fetch."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def create_dataset(self, request: Source, *, name: str | None = None, timeout: float | None = None) -> Dataset:
        """Send a table, CSV or Parquet, and return its description.

        The table is streamed: memory does not grow with its size. Text is sent as UTF-8 whatever its file's
        encoding, bytes as they are. An open file is read from where it stands and stays open.

        Parameters
        ----------
        request
            An open file, or the path of one.
        name
            What the platform calls the table; it has no name by default.
        timeout
            Seconds that the platform may be silent; the client's timeout by default, but at least 600.

        Raises
        ------
        avatars.errors.InvalidInput
            There is nothing to read; nothing was sent.
        avatars.errors.BadRequest
            The platform cannot read the table.
        """
        if isinstance(request, (str, os.PathLike)):
            with _open(request) as file:
                return self._send(file, name, timeout)
        return self._send(request, name, timeout)

    def get_dataset(self, id: UUID | str, *, timeout: float | None = None) -> Dataset:
        """Return the description of a dataset.

        Raises
        ------
        avatars.errors.NotFound
            There is no such dataset, or it belongs to somebody else.
        """
        return parse(self._http.request("GET", f"/datasets/{as_uuid(id)}", timeout=timeout), Dataset)

    def patch_dataset(self, request: PatchDataset, id: UUID | str, *, timeout: float | None = None) -> Dataset:
        """Declare the types of columns and return the new description; columns not named keep theirs."""
        answer = self._http.request("PATCH", f"/datasets/{as_uuid(id)}", json=request, timeout=timeout)
        return parse(answer, Dataset)

    def download_dataset(self, id: UUID | str, *, timeout: float | None = None) -> str:
        """Return a dataset as CSV text; the whole of it is held in memory.

        ``client.pandas_integration.download_dataframe`` gives a frame with its dtypes.
        """
        answer = self._http.request("GET", f"/datasets/{as_uuid(id)}/download", timeout=timeout)
        try:
            return answer.content.decode("utf-8")
        except UnicodeDecodeError:
            raise UnexpectedAnswer("The dataset did not come as CSV in UTF-8: check base_url.") from None

    def _send(self, handle: Readable[str] | Readable[bytes], name: str | None, timeout: float | None) -> Dataset:
        part = cast("IO[bytes]", _Part(handle))  # httpx2 asks no more of a file than `_Part` offers
        answer = self._http.request(
            "POST",
            "/datasets",
            form={"name": name} if name else None,
            files={"file": (FILE_NAME, part, "text/csv")},
            timeout=timeout or max(self._http.timeout, UPLOAD_TIMEOUT),
        )
        return parse(answer, Dataset)


class _Part:
    """The rest of an open file as the body of one multipart part: bytes, their number known where possible.

    httpx2 by itself refuses text, begins every file anew, and moves a spooled temporary file to the disk.
    """

    def __init__(self, handle: Any) -> None:
        if not hasattr(handle, "read"):
            raise InvalidInput("create_dataset takes an open file or the path of one.")
        if getattr(handle, "closed", False):
            raise InvalidInput("The file is closed: open it again, and call create_dataset inside of the `with` block.")
        self._handle = handle
        self._size: int | None = None
        self._start = 0
        # The first block of what cannot be measured: read before anything is sent, to know that there is one.
        self._head = b""
        if isinstance(self._get(0), bytes) and _is_seekable(handle):
            self._start = self._handle.tell()
            self._size = self._handle.seek(0, os.SEEK_END) - self._start
            self._handle.seek(self._start)
        else:
            self._head = _as_bytes(self._get(_BLOCK))
        if not (self._size or self._head):
            raise InvalidInput("There is nothing to send: the file is empty, or was read to its end (file.seek(0)).")

    def read(self, size: int) -> bytes:
        head, self._head = self._head, b""
        return head or _as_bytes(self._get(size))

    def tell(self) -> int:
        if self._size is None:
            raise io.UnsupportedOperation
        return int(self._handle.tell() - self._start)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        if self._size is None:
            raise io.UnsupportedOperation
        origin = self._start + (self._size if whence == os.SEEK_END else 0)
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


_BLOCK = 64 * 1024


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
