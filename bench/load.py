"""How quickly the platform answers fifty people at once, while two avatarizations keep its cores busy."""

from __future__ import annotations

import asyncio
import random
import secrets
import statistics
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import psutil
import pyarrow.parquet

from bench.generate import mixed
from demo.run import USERNAME, add_user, platform

CLIENTS = 50
PAUSE = 0.5
"""Seconds, on average, that a person or a program waits between an answer and its next question."""

SECONDS = 30
ROWS = 100_000
JOBS = 2
MOST_MILLISECONDS = 50
"""What 95 of 100 answers may take on two cores that do nothing else."""

OVER = ("success", "failure", "killed")

ROUTES = (
    "/datasets",
    "/datasets/{dataset}",
    "/jobs",
    "/jobs/avatarization/{job}",
    "/users/me",
    "/stats/cluster",
    "/health/db",
)


@dataclass
class Answers:
    """Milliseconds of each answer, as its client saw it, and what they cost the server."""

    milliseconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    cpu_seconds: float = 0.0
    seconds: float = 0.0
    jobs: int = 0
    """Avatarizations that were under way at any moment."""
    created: int = 0
    """How many that took: those that ended were followed by others."""

    @property
    def count(self) -> int:
        """How many answers there were."""
        return sum(map(len, self.milliseconds.values()))

    def percentile(self, percent: int) -> float:
        """Return the milliseconds that so many percent of all answers took at most."""
        everything = [each for route in self.milliseconds.values() for each in route]
        return statistics.quantiles(everything, n=100, method="inclusive")[percent - 1]

    def cpu_milliseconds(self) -> float:
        """Return what an answer cost the server, with what it did for jobs meanwhile."""
        return 1000 * self.cpu_seconds / self.count

    def figures(self) -> dict[str, float]:
        """Return what is worth keeping."""
        percentiles = {f"p{percent}_ms": self.percentile(percent) for percent in (50, 95, 99)}
        return {"jobs": self.jobs, "answers": self.count, **percentiles, "cpu_ms": self.cpu_milliseconds()}


def measure(seconds: float = SECONDS, jobs: int = JOBS) -> Answers:
    """Start a platform, keep ``jobs`` avatarizations under way, and ask it everything else meanwhile."""
    with tempfile.TemporaryDirectory(prefix="open-avatars-bench-") as folder:
        data_dir, password = Path(folder) / "data", secrets.token_urlsafe(16)
        add_user(data_dir, password)
        with platform(data_dir) as base_url:
            return asyncio.run(_measure(base_url, password, seconds, jobs))


async def _measure(base_url: str, password: str, seconds: float, jobs: int) -> Answers:
    answers = Answers(jobs=jobs)
    # A connection for each, and for each who waits for a job.
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx2.AsyncClient(base_url=base_url, timeout=120, limits=limits) as client:
        login = await client.post("/login", data={"username": USERNAME, "password": password})
        client.headers["Authorization"] = f"Bearer {login.json()['access_token']}"
        small, large = await _upload(client, 200), await _upload(client, ROWS)
        # One that is over, and assessed, before anything is measured.
        job = await _run(client, small)
        while (await _look(client, job))["result"]["assessment"]["status"] not in OVER:
            await asyncio.sleep(0.2)
        under_way = [asyncio.create_task(_keep_busy(client, large, answers)) for _ in range(jobs)]
        while answers.created < jobs:
            await asyncio.sleep(0.1)
        (server,) = (each for each in psutil.Process().children() if "serve" in each.cmdline())
        before, started = server.cpu_times(), time.monotonic()
        token = client.headers["Authorization"]
        people = [_ask(base_url, token, number, large, job, answers, seconds) for number in range(CLIENTS)]
        await asyncio.gather(*people)
        after = server.cpu_times()
        answers.seconds = time.monotonic() - started
        answers.cpu_seconds = after.user + after.system - before.user - before.system
        for each in under_way:
            each.cancel()
    return answers


async def _upload(client: httpx2.AsyncClient, rows: int) -> str:
    file = BytesIO()
    pyarrow.parquet.write_table(mixed(rows), file)
    answer = await client.post("/datasets/stream", content=file.getvalue())
    return str(answer.raise_for_status().json()["id"])


async def _run(client: httpx2.AsyncClient, dataset: str) -> str:
    """Ask for avatars, and wait for them; gives the job's id."""
    answer = await client.post("/jobs/avatarization", json={"parameters": {"k": 20, "dataset_id": dataset}})
    job = str(answer.raise_for_status().json()["id"])
    while (await _look(client, job))["status"] not in OVER:
        pass
    return job


async def _look(client: httpx2.AsyncClient, job: str) -> dict[str, Any]:
    answer = await client.get(f"/jobs/avatarization/{job}", params={"wait": 30})
    found: dict[str, Any] = answer.raise_for_status().json()
    return found


async def _keep_busy(client: httpx2.AsyncClient, dataset: str, answers: Answers) -> None:
    while True:
        answers.created += 1
        await _run(client, dataset)


async def _ask(
    base_url: str, token: str, number: int, dataset: str, job: str, answers: Answers, seconds: float
) -> None:
    """One of those people, over a connection that is kept.

    Without a library: in one process, what it does for one of fifty is what the others wait for.
    """
    address = urlsplit(base_url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    chance, end = random.Random(number), time.monotonic() + seconds  # noqa: S311 - pauses are no secrets
    while time.monotonic() < end:
        await asyncio.sleep(chance.expovariate(1 / PAUSE))
        route = chance.choice(ROUTES)
        path = route.format(dataset=dataset, job=job)
        started = time.perf_counter()
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {address.netloc}\r\nAuthorization: {token}\r\n\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        await reader.readexactly(int(head.partition(b"\r\ncontent-length: ")[2].partition(b"\r\n")[0]))
        answers.milliseconds[route].append(1000 * (time.perf_counter() - started))
        if not head.startswith(b"http/1.1 200 "):
            raise RuntimeError(f"{route}: {head.splitlines()[0].decode()}")
    writer.close()
    await writer.wait_closed()
