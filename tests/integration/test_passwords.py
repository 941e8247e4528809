"""Forgotten passwords: mails by a real mail server, tokens, new passwords."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from fastapi import FastAPI
from sqlalchemy import select, update
from starlette.testclient import TestClient
from tests.conftest import LogIn
from tests.integration import mailbox
from tests.integration.mailbox import Mailbox
from tests.integration.steps import until

from avatars.server.accounts import passwords, service
from avatars.server.accounts.models import PasswordReset, User
from avatars.server.app import create_app
from avatars.server.db import Database, utc_now
from avatars.server.jobs.compute import Compute
from avatars.server.mail.models import Mail
from avatars.server.mail.outbox import GIVE_UP_AFTER
from avatars.server.settings import Settings

pytestmark = pytest.mark.databases("sqlite")
"""What is shown here does not depend on the database; where it does, both are named."""

ADDRESS = "ada@example.org"
OLD, NEW = "the old password", "the new password"


@pytest.fixture
def inbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def mail_port(inbox: Mailbox) -> Iterator[int]:
    server = mailbox.start(inbox)
    yield server.port
    server.stop()


@pytest.fixture
def with_mail(settings: Settings, mail_port: int) -> Settings:
    return Settings.model_validate(
        settings.model_dump()
        | {
            "smtp_host": "127.0.0.1",
            "smtp_port": mail_port,
            "smtp_security": "none",
            "mail_from": "avatars@example.org",
            "public_url": "https://avatars.example.org",
        }
    )


@pytest.fixture
def app(with_mail: Settings, compute: Compute) -> FastAPI:
    return create_app(with_mail, compute=compute)


@pytest.fixture
def kept(app: FastAPI) -> Database:
    database: Database = app.state.database
    return database


@pytest.fixture
def ada(http: TestClient, kept: Database) -> User:
    return service.create_user(kept, "ada", OLD, email=ADDRESS)


def ask(http: TestClient, email: str = ADDRESS) -> dict[str, Any]:
    answer = http.post("/login/forgotten_password", json={"email": email})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    body: dict[str, Any] = answer.json()
    return body


def reset(http: TestClient, token: str, email: str = ADDRESS, new: str = NEW, again: str | None = None) -> Any:
    body = {"email": email, "new_password": new, "new_password_repeated": again or new, "token": token}
    return http.post("/login/reset_password", json=body)


def log_in_with(http: TestClient, password: str, name: str = "ada") -> int:
    return http.post("/login", data={"username": name, "password": password}).status_code


def text_of(mail: EmailMessage) -> str:
    content = mail.get_content()
    assert isinstance(content, str)
    return content.replace("\r\n", "\n")


def token_in(mail: EmailMessage) -> str:
    found = re.search(r"^ +([0-9a-f-]{36})$", text_of(mail), re.MULTILINE)
    assert found is not None
    return found[1]


@pytest.mark.databases("sqlite", "postgresql")
def test_the_whole_way_from_a_forgotten_password_to_a_new_one(
    http: TestClient, ada: User, inbox: Mailbox, log_in: LogIn
) -> None:
    headers = log_in("ada", OLD)
    ask(http)
    (mail,) = inbox.wait(1)
    assert (mail["To"], mail["From"], mail["Subject"]) == (ADDRESS, "avatars@example.org", "Set a new password")
    assert "https://avatars.example.org" in text_of(mail)
    assert "testserver" not in text_of(mail)
    answer = reset(http, token_in(mail))
    assert (answer.status_code, answer.json()["message"]) == (200, "The password is changed: log in with the new one.")
    assert log_in_with(http, OLD) == 401
    assert log_in_with(http, NEW) == 200
    # Whoever was logged in is not any more.
    assert http.get("/users/me", headers=headers).status_code == 401
    confirmation = inbox.wait(2)[1]
    assert (confirmation["To"], confirmation["Subject"]) == (ADDRESS, "Your password was changed")
    assert token_in(mail) not in text_of(confirmation)


@pytest.mark.databases("sqlite", "postgresql")
def test_a_token_works_once(http: TestClient, ada: User, inbox: Mailbox) -> None:
    ask(http)
    token = token_in(inbox.wait(1)[0])
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda number: reset(http, token, new=f"password number {number}"), range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 7
    assert {answer.json()["detail"]["code"] for answer in answers if answer.status_code == 400} == {"invalid_token"}
    (number,) = [number for number, answer in enumerate(answers) if answer.status_code == 200]
    assert log_in_with(http, f"password number {number}") == 200


def test_a_token_ends_after_a_day(http: TestClient, ada: User, inbox: Mailbox, kept: Database) -> None:
    ask(http)
    token = token_in(inbox.wait(1)[0])
    with kept.read() as session:
        left = session.scalars(select(PasswordReset.expires_at)).one() - utc_now()
    assert timedelta(hours=23, minutes=59) < left <= timedelta(hours=24)
    with kept.write() as session:
        session.execute(update(PasswordReset).values(expires_at=utc_now()))
    assert reset(http, token).status_code == 400
    assert log_in_with(http, OLD) == 200


def test_a_newer_mail_ends_the_token_of_an_older_one(http: TestClient, ada: User, inbox: Mailbox) -> None:
    tokens = []
    for number in (1, 2):
        ask(http)
        tokens.append(token_in(inbox.wait(number)[-1]))
    assert reset(http, tokens[0]).status_code == 400
    assert reset(http, tokens[1]).status_code == 200


def test_a_token_is_for_one_account(http: TestClient, ada: User, inbox: Mailbox, kept: Database) -> None:
    service.create_user(kept, "bob", OLD, email="bob@example.org")
    ask(http)
    token = token_in(inbox.wait(1)[0])
    assert reset(http, token, email="bob@example.org").status_code == 400
    assert reset(http, str(uuid4())).status_code == 400
    # And trying it elsewhere has not used it up.
    assert reset(http, token, email=ADDRESS.upper()).status_code == 200


def test_what_is_refused_leaves_the_token_as_it_is(http: TestClient, ada: User, inbox: Mailbox) -> None:
    ask(http)
    token = token_in(inbox.wait(1)[0])
    assert reset(http, token, new="short").status_code == 422
    assert reset(http, token, again="another password").status_code == 422
    assert reset(http, "token-received-by-mail").status_code == 422
    assert reset(http, token).status_code == 200


def test_an_unknown_address_gets_the_same_answer_and_no_mail(
    http: TestClient, ada: User, inbox: Mailbox, kept: Database
) -> None:
    known = ask(http)
    assert ask(http, "nobody@example.org") == known
    assert ask(http, "no address at all") == known
    ask(http)
    inbox.wait(2)
    assert {mail["To"] for mail in inbox.mails} == {ADDRESS}

    def the_queue_is_empty() -> bool:
        # A mail is out of the queue a moment after it was received.
        with kept.read() as session:
            return not session.scalars(select(Mail)).all()

    until(the_queue_is_empty)


def test_the_answer_to_a_request_does_the_same_work_for_everybody(
    http: TestClient, ada: User, app: FastAPI, kept: Database
) -> None:
    app.state.outbox.stop()
    for email in (ADDRESS, "nobody@example.org"):
        ask(http, email)
    with kept.read() as session:
        queued = {(mail.letter, mail.address) for mail in session.scalars(select(Mail))}
        assert session.scalars(select(PasswordReset)).all() == []
    assert queued == {("forgotten_password", ADDRESS), ("forgotten_password", "nobody@example.org")}


def test_a_disabled_account_gets_no_mail_and_its_token_is_worth_nothing(
    http: TestClient, ada: User, inbox: Mailbox, kept: Database
) -> None:
    ask(http)
    token = token_in(inbox.wait(1)[0])
    service.set_active(kept, ada.id, False)
    assert reset(http, token).status_code == 400
    service.set_active(kept, ada.id, True)
    assert reset(http, token).status_code == 400


@pytest.mark.databases("sqlite", "postgresql")
def test_mails_to_one_address_are_limited(http: TestClient, ada: User) -> None:
    for email in ("nobody@example.org", ADDRESS):
        for _ in range(passwords.MAILS_TO_ONE.times):
            ask(http, email)
        answer = http.post("/login/forgotten_password", json={"email": email.upper()})
        assert (answer.status_code, answer.json()["detail"]["code"]) == (429, "too_many_mails")
        assert 0 < int(answer.headers["retry-after"]) <= 3600


def test_who_is_kept_out_by_wrong_passwords_gets_in_with_a_new_one(http: TestClient, ada: User, inbox: Mailbox) -> None:
    assert [log_in_with(http, "a wrong password") for _ in range(11)][-1] == 429
    ask(http)
    assert reset(http, token_in(inbox.wait(1)[0])).status_code == 200
    assert log_in_with(http, NEW) == 200


def test_a_mail_server_that_refuses_for_now_gets_the_mail_later(
    http: TestClient, ada: User, inbox: Mailbox, app: FastAPI, kept: Database, caplog: pytest.LogCaptureFixture
) -> None:
    inbox.refusals = 1
    ask(http)
    until(lambda: "mail.not_sent" in caplog.text)
    # It is put back a moment after the line was logged; until then it is kept from other senders for minutes.
    until(lambda: _queued(kept)[0].due_at - utc_now() <= timedelta(seconds=10))
    assert inbox.mails == []
    with kept.write() as session:
        (mail,) = session.scalars(select(Mail))
        assert mail.due_at > mail.created_at
        mail.due_at = utc_now()
    app.state.outbox.wake()
    assert reset(http, token_in(inbox.wait(1)[0])).status_code == 200
    assert ADDRESS not in caplog.text


@pytest.mark.databases("sqlite", "postgresql")
def test_a_mail_server_that_is_away_loses_nothing_even_over_a_restart(
    with_mail: Settings, compute: Compute, inbox: Mailbox, tmp_path_factory: pytest.TempPathFactory
) -> None:
    away = with_mail.model_copy(update={"smtp_port": 1})
    with TestClient(create_app(away, compute=compute)) as http:
        database = http.app.state.database  # type: ignore[attr-defined]
        service.create_user(database, "ada", OLD, email=ADDRESS)
        ask(http)
        until(lambda: _queued(database)[0].attempts)
        with database.write() as session:
            session.execute(update(Mail).values(due_at=utc_now()))
    with TestClient(create_app(with_mail, compute=compute)) as http:
        assert reset(http, token_in(inbox.wait(1)[0])).status_code == 200


def _queued(database: Database) -> list[Mail]:
    with database.read() as session:
        return list(session.scalars(select(Mail)))


def test_after_a_day_a_mail_is_given_up(
    http: TestClient, ada: User, inbox: Mailbox, app: FastAPI, kept: Database
) -> None:
    inbox.refusals = 1
    with kept.write() as session:
        session.add(Mail(letter="forgotten_password", address=ADDRESS, created_at=utc_now() - GIVE_UP_AFTER))
    app.state.outbox.wake()
    until(lambda: not _queued(kept))
    assert inbox.mails == []


def test_the_database_holds_no_token_that_works(http: TestClient, ada: User, inbox: Mailbox, kept: Database) -> None:
    ask(http)
    token = token_in(inbox.wait(1)[0])
    with kept.read() as session:
        row = session.scalars(select(PasswordReset)).one()
    assert token not in (row.hash, str(row.user_id))
    assert token.replace("-", "") not in row.hash
    assert UUID(token).int.bit_length() <= 128


def test_mails_come_in_french_too(with_mail: Settings, compute: Compute, inbox: Mailbox) -> None:
    french = with_mail.model_copy(update={"mail_language": "fr"})
    with TestClient(create_app(french, compute=compute)) as http:
        service.create_user(http.app.state.database, "ada", OLD, email=ADDRESS)  # type: ignore[attr-defined]
        ask(http)
        (mail,) = inbox.wait(1)
        assert mail["Subject"] == "Choisir un nouveau mot de passe"
        assert "caractères" in text_of(mail)
        reset(http, token_in(mail))
        assert inbox.wait(2)[1]["Subject"] == "Votre mot de passe a été changé"


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_the_mail_server_is_checked_and_logged_in_to(
    settings: Settings, compute: Compute, inbox: Mailbox, tmp_path: Path, security: str
) -> None:
    server, certificate = mailbox.start_encrypted(inbox, tmp_path, security)
    told = settings.model_dump() | {
        "smtp_host": "localhost",
        "smtp_port": server.port,
        "smtp_security": security,
        "smtp_username": mailbox.LOGIN,
        "smtp_password": mailbox.PASSWORD,
        "mail_from": "avatars@example.org",
    }
    with TestClient(create_app(Settings.model_validate(told), compute=compute)) as http:
        database = http.app.state.database  # type: ignore[attr-defined]
        service.create_user(database, "ada", OLD, email=ADDRESS)
        ask(http)
        # A server that nobody vouches for is told nothing.
        until(lambda: _queued(database)[0].attempts)
    assert (inbox.mails, inbox.logins) == ([], [])
    trusting = Settings.model_validate(told | {"smtp_ca_file": certificate})
    with TestClient(create_app(trusting, compute=compute)) as http:
        ask(http)
        inbox.wait(1)
    assert inbox.logins == [True]
    server.stop()


# --- without mail ---------------------------------------------------------------------------------------


@pytest.fixture
def without_mail(settings: Settings, compute: Compute) -> Iterator[TestClient]:
    with TestClient(create_app(settings, compute=compute)) as client:
        yield client


def test_with_mail_off_both_routes_say_so(without_mail: TestClient) -> None:
    asked = without_mail.post("/login/forgotten_password", json={"email": ADDRESS})
    for answer in (asked, reset(without_mail, str(uuid4()))):
        assert (answer.status_code, answer.json()["detail"]["code"]) == (403, "mail_off")
        assert "sends no mail" in answer.json()["detail"]["message"]


def test_a_token_of_an_operator_works_without_mail_and_without_an_address(without_mail: TestClient) -> None:
    database = without_mail.app.state.database  # type: ignore[attr-defined]
    user = service.create_user(database, "ada", None)
    with database.write() as session:
        token = passwords.new_token(session, user.id)
    assert reset(without_mail, str(token), email="Ada").status_code == 200
    assert log_in_with(without_mail, NEW) == 200
