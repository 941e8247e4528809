"""POST /login, as existing clients call it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from starlette.testclient import TestClient
    from tests.conftest import LogIn

pytestmark = pytest.mark.databases("sqlite")
"""What is shown here does not depend on the database; where it does, both are named."""

OLD_CLIENT_FORM = "grant_type=&username=username&password=strong_password&scope=&client_id=&client_secret="
"""What a client 0.2.1 sends, to the letter."""


@pytest.fixture(autouse=True)
def _user(log_in: LogIn) -> None:
    log_in("username", "strong_password")


def test_the_form_of_a_0_2_1_client_logs_in(http: TestClient) -> None:
    answer = http.post("/login", content=OLD_CLIENT_FORM, headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert set(answer.json()) == {"access_token", "token_type"}
    assert answer.json()["token_type"] == "bearer"


@pytest.mark.parametrize("grant_type", [{}, {"grant_type": ""}, {"grant_type": "password"}], ids=str)
@pytest.mark.parametrize("kind", ["urlencoded", "multipart"])
def test_both_kinds_of_forms_log_in_with_any_usual_grant_type(
    http: TestClient, kind: str, grant_type: dict[str, str]
) -> None:
    form = {"username": "username", "password": "strong_password", **grant_type}
    if kind == "urlencoded":
        answer = http.post("/login", data=form)
    else:
        answer = http.post("/login", files={name: (None, value) for name, value in form.items()})
    assert answer.status_code == 200
    token = answer.json()["access_token"]
    again = http.get("/datasets/00000000-0000-0000-0000-000000000000", headers={"Authorization": f"Bearer {token}"})
    assert again.status_code == 404


@pytest.mark.databases("sqlite", "postgresql")
def test_names_are_compared_without_case(http: TestClient) -> None:
    answer = http.post("/login", data={"username": "UserName", "password": "strong_password"})
    assert answer.status_code == 200


def test_each_login_gives_another_token(http: TestClient) -> None:
    form = {"username": "username", "password": "strong_password"}
    assert http.post("/login", data=form).json() != http.post("/login", data=form).json()


@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("username", "wrong_password"),
        ("username", "strong_password "),
        ("nobody", "strong_password"),
        ("user\x00name", "strong_password"),
        ("username", "x" * 10_000),
        ("", "strong_password"),
    ],
    ids=["wrong password", "longer password", "unknown user", "NUL", "huge password", "no name"],
)
def test_a_wrong_login_has_one_answer_whatever_is_wrong(http: TestClient, username: str, password: str) -> None:
    answer = http.post("/login", data={"username": username, "password": password})
    if not username:
        # An empty field counts as absent.
        assert answer.status_code == 422
        return
    assert answer.status_code == 401
    detail = answer.json()["detail"]
    assert list(detail) == ["message", "code", "request_id"]
    assert detail["message"] == "The username or the password is wrong: check both, and try again."
    assert detail["code"] == "wrong_credentials"


def test_an_unknown_grant_type_is_refused(http: TestClient) -> None:
    form = {"username": "username", "password": "strong_password", "grant_type": "client_credentials"}
    answer = http.post("/login", data=form)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", "grant_type"]
