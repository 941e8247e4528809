"""Taking in an uploaded file: into the storage, under an id that no row has yet, in constant memory, counted, hashed.

FastAPI's own way would store the whole body, of whatever size, before it asks who sent it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from fastapi.concurrency import contextmanager_in_threadpool, run_in_threadpool
from python_multipart import MultipartParser
from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import parse_options_header
from starlette.requests import ClientDisconnect, Request

from avatars.server.datasets import arrow_stream
from avatars.server.datasets.ingest import Content
from avatars.server.errors import BadRequest, PayloadTooLarge
from avatars.server.storage import Storage

BLOCK = 1 << 20
"""Bytes that are gathered before they are written."""

MAX_NAME = 255
MAX_FIELD_BYTES = 4 * MAX_NAME
"""Of a form field; the only one that is looked at is the name."""

MAX_PARTS = 1000
"""Files in one form: a large frame comes as several."""

_HOW = 'send the table as the part "file" of a multipart form'


@dataclass(frozen=True)
class Upload:
    """A file that has arrived whole."""

    hash: str
    """SHA-256 of the file, in hexadecimal."""
    name: str | None
    content: Content


async def receive(request: Request, storage: Storage, key: str, max_bytes: int, *, raw: bool = False) -> Upload:
    """Write the file of a request to ``key``; where that fails, nothing is there.

    It is the part ``file`` of a multipart form, or several of them, which are written one after the other; with
    ``raw``, a body of another type is the file itself.

    Raises
    ------
    PayloadTooLarge
        The file is longer than ``max_bytes``.
    BadRequest
        The body is not a multipart form with a file in it.
    StorageError
        It cannot be written.
    """
    file = _File(max_bytes)
    is_raw = raw and not _is_form(request)
    body = file if is_raw else _Form(_boundary(request), file)
    try:
        async with contextmanager_in_threadpool(_hashed_output(storage, key)) as output:
            async for chunk in request.stream():
                body.feed(chunk)
                if len(file.pending) >= BLOCK:
                    await run_in_threadpool(output.write, file.take())
            name = body.finish()
            await run_in_threadpool(output.write, file.take())
    except ClientDisconnect:
        raise BadRequest("incomplete_upload", "The upload stopped before its end: send the file again.") from None
    is_arrow = is_raw and _media_type(request) == arrow_stream.MEDIA_TYPE
    return Upload(output.hash.hexdigest(), name, Content("arrow" if is_arrow else "file", tuple(file.parts)))


def clean_name(name: str) -> str | None:
    """The name as the database can keep it: PostgreSQL has no NUL in texts, and nobody sees blanks around it."""
    return name.replace("\x00", "\ufffd").strip() or None


class _HashedOutput:
    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.hash = hashlib.sha256()

    def write(self, data: bytes) -> None:
        self.hash.update(data)
        self._stream.write(data)


@contextmanager
def _hashed_output(storage: Storage, key: str) -> Iterator[_HashedOutput]:
    with storage.open_output(key) as stream:
        yield _HashedOutput(stream)


def _is_form(request: Request) -> bool:
    return _media_type(request).startswith("multipart/")


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _boundary(request: Request) -> bytes:
    content_type, options = parse_options_header(request.headers.get("content-type"))
    boundary = options.get(b"boundary")
    if content_type != b"multipart/form-data" or not boundary:
        raise BadRequest("not_multipart", f"The body is not a multipart form: {_HOW}.")
    return boundary


class _File:
    """The bytes of a file on their way through, counted.

    Attributes
    ----------
    parts
        The lengths of the files, where a form has them.
    """

    def __init__(self, max_bytes: int) -> None:
        self.pending = bytearray()
        self.parts: list[int] = []
        self._max_bytes = max_bytes
        self._size = 0

    def feed(self, chunk: bytes) -> None:
        """Take in the next bytes of the body."""
        self._size += len(chunk)
        if self._size > self._max_bytes:
            raise PayloadTooLarge(
                f"The file is too large: this platform accepts at most {self._max_bytes:,} bytes. Send fewer "
                "rows or columns, or Parquet instead of CSV.",
                max_bytes=self._max_bytes,
            )
        self.pending += chunk
        if self.parts:
            self.parts[-1] += len(chunk)

    def finish(self) -> str | None:
        """Make sure that there was a file; it has no name of its own."""
        if self._size == 0:
            raise BadRequest("no_file", "The body is empty: send the table as the body of the request.")
        return None

    def take(self) -> bytes:
        """Hand out, and forget, the bytes of the file that have gathered."""
        data = bytes(self.pending)
        self.pending.clear()
        return data


class _Form:
    """The parts of one form: the files' bytes pass through, the name is kept, other fields are ignored."""

    def __init__(self, boundary: bytes, file: _File) -> None:
        self._file = file
        self._complete = False
        self._part = b""
        self._header: tuple[bytearray, bytearray] = (bytearray(), bytearray())
        self._name = bytearray()
        callbacks: Any = {
            "on_part_begin": self._on_part_begin,
            "on_header_field": lambda data, start, end: self._header[0].extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._header[1].extend(data[start:end]),
            "on_header_end": self._on_header_end,
            "on_headers_finished": self._on_headers_finished,
            "on_part_data": self._on_part_data,
            "on_end": self._on_end,
        }
        try:
            self._parser = MultipartParser(boundary, callbacks)
        except MultipartParseError as error:
            raise _unreadable() from error

    def feed(self, chunk: bytes) -> None:
        """Take in the next bytes of the body."""
        try:
            self._parser.write(chunk)
        except MultipartParseError as error:
            raise _unreadable() from error

    def finish(self) -> str | None:
        """Make sure that the body was complete and held a file; give the dataset's name, if it has one."""
        if not self._complete:
            raise _unreadable()
        if not self._file.parts:
            raise BadRequest("no_file", f"The form has no file: {_HOW}.")
        name = clean_name(bytes(self._name).decode(errors="replace"))
        if name is not None and len(name) > MAX_NAME:
            raise BadRequest("name_too_long", f"The dataset's name is too long: use at most {MAX_NAME} characters.")
        return name

    def _on_part_begin(self) -> None:
        self._part = b""

    def _on_header_end(self) -> None:
        field, value = (bytes(text) for text in self._header)
        self._header = (bytearray(), bytearray())
        if field.lower() == b"content-disposition":
            self._part = parse_options_header(value.decode("latin-1"))[1].get(b"name", b"")

    def _on_headers_finished(self) -> None:
        if self._part == b"file":
            self._file.parts.append(0)
            if len(self._file.parts) > MAX_PARTS:
                raise BadRequest("several_files", f"The form has more than {MAX_PARTS} files: send fewer, larger ones.")

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._part == b"file":
            self._file.feed(data[start:end])
        elif self._part == b"name":
            self._name += data[start:end][: MAX_FIELD_BYTES - len(self._name) + 1]

    def _on_end(self) -> None:
        self._complete = True


def _unreadable() -> BadRequest:
    return BadRequest("unreadable_form", f"The multipart form cannot be read to its end: {_HOW}.")
