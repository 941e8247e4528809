"""Uploads of everything that can be read, as it stands and in blocks."""

from __future__ import annotations

import gzip
import io
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any
from uuid import UUID, uuid4

import httpx2
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from avatars.client import ApiClient
from avatars.errors import ConnectionFailed, InvalidInput, UnexpectedAnswer
from avatars.models import ColumnDetail, ColumnType, PatchDataset

NewClient = Callable[[Callable[[httpx2.Request], httpx2.Response]], ApiClient]

DATASET: dict[str, Any] = {
    "id": "00000000-0000-0000-0000-000000000001",
    "hash": "0" * 64,
    "download_url": "http://platform.test/datasets/1/download",
    "something_newer": True,
}


class Received:
    """A platform that keeps what it was sent."""

    def __init__(self) -> None:
        self.requests: list[httpx2.Request] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        return httpx2.Response(200, json=DATASET)

    @property
    def form(self) -> dict[str, bytes]:
        """The fields of the last request's form."""
        body = self.requests[-1].content
        boundary = b"--" + self.requests[-1].headers["Content-Type"].rpartition("boundary=")[2].encode()
        first, *parts, last = (b"\r\n" + body).split(b"\r\n" + boundary)
        assert (first, last) == (b"", b"--\r\n")
        fields = {}
        for part in parts:
            head, _, content = part.partition(b"\r\n\r\n")
            fields[head.decode().partition('name="')[2].partition('"')[0]] = content
        return fields

    @property
    def content(self) -> bytes:
        """The bytes of the file in it."""
        return self.form["file"]


@pytest.fixture
def received() -> Received:
    return Received()


@pytest.fixture
def client(new_client: NewClient, received: Received) -> ApiClient:
    return new_client(received)


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    path = tmp_path / "iris.csv"
    path.write_bytes("größe;l\r\n1,5;a\r\n".encode())
    return path


def test_a_text_handle_as_the_tutorial_opens_it(client: ApiClient, received: Received, csv: Path) -> None:
    with csv.open("r", encoding="utf-8") as file:
        dataset = client.datasets.create_dataset(request=file)
        assert not file.closed
    assert dataset.id == UUID(DATASET["id"])
    # Old platforms want a file name; this one's own stays here.
    assert b'filename="file.csv"' in received.requests[-1].content
    assert b"iris" not in received.requests[-1].content
    assert received.content == "größe;l\n1,5;a\n".encode()


@pytest.mark.parametrize("source", [lambda path: path, str, lambda path: path.open("rb")])
def test_a_path_or_binary_handle_sends_the_bytes_of_the_file(
    client: ApiClient, received: Received, csv: Path, source: Callable[[Path], Any]
) -> None:
    sent = source(csv)
    client.datasets.create_dataset(sent)
    if hasattr(sent, "close"):
        sent.close()
    assert received.content == csv.read_bytes()
    # The length is known: a platform or proxy can refuse what is too large at once.
    assert received.requests[-1].headers["Content-Length"] == str(len(received.requests[-1].content))


def test_text_in_another_encoding_arrives_as_utf_8(client: ApiClient, received: Received, tmp_path: Path) -> None:
    path = tmp_path / "latin.csv"
    path.write_bytes("name\nJosé\n".encode("cp1252"))
    with path.open(encoding="cp1252") as file:
        client.datasets.create_dataset(file)
    assert received.content == "name\nJosé\n".encode()


def test_a_handle_is_read_from_where_it_stands(client: ApiClient, received: Received, csv: Path) -> None:
    for mode, rest in (("rb", b"1,5;a\r\n"), ("r", b"1,5;a\n")):
        with csv.open(mode, encoding=None if "b" in mode else "utf-8") as file:
            file.readline()
            client.datasets.create_dataset(file)
        assert received.content == rest


def test_handles_without_a_name_or_a_length(client: ApiClient, received: Received, tmp_path: Path) -> None:
    client.datasets.create_dataset(io.StringIO("a,b\n1,2\n"))
    assert received.content == b"a,b\n1,2\n"

    with gzip.open(tmp_path / "t.csv.gz", "wt") as packed:
        packed.write("a,b\n1,2\n")
    with gzip.open(tmp_path / "t.csv.gz", "rb") as unpacked:
        client.datasets.create_dataset(unpacked)
    assert received.content == b"a,b\n1,2\n"


def test_a_spooled_file_stays_in_memory(client: ApiClient, received: Received) -> None:
    with tempfile.SpooledTemporaryFile() as file:
        file.write(b"a\n1\n")
        file.seek(0)
        client.datasets.create_dataset(file)
        assert not file._rolled  # type: ignore[attr-defined]
    assert received.content == b"a\n1\n"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(text=st.text(min_size=1).map(lambda text: text * 5_000) | st.text(min_size=1))
def test_any_text_of_any_length_arrives_unchanged(client: ApiClient, received: Received, text: str) -> None:
    client.datasets.create_dataset(io.StringIO(text, newline=""))
    assert received.content == text.encode()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(content=st.binary(min_size=1).map(lambda content: content * 2_000), skip=st.integers(0, 1_999))
def test_any_bytes_from_any_place_arrive_unchanged(
    client: ApiClient, received: Received, content: bytes, skip: int
) -> None:
    file = io.BytesIO(content)
    file.seek(skip)
    client.datasets.create_dataset(file)
    assert received.content == content[skip:]


def closed(path: Path) -> IO[bytes]:
    file = path.open("rb")
    file.close()
    return file


