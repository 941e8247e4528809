"""What tests with real processes do over and over: log in, send a table, ask for jobs, look at processes and rows."""

from __future__ import annotations

import io
import json
import os
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx2
import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from tests.conftest import Platform

ROWS = 15_000
"""Of a table that a job works on for about half a second on an idle machine."""

USERNAME, PASSWORD = "username", "strong_password"


@contextmanager
def connect(platform: Platform, username: str = USERNAME) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=platform.base_url, timeout=70) as client:
        token = client.post("/login", data={"username": username, "password": PASSWORD}).json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        yield client


def upload_people(client: httpx2.Client, rows: int = ROWS) -> str:
    random = np.random.default_rng(1)
    numbers = {f"n{index}": random.normal(size=rows) for index in range(8)}
    sink = io.BytesIO()
    pq.write_table(pa.table({**numbers, "c": random.choice(list("abcde"), rows)}), sink)
    answer = client.post("/datasets", files={"file": ("people.csv", sink.getvalue(), "text/csv")})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


def create(client: httpx2.Client, dataset_id: str, k: int = 20) -> str:
    answer = client.post("/jobs/avatarization", json={"parameters": {"k": k, "dataset_id": dataset_id}})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


def look(client: httpx2.Client, job_id: str, wait: float = 0) -> dict[str, Any]:
    answer = client.get(f"/jobs/avatarization/{job_id}", params={"wait": wait})
    assert answer.status_code == 200, answer.text
    job: dict[str, Any] = answer.json()
    return job


def outcome(client: httpx2.Client, job_id: str) -> dict[str, Any]:
    job = look(client, job_id)
    deadline = time.monotonic() + 150
    while job["status"] in ("pending", "started") and time.monotonic() < deadline:
        job = look(client, job_id, wait=60)
    assert job["status"] in ("success", "failure"), job
    return job


def assert_success(client: httpx2.Client, job_id: str) -> None:
    job = outcome(client, job_id)
    assert job["status"] == "success", job["error_message"]


def wait_until_under_way(client: httpx2.Client, job_id: str) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        job = look(client, job_id)
        if job["status"] == "started" and job["current_progress"] is not None:
            return
        assert job["status"] in ("pending", "started"), job
        time.sleep(0.02)
    raise AssertionError("the job did not start")


def workers_of(platform: Platform) -> list[int]:
    """Process ids of the platform's workers: forks of the child that has imported what they need."""
    children = psutil.Process(platform.pid).children()
    return [
        worker.pid for child in children if "forkserver" in " ".join(child.cmdline()) for worker in child.children()
    ]


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A process that has ended and that nobody has asked about is still listed.
    return "Z" not in subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True).stdout


def rows_of(platform: Platform, query: str) -> list[tuple[Any, ...]]:
    with sqlite3.connect(platform.data_dir / "avatars.db") as connection:
        return connection.execute(query).fetchall()


def assert_no_orphans(platform: Platform) -> None:
    """Every file belongs to a dataset, and every dataset has its files."""
    files = platform.data_dir / "files"
    known = {row[0] for row in rows_of(platform, "SELECT id FROM datasets")}
    assert {path.name.replace("-", "") for path in (files / "datasets").iterdir()} == known
    for folder in (files / "datasets").iterdir():
        # An upload that is kept as it came is the table; any other upload is a leftover.
        table = json.loads((folder / "format.json").read_text())["table"]
        assert {path.name for path in folder.iterdir()} - {"points.parquet"} == {"format.json", table}
    with_points = {path.parent.name.replace("-", "") for path in files.glob("datasets/*/points.parquet")}
    sensitive = "SELECT id FROM datasets WHERE kind = 'sensitive_unshuffled_avatars'"
    assert with_points == {row[0] for row in rows_of(platform, sensitive)}
    others = {
        str(path.relative_to(files)) for path in files.rglob("*") if path.is_file() and "datasets" not in path.parts
    }
    # Which database the files are of.
    assert others == {"platform/installation"}


def until(condition: Callable[[], object], seconds: float = 60) -> None:
    """Wait for something that happens in another process."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
