"""Tokens: what is kept of them, and when they end."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select, text, update

from avatars.server.accounts import logins, service
from avatars.server.accounts.models import Token, User
from avatars.server.db import Database, utc_now
from avatars.server.security import needs_new_hash, token_hash

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.testclient import TestClient
    from tests.conftest import LogIn

    from avatars.server.settings import Settings


@pytest.fixture
def kept(app: FastAPI) -> Database:
    database: Database = app.state.database
    return database


def status(http: TestClient, headers: dict[str, str]) -> int:
    """404: known, and looked for a dataset that is not there. 401: not known."""
    code: int = http.get(f"/datasets/{uuid4()}", headers=headers).status_code
    return code


def only_token(kept: Database) -> Token:
    with kept.read() as session:
        return session.scalars(select(Token)).one()


def change(kept: Database, **values: datetime) -> None:
    with kept.write() as session:
        session.execute(update(Token).values(**values))


def user_id(kept: Database) -> UUID:
    with kept.read() as session:
        return session.scalars(select(User.id)).one()


def test_the_database_holds_the_hash_of_a_token_and_not_the_token(
    http: TestClient, log_in: LogIn, kept: Database
) -> None:
    token = log_in()["Authorization"].removeprefix("Bearer ")
    assert only_token(kept).hash == token_hash(token)
    with kept.read() as session:
        for table in ("users", "tokens", "counters"):
            for row in session.execute(text(f"SELECT * FROM {table}")):
                assert token not in map(str, row)
                assert "strong_password" not in " ".join(map(str, row))


def test_a_hash_of_the_database_is_no_token(http: TestClient, log_in: LogIn, kept: Database) -> None:
    log_in()
    assert status(http, {"Authorization": f"Bearer {only_token(kept).hash}"}) == 401


def test_a_token_ends_after_a_time_without_requests(
    http: TestClient, log_in: LogIn, kept: Database, settings: Settings
) -> None:
    headers = log_in()
    idle = timedelta(hours=settings.token_idle_hours)
    change(kept, last_used_at=utc_now() - idle + timedelta(minutes=1))
    assert status(http, headers) == 404
    change(kept, last_used_at=utc_now() - idle)
    assert status(http, headers) == 401


def test_a_token_ends_however_much_it_is_used(
    http: TestClient, log_in: LogIn, kept: Database, settings: Settings
) -> None:
    headers = log_in()
    assert only_token(kept).expires_at == only_token(kept).created_at + timedelta(hours=settings.token_absolute_hours)
    change(kept, expires_at=utc_now())
    assert status(http, headers) == 401


def test_the_last_use_is_written_at_most_once_a_minute(http: TestClient, log_in: LogIn, kept: Database) -> None:
    headers = log_in()
    recently, earlier = utc_now() - timedelta(seconds=50), utc_now() - timedelta(seconds=70)
    change(kept, last_used_at=recently)
    status(http, headers)
    assert only_token(kept).last_used_at == recently
    change(kept, last_used_at=earlier)
    status(http, headers)
    assert only_token(kept).last_used_at > recently


def test_disabling_a_user_ends_every_login_for_good(http: TestClient, log_in: LogIn, kept: Database) -> None:
    first, second = log_in(), log_in()
    service.set_active(kept, user_id(kept), False)
    assert [status(http, headers) for headers in (first, second)] == [401, 401]
    form = {"username": "username", "password": "strong_password"}
    refused = http.post("/login", data=form)
    assert refused.status_code == 401
    assert refused.json()["detail"]["code"] == "wrong_credentials"
    service.set_active(kept, user_id(kept), True)
    assert [status(http, headers) for headers in (first, second)] == [401, 401]
    assert http.post("/login", data=form).status_code == 200


def test_a_token_of_a_disabled_user_is_worth_nothing_even_if_it_is_still_there(
    http: TestClient, log_in: LogIn, kept: Database
) -> None:
    headers = log_in()
    with kept.write() as session:
        session.execute(update(User).values(is_active=False))
    assert status(http, headers) == 401


def test_tokens_that_are_over_are_deleted_at_the_next_login(http: TestClient, log_in: LogIn, kept: Database) -> None:
    log_in()
    old = only_token(kept).hash
    change(kept, expires_at=utc_now())
    log_in()
    assert only_token(kept).hash != old


def test_a_password_hash_of_other_costs_is_renewed_at_login(http: TestClient, log_in: LogIn, kept: Database) -> None:
    log_in()
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("strong_password")
    with kept.write() as session:
        session.execute(update(User).values(password_hash=weak))
    log_in()
    with kept.read() as session:
        assert not needs_new_hash(session.scalars(select(User.password_hash)).one())
    log_in()


def test_logins_that_renew_a_hash_at_the_same_moment_all_get_in(
    http: TestClient, log_in: LogIn, kept: Database, settings: Settings
) -> None:
    log_in()
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("strong_password")
    with kept.write() as session:
        session.execute(update(User).values(password_hash=weak))
    with ThreadPoolExecutor(8) as threads:
        come_in = threads.map(
            lambda _: logins.log_in(kept, settings, "username", "strong_password", "192.0.2.1"), range(8)
        )
        assert len(set(come_in)) == 8