def read_to_its_end(path: Path) -> IO[bytes]:
    file = io.BytesIO(path.read_bytes())
    file.read()
    return file


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        (closed, "The file is closed: open it again"),
        (lambda path: path.with_name("missing.csv"), r"There is no file .*missing\.csv: check the path"),
        (lambda path: path.parent, "is a folder: pass one file"),
        (lambda path: "a,b\n1,2\n", "wrap the text of a table in io.StringIO"),
        (lambda path: io.StringIO(""), "nothing to send"),
        (lambda path: io.BytesIO(b""), "nothing to send"),
        (read_to_its_end, r"read to its end \(file\.seek\(0\)\)"),
        (lambda path: [1, 2], "takes an open file, the path of one, its bytes, or a frame"),
        (lambda path: io.StringIO("\ud800"), "characters that UTF-8 cannot hold"),
    ],
)
def test_what_cannot_be_read_is_said_before_anything_is_sent(
    client: ApiClient, received: Received, csv: Path, source: Callable[[Path], Any], sentence: str
) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        client.datasets.create_dataset(source(csv))
    assert not received.requests


def test_a_handle_for_writing_or_in_the_wrong_encoding_is_said_too(
    client: ApiClient, received: Received, tmp_path: Path
) -> None:
    with (tmp_path / "new.csv").open("w") as file, pytest.raises(InvalidInput, match="for writing only"):
        client.datasets.create_dataset(file)
    (tmp_path / "latin.csv").write_bytes("name\nJosé\n".encode("cp1252"))
    with (
        (tmp_path / "latin.csv").open(encoding="utf-8") as file,
        pytest.raises(InvalidInput, match="not text in the encoding") as caught,
    ):
        client.datasets.create_dataset(file)
    assert "Jos" not in str(caught.value)
    assert not received.requests


def test_a_name_goes_along_as_a_field(client: ApiClient, received: Received) -> None:
    client.datasets.create_dataset(io.BytesIO(b"a\n1\n"), name='visits of 2025, "März"')
    assert received.form == {"name": 'visits of 2025, "März"'.encode(), "file": b"a\n1\n"}


def test_an_upload_may_wait_longer_unless_the_caller_says_otherwise(client: ApiClient, received: Received) -> None:
    client.datasets.create_dataset(io.StringIO("a\n1\n"))
    client.datasets.create_dataset(io.StringIO("a\n1\n"), timeout=3)
    assert [request.extensions["timeout"]["read"] for request in received.requests] == [600, 3]


def test_describing_and_declaring(client: ApiClient, received: Received) -> None:
    id = uuid4()
    client.datasets.get_dataset(id)
    client.datasets.patch_dataset(PatchDataset(columns=[ColumnDetail(type=ColumnType.category, label="age")]), str(id))
    get, patch = received.requests
    assert (get.method, get.url.path) == ("GET", f"/datasets/{id}")
    assert (patch.method, patch.url.path) == ("PATCH", f"/datasets/{id}")
    assert patch.content == b'{"columns":[{"type":"category","label":"age"}]}'


def test_a_download_is_text_and_must_be_utf_8(new_client: NewClient) -> None:
    answers = [httpx2.Response(200, text="größe\n1\n"), httpx2.Response(200, content=b"\xff\xfe")]
    client = new_client(lambda request: answers.pop(0))
    assert client.datasets.download_dataset(id=uuid4()) == "größe\n1\n"
    with pytest.raises(UnexpectedAnswer, match="UTF-8"):
        client.datasets.download_dataset(uuid4())


class LosesTheAnswer(httpx2.BaseTransport):
    """Takes a body whole, as a network does, and lets the first connection break before the answer is there."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.keys: list[str] = []

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Answer, but for the first upload."""
        body = b"".join(request.stream)  # type: ignore[arg-type]
        if request.url.path == "/login":
            return httpx2.Response(200, json={"access_token": "token", "token_type": "bearer"})
        if request.url.path == "/check_client":
            return httpx2.Response(200, json={"message": "welcome", "status": "compatible"})
        self.bodies.append(body)
        self.keys.append(request.headers["Idempotency-Key"])
        if len(self.bodies) == 1:
            raise httpx2.ReadError("gone")
        return httpx2.Response(200, json=DATASET)


@pytest.fixture
def losing() -> LosesTheAnswer:
    return LosesTheAnswer()


@pytest.fixture
def hopeful(losing: LosesTheAnswer) -> Iterator[ApiClient]:
    with ApiClient("http://platform.test", transport=losing) as client:
        client.authenticate("username", "strong_password")
        yield client


@pytest.mark.parametrize("kind", ["path", "bytes", "frame", "arrow"])
def test_an_upload_whose_answer_was_lost_is_sent_again_whole(
    hopeful: ApiClient, losing: LosesTheAnswer, csv: Path, kind: str
) -> None:
    table = pa.table({"a": range(100), "b": ["x", "y"] * 50})
    sources: dict[str, Any] = {"path": csv, "bytes": csv.read_bytes(), "frame": table.to_pandas(), "arrow": table}
    hopeful.datasets.create_dataset(sources[kind])
    first, second = losing.bodies
    # The form's boundary stays: it is the same request.
    assert first == second
    assert len(first) > 150
    assert losing.keys[0] == losing.keys[1]


def test_what_can_be_read_once_only_is_not_sent_in_part(hopeful: ApiClient, losing: LosesTheAnswer) -> None:
    reader = pa.table({"a": range(100)}).to_reader()
    with pytest.raises(ConnectionFailed):
        hopeful.datasets.create_dataset(reader)
    assert len(losing.bodies) == 1
