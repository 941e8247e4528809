"""A bucket of an object store that Arrow knows.

Nothing is renamed there, and an upload that breaks off may end as an object all the same: Arrow completes what a stream
holds when it drops it. So a key is a small object, the pointer, which is written in one request once the body is whole,
and holds the name of the body beside it. Whoever dies before leaves a body that no key names.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any, cast
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

import pyarrow as pa
from pyarrow import fs

CONNECT_SECONDS = 5.0
REQUEST_SECONDS = 10.0
"""Silence after which a request is given up; it is tried three times."""

SCHEMES = ("s3", "gs", "gcs", "abfs", "abfss")

S3_OPTIONS = ("region", "scheme", "endpoint_override", "tls_ca_file_path")
"""What may stand after the question mark of an S3 address."""

_BODY = "~"


class Bucket:
    """A `Place` in a bucket, or under a prefix of one.

    Parameters
    ----------
    url
        As ``s3://BUCKET/PREFIX?region=eu-west-3`` or ``...?endpoint_override=HOST:PORT&scheme=http``. Credentials are
        found as the store's own tools find them: in variables, files, or from the machine.
    """

    def __init__(self, url: str) -> None:
        self._files = _open(url)

    @contextmanager
    def open_output(self, key: str, *, durable: bool) -> Iterator[IO[bytes]]:
        """Write a file: it appears, whole, when the block ends without an error. A store keeps whatever it has."""
        earlier = self._body_of(key)
        body = f"{key}{_BODY}{uuid4().hex}"
        stream = self._files.open_output_stream(body, compression=None)
        try:
            yield cast("IO[bytes]", stream)
            stream.close()
            with self._files.open_output_stream(key, compression=None) as pointer:
                pointer.write(body.encode())
        except BaseException:
            # Closing it completes it: only then can it be deleted.
            with suppress(OSError):
                stream.close()
            with suppress(OSError):
                self._files.delete_file(body)
            raise
        if earlier is not None:
            self._delete_file(earlier)

    def open_input(self, key: str) -> pa.NativeFile:
        """Open a file for reading at any position."""
        body = self._body_of(key)
        if body is None:
            raise FileNotFoundError(key)
        return self._files.open_input_file(body)

    def read_buffer(self, key: str) -> pa.Buffer:
        """Read a file whole."""
        with self.open_input(key) as stream:
            return stream.read_buffer()

    def exists(self, key: str) -> bool:
        """Whether there is a file of this name."""
        return bool(self._files.get_file_info(key).type == fs.FileType.File)

    def names(self, folder: str) -> list[str]:
        """Names of the files and folders directly in a folder, sorted."""
        return sorted(entry.base_name for entry in self._entries(folder) if _BODY not in entry.base_name)

    def all_keys(self) -> Iterator[str]:
        """Give the names of all files that are complete."""
        for entry in self._entries("", recursive=True):
            if entry.type == fs.FileType.File and _BODY not in entry.base_name:
                yield entry.path

    def delete(self, key: str) -> None:
        """Delete a file, or a folder with all that is in it."""
        kind = self._files.get_file_info(key).type
        if kind == fs.FileType.Directory:
            with suppress(FileNotFoundError):
                self._files.delete_dir(key)
        elif kind == fs.FileType.File:
            body = self._body_of(key)
            # The pointer first: what is half deleted is not there.
            self._delete_file(key)
            if body is not None:
                self._delete_file(body)

    def sweep(self) -> int:
        """Do nothing: a body that no key names lies in a folder that goes as a whole."""
        return 0

    def _body_of(self, key: str) -> str | None:
        try:
            with self._files.open_input_stream(key, compression=None) as pointer:
                return bytes(pointer.read()).decode()
        except FileNotFoundError:
            return None

    def _entries(self, folder: str, *, recursive: bool = False) -> list[fs.FileInfo]:
        # The store lists a thousand at a time; Arrow asks until it has them all.
        entries: list[fs.FileInfo] = self._files.get_file_info(
            fs.FileSelector(folder, recursive=recursive, allow_not_found=True)
        )
        return entries

    def _delete_file(self, name: str) -> None:
        with suppress(FileNotFoundError):
            self._files.delete_file(name)


def check_url(url: str) -> None:
    """Refuse an address that is none of a bucket; raises ``ValueError`` with what is wrong."""
    parsed = urlsplit(url)
    if parsed.scheme not in SCHEMES:
        raise ValueError(f"a bucket's address begins with {', '.join(f'{scheme}://' for scheme in SCHEMES)}")
    if not parsed.hostname:
        raise ValueError("the address names no bucket, as in s3://BUCKET/PREFIX")
    if "@" in parsed.netloc and (parsed.scheme == "s3" or parsed.password):
        # It is sent to workers and shown to operators.
        raise ValueError("credentials do not belong into the address: use AWS_ACCESS_KEY_ID and its like, or a file")
    unknown = [name for name, _ in parse_qsl(parsed.query) if name not in S3_OPTIONS]
    if parsed.scheme == "s3" and unknown:
        raise ValueError(f"{unknown[0]} is no option of an S3 address, which takes {', '.join(S3_OPTIONS)}")


def _open(url: str) -> fs.FileSystem:
    parsed = urlsplit(url)
    if parsed.scheme != "s3":
        base, path = fs.FileSystem.from_uri(url)
        return fs.SubTreeFileSystem(path, base)
    options: dict[str, Any] = dict(parse_qsl(parsed.query))
    base = fs.S3FileSystem(
        **options,
        connect_timeout=CONNECT_SECONDS,
        request_timeout=REQUEST_SECONDS,
        # In the background it would hold all that a slow store has not taken yet.
        background_writes=False,
    )
    return fs.SubTreeFileSystem((parsed.netloc + parsed.path).rstrip("/"), base)
