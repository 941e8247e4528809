"""Files that are small and ask for gigabytes: refused in words, and the platform goes on."""

from __future__ import annotations

import gzip
import io
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import httpx2
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

if TYPE_CHECKING:
    from tests.conftest import Platform

GIB = 1024**3
LIMIT = 64 * 1024**2


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    import os

    from tests.conftest import Platform

    os.environ["AVATARS_MAX_UPLOAD_BYTES"] = str(LIMIT)
    platform = Platform(tmp_path_factory.mktemp("bombs") / "data")
    platform.add_user("ada", "a long password")
    platform.start()
    yield platform
    platform.close()
    del os.environ["AVATARS_MAX_UPLOAD_BYTES"]


@pytest.fixture(scope="module")
def client(platform: Platform) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=platform.base_url, timeout=60) as client:
        answer = client.post("/login", data={"username": "ada", "password": "a long password"})
        client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        yield client


def zeros_in_gzip() -> bytes:
    sink = io.BytesIO()
    with gzip.GzipFile(fileobj=sink, mode="wb") as file:
        file.write(b"a\n")
        for _ in range(1024):
            file.write(b"0\n" * (512 * 1024))
    return sink.getvalue()


def one_value_a_billion_times() -> bytes:
    sink = io.BytesIO()
    million = pa.table({"a": pa.array(["x" * 1000] * 1_000_000).dictionary_encode()})
    with pq.ParquetWriter(sink, million.schema, compression="zstd") as writer:
        for _ in range(100):
            writer.write_table(million)
    return sink.getvalue()


def a_footer_of_lies() -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table({"a": [1, 2, 3]}), sink)
    content = bytearray(sink.getvalue())
    content[-8:-4] = (2**31 - 1).to_bytes(4, "little")
    return bytes(content)


def a_hundred_thousand_columns_in_a_line() -> bytes:
    return b",".join(b"c%d" % number for number in range(3_000_000)) + b"\n"


def one_endless_cell() -> bytes:
    return b'a,b\n1,"' + b"x" * (LIMIT - 100)


BOMBS = [
    zeros_in_gzip,
    one_value_a_billion_times,
    a_footer_of_lies,
    a_hundred_thousand_columns_in_a_line,
    one_endless_cell,
]


@pytest.mark.timeout(180)
@pytest.mark.parametrize("bomb", BOMBS, ids=lambda bomb: bomb.__name__)
def test_a_bomb_is_refused_and_the_platform_goes_on(platform: Platform, client: httpx2.Client, bomb: Any) -> None:
    import psutil

    content = bomb()
    server = psutil.Process(platform.pid)
    answer = client.post("/datasets/stream", content=content)
    assert answer.status_code in (400, 413), answer.text
    assert len(answer.json()["detail"]["message"]) > 20
    # The process that answers requests has not read it.
    assert server.memory_info().rss < GIB / 2
    # And the next upload works, if need be in a new worker.
    deadline = time.monotonic() + 60
    while client.post("/datasets/stream", content=b"a\n1\n2\n").status_code != 200:
        assert time.monotonic() < deadline
        time.sleep(0.5)


def test_a_file_beyond_the_limit_is_not_even_taken_in(client: httpx2.Client) -> None:
    answer = client.post("/datasets/stream", content=b"a\n" + b"1\n" * (LIMIT // 2 + 1))
    assert (answer.status_code, answer.json()["detail"]["code"]) == (413, "payload_too_large")
