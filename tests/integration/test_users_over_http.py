"""Accounts over HTTP: who may make and see them, logging in by e-mail, logging out; and the audit of it all."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from tests.conftest import OTHER_PASSWORD, OTHER_USERNAME, LogIn
from tests.integration.steps import IRIS, Headers, create, outcome, upload

from avatars.server.accounts import service, user_routes
from avatars.server.accounts.models import Role, User
from avatars.server.app import create_app
from avatars.server.audit import service as audit
from avatars.server.db import Database
from avatars.server.jobs.compute import Compute
from avatars.server.settings import Settings

pytestmark = pytest.mark.databases("sqlite")
"""What is shown here does not depend on the database; where it does, both are named."""

PASSWORD = "a long password"


@pytest.fixture
def kept(app: FastAPI) -> Database:
    database: Database = app.state.database
    return database


@pytest.fixture
def boss(http: TestClient, kept: Database) -> User:
    return service.create_user(kept, "boss", PASSWORD, role=Role.ADMIN, email="boss@example.org")


@pytest.fixture
def admin(log_in: LogIn, boss: User) -> Headers:
    return log_in("boss", PASSWORD)


@pytest.fixture
def mine(log_in: LogIn) -> Headers:
    return log_in()


def names(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [user["username"] for user in answer.json()]


@pytest.mark.databases("sqlite", "postgresql")
def test_an_admin_makes_an_account_that_can_log_in(http: TestClient, admin: Headers, log_in: LogIn) -> None:
    body = {"username": "Ada", "email": "Ada@Example.org", "role": None, "is_email_confirmed": None}
    answer = http.post("/users", json={**body, "password": PASSWORD}, headers=admin)
    assert answer.status_code == 200, answer.text
    user = answer.json()
    assert (user["username"], user["email"], user["role"], user["is_active"]) == (
        "Ada",
        "ada@example.org",
        "user",
        True,
    )
    assert UUID(user["organization_id"]) == UUID(int=0)
    assert "password" not in answer.text
    assert http.get("/users/me", headers=log_in("ada", PASSWORD)).json() == user


def test_an_account_without_a_username_is_called_by_its_address(http: TestClient, admin: Headers) -> None:
    user = http.post("/users", json={"email": "Ada@example.org"}, headers=admin).json()
    assert (user["username"], user["email"]) == ("Ada@example.org", "ada@example.org")
    # Nobody has a password for it yet.
    for password in ("", "None", PASSWORD):
        assert http.post("/login", data={"username": "ada@example.org", "password": password}).status_code in (401, 422)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, "no_name"),
        ({"username": "a b"}, 400, "invalid_account"),
        ({"username": "ada", "email": "ada"}, 400, "invalid_account"),
        ({"username": "ada", "email": 'a"@example.org\nBcc: eve@example.org'}, 400, "invalid_account"),
        ({"username": "boss"}, 409, "name_taken"),
        ({"username": "boss@example.org"}, 409, "name_taken"),
        ({"username": "ada", "email": "BOSS@example.org"}, 409, "name_taken"),
        ({"username": "ada", "password": "short"}, 422, "invalid_request"),
        ({"username": "ada", "password": "x" * 129}, 422, "invalid_request"),
        ({"username": "ada", "role": "king"}, 422, "invalid_request"),
    ],
)
def test_an_account_that_cannot_be_is_refused(
    http: TestClient, admin: Headers, body: dict[str, Any], status: int, code: str
) -> None:
    answer = http.post("/users", json=body, headers=admin)
    assert answer.status_code == status, answer.text
    said = answer.json()
    assert (said["detail"]["code"] if status != 422 else said["code"]) == code


def test_admins_see_everybody_and_others_themselves(
    http: TestClient, admin: Headers, mine: Headers, boss: User
) -> None:
    assert names(http.get("/users", headers=admin)) == ["boss", "username"]
    assert names(http.get("/users", headers=mine)) == ["username"]
    # As clients up to 0.2 send it: what they leave out is an empty text.
    assert names(http.get("/users?email=&username=USERNAME", headers=admin)) == ["username"]
    assert names(http.get("/users?email=boss@example.org&username=", headers=admin)) == ["boss"]
    assert names(http.get("/users?email=boss@example.org&username=username", headers=admin)) == []
    assert names(http.get("/users?email=boss@example.org&username=", headers=mine)) == []
    me = http.get("/users/me", headers=mine).json()
    for address in ("/users/username", "/users/UserName", f"/users/{me['id']}"):
        assert http.get(address, headers=mine).json() == http.get(address, headers=admin).json() == me
    for address in ("/users/boss", f"/users/{boss.id}", "/users/nobody", f"/users/{uuid4()}", "/users/%00"):
        assert http.get(address, headers=mine).status_code == 404
    assert http.get("/users/boss", headers=admin).json()["id"] == str(boss.id)
    assert http.post("/users", json={"username": "ada"}, headers=mine).status_code == 403


def test_requests_about_users_are_limited(
    http: TestClient, admin: Headers, mine: Headers, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    monkeypatch.setattr(user_routes, "USER_REQUESTS", replace(user_routes.USER_REQUESTS, times=3))
    for address in ("/users", "/users/nobody", "/users?username=boss"):
        assert http.get(address, headers=mine).status_code in (200, 404)
    assert http.get("/users", headers=mine).status_code == 429
    # Others may, and who one is oneself is not limited.
    assert http.get("/users", headers=admin).status_code == 200
    assert http.get("/users/me", headers=mine).status_code == 200


def test_logging_out_ends_this_login_and_no_other(http: TestClient, log_in: LogIn) -> None:
    first, second = log_in(), log_in()
    answer = http.post("/logout", headers=first)
    assert (answer.status_code, answer.json()) == (200, {"message": "You are logged out."})
    assert http.get("/users/me", headers=first).status_code == 401
    assert http.post("/logout", headers=first).status_code == 401
    assert http.get("/users/me", headers=second).status_code == 200


@pytest.mark.parametrize("is_on", [True, False])
def test_an_address_logs_in_where_that_is_on(settings: Settings, compute: Compute, is_on: bool) -> None:
    told = settings.model_copy(update={"use_email_authentication": is_on})
    with TestClient(create_app(told, compute=compute)) as http:
        database = http.app.state.database  # type: ignore[attr-defined]
        service.create_user(database, "ada", PASSWORD, email="ada@example.org")

        def log_in(name: str, password: str = PASSWORD) -> int:
            return http.post("/login", data={"username": name, "password": password}).status_code

        assert log_in("Ada@Example.org") == (200 if is_on else 401)
        assert log_in("ada") == 200
        assert log_in("ada@example.org", "a wrong password") == 401


# --- the audit ------------------------------------------------------------------------------------------


def events(http: TestClient, admin: Headers, **params: Any) -> list[dict[str, Any]]:
    answer = http.get("/audit", params=params, headers=admin)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()
    return found


@pytest.mark.databases("sqlite", "postgresql")
def test_the_audit_tells_who_did_what_to_what(http: TestClient, admin: Headers, mine: Headers, boss: User) -> None:
    my_id = http.get("/users/me", headers=mine).json()["id"]
    id = upload(http, mine, IRIS.read_bytes())
    job = outcome(http, mine, create(http, mine, id)["id"])
    sensitive = job["result"]["sensitive_unshuffled_avatars_datasets"]["id"]
    request_id = http.get(f"/datasets/{sensitive}/download", headers=mine).headers["x-request-id"]
    http.get(f"/datasets/{id}/download?filetype=parquet", headers=mine)
    http.get(f"/projections/{job['id']}", headers=mine)
    http.patch(f"/datasets/{id}", json={"columns": []}, headers=mine)
    http.delete(f"/jobs/{job['id']}", headers=mine)
    http.delete(f"/datasets/{id}", headers=mine)
    http.post("/login", data={"username": "username", "password": "a wrong password"})
    http.post("/logout", headers=mine)
    did = [(each["action"], each["subject_id"]) for each in events(http, admin, actor_id=my_id)]
    assert did == [
        ("user.logged_out", my_id),
        ("dataset.deleted", id),
        ("job.deleted", job["id"]),
        ("dataset.declared", id),
        ("projections.read", job["id"]),
        ("dataset.downloaded", id),
        ("sensitive_dataset.downloaded", sensitive),
        ("job.created", job["id"]),
        ("dataset.created", id),
        ("user.logged_in", my_id),
    ]
    (download,) = events(http, admin, subject_id=sensitive)
    assert download["request_id"] == request_id
    failed = [each for each in events(http, admin) if each["action"] == "user.login_failed"]
    assert [(each["actor_id"], each["subject_id"]) for each in failed] == [(None, my_id)]
    # Reading it is recorded as well.
    assert events(http, admin, actor_id=str(boss.id))[0]["action"] == "audit.read"


def test_the_audit_is_for_admins(http: TestClient, admin: Headers, mine: Headers) -> None:
    answer = http.get("/audit", headers=mine)
    assert (answer.status_code, answer.json()["detail"]["code"]) == (403, "admins_only")


@pytest.mark.databases("sqlite", "postgresql")
def test_the_audit_comes_in_pages(
    http: TestClient, admin: Headers, mine: Headers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "MOST_EVENTS", 2)
    pages = [events(http, admin, before="")]
    while pages[-1]:
        pages.append(events(http, admin, before=pages[-1][-1]["id"]))
    ids = [each["id"] for page in pages for each in page]
    assert len(ids) >= 4
    assert ids == sorted(set(ids), reverse=True)
    at = pages[0][0]["at"]
    assert all(each["at"] >= at for each in events(http, admin, since=at))
    assert http.get("/audit", params={"since": "yesterday"}, headers=admin).status_code == 422


@pytest.mark.databases("sqlite", "postgresql")
def test_what_is_undone_is_not_in_the_audit(http: TestClient, admin: Headers, mine: Headers, log_in: LogIn) -> None:
    others = log_in(OTHER_USERNAME, OTHER_PASSWORD)
    id = upload(http, mine, b"a\n1\n2\n")
    before = len(events(http, admin))
    assert http.delete(f"/datasets/{id}", headers=others).status_code == 404
    assert http.get(f"/datasets/{id}/download", headers=others).status_code == 404
    assert len(events(http, admin)) == before + 1
