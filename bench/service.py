"""What a user waits for: the platform's start, a small job, an import, a command."""

from __future__ import annotations

import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow.csv

from avatars.client import ApiClient
from avatars.models import AvatarizationJobCreate, AvatarizationParameters, JobStatus
from bench.generate import mixed
from demo.run import IRIS, USERNAME, add_user, command, environment, platform

REPEATS = 3


def platform_seconds() -> dict[str, float]:
    """Return the seconds until the platform is ready, and from an iris job's creation to its success."""
    ready, jobs = [], []
    with tempfile.TemporaryDirectory(prefix="open-avatars-bench-") as folder:
        data_dir, password = Path(folder) / "data", secrets.token_urlsafe(16)
        add_user(data_dir, password)
        for _ in range(REPEATS):
            started = time.perf_counter()
            with platform(data_dir) as base_url:
                ready.append(time.perf_counter() - started)
                jobs.append(_iris_job(base_url, password))
    return {
        "server ready": statistics.median(ready),
        "iris job, from its creation to success": statistics.median(jobs),
    }


def _iris_job(base_url: str, password: str) -> float:
    """Return the seconds of the FIRST job after a start: nothing is warm yet."""
    with ApiClient(base_url=base_url, progress=False) as client:
        client.authenticate(username=USERNAME, password=password)
        dataset = client.datasets.create_dataset(IRIS)
        parameters = AvatarizationParameters(k=20, dataset_id=dataset.id)
        started = time.perf_counter()
        job = client.jobs.create_avatarization_job(AvatarizationJobCreate(parameters=parameters))
        job = client.jobs.get_avatarization_job(job.id)
        if job.status is not JobStatus.success:
            raise RuntimeError(job.error_message)
        return time.perf_counter() - started


def import_seconds() -> float:
    """Return the seconds that ``import avatars.client`` takes in a fresh interpreter."""
    program = "import time; a = time.perf_counter(); import avatars.client; print(time.perf_counter() - a)"
    return _median(lambda: float(_run([sys.executable, "-c", program])), 5)


def command_seconds(rows: int) -> float:
    """Return the seconds of ``avatars run`` on a mixed CSV, the interpreter's start included."""
    with tempfile.TemporaryDirectory(prefix="open-avatars-bench-") as folder:
        source, target = Path(folder) / "table.csv", Path(folder) / "avatars.csv"
        pyarrow.csv.write_csv(mixed(rows), source)

        def once() -> float:
            started = time.perf_counter()
            _run(command("run", str(source), "--assess", "none", "--seed", "1", "-o", str(target)))
            return time.perf_counter() - started

        return _median(once, REPEATS)


def _median(measure: Callable[[], float], times: int) -> float:
    return statistics.median(measure() for _ in range(times))


def _run(arguments: list[str]) -> str:
    done = subprocess.run(arguments, capture_output=True, text=True, env=environment(), check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return done.stdout
