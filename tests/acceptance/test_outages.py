"""The database, the mail server, the disk: away for a while, said in words meanwhile, and nothing is lost by it."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.acceptance.steps import (
    PASSWORD,
    USERNAME,
    assert_success,
    connect,
    create,
    outcome,
    until,
    upload_people,
    wait_until_under_way,
)
from tests.conftest import Platform, new_postgres_server
from tests.integration import mailbox
from tests.integration.mailbox import Mailbox

pytestmark = [pytest.mark.soak, pytest.mark.timeout(400)]

AWAY = 20
"""Seconds."""

ADDRESS = "ada@example.org"


def refusal(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["detail"]["code"]


# --- the database -----------------------------------------------------------------------------------------


@pytest.fixture
def postgres() -> Iterator[Any]:
    """A PostgreSQL server that nobody else uses: it may be ended."""
    with new_postgres_server() as server:
        yield server


def end_in_order(server: Any) -> None:
    server.stop()


def end_as_by_a_crash(server: Any) -> None:
    """All of its processes end at once, and what they had in memory is lost."""
    os.kill(server.get_pid(), signal.SIGQUIT)
    until(lambda: not server.get_postmaster_info().is_running())


@pytest.mark.parametrize("end", [end_in_order, end_as_by_a_crash])
def test_a_database_that_is_away_is_said_and_loses_no_job(
    new_platform: Callable[..., Platform], postgres: Any, end: Callable[[Any], None]
) -> None:
    platform = new_platform("--database-url", postgres.get_uri())
    platform.add_user(USERNAME, PASSWORD)
    platform.start()
    with connect(platform) as client:
        dataset_id = upload_people(client)
        job_ids = [create(client, dataset_id) for _ in range(6)]
        wait_until_under_way(client, job_ids[0])

        end(postgres)
        back = time.monotonic() + AWAY
        wish = {"parameters": {"k": 20, "dataset_id": dataset_id}}
        questions: dict[str, Callable[[], httpx2.Response]] = {
            "list": lambda: client.get("/datasets"),
            "look": lambda: client.get(f"/jobs/avatarization/{job_ids[-1]}", params={"wait": 5}),
            "create": lambda: client.post("/jobs/avatarization", json=wish),
            "upload": lambda: client.post("/datasets/stream", content=b"a\n1\n2\n"),
            "log in": lambda: client.post("/login", data={"username": USERNAME, "password": PASSWORD}),
            "ready": lambda: client.get("/health/ready"),
        }
        while time.monotonic() < back:
            for name, ask in questions.items():
                answer = ask()
                assert refusal(answer) == (503, "database_unreachable"), name
                assert answer.headers["Retry-After"], name
                assert "postgres" not in answer.text, name
            assert client.get("/health").status_code == 200
            time.sleep(0.2)

        postgres.ensure_postgres_running()
        until(lambda: client.get("/health/ready").status_code == 200)
        # The login of before still holds, and each job has its one result.
        jobs = [outcome(client, job_id) for job_id in job_ids]
        assert [job["status"] for job in jobs] == ["success"] * 6, [job["error_message"] for job in jobs]
        listed = client.get("/datasets").json()
        assert len(listed) == len({each["id"] for each in listed}) == 1 + 2 * len(jobs)
        for job in jobs:
            avatars = job["result"]["avatars_dataset"]["id"]
            assert client.get(f"/datasets/{avatars}/download").status_code == 200
        assert_success(client, create(client, dataset_id))
    assert platform.stop() == 0


# --- the mail server --------------------------------------------------------------------------------------


def test_a_mail_server_that_is_away_delays_mails_and_nothing_else(
    new_platform: Callable[..., Platform], monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox = Mailbox()
    server = mailbox.start(inbox)
    for name, value in {
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": str(server.port),
        "SMTP_SECURITY": "none",
        "MAIL_FROM": "avatars@example.org",
        "PUBLIC_URL": "https://avatars.example.org",
    }.items():
        monkeypatch.setenv(f"AVATARS_{name}", value)
    platform = new_platform()
    platform.add_user(USERNAME, PASSWORD, email=ADDRESS)
    platform.start()

    def forget() -> tuple[int, str]:
        answer = client.post("/login/forgotten_password", json={"email": ADDRESS})
        return answer.status_code, answer.text

    with connect(platform) as client:
        until(lambda: client.get("/health/ready").status_code == 200)
        there = forget()
        inbox.wait(1)
        server.stop()
        # Nobody who asks can tell, nor waits for it.
        assert forget() == there
        until(lambda: "mail.not_sent" in platform.log.read_text())
        assert client.get("/health/ready").status_code == 200
        platform.kill()
        platform.start()
        server = mailbox.start(inbox, server.port)
        mail = inbox.wait(2, seconds=90)[1]
        server.stop()
    assert mail["To"] == ADDRESS
    assert len(inbox.mails) == 2


# --- the disk ---------------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("only root can mount a small disk")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(file: Path) -> None:
    """Take what is left of the disk."""
    with file.open("ab", buffering=0) as stream:
        for block in (1 << 20, 1 << 12):
            try:
                while True:
                    stream.write(b"x" * block)
            except OSError as error:
                assert error.errno == errno.ENOSPC


def test_a_disk_that_is_full_to_the_last_byte_loses_nothing(small_disk: Path) -> None:
    """The database is on it too, and can write no more than the tables can."""
    platform = Platform(small_disk / "data")
    platform.log = small_disk.parent / "log"
    platform.add_user(USERNAME, PASSWORD)
    platform.start()
    try:
        with connect(platform) as client:
            dataset_id = upload_people(client)
            job_ids = [create(client, dataset_id) for _ in range(3)]
            wait_until_under_way(client, job_ids[0])
            ballast = small_disk / "ballast"
            fill(ballast)
            until(lambda: refusal(client.post("/datasets/stream", content=b"a\n1\n2\n")) == (507, "storage_full"))
            fill(ballast)
            wish = {"parameters": {"k": 20, "dataset_id": dataset_id}}
            until(lambda: client.post("/jobs/avatarization", json=wish).status_code == 507)
            assert client.get(f"/datasets/{dataset_id}/download").status_code in (200, 507)
            assert client.get("/datasets").status_code == 200
            assert client.get("/health").status_code == 200
            ballast.unlink()
            for job_id in job_ids:
                assert_success(client, job_id)
            upload_people(client, 500)
        assert platform.stop() == 0
    finally:
        platform.close()
