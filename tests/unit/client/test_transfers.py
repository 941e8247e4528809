"""Where tables come from and go to: bytes, frames, and files that appear complete or not at all."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import httpx2
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from avatars.client import ApiClient
from avatars.errors import InvalidInput, NotFound
from avatars.models import FileType

NewClient = Callable[[Callable[[httpx2.Request], httpx2.Response]], ApiClient]

DATASET = {"id": "00000000-0000-0000-0000-000000000001", "hash": "", "download_url": ""}
CSV = b"a,b\n1,2\n"


class Platform:
    """Keeps what it is sent; gives CSV."""

    def __init__(self) -> None:
        self.file = b""
        self.requests: list[httpx2.Request] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        if request.method == "POST":
            self.file = request.content.partition(b"text/csv\r\n\r\n")[2].rpartition(b"\r\n--")[0]
            return httpx2.Response(200, json=DATASET)
        return httpx2.Response(200, content=CSV)


@pytest.fixture
def platform() -> Platform:
    return Platform()


@pytest.fixture
def client(new_client: NewClient, platform: Platform) -> ApiClient:
    return new_client(platform)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_bytes_are_sent_as_they_are(
    client: ApiClient, platform: Platform, kind: Callable[[bytes], bytes | bytearray | memoryview]
) -> None:
    client.datasets.create_dataset(kind(CSV))
    assert platform.file == CSV


@pytest.mark.parametrize(
    "table", [pd.DataFrame({"a": [1], "b": [2]}), pa.table({"a": [1], "b": [2]})], ids=["pandas", "arrow"]
)
def test_frames_and_tables_are_sent_as_parquet_by_either_call(
    client: ApiClient, platform: Platform, table: pd.DataFrame | pa.Table
) -> None:
    for send in (client.datasets.create_dataset, client.pandas_integration.upload_dataframe):
        send(table)
        assert pq.read_table(io.BytesIO(platform.file)).to_pydict() == {"a": [1], "b": [2]}
        # How long it is is not known beforehand: nothing is held until it is.
        assert platform.requests[-1].headers["Transfer-Encoding"] == "chunked"


def test_a_download_into_a_file(client: ApiClient, platform: Platform, tmp_path: Path) -> None:
    path = tmp_path / "avatars.csv"
    path.write_bytes(b"the one before")
    client.datasets.download_dataset(uuid4(), destination=path)
    assert path.read_bytes() == CSV
    assert [child.name for child in tmp_path.iterdir()] == ["avatars.csv"]

    client.datasets.download_dataset(uuid4(), destination=str(path), filetype=FileType.parquet)
    assert [request.url.params["filetype"] for request in platform.requests] == ["csv", "parquet"]

    handle = io.BytesIO(b"header\n")
    handle.seek(0, io.SEEK_END)
    client.datasets.download_dataset(uuid4(), destination=handle)
    assert handle.getvalue() == b"header\n" + CSV


def test_a_file_that_cannot_be_fetched_is_not_there(new_client: NewClient, tmp_path: Path) -> None:
    (tmp_path / "kept.csv").write_bytes(b"the one before")
    client = new_client(lambda request: httpx2.Response(404, json={"detail": {"message": "no such dataset"}}))
    for name in ("kept.csv", "new.csv"):
        with pytest.raises(NotFound):
            client.datasets.download_dataset(uuid4(), destination=tmp_path / name)
    assert [child.name for child in tmp_path.iterdir()] == ["kept.csv"]
    assert (tmp_path / "kept.csv").read_bytes() == b"the one before"


@pytest.mark.parametrize(
    ("destination", "sentence"),
    [
        (lambda folder: folder, "is a folder: name a file in it"),
        (lambda folder: folder / "nowhere" / "a.csv", "cannot be written"),
        (lambda folder: io.StringIO(), 'mode "wb"'),
        (lambda folder: 3, "a path or a file"),
    ],
    ids=["folder", "nowhere", "text", "number"],
)
def test_where_nothing_can_be_written_is_said_before_anything_is_asked(
    client: ApiClient, platform: Platform, tmp_path: Path, destination: Callable[[Path], Path], sentence: str
) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        client.datasets.download_dataset(uuid4(), destination=destination(tmp_path))
    assert not platform.requests
