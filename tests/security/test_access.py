"""Who may call what: every route of the documentation, not a list that somebody has to keep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from tests.conftest import OTHER_PASSWORD, OTHER_USERNAME, LogIn
from tests.integration.steps import IRIS, Headers, create, measure, measured, outcome, upload

from avatars.server.accounts import service
from avatars.server.accounts.models import Role

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.testclient import TestClient

pytestmark = pytest.mark.databases("sqlite")
"""What is shown here does not depend on the database; where it does, both are named."""

PUBLIC = {
    ("get", "/"),
    ("get", "/check_client"),
    ("get", "/health"),
    ("get", "/health/db"),
    ("get", "/health/ready"),
    ("post", "/login"),
    ("post", "/login/forgotten_password"),
    ("post", "/login/reset_password"),
}
"""Whatever else there is needs a login."""

ADMINS_ONLY = {("get", "/audit"), ("post", "/jobs/{id}/release"), ("post", "/users")}

Route = tuple[str, str]


def routes(app: FastAPI) -> list[Route]:
    return [(method, path) for path, methods in app.openapi()["paths"].items() for method in methods]


def ids_in(app: FastAPI, route: Route) -> list[str]:
    """The parameters of a route, in its path or query, that name somebody's thing."""
    parameters = app.openapi()["paths"][route[1]][route[0]].get("parameters", [])
    return [each["name"] for each in parameters if each["in"] == "path" or each["name"].endswith("_id")]


def filled(path: str, value: str) -> str:
    for name in ("id", "job_id", "name_or_id"):
        path = path.replace(f"{{{name}}}", value)
    path = path.replace("{name}", "links")
    assert "{" not in path, f"{path} has an id that this test does not know"
    return path


def test_what_is_documented_as_public_is_public_by_intention(app: FastAPI) -> None:
    documented = app.openapi()["paths"]
    assert {route for route in routes(app) if "security" not in documented[route[1]][route[0]]} == PUBLIC
    # What the documentation leaves out is the documentation itself.
    paths = {path for route in app.routes if (path := getattr(route, "path", None)) is not None}
    assert paths - set(documented) <= {"/openapi.json", "/docs"}


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
        answer = http.request(method, filled(path, str(uuid4())), headers=raw)
        assert answer.status_code == 401, (method, path, answer.text)
        assert "authenticated" in answer.json()["detail"]
        tried += 1
    assert tried == len(routes(app)) - len(PUBLIC)


def test_a_token_in_the_address_is_not_looked_at(http: TestClient, app: FastAPI, log_in: LogIn) -> None:
    token = log_in()["Authorization"].split()[1]
    for name in ("token", "access_token", "Authorization"):
        assert http.get("/users/me", params={name: token}).status_code == 401


class Things:
    """One of everything, and whose it is."""

    def __init__(self, http: TestClient, owner: Headers) -> None:
        self.dataset = upload(http, owner, IRIS.read_bytes())
        self.avatarization: str = create(http, owner, self.dataset)["id"]
        self.privacy = measure(http, owner, "privacy", self.dataset, self.dataset)
        self.signal = measure(http, owner, "signal", self.dataset, self.dataset)
        self.user: str = http.get("/users/me", headers=owner).json()["id"]
        outcome(http, owner, self.avatarization)
        for family, job in (("privacy", self.privacy), ("signal", self.signal)):
            measured(http, owner, family, job)
        self.report: str = http.post("/reports", json={"job_id": self.avatarization}, headers=owner).json()["id"]

    def of(self, path: str) -> str:
        """The id that a route's address has to be filled in with."""
        if path.startswith("/datasets/"):
            return self.dataset
        if path.startswith("/users/"):
            return self.user
        if path.startswith("/reports/{id}"):
            return self.report
        return {"privacy": self.privacy, "signal": self.signal}.get(path.rpartition("/")[2], self.avatarization)


ADMINS_BODIES = {"/jobs/{id}/release": {"reason": "For a test of access."}, "/users": {"username": "ada"}}

BODIES: dict[str, dict[str, Any]] = {
    "/datasets/{id}": {"columns": []},
    "/jobs/{id}/assessment": {"thoroughness": "quick"},
}
"""Of routes with an id in their address; those in bodies have their own test."""


def call(http: TestClient, app: FastAPI, route: Route, things: Things, headers: Headers) -> Any:
    method, path = route
    params = {"job_id": things.avatarization} if path == "/contributions" else {}
    body = BODIES.get(path) if method in ("patch", "post", "put") else None
    return http.request(method, filled(path, things.of(path)), params=params, json=body, headers=headers)


