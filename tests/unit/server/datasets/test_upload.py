"""Taking in a multipart form: the same file however the bytes come in pieces, and a refusal for everything else."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.types import Message

from avatars.server.datasets.ingest import Content
from avatars.server.datasets.upload import BLOCK, MAX_PARTS, Upload, receive
from avatars.server.errors import ApiError, BadRequest, PayloadTooLarge
from avatars.server.storage import Storage

KEY = "datasets/one/upload"
BOUNDARY = b"bound"


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage(tmp_path / "files")


def form(*parts: tuple[str, bytes], end: bytes = b"--bound--\r\n") -> bytes:
    body = b""
    for name, content in parts:
        filename = '; filename="any.csv"\r\nContent-Type: text/csv' if name == "file" else ""
        head = f'Content-Disposition: form-data; name="{name}"{filename}'.encode()
        body += b"--bound\r\n" + head + b"\r\n\r\n" + content + b"\r\n"
    return body + end


def send(
    storage: Storage,
    body: bytes,
    *,
    size: int = 65_536,
    max_bytes: int = 1 << 30,
    content_type: str = "multipart/form-data; boundary=bound",
    disconnect: bool = False,
) -> Upload:
    def messages() -> Iterator[Message]:
        for start in range(0, len(body), size):
            yield {"type": "http.request", "body": body[start : start + size], "more_body": True}
        yield {"type": "http.disconnect"} if disconnect else {"type": "http.request", "body": b"", "more_body": False}

    pending = messages()

    async def next_message() -> Message:
        return next(pending)

    scope = {"type": "http", "method": "POST", "headers": [(b"content-type", content_type.encode())]}
    return asyncio.run(receive(Request(scope, next_message), storage, KEY, max_bytes))


def nothing_is_left(storage: Storage) -> bool:
    return not any(path.is_file() for path in Path(storage.location).rglob("*"))


def test_file_name_and_hash_arrive(storage: Storage) -> None:
    content = b"a,b\n1,2\n"
    upload = send(storage, form(("name", "Café".encode()), ("file", content), ("else", b"ignored")))
    assert storage.read_bytes(KEY) == content
    assert upload == Upload(hashlib.sha256(content).hexdigest(), "Café", Content("file", (len(content),)))


@given(
    content=st.binary(max_size=300) | st.sampled_from([b"--bound", b"\r\n--bound", b"\r\n--boun--\r\n", b"\r\n\r\n"]),
    size=st.integers(1, 400),
)
def test_the_content_arrives_unchanged_whatever_it_is_and_however_it_is_cut(content: bytes, size: int) -> None:
    if b"\r\n--bound" in b"\r\n" + content:
        return  # That would be the end of the part.
    with TemporaryDirectory() as folder:
        storage = Storage(folder)
        send(storage, form(("file", content)), size=size)
        assert storage.read_bytes(KEY) == content


def test_a_file_of_several_blocks_arrives(storage: Storage) -> None:
    content = bytes(range(256)) * (3 * BLOCK // 256) + b"end"
    assert send(storage, form(("file", content))).hash == hashlib.sha256(content).hexdigest()
    assert storage.size(KEY) == len(content)


def test_several_files_arrive_one_after_the_other(storage: Storage) -> None:
    upload = send(storage, form(("file", b"abc"), ("file", b""), ("file", b"defgh")), size=3)
    assert upload.content == Content("file", (3, 0, 5))
    assert storage.read_bytes(KEY) == b"abcdefgh"


def test_a_form_with_endless_files_is_refused(storage: Storage) -> None:
    with pytest.raises(BadRequest, match="more than 1000 files"):
        send(storage, form(*[("file", b"x")] * (MAX_PARTS + 1)))
    assert nothing_is_left(storage)


@pytest.mark.parametrize("name", [None, b"", b"   "])
def test_no_name_is_no_name(storage: Storage, name: bytes | None) -> None:
    parts = [("file", b"x")] if name is None else [("name", name), ("file", b"x")]
    assert send(storage, form(*parts)).name is None


def test_a_file_that_is_too_long_is_refused_and_nothing_is_left(storage: Storage) -> None:
    send(storage, form(("file", b"x" * 100)), max_bytes=100)
    assert storage.size(KEY) == 100
    storage.delete(KEY)
    with pytest.raises(PayloadTooLarge, match="at most 100 bytes"):
        send(storage, form(("file", b"x" * 101)), max_bytes=100, size=7)
    assert nothing_is_left(storage)


@pytest.mark.parametrize(
    ("body", "content_type", "code"),
    [
        (b"a,b\n1,2\n", "text/csv", "not_multipart"),
        (b"a,b\n1,2\n", "multipart/form-data", "not_multipart"),
        (b"a,b\n1,2\n", "multipart/form-data; boundary=bound", "unreadable_form"),
        (b"", "multipart/form-data; boundary=bound", "unreadable_form"),
        (form(("file", b"x"), end=b""), "multipart/form-data; boundary=bound", "unreadable_form"),
        (form(("data", b"x")), "multipart/form-data; boundary=bound", "no_file"),
        (form(("file", b"x"), ("name", b"n" * 256)), "multipart/form-data; boundary=bound", "name_too_long"),
        (form(("file", b"x"), ("name", b"n" * 100_000)), "multipart/form-data; boundary=bound", "name_too_long"),
        (b"--bound\r\n" + b"X-Long: " + b"y" * 100_000, "multipart/form-data; boundary=bound", "unreadable_form"),
    ],
)
def test_what_is_not_a_form_with_one_file_is_refused(
    storage: Storage, body: bytes, content_type: str, code: str
) -> None:
    with pytest.raises(BadRequest) as refusal:
        send(storage, body, content_type=content_type)
    assert refusal.value.code == code
    assert nothing_is_left(storage)


def test_an_upload_that_stops_leaves_nothing(storage: Storage) -> None:
    with pytest.raises(ApiError, match="stopped before its end"):
        send(storage, form(("file", b"x" * 1000)), size=100, disconnect=True)
    assert nothing_is_left(storage)
