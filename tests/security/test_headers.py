"""The headers of every answer, and what the log says of a request."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest
from starlette.testclient import TestClient

from avatars.server.app import create_app

if TYPE_CHECKING:
    from tests.conftest import LogIn

    from avatars.server.jobs.compute import Compute
    from avatars.server.settings import Settings

pytestmark = pytest.mark.databases("sqlite")
"""What is shown here does not depend on the database."""


@pytest.mark.parametrize("path", ["/health", "/nowhere", "/openapi.json", f"/datasets/{UUID(int=1)}"])
def test_every_answer_forbids_keeping_guessing_and_framing(http: TestClient, path: str) -> None:
    headers = http.get(path).headers
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "access-control-allow-origin" not in headers
    assert "server" not in headers


def test_each_request_has_an_id_of_the_platform_s_own(http: TestClient) -> None:
    ids = {http.get("/health", headers={"X-Request-ID": "mine"}).headers["x-request-id"] for _ in range(3)}
    assert len(ids) == 3
    assert "mine" not in ids


def test_a_platform_behind_tls_says_that_it_stays_there(settings: Settings, compute: Compute) -> None:
    secure = settings.model_copy(update={"public_url": "https://avatars.example.org"})
    with TestClient(create_app(secure, compute=compute)) as http:
        assert http.get("/health").headers["strict-transport-security"].startswith("max-age=")


def test_a_request_is_logged_by_its_route_and_nothing_that_was_sent(
    http: TestClient, log_in: LogIn, capsys: pytest.CaptureFixture[str]
) -> None:
    headers = log_in()
    capsys.readouterr()
    answer = http.get(f"/datasets/{uuid4()}?name=canary", headers={**headers, "User-Agent": "canary"})
    http.get("/canary")
    log = capsys.readouterr().err
    first, second = [line for line in map(json.loads, log.splitlines()) if line["event"] == "request"]
    assert first["route"] == "/datasets/{id}"
    assert (first["method"], first["status"]) == ("GET", 404)
    assert first["request_id"] == answer.headers["x-request-id"]
    assert first["duration_ms"] > 0
    assert (second["route"], second["status"]) == (None, 404)
    assert "canary" not in log
    assert headers["Authorization"].split()[1] not in log
