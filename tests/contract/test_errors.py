"""The shape of every refusal, as wire.md asks for it: JSON, message first, never the input."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import pytest
from fastapi import Body
from fastapi.responses import StreamingResponse
from sqlalchemy.engine import make_url

from avatars.server.middleware import ANONYMOUS_BODY, JSON_BODY

if TYPE_CHECKING:
    from pathlib import Path

    from fastapi import FastAPI
    from starlette.testclient import TestClient
    from tests.conftest import LogIn

pytestmark = pytest.mark.databases("sqlite")
"""What is shown here does not depend on the database."""

CANARY = "Dupont"
NOBODYS = UUID(int=1)


def refusal(answer: Any, status: int, code: str) -> str:
    """Check the shape of an error; its message."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert next(iter(body)) == "detail"
    detail = body["detail"]
    assert next(iter(detail)) == "message"
    assert detail["code"] == code
    assert detail["request_id"] == answer.headers["x-request-id"]
    message = detail["message"]
    assert isinstance(message, str)
    assert message[0].isupper()
    assert message.endswith(".")
    return message


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "unknown_route"),
        ("GET", f"/{CANARY}", 404, "unknown_route"),
        ("DELETE", "/login", 405, "method_not_allowed"),
        ("POST", "/health", 405, "method_not_allowed"),
        ("GET", f"/datasets/{NOBODYS}", 404, "not_found"),
        ("GET", f"/datasets/{NOBODYS}/download", 404, "not_found"),
        ("GET", f"/jobs/avatarization/{NOBODYS}", 404, "not_found"),
    ],
)
def test_refusals_are_json_with_the_message_first(
    http: TestClient, log_in: LogIn, method: str, path: str, status: int, code: str
) -> None:
    assert CANARY not in refusal(http.request(method, path, headers=log_in()), status, code)


def test_a_missing_token_says_so_in_the_words_that_old_clients_look_for(http: TestClient) -> None:
    answer = http.get(f"/datasets/{NOBODYS}")
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["www-authenticate"] == "Bearer"
    body = answer.json()
    assert list(body) == ["detail", "code", "request_id"]
    assert body["detail"].startswith("You are not authenticated.")


def test_an_invalid_request_is_a_list_of_places_and_plain_words(http: TestClient, log_in: LogIn) -> None:
    parameters = {"k": CANARY, "dataset_id": str(NOBODYS), "ncp": None}
    answer = http.post("/jobs/avatarization", json={"parameters": parameters}, headers=log_in())
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert list(body) == ["detail", "code", "request_id"]
    assert body["detail"] == [
        {"loc": ["body", "parameters", "k"], "msg": "must be a whole number", "type": "int_parsing"}
    ]


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b'{"parameters": "Dupont"}', b"[]", b"null", b""])
def test_bodies_that_are_no_request_are_refused_without_being_repeated(
    http: TestClient, log_in: LogIn, body: bytes
) -> None:
    headers = {**log_in(), "Content-Type": "application/json"}
    answer = http.post("/jobs/avatarization", content=body, headers=headers)
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/json"
    assert CANARY not in answer.text


@pytest.mark.parametrize("header", ["multipart/form-data", "multipart/form-data; boundary=x"])
def test_a_broken_form_is_refused(http: TestClient, header: str) -> None:
    answer = http.post("/login", content=b"--y\r\nDupont", headers={"Content-Type": header})
    assert answer.status_code in (400, 422)
    assert CANARY not in answer.text


def test_a_body_that_is_too_large_is_refused(http: TestClient, log_in: LogIn) -> None:
    # As soon as it is: a stranger's upload must not be read, let alone be kept.
    form = {"file": ("file.csv", b"x" * (2 * ANONYMOUS_BODY))}
    refusal(http.post("/login", files=form), 413, "payload_too_large")
    refusal(http.post("/login", data={"username": "x" * 2 * ANONYMOUS_BODY}), 413, "payload_too_large")
    headers = {**log_in(), "Content-Type": "application/json"}
    large = b" " * (JSON_BODY + 1)
    refusal(http.post("/jobs/avatarization", content=large, headers=headers), 413, "payload_too_large")


def test_what_nobody_foresaw_is_a_500_that_tells_and_logs_no_cell(
    app: FastAPI, http: TestClient, capsys: pytest.CaptureFixture[str]
) -> None:
    def crash(body: Annotated[Any, Body()]) -> None:
        float(body["cell"])

    app.add_api_route("/crash", crash, methods=["POST"])
    answer = http.post("/crash", json={"cell": CANARY})
    message = refusal(answer, 500, "internal_error")
    assert answer.headers["x-request-id"] in message
    assert answer.headers["x-content-type-options"] == "nosniff"
    log = capsys.readouterr().err
    assert CANARY not in answer.text + log
    assert '"event": "request.failed"' in log
    assert '"error": "ValueError"' in log
    assert answer.headers["x-request-id"] in log


def test_an_answer_that_breaks_off_does_not_look_whole(app: FastAPI, http: TestClient) -> None:
    async def break_off() -> StreamingResponse:
        async def stream() -> Any:
            yield b"first half"
            await asyncio.sleep(0)
            raise OSError(CANARY)

        return StreamingResponse(stream())

    app.add_api_route("/break", break_off)
    # In this process the error itself comes through; over a network the connection breaks.
    with pytest.raises(OSError, match=CANARY):
        http.get("/break")


@contextmanager
def database_outage(app: FastAPI, url: str, admin: str) -> Iterator[None]:
    """Take the database away, in earnest."""
    import psycopg

    parsed = make_url(url)
    if parsed.drivername == "sqlite":
        from pathlib import Path

        app.state.database.dispose()
        file = Path(str(parsed.database))
        away = file.rename(file.with_suffix(".away"))
        file.mkdir()
        yield
        file.rmdir()
        away.rename(file)
        return
    with psycopg.connect(admin, autocommit=True) as connection:
        name = str(parsed.database)
        connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false".encode())
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        yield
        connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true".encode())


def test_a_database_that_is_away_is_a_503_until_it_is_back(
    app: FastAPI, http: TestClient, log_in: LogIn, database_url: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    admin = "" if database_url.startswith("sqlite") else request.getfixturevalue("postgres_server")
    headers = log_in()
    with database_outage(app, database_url, admin):
        for path in ("/health/db", f"/datasets/{NOBODYS}"):
            answer = http.get(path, headers=headers)
            refusal(answer, 503, "database_unreachable")
            assert int(answer.headers["retry-after"]) > 0
        assert http.get("/health").status_code == 200
    assert http.get("/health/db").status_code == 200
    assert http.get(f"/datasets/{NOBODYS}", headers=headers).status_code == 404
