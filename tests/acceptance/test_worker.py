"""Other machines at work for a platform: real processes, real certificates, killed in the middle."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
from tests.acceptance.steps import (
    PASSWORD,
    USERNAME,
    assert_success,
    connect,
    create,
    outcome,
    rows_of,
    until,
    upload_people,
)

if TYPE_CHECKING:
    from tests.conftest import Platform

pytestmark = pytest.mark.timeout(400)

SECONDS = 120
"""On a machine that is busy otherwise a worker takes a while to be up."""

AVATARS = [sys.executable, "-m", "avatars"]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What ``avatars certificates`` prints, as variables."""
    return made(tmp_path_factory.mktemp("cluster") / "certificates")


def made(folder: Path) -> dict[str, str]:
    done = subprocess.run([*AVATARS, "certificates", str(folder)], capture_output=True, text=True, check=True)
    return dict(line.split("=", 1) for line in done.stdout.splitlines())


class Machine:
    """``avatars worker`` in a process of its own, which stands for a machine of its own."""

    def __init__(self, address: str, environment: dict[str, str], folder: Path) -> None:
        # A group of its own, so that a machine can vanish as a whole.
        environment = os.environ | environment
        environment.pop("AVATARS_CLUSTER_LISTEN", None)
        self.log = folder / f"machine-{time.monotonic_ns()}.log"
        output = self.log.with_suffix(".out")
        with self.log.open("w") as log, output.open("w") as out:
            self.process = subprocess.Popen(
                [*AVATARS, "worker", address, "--workers", "1", "--host", "127.0.0.1"],
                env=environment,
                stdout=out,
                stderr=log,
                start_new_session=True,
            )
        self._output = output.open()

    def says(self, words: str) -> None:
        """Wait until it says something with these words on stdout."""
        end = time.monotonic() + SECONDS
        while words not in (line := self._output.readline()):
            assert line or self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < end, self.log.read_text()
            if not line:
                time.sleep(0.05)

    def vanish(self) -> None:
        """SIGKILL to all of its processes at once."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._output.close()

    def is_computing(self) -> bool:
        children = psutil.Process(self.process.pid).children(recursive=True)
        return any(child.cpu_percent(0.2) > 20 for child in children)


@pytest.fixture
def new_machine(tmp_path: Path, certificates: dict[str, str]) -> Iterator[Callable[..., Machine]]:
    made: list[Machine] = []

    def new(address: str, **environment: str) -> Machine:
        made.append(Machine(address, certificates | environment, tmp_path))
        return made[-1]

    yield new
    for machine in made:
        machine.vanish()


@pytest.fixture
def address() -> str:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return f"tls://127.0.0.1:{free.getsockname()[1]}"


@pytest.fixture
def platform(
    new_platform: Callable[..., Platform],
    certificates: dict[str, str],
    address: str,
    monkeypatch: pytest.MonkeyPatch,
) -> Platform:
    """A platform that other machines may join; it does one job at a time itself. Not started."""
    for name, value in certificates.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AVATARS_CLUSTER_LISTEN", address.removeprefix("tls://"))
    monkeypatch.setenv("AVATARS_WORKERS", "1")
    platform = new_platform()
    platform.add_user(USERNAME, PASSWORD)
    return platform


def capacity_of(platform: Platform) -> int:
    with connect(platform) as client:
        return int(client.get("/stats/cluster").json()["available_concurrency"])


@pytest.mark.soak
def test_a_machine_waits_for_the_platform_joins_it_and_leaves_when_told_to(
    platform: Platform, address: str, new_machine: Callable[..., Machine]
) -> None:
    machine = new_machine(address)
    machine.says("Waiting for the platform")
    platform.start()
    machine.says("Working for the platform")
    until(lambda: capacity_of(platform) == 2, SECONDS)
    machine.process.send_signal(signal.SIGTERM)
    assert machine.process.wait(SECONDS) == 0
    until(lambda: capacity_of(platform) == 1, SECONDS)


@pytest.mark.soak
def test_machines_join_one_vanishes_and_the_platform_is_killed_and_no_job_is_lost(
    platform: Platform, address: str, new_machine: Callable[..., Machine]
) -> None:
    # A machine that is up before the platform waits for it.
    first = new_machine(address)
    first.says("Waiting for the platform")
    platform.start()
    second = new_machine(address)
    for machine in (first, second):
        machine.says("Working for the platform")
    until(lambda: capacity_of(platform) == 3, SECONDS)

    with connect(platform) as client:
        dataset_id = upload_people(client, 60_000)
        job_ids = [create(client, dataset_id) for _ in range(6)]
        until(first.is_computing, SECONDS)
        first.vanish()
        until(lambda: capacity_of(platform) == 2, SECONDS)
    platform.kill()
    platform.start()
    # The machine comes back by itself.
    second.says("Working for the platform")
    with connect(platform) as client:
        for job_id in job_ids:
            assert_success(client, job_id)
        assert len({outcome(client, job_id)["result"]["avatars_dataset"]["id"] for job_id in job_ids}) == 6
        # A machine that is told to stop leaves in order: what it was doing is done by others and not counted as lost.
        losses = rows_of(platform, "SELECT SUM(worker_losses) FROM jobs")
        more = [create(client, dataset_id) for _ in range(3)]
        until(second.is_computing, SECONDS)
        second.process.send_signal(signal.SIGTERM)
        assert second.process.wait(SECONDS) == 0
        for job_id in more:
            assert_success(client, job_id)
    assert rows_of(platform, "SELECT SUM(worker_losses) FROM jobs") == losses
    for kind in ("avatars", "sensitive_unshuffled_avatars"):
        assert rows_of(platform, f"SELECT COUNT(*) FROM datasets WHERE kind = '{kind}'") == [(9,)]


@pytest.mark.soak
def test_a_machine_that_cannot_work_for_it_says_why_and_ends(
    platform: Platform, address: str, new_machine: Callable[..., Machine], tmp_path: Path
) -> None:
    platform.start()
    until((platform.data_dir / "files" / "cluster").exists, SECONDS)

    def refusal(**environment: str) -> str:
        machine = new_machine(address, **environment)
        code = machine.process.wait(SECONDS)
        machine.vanish()
        lines = [line for line in machine.log.read_text().splitlines() if not line.startswith("{")]
        assert (code, len(lines)) == (1, 1), lines
        return lines[0]

    others = made(tmp_path / "others")
    assert "do not know each other" in refusal(**others)
    # It would trust the platform, and shows a certificate that is not of this cluster.
    del others["AVATARS_CLUSTER_CA_FILE"]
    assert "do not know each other" in refusal(**others)
    # Another folder than the platform's: what was laid there is not to be seen.
    probe = next((platform.data_dir / "files" / "cluster").iterdir())
    probe.rename(tmp_path / "elsewhere")
    assert "does not see the platform's storage" in refusal()
    assert capacity_of(platform) == 1

    doctor = [*AVATARS, "doctor", "--data-dir", str(platform.data_dir)]
    examined = subprocess.run(doctor, capture_output=True, text=True)
    assert re.search(r"^ok +certificates: they are good for 7\d\d days\.$", examined.stdout, re.MULTILINE)
    assert re.search(r"^WRONG +cluster: 127\.0\.0\.1: This machine does not see", examined.stdout, re.MULTILINE)
    (tmp_path / "elsewhere").rename(probe)
    examined = subprocess.run(doctor, capture_output=True, text=True)
    assert re.search(r"^ok +cluster: 2 workers on 1 machines are like this one", examined.stdout, re.MULTILINE)


@pytest.mark.soak
def test_another_scheduler_that_is_killed_and_started_again_is_found_again(
    platform: Platform,
    address: str,
    certificates: dict[str, str],
    new_machine: Callable[..., Machine],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    host, port = address.removeprefix("tls://").split(":")
    ca, certificate, key = certificates.values()
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", host, "--port", port]
    command += ["--protocol", "tls", "--tls-ca-file", ca, "--tls-cert", certificate, "--tls-key", key, "--no-dashboard"]
    monkeypatch.setenv("DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES", "0")
    monkeypatch.delenv("AVATARS_CLUSTER_LISTEN")
    monkeypatch.setenv("AVATARS_DASK_SCHEDULER", address)

    def start() -> subprocess.Popen[bytes]:
        with (tmp_path / "scheduler.log").open("a") as log:
            return subprocess.Popen(command, stdout=log, stderr=log, cwd=tmp_path)

    scheduler = start()
    try:
        platform.start()
        # The platform answers, and says that nobody works for it.
        assert capacity_of(platform) == 0
        machine = new_machine(address)
        machine.says("Working for the platform")
        with connect(platform) as client:
            dataset_id = upload_people(client, 60_000)
            job_ids = [create(client, dataset_id) for _ in range(3)]
            until(machine.is_computing, SECONDS)
            scheduler.kill()
            scheduler.wait()
            # Longer than Dask's client tries by itself.
            time.sleep(8)
            scheduler = start()
            machine.says("Working for the platform")
            for job_id in job_ids:
                assert_success(client, job_id)
        assert rows_of(platform, "SELECT COUNT(*) FROM datasets WHERE kind = 'avatars'") == [(3,)]
        assert rows_of(platform, "SELECT SUM(worker_losses) FROM jobs") == [(0,)]
    finally:
        scheduler.kill()
        scheduler.wait()
