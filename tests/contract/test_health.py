"""The three addresses that need no login."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from starlette.testclient import TestClient
    from tests.conftest import LogIn


@pytest.mark.parametrize("path", ["/", "/health", "/health/db"])
@pytest.mark.parametrize("token", ["none", "good", "bad"])
def test_health_answers_anybody(http: TestClient, log_in: LogIn, path: str, token: str) -> None:
    headers = {"none": {}, "bad": {"Authorization": "Bearer nonsense"}}.get(token)
    answer = http.get(path, headers=log_in() if headers is None else headers)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["status"] == "ok"