@pytest.mark.databases("sqlite", "postgresql")
def test_things_are_their_owners_and_nobody_elses(http: TestClient, app: FastAPI, log_in: LogIn) -> None:
    owner, other = log_in(), log_in(OTHER_USERNAME, OTHER_PASSWORD)
    service.create_user(app.state.database, "boss", OTHER_PASSWORD, role=Role.ADMIN)
    admin = log_in("boss", OTHER_PASSWORD)
    things = Things(http, owner)
    # Deleting comes last, and the dataset after the jobs about it.
    with_ids = sorted(
        (route for route in routes(app) if ids_in(app, route) and route not in ADMINS_ONLY),
        key=lambda route: (route[0] == "delete", route[1] == "/datasets/{id}"),
    )
    assert len(with_ids) >= 17
    for route in with_ids:
        for name, headers in (("other", other), ("admin", admin)):
            expected = 200 if (name == "admin" and route[1].startswith("/users/")) else 404
            answer = call(http, app, route, things, headers)
            assert answer.status_code == expected, (name, route, answer.text)
        assert call(http, app, route, things, {}).status_code == 401, route
        answer = call(http, app, route, things, owner)
        assert answer.status_code == 200, ("owner", route, answer.text)


def test_ids_in_bodies_are_looked_at_in_the_same_way(http: TestClient, app: FastAPI, log_in: LogIn) -> None:
    owner, other = log_in(), log_in(OTHER_USERNAME, OTHER_PASSWORD)
    things = Things(http, owner)
    own = upload(http, other, IRIS.read_bytes())
    own_job = create(http, other, own)["id"]
    jobs = {f"{family}_job_id": measure(http, other, family, own, own) for family in ("privacy", "signal")}
    outcome(http, other, own_job)
    for family in ("privacy", "signal"):
        measured(http, other, family, jobs[f"{family}_job_id"])
    bodies: dict[str, list[dict[str, Any]]] = {
        "/jobs": [{"k": 5, "dataset_id": things.dataset}],
        "/jobs/avatarization": [{"k": 5, "dataset_id": things.dataset}],
        "/jobs/metrics/privacy": [
            {"original_id": things.dataset, "unshuffled_avatars_id": own},
            {"original_id": own, "unshuffled_avatars_id": things.dataset},
            {"original_id": own, "unshuffled_avatars_id": own, "job_id": things.avatarization},
            {"original_id": own, "unshuffled_avatars_id": own, "holdout_id": things.dataset},
        ],
        "/jobs/metrics/signal": [
            {"original_id": things.dataset, "avatars_id": own},
            {"original_id": own, "avatars_id": things.dataset},
            {"original_id": own, "avatars_id": own, "job_id": things.avatarization},
            {"original_id": own, "avatars_id": own, "holdout_id": things.dataset},
        ],
    }
    reports = {
        "/reports": [
            {"job_id": things.avatarization},
            {"avatarization_job_id": own_job, "privacy_job_id": things.privacy},
            {"avatarization_job_id": own_job, "signal_job_id": things.signal},
        ],
        "/reports/from_data": [
            {"dataset_id": things.dataset, "avatars_dataset_id": own, **jobs},
            {"dataset_id": own, "avatars_dataset_id": things.dataset, **jobs},
            {"dataset_id": own, "avatars_dataset_id": own, **jobs, "privacy_job_id": things.privacy},
            {"dataset_id": own, "avatars_dataset_id": own, **jobs, "signal_job_id": things.signal},
        ],
    }
    # Every route whose body names an id is among them.
    schemas = app.openapi()["components"]["schemas"]
    naming = {
        path
        for method, path in routes(app)
        if method == "post"
        for schema in [_body_of(app, path)]
        if schema
        and any(field.endswith("_id") for field in schemas[schema]["properties"] | _parameters(schemas, schema))
        and schema not in ("Body_login_login_post",)
    }
    assert naming == set(bodies) | set(reports)
    for path, variants in bodies.items():
        for parameters in variants:
            answer = http.post(path, json={"parameters": parameters}, headers=other)
            assert answer.status_code == 404, (path, parameters, answer.text)
    for path, variants in reports.items():
        for body in variants:
            answer = http.post(path, json=body, headers=other)
            assert answer.status_code == 404, (path, body, answer.text)


def _body_of(app: FastAPI, path: str) -> str:
    content = app.openapi()["paths"][path]["post"].get("requestBody", {}).get("content", {})
    schema = content.get("application/json", {}).get("schema", {})
    return str(schema.get("$ref", "")).rpartition("/")[2]


def _parameters(schemas: dict[str, Any], name: str) -> dict[str, Any]:
    reference = schemas[name]["properties"].get("parameters", {}).get("$ref", "")
    found: dict[str, Any] = schemas[reference.rpartition("/")[2]]["properties"] if reference else {}
    return found


def test_what_is_for_admins_is_for_nobody_else(http: TestClient, app: FastAPI, log_in: LogIn) -> None:
    headers = log_in()
    for method, path in routes(app):
        body = ADMINS_BODIES.get(path) if method == "post" else None
        if (method, path) in ADMINS_ONLY:
            address = filled(path, str(uuid4()))
            assert http.request(method, address, json=body, headers=headers).status_code == 403
