"""Failed logins are limited, for all processes that share the database."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select, update
from starlette.testclient import TestClient

from avatars.server.accounts import logins, service
from avatars.server.accounts.models import Counter
from avatars.server.app import create_app
from avatars.server.db import Database, utc_now
from avatars.server.errors import ApiError

if TYPE_CHECKING:
    from fastapi import FastAPI
    from tests.conftest import LogIn

    from avatars.server.jobs.compute import Compute
    from avatars.server.settings import Settings

ACCOUNT_FAILURES, ADDRESS_FAILURES = logins.ACCOUNT_FAILURES.times, logins.ADDRESS_FAILURES.times
LOGIN_WINDOW = logins.LOGIN_WINDOW

RIGHT = {"username": "username", "password": "strong_password"}
WRONG = {"username": "username", "password": "a wrong password"}


@pytest.fixture
def second(
    settings: Settings, compute: Compute, http: TestClient, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TestClient]:
    """Another app on the same database; it is never started, for a database has one platform."""
    own = settings.model_copy(update={"data_dir": tmp_path_factory.mktemp("second")})
    app = create_app(own, compute=compute)
    yield TestClient(app)
    app.state.database.dispose()


@pytest.fixture
def kept(app: FastAPI) -> Database:
    database: Database = app.state.database
    return database


def test_the_limit_of_an_account_holds_across_processes(
    http: TestClient, second: TestClient, log_in: LogIn, kept: Database
) -> None:
    log_in()
    for number in range(ACCOUNT_FAILURES):
        assert (http, second)[number % 2].post("/login", data=WRONG).status_code == 401
    for client in (http, second):
        for form in (WRONG, RIGHT):
            answer = client.post("/login", data=form)
            assert answer.status_code == 429
            assert 0 < int(answer.headers["retry-after"]) <= LOGIN_WINDOW.total_seconds()
            detail = answer.json()["detail"]
            assert detail["code"] == "too_many_logins"
            assert detail["message"] == "Too many logins failed: wait 15 minutes, then try again."
    # Others are not kept out.
    log_in("other", "another_password")
    # And it passes by itself.
    with kept.write() as session:
        session.execute(update(Counter).values(window_ends_at=utc_now()))
    assert http.post("/login", data=RIGHT).status_code == 200


def test_a_right_password_clears_the_account(http: TestClient, log_in: LogIn) -> None:
    log_in()
    for _ in range(2):
        for _ in range(ACCOUNT_FAILURES - 1):
            assert http.post("/login", data=WRONG).status_code == 401
        assert http.post("/login", data=RIGHT).status_code == 200


def test_names_that_do_not_exist_are_limited_alike(http: TestClient) -> None:
    wrong = {**WRONG, "username": "nobody"}
    answers = [http.post("/login", data=wrong).status_code for _ in range(ACCOUNT_FAILURES + 1)]
    assert answers == [401] * ACCOUNT_FAILURES + [429]


def test_the_spelling_of_a_name_does_not_get_around_the_limit(http: TestClient, log_in: LogIn) -> None:
    log_in()
    spellings = ["username", "USERNAME", "\uff55sername"]
    answers = [
        http.post("/login", data={**WRONG, "username": spellings[number % 3]}).status_code
        for number in range(ACCOUNT_FAILURES + 1)
    ]
    assert answers == [401] * ACCOUNT_FAILURES + [429]


def test_the_limit_of_an_address_is_not_cleared_by_a_right_password(
    http: TestClient, log_in: LogIn, kept: Database
) -> None:
    log_in()
    assert http.post("/login", data={**WRONG, "username": "first"}).status_code == 401
    with kept.write() as session:
        # One more failure and the address is at its limit.
        session.execute(update(Counter).values(times=ADDRESS_FAILURES - 1))
    assert http.post("/login", data=RIGHT).status_code == 200
    assert http.post("/login", data={**WRONG, "username": "second"}).status_code == 401
    assert http.post("/login", data={**WRONG, "username": "third"}).status_code == 429
    assert http.post("/login", data=RIGHT).status_code == 429


def test_attempts_at_the_same_moment_do_not_slip_through(kept: Database, settings: Settings, http: TestClient) -> None:
    service.create_user(kept, "username", "strong_password")

    def guess(number: int) -> int:
        try:
            logins.log_in(kept, settings, "username", f"a wrong password {number}", "192.0.2.1")
        except ApiError as error:
            return error.status_code
        return 200

    with ThreadPoolExecutor(8) as pool:
        answers = sorted(pool.map(guess, range(ACCOUNT_FAILURES + 10)))
    assert answers == [401] * ACCOUNT_FAILURES + [429] * 10


def test_right_and_wrong_logins_at_the_same_moment_do_not_block_each_other(
    kept: Database, settings: Settings, http: TestClient
) -> None:
    for number in range(4):
        service.create_user(kept, f"user{number}", "strong_password")

    def try_it(number: int) -> str:
        password = "strong_password" if number % 2 else "a wrong password"
        try:
            return logins.log_in(kept, settings, f"user{number % 4}", password, "192.0.2.1")[:0]
        except ApiError as error:
            return error.code

    with ThreadPoolExecutor(8) as pool:
        answers = sorted(pool.map(try_it, range(40)))
    # user0 and user2 failed ten times each, user1 and user3 never.
    assert answers == [""] * 20 + ["wrong_credentials"] * 20


def test_a_class_that_logs_in_with_one_account_at_the_same_moment_gets_in(
    kept: Database, settings: Settings, http: TestClient
) -> None:
    service.create_user(kept, "username", "strong_password")

    def come_in(_: int) -> str:
        return logins.log_in(kept, settings, "username", "strong_password", "192.0.2.1")

    with ThreadPoolExecutor(30) as pool:
        assert len(set(pool.map(come_in, range(30)))) == 30


def test_old_counters_are_deleted(http: TestClient, kept: Database) -> None:
    http.post("/login", data={**WRONG, "username": "first"})
    with kept.write() as session:
        session.execute(update(Counter).values(window_ends_at=utc_now() - timedelta(seconds=1)))
    http.post("/login", data={**WRONG, "username": "second"})
    with kept.read() as session:
        failures = session.scalars(select(Counter.times)).all()
    # The second name's, and the address's, which began anew.
    assert failures == [1, 1]


def test_what_is_typed_is_neither_logged_nor_kept(
    http: TestClient, kept: Database, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for _ in range(ACCOUNT_FAILURES + 1):
        http.post("/login", data={"username": "canary-name", "password": "canary-password"})
    log = capsys.readouterr().err
    assert "login.failed" in log
    assert "limit.reached" in log
    assert "canary" not in log
    assert "canary-password" not in caplog.text
    with kept.read() as session:
        rows = session.scalars(select(Counter)).all()
    assert all(len(row.key) == 64 for row in rows)
