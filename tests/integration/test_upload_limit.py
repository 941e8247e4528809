"""The limit of an upload's size, over a real connection: what is too large is refused before it is all sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest
from tests.conftest import PASSWORD, USERNAME

LIMIT = 1_000_000


@pytest.fixture
def client(new_platform: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[httpx2.Client]:
    monkeypatch.setenv("AVATARS_MAX_UPLOAD_BYTES", str(LIMIT))
    monkeypatch.setenv("AVATARS_WORKERS", "1")
    platform = new_platform()
    platform.add_user(USERNAME, PASSWORD)
    platform.start()
    with httpx2.Client(base_url=platform.base_url, timeout=30) as client:
        token = client.post("/login", data={"username": USERNAME, "password": PASSWORD}).json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        yield client


def upload(client: httpx2.Client, size: int) -> httpx2.Response:
    row = b"0123456789,0123456789\n"
    content = b"a,b\n" + row * (size // len(row))
    return client.post("/datasets", files={"file": ("t.csv", content, "text/csv")})


def test_too_large_a_file_is_refused_with_413_and_the_platform_goes_on(client: httpx2.Client) -> None:
    assert upload(client, LIMIT - 100).status_code == 200
    for size in (LIMIT + 10_000, 30 * LIMIT):
        answer = upload(client, size)
        assert answer.status_code == 413
        assert "too large" in answer.json()["detail"]["message"]
    assert upload(client, 1000).status_code == 200
