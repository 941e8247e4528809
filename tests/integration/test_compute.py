"""The workers: real processes that are given results, refusals, death and too little memory."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any
from uuid import uuid4

import pytest
from distributed import Client, LocalCluster, Security
from distributed.comm.core import connect

from avatars.server.jobs.compute import Compute, Lane, NoWorkers, WorkerLost
from avatars.server.jobs.guard import OutOfMemory, TaskBroken
from avatars.server.settings import Settings

SECONDS = 60

# Workers know nothing of these tests: what they run is given as text.
SAY_THREE_THINGS = """
from avatars.server.jobs.guard import messenger
say = messenger()
for number in range(3):
    say({"number": number})
"""


@pytest.fixture(scope="module")
def compute(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Compute]:
    settings = Settings(data_dir=tmp_path_factory.mktemp("data"), workers=1, worker_memory_limit="500MiB")
    compute = Compute(settings)
    compute.start()
    assert compute.wait(SECONDS)
    yield compute
    compute.stop()


def run(compute: Compute, task: Any, *arguments: Any, lane: Lane = Lane.JOBS) -> Any:
    return compute.submit(lane, f"task-{uuid4()}", task, *arguments).result(SECONDS)


@pytest.mark.parametrize("lane", list(Lane))
def test_a_task_runs_in_another_process(compute: Compute, lane: Lane) -> None:
    assert run(compute, os.getpid, lane=lane) != os.getpid()
    assert run(compute, os.getppid, lane=lane) == os.getpid()


def test_lanes_do_not_wait_for_each_other(compute: Compute) -> None:
    long = compute.submit(Lane.JOBS, f"task-{uuid4()}", time.sleep, 5)
    assert run(compute, pow, 2, 10, lane=Lane.UPLOADS) == 1024
    assert not long.done()


def test_what_a_task_raises_comes_back_without_its_text(compute: Compute) -> None:
    with pytest.raises(TaskBroken) as broken:
        run(compute, float, "Ada Lovelace")
    assert broken.value.error == "ValueError"
    assert "Ada" not in str(broken.value)


def test_a_worker_that_dies_fails_its_task_and_another_takes_its_place(compute: Compute) -> None:
    before = run(compute, os.getpid)
    with pytest.raises(WorkerLost):
        run(compute, os._exit, 1)
    assert run(compute, os.getpid) != before


def test_a_worker_that_takes_too_much_memory_is_told_from_one_that_dies(compute: Compute) -> None:
    with pytest.raises(OutOfMemory):
        run(compute, list, range(10**10))
    assert run(compute, pow, 2, 10) == 1024


def test_a_worker_that_does_not_come_back_by_itself_is_replaced(
    compute: Compute, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("avatars.server.jobs.compute.SUPERVISION_SECONDS", 0.5)
    monkeypatch.setattr("avatars.server.jobs.compute.MISSING_SECONDS", 1.0)
    nowhere: Any = ModuleType("nowhere")
    nowhere.task = FunctionType((lambda: None).__code__, {"__name__": "nowhere"}, "task")
    nowhere.task.__qualname__ = "task"
    monkeypatch.setitem(sys.modules, "nowhere", nowhere)
    # A task that no worker can unpickle ends the worker in a way that its nanny takes for intended.
    with pytest.raises(WorkerLost):
        run(compute, nowhere.task)
    assert run(compute, pow, 2, 10) == 1024


def test_messages_of_tasks_arrive_in_their_order(compute: Compute) -> None:
    messages: list[dict[str, Any]] = []
    compute.listen(messages.append)
    run(compute, exec, SAY_THREE_THINGS)
    deadline = time.monotonic() + SECONDS
    while len(messages) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert [message["number"] for message in messages] == [0, 1, 2]


def test_the_workers_of_another_scheduler_can_be_used(tmp_path: Path) -> None:
    resources = {lane.value: 1 for lane in Lane}
    with LocalCluster(n_workers=1, threads_per_worker=2, dashboard_address="127.0.0.1:0", resources=resources) as other:
        guest = Compute(Settings(data_dir=tmp_path, workers=7, dask_scheduler=other.scheduler_address))
        guest.start()
        try:
            assert run(guest, pow, 2, 10) == 1024
            assert guest.capacity == 1
        finally:
            guest.stop()
        # Whoever uses a cluster does not end it.
        with Client(other) as client:
            assert client.submit(pow, 2, 10).result(timeout=SECONDS) == 1024


def test_nothing_is_open_to_other_machines(compute: Compute) -> None:
    assert compute._cluster is not None
    assert compute._cluster.scheduler_address.startswith("tls://127.0.0.1:")
    scheduler: Any = compute._cluster.scheduler
    assert scheduler.http_server.address == "127.0.0.1"
    assert all(worker.startswith("tls://127.0.0.1:") for worker in scheduler.workers)


def test_after_the_stop_nothing_is_accepted(tmp_path: Path) -> None:
    compute = Compute(Settings(data_dir=tmp_path, workers=1))
    compute.start()
    assert compute.wait(SECONDS)
    compute.stop()
    with pytest.raises(NoWorkers):
        run(compute, pow, 2, 10)


def test_another_user_of_the_machine_cannot_reach_the_workers(compute: Compute) -> None:
    assert compute._cluster is not None
    own = compute._cluster.scheduler_address

    async def knock(address: str, security: Security) -> None:
        comm = await connect(address, timeout=2, **security.get_connection_args("client"))
        comm.abort()

    for address in (own, own.replace("tls://", "tcp://")):
        # Whoever has no key, or one of their own making, is turned away.
        for security in (Security(), Security.temporary()):
            # Dask fails in several ways; what matters is that it does.
            with pytest.raises((OSError, TypeError, RuntimeError, AssertionError)):
                asyncio.run(knock(address, security))
