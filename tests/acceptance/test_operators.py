"""The commands of those who run a platform, as they run them, beside a running one."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest
from tests.conftest import PASSWORD, Platform

pytestmark = pytest.mark.timeout(400)
"""Most tests start a platform; on a machine that is busy otherwise, that alone takes a while."""

CREDENTIALS = {"username": "ada", "password": PASSWORD}


def run(platform: Platform, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "avatars", *words, "--data-dir", str(platform.data_dir)]
    return subprocess.run(command, input=stdin, capture_output=True, text=True)


@pytest.fixture
def ada(new_platform: Callable[..., Platform]) -> Platform:
    platform = new_platform()
    platform.add_user("ada", PASSWORD, email="ada@example.org")
    return platform


def test_users_are_listed_disabled_and_enabled_beside_a_running_platform(ada: Platform) -> None:
    ada.start()
    with httpx2.Client(base_url=ada.base_url) as http:

        def log_in() -> int:
            return http.post("/login", data=CREDENTIALS).status_code

        assert log_in() == 200
        assert run(ada, "user", "list").stdout == "ada\tuser\tada@example.org\tactive\n"
        assert run(ada, "user", "disable", "Ada").stdout == "Ada cannot log in any more.\n"
        assert log_in() == 401
        assert run(ada, "user", "list").stdout == "ada\tuser\tada@example.org\tdisabled\n"
        refused = run(ada, "user", "reset-link", "ada")
        assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
        assert run(ada, "user", "enable", "ada").returncode == 0
        assert log_in() == 200


def test_a_reset_link_is_what_the_client_needs(ada: Platform) -> None:
    ada.start()
    lines = run(ada, "user", "reset-link", "ada").stdout
    assert 'client.reset_password("ada", "NEW PASSWORD", "NEW PASSWORD", "' in lines
    token = re.findall(r"[0-9a-f]{8}-[0-9a-f-]{27}", lines)
    body = {"email": "ada", "new_password": "another password", "new_password_repeated": "another password"}
    with httpx2.Client(base_url=ada.base_url) as http:
        assert http.post("/login/reset_password", json=body | {"token": token[0]}).status_code == 200
        assert http.post("/login", data=CREDENTIALS).status_code == 401
        assert http.post("/login", data=CREDENTIALS | {"password": "another password"}).status_code == 200


@pytest.mark.soak
def test_deleting_asks_first_and_takes_everything(ada: Platform) -> None:
    ada.start()
    with httpx2.Client(base_url=ada.base_url, timeout=60) as http:
        token = http.post("/login", data=CREDENTIALS).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        assert http.post("/datasets/stream", content=b"a\n1\n2\n", headers=headers).status_code == 200
        files = ada.data_dir / "files" / "datasets"
        assert len(list(files.iterdir())) == 1
        for words in (("purge", "--older-than-days", "0"), ("user", "delete", "ada")):
            refused = run(ada, *words, stdin="n\n")
            assert refused.returncode == 1
            assert len(list(files.iterdir())) == 1
        assert run(ada, "purge", "--older-than-days", "1", "--yes").stdout == "0 datasets deleted.\n"
        assert run(ada, "purge", "--older-than-days", "0", "--yes").stdout == "1 dataset deleted.\n"
        assert list(files.iterdir()) == []
        events = run(ada, "purge", "--audit-older-than-days", "0", "--yes").stdout
        assert re.fullmatch(r"\d+ events deleted\.\n", events)
        assert "--audit-older-than-days for the audit" in run(ada, "purge", "--yes").stderr
        assert run(ada, "user", "delete", "ada", "--yes").returncode == 0
        assert run(ada, "user", "list").stdout == ""
        assert http.get("/users/me", headers=headers).status_code == 401


@pytest.mark.parametrize("words", [("disable",), ("enable",), ("reset-link",), ("delete", "--yes")], ids="-".join)
def test_a_user_that_there_is_not_is_one_sentence(ada: Platform, words: tuple[str, ...]) -> None:
    ended = run(ada, "user", words[0], "bob", *words[1:])
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == "There is no user bob: see avatars user list.\n"


def test_the_doctor_finds_a_healthy_platform_healthy(ada: Platform) -> None:
    ada.start()
    ended = run(ada, "doctor")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    parts = re.findall(r"^ok +([a-z ]+):", ended.stdout, re.MULTILINE)
    assert parts == ["settings", "data folder", "database", "storage", "mail", "workers"]


def test_the_doctor_says_what_is_wrong_with_each_part(
    ada: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AVATARS_HOST", "0.0.0.0")
    monkeypatch.setenv("AVATARS_PUBLIC_URL", "http://avatars.example.org")
    monkeypatch.setenv("AVATARS_SMTP_HOST", "127.0.0.1")
    monkeypatch.setenv("AVATARS_SMTP_PORT", "1")
    monkeypatch.setenv("AVATARS_MAIL_FROM", "avatars@example.org")
    ada.data_dir.chmod(0o755)
    ended = run(ada, "doctor", "--database-url", "postgresql://ada@127.0.0.1:1/avatars")
    assert ended.returncode == 1
    wrong = re.findall(r"^WRONG +([a-z ]+): (.+)$", ended.stdout, re.MULTILINE)
    assert [part for part, _ in wrong] == ["settings", "data folder", "database", "mail"]
    assert all(sentence.endswith(".") for _, sentence in wrong)
    assert "Traceback" not in ended.stdout + ended.stderr


def test_the_database_of_an_older_version_is_brought_up_to_date(ada: Platform) -> None:
    assert run(ada, "db", "upgrade").stdout == "The database has the tables of this version.\n"
