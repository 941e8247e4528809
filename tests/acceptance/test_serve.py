"""``avatars serve`` as a real process: starting, stopping, failing to start."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from tests.acceptance.steps import (
    PASSWORD,
    USERNAME,
    assert_success,
    connect,
    create,
    look,
    upload_people,
    wait_until_under_way,
)

if TYPE_CHECKING:
    from tests.conftest import Platform

pytestmark = pytest.mark.timeout(400)
"""Most tests start a platform or several; on a machine that is busy otherwise, that alone takes a while."""

SERVE = [sys.executable, "-m", "avatars", "serve"]
FORM = {"username": USERNAME, "password": PASSWORD}


def serve(*options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A platform that is not expected to start."""
    return subprocess.run(
        [*SERVE, *options], capture_output=True, text=True, timeout=60, env={**os.environ, **environment}
    )


def sentence(ended: subprocess.CompletedProcess[str]) -> str:
    """The one sentence of a platform that did not start; lines of the log do not count."""
    assert ended.returncode == 1
    assert ended.stdout == ""
    [line] = [line for line in ended.stderr.splitlines() if not line.startswith("{")]
    assert "Traceback" not in ended.stderr
    return line


def test_a_started_platform_answers_at_the_address_that_it_prints(platform: Platform) -> None:
    assert platform.base_url.startswith("http://127.0.0.1:")
    assert httpx2.get(f"{platform.base_url}/health").json() == {"status": "ok"}
    assert httpx2.post(f"{platform.base_url}/login", data=FORM).status_code == 200


def test_its_data_is_for_its_own_user_only(platform: Platform) -> None:
    found = [platform.data_dir, *platform.data_dir.rglob("*")]
    assert [path for path in found if not path.is_symlink() and path.stat().st_mode & 0o077] == []


def test_every_line_of_its_log_is_json(platform: Platform) -> None:
    httpx2.get(f"{platform.base_url}/health")
    lines: list[dict[str, Any]] = []
    deadline = time.monotonic() + 60
    # A request is written down once it is answered.
    while not {"platform.started", "request"} <= {line["event"] for line in lines}:
        assert time.monotonic() < deadline
        lines = [json.loads(line) for line in platform.log.read_text().splitlines(keepends=True) if line.endswith("\n")]
    # What others have to say about themselves is not for operators.
    assert {line["logger"].split(".")[0] for line in lines} == {"avatars"}


def test_it_stops_at_a_signal_and_starts_again_on_the_same_data_also_after_it_was_killed(
    new_platform: Callable[..., Platform],
) -> None:
    platform = new_platform()
    platform.add_user("username", "strong_password")
    platform.start()
    login = httpx2.post(f"{platform.base_url}/login", data=FORM).json()
    headers = {"Authorization": f"Bearer {login['access_token']}"}
    address = f"{platform.base_url}/datasets/00000000-0000-0000-0000-000000000000"
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGKILL):
        assert platform.end(number) == (-number if number is signal.SIGKILL else 0)
        with pytest.raises(httpx2.ConnectError):
            httpx2.get(address)
        platform.start()
        # Logins survive.
        assert httpx2.get(address, headers=headers).status_code == 404
    assert platform.log.read_text().count("platform.stopped") == 2


def test_its_start_loads_nothing_that_only_workers_need() -> None:
    # How long a start takes is measured by `make bench`.
    theirs = {"numba", "matplotlib", "pandas", "scipy", "distributed"}
    program = f"import avatars.cli, avatars.server.app, sys; print(sorted({theirs} & set(sys.modules)))"
    assert subprocess.check_output([sys.executable, "-c", program], text=True) == "[]\n"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says what a process has loaded")
def test_nor_does_it_once_jobs_have_come_back(new_platform: Callable[..., Platform]) -> None:
    # All that is loaded is gone through for garbage again and again, and everybody waits meanwhile.
    platform = new_platform()
    platform.add_user(USERNAME, PASSWORD)
    platform.start()
    with connect(platform) as client:
        job_id = create(client, upload_people(client, rows=200))
        assert_success(client, job_id)
        deadline = time.monotonic() + 120
        while (job := look(client, job_id, wait=30))["result"]["assessment"]["status"] != "success":
            assert time.monotonic() < deadline
            time.sleep(0.1)
    assert job["result"]["assessment"]["verdict"]
    loaded = Path(f"/proc/{platform.pid}/maps").read_text()
    assert "pyarrow" in loaded
    assert [each for each in ("scipy", "numba", "matplotlib", "sklearn") if f"/{each}/" in loaded] == []


@pytest.mark.databases("postgresql", empty=True)
def test_it_runs_on_the_given_database(new_platform: Callable[..., Platform], database_url: str) -> None:
    platform = new_platform("--database-url", database_url)
    platform.add_user("username", "strong_password")
    platform.start()
    assert httpx2.post(f"{platform.base_url}/login", data=FORM).status_code == 200
    assert httpx2.get(f"{platform.base_url}/health/db").status_code == 200


