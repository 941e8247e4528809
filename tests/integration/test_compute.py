"""The workers: real processes that are given results, refusals, death and too little memory."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any
from uuid import uuid4

import psutil
import pytest
from distributed import Client, LocalCluster, Security
from distributed.comm.core import connect

from avatars.server.jobs.compute import Compute, NoWorkers, WorkerLost
from avatars.server.jobs.guard import OutOfMemory, TaskBroken
from avatars.server.jobs.workers import NICENESS, Lane
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


def is_at_work(compute: Compute, name: str) -> bool:
    assert compute._client is not None
    return any(name in tasks for tasks in compute._client.processing().values())


def run(compute: Compute, task: Any, *arguments: Any, lane: Lane = Lane.JOBS) -> Any:
    return compute.submit(lane, f"task-{uuid4()}", task, *arguments).result(SECONDS)


@pytest.mark.parametrize("lane", list(Lane))
def test_a_task_runs_in_another_process(compute: Compute, lane: Lane) -> None:
    pid = run(compute, os.getpid, lane=lane)
    assert pid != os.getpid()
    # A fork of a child of ours, or a child.
    assert os.getpid() in [parent.pid for parent in psutil.Process(pid).parents()]


def test_jobs_let_others_go_first_and_uploads_do_not(compute: Compute) -> None:
    ours = os.nice(0)
    assert run(compute, os.nice, 0, lane=Lane.UPLOADS) == ours
    assert run(compute, os.nice, 0) == min(19, ours + NICENESS)


@pytest.mark.skipif(sys.platform != "linux", reason="a policy of Linux")
@pytest.mark.parametrize(("lane", "policy"), [(Lane.JOBS, "SCHED_IDLE"), (Lane.UPLOADS, "SCHED_OTHER")])
def test_every_thread_of_a_worker_is_scheduled_as_its_lane_says(compute: Compute, lane: Lane, policy: str) -> None:
    # By now it has a thread for tasks, beside those that it started with.
    pid = run(compute, os.getpid, lane=lane)
    threads = [int(thread.name) for thread in Path(f"/proc/{pid}/task").iterdir()]
    assert len(threads) > 2
    assert {os.sched_getscheduler(thread) for thread in threads} == {getattr(os, policy)}
    # What a task starts: a pool's threads, another process.
    started = [sys.executable, "-c", "import os; print(os.sched_getscheduler(0))"]
    assert int(run(compute, subprocess.check_output, started, lane=lane)) == getattr(os, policy)


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


def test_a_task_that_does_not_stop_when_asked_to_loses_its_worker(
    compute: Compute, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("avatars.server.jobs.compute.STOP_SECONDS", 0.2)
    name = f"task-{uuid4()}"
    deaf = compute.submit(Lane.JOBS, name, time.sleep, 600)
    assert compute.busy
    while not is_at_work(compute, name):
        time.sleep(0.01)
    compute.stop_task(name, deaf)
    with pytest.raises(WorkerLost):
        deaf.result(SECONDS)
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


ENDS_WITH_A_RESULT_UNDER_WAY = """
import sys, threading, time
from avatars.server.jobs.compute import Compute, NoWorkers
from avatars.server.jobs.workers import Lane
from avatars.server.settings import Settings

compute = Compute(Settings(data_dir=sys.argv[1], workers=1))
compute.start()
assert compute.wait(200)
client = compute._client
asked, ended = threading.Event(), threading.Event()
# Dask has one thread for all that waits for results: it comes to ours when its loop is about to end.
first = client.submit(int, key="before")
first.add_done_callback(lambda _: asked.wait(60))
outcome = compute.submit(Lane.JOBS, "task", pow, 2, 10)
client.submit(int, key="after", resources={Lane.JOBS: 1}).result(60)
client.loop.add_callback(ended.wait, 60)
client.loop.add_callback(client.loop.stop)
compute._stopping.set()
asked.set()
# Time for its question to be the last that the loop is told; less shows nothing, and fails nothing.
time.sleep(0.5)
ended.set()
print(type(outcome.exception(60)).__name__)
compute._client = None
compute.stop()
"""


@pytest.mark.soak
@pytest.mark.timeout(400)
def test_a_result_that_comes_while_dask_ends_keeps_no_process_from_its_end(tmp_path: Path) -> None:
    # In a process of its own, which is left with what the loop did not come to.
    command = [sys.executable, "-c", ENDS_WITH_A_RESULT_UNDER_WAY, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "NoWorkers"
