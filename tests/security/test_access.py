"""Who may call what: every route of the documentation, not a list that somebody has to keep."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.testclient import TestClient

PUBLIC = {("get", "/"), ("get", "/health"), ("get", "/health/db"), ("post", "/login")}
"""Whatever else there is needs a login."""


def routes(app: FastAPI) -> list[tuple[str, str]]:
    return [(method, path) for path, methods in app.openapi()["paths"].items() for method in methods]


def test_what_is_documented_as_public_is_public_by_intention(app: FastAPI) -> None:
    documented = app.openapi()["paths"]
    assert {route for route in routes(app) if "security" not in documented[route[1]][route[0]]} == PUBLIC
    # What the documentation leaves out is the documentation itself.
    assert {path for route in app.routes if (path := getattr(route, "path", "/")) not in documented} <= {
        "/openapi.json"
    }


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer nonsense"},
        {"Authorization": "Bearer \u00e9"},
        {"Authorization": "Basic dXNlcm5hbWU6c3Ryb25nX3Bhc3N3b3Jk"},
    ],
    ids=lambda headers: repr(headers.get("Authorization")),
)
def test_no_route_but_the_public_ones_answers_without_a_token(
    app: FastAPI, http: TestClient, headers: dict[str, str]
) -> None:
    tried = 0
    raw = {name.encode(): value.encode("latin-1") for name, value in headers.items()}
    for method, path in routes(app):
        if (method, path) in PUBLIC:
            continue
        answer = http.request(method, path.replace("{id}", str(uuid4())), headers=raw)
        assert answer.status_code == 401, (method, path, answer.text)
        assert "authenticated" in answer.json()["detail"]
        tried += 1
    assert tried == len(routes(app)) - len(PUBLIC)


def test_a_token_in_the_address_is_not_looked_at(http: TestClient, app: FastAPI) -> None:
    for name in ("token", "access_token"):
        assert http.get(f"/datasets/{uuid4()}?{name}=x").status_code == 401