@pytest.mark.parametrize(("trusted", "address"), [("", "127.0.0.1"), ("127.0.0.1", "203.0.113.9")])
def test_the_address_that_logins_are_limited_by_is_not_up_to_the_client(
    new_platform: Callable[..., Platform], monkeypatch: pytest.MonkeyPatch, trusted: str, address: str
) -> None:
    monkeypatch.setenv("AVATARS_TRUSTED_PROXIES", trusted)
    platform = new_platform()
    platform.start()
    httpx2.post(f"{platform.base_url}/login", data=FORM, headers={"X-Forwarded-For": "203.0.113.9"})
    lines = [json.loads(line) for line in platform.log.read_text().splitlines()]
    assert [line["address"] for line in lines if line["event"] == "login.failed"] == [address]


def test_a_request_under_way_is_answered_before_it_stops(new_platform: Callable[..., Platform]) -> None:
    platform = new_platform()
    platform.add_user("username", "strong_password")
    platform.start()
    host, port = platform.base_url.removeprefix("http://").split(":")
    body = b"username=username&password=strong_password"
    with socket.create_connection((host, int(port))) as connection:
        head = (
            "POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        connection.sendall(head.encode() + body[:10])
        # The server knows of the request before it is told to stop.
        time.sleep(0.5)
        stopping = threading.Thread(target=platform.stop)
        stopping.start()
        time.sleep(0.5)
        connection.sendall(body[10:])
        assert connection.recv(100).startswith(b"HTTP/1.1 200 OK")
    stopping.join()


def test_who_waits_for_a_job_is_answered_when_it_stops(new_platform: Callable[..., Platform]) -> None:
    platform = new_platform()
    platform.add_user(USERNAME, PASSWORD)
    platform.start()
    with connect(platform) as client:
        # Its neighbours alone take minutes.
        job_id = create(client, upload_people(client, 150_000), k=5_000)
        wait_until_under_way(client, job_id)
        answers: list[dict[str, Any]] = []
        waiting = threading.Thread(target=lambda: answers.append(look(client, job_id, wait=60)))
        waiting.start()
        time.sleep(0.5)
        assert platform.stop() == 0
        waiting.join()
    assert answers[0]["status"] == "started"


def test_a_port_in_use_is_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = serve("--port", str(port), "--data-dir", str(tmp_path / "data"))
    assert sentence(ended) == (
        f"The platform cannot listen on 127.0.0.1 port {port} (address already in use): choose another --port."
    )


def test_a_port_for_prometheus_that_is_in_use_is_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = serve("--port", "0", "--data-dir", str(tmp_path / "data"), AVATARS_MONITORING_PORT=port)
    assert sentence(ended) == (
        f"Prometheus cannot be served on 127.0.0.1 port {port} (address already in use): "
        "choose another AVATARS_MONITORING_PORT."
    )


@pytest.mark.databases("postgresql")
def test_a_second_platform_on_a_database_is_one_sentence_until_the_first_one_is_gone(
    new_platform: Callable[..., Platform], database_url: str, tmp_path: Path
) -> None:
    platform = new_platform("--database-url", database_url)
    platform.start()
    other = ("--port", "0", "--data-dir", str(tmp_path / "other"), "--database-url", database_url)
    assert sentence(serve(*other)).startswith("Another platform runs on this database: stop it first")
    assert httpx2.get(f"{platform.base_url}/health/db").status_code == 200
    platform.kill()
    second = new_platform("--database-url", database_url)
    second.start()
    assert httpx2.get(f"{second.base_url}/health/db").status_code == 200


def test_an_address_of_another_machine_is_one_sentence(tmp_path: Path) -> None:
    ended = serve("--host", "192.0.2.1", "--port", "0", "--data-dir", str(tmp_path / "data"))
    assert "cannot listen on 192.0.2.1" in sentence(ended)


def test_a_data_folder_that_cannot_be_written_to_is_one_sentence(tmp_path: Path) -> None:
    # Below a file: that stops even root.
    (tmp_path / "file").touch()
    ended = serve("--port", "0", "--data-dir", str(tmp_path / "file" / "data"))
    assert "cannot be written to" in sentence(ended)
    assert "--data-dir" in sentence(ended)


def test_a_data_folder_of_another_platform_is_one_sentence(platform: Platform) -> None:
    ended = serve("--port", "0", "--data-dir", str(platform.data_dir))
    assert sentence(ended).startswith("Another platform uses the folder")


@pytest.mark.parametrize("url", ["postgresql://ada:canary@127.0.0.1:1/avatars", "sqlite:////nowhere/a.db"])
def test_a_database_that_is_not_there_is_one_sentence(tmp_path: Path, url: str) -> None:
    ended = serve("--port", "0", "--data-dir", str(tmp_path / "data"), AVATARS_DATABASE_URL=url)
    assert "cannot be reached; check that it runs and that its address is right" in sentence(ended)
    assert "canary" not in ended.stderr


@pytest.mark.parametrize(
    ("setting", "value", "why"),
    [
        ("AVATARS_WORKERS", "many", "must be a whole number"),
        ("AVATARS_PORT", "70000", "must be at most 65535"),
        ("AVATARS_DATABASE_URL", "mysql://ada:canary@localhost/a", "The address of the database is not understood"),
    ],
)
def test_a_wrong_setting_is_one_sentence(tmp_path: Path, setting: str, value: str, why: str) -> None:
    environment: dict[str, Any] = {"AVATARS_PORT": "0", "AVATARS_DATA_DIR": str(tmp_path), setting: value}
    ended = serve(**environment)
    assert why in sentence(ended)
    assert "canary" not in ended.stderr
