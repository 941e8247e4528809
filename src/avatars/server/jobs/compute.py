"""The workers: processes that read uploads and run jobs, apart from the process that answers requests.

Dask only executes. What is to be done, and what came of it, stands in the database; losing every worker, or this
process, loses time and nothing else.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import wait as wait_for
from enum import StrEnum
from typing import Any

import dask.config
import structlog
from distributed import Client, KilledWorker, Nanny, Scheduler, Security, SpecCluster
from distributed import Future as DaskFuture
from distributed.system import MEMORY_LIMIT

from avatars.server.jobs.guard import TOPIC, OutOfMemory, TaskBroken, ask_to_stop, guarded, unwrap
from avatars.server.settings import Settings

log = structlog.get_logger(__name__)

MEMORY_TOPIC = "worker-restart-memory"
"""Dask's own: which workers were ended because they used too much memory."""

START_SECONDS = 60.0
"""How long a task waits for workers that are not up yet; they usually take one or two."""

RETRY_SECONDS = 5.0

SUPERVISION_SECONDS = 5.0
"""How often it is looked whether all embedded workers are there."""

STOP_SECONDS = 10.0
"""How long a task that is asked to stop may take to do so; then its worker is ended."""

MISSING_SECONDS = 30.0
"""A worker that has been away for so long is replaced; Dask brings most of them back by itself in a second or two."""

# Workers import these before they count as up, so that the first job does not wait for it.
_PRELOADED = ["avatars.server.datasets.ingest", "avatars.server.jobs.tasks"]

# Workers hold one table at a time and no results: there is nothing to spill, and one that pauses to wait for memory
# helps nobody. Whoever goes over the limit is ended.
_CONFIG = {
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.profile.enabled": False,
    "distributed.admin.system-monitor.gil.enabled": False,
    # Dask's web servers cannot be turned off; they are left without a page.
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
}
_WEB_ADDRESS = "127.0.0.1:0"


class Lane(StrEnum):
    """What a worker is for. A worker says so by a Dask resource of this name, amount 1."""

    JOBS = "jobs"
    """Avatarizations: minutes and gigabytes."""
    UPLOADS = "uploads"
    """Tables that somebody waits for: never queued behind jobs, and a hostile file takes no job down."""


class WorkerLost(Exception):
    """The worker process died while it ran the task."""


class NoWorkers(Exception):
    """The platform is stopping, its workers do not come up, or contact with them was lost."""


class Compute:
    """Worker processes: embedded ones, which live and die with this process, or those of a scheduler elsewhere.

    Parameters
    ----------
    settings
        ``workers`` embedded processes for jobs and one for uploads, each within ``worker_memory_limit``; or
        ``dask_scheduler``, whose workers have this package, ``--resources "jobs=1 uploads=1"`` and the same storage.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._cluster: SpecCluster | None = None
        self._client: Client | None = None
        # Whoever reaches a scheduler can run code in its workers. The embedded one is on loopback, where every user of
        # the machine is: its key is made at each start, is never written down, and only our own children have it.
        self._security = Security.temporary() if settings.dask_scheduler is None else Security()
        self._ready = threading.Event()
        self._stopping = threading.Event()
        self._starter: threading.Thread | None = None
        self._listener: Callable[[dict[str, Any]], None] | None = None
        self._over_memory: deque[str] = deque(maxlen=100)

    def start(self) -> None:
        """Bring the workers up in the background; `submit` waits for them."""
        self._starter = threading.Thread(target=self._start, name="compute-start", daemon=True)
        self._starter.start()

    def stop(self) -> None:
        """End the embedded workers and whatever they are doing."""
        self._stopping.set()
        if self._starter is not None:
            self._starter.join()
        if self._client is not None:
            self._client.close(timeout=2)
        if self._cluster is not None:
            self._cluster.close(timeout=10)

    def wait(self, timeout: float) -> bool:
        """Wait until the workers are up; False where they are not after ``timeout`` seconds."""
        return self._ready.wait(timeout)

    @property
    def capacity(self) -> int:
        """How many jobs run at the same time."""
        if self._settings.dask_scheduler is None or self._client is None:
            return self._settings.workers
        workers = self._client.scheduler_info(n_workers=-1)["workers"].values()
        return max(1, sum(Lane.JOBS in worker["resources"] for worker in workers))

    def listen(self, listener: Callable[[dict[str, Any]], None]) -> None:
        """Call ``listener`` with every message that tasks send (`guard.messenger`); it must be quick."""
        self._listener = listener

    def submit(self, lane: Lane, name: str, task: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Run ``task(*arguments)`` in a worker of a lane, under a name that was never used before.

        Blocks until the workers are up. The future gives the task's result or raises ``EngineError``,
        `OutOfMemory`, `WorkerLost`, `NoWorkers` or `TaskBroken`.

        Raises
        ------
        NoWorkers
            There are none, and will not be soon.
        """
        if not self._ready.wait(START_SECONDS) or self._client is None or self._stopping.is_set():
            raise NoWorkers
        outcome: Future[Any] = Future()
        # Dask is to try once: attempts are counted in the database.
        running = self._client.submit(
            guarded, task, *arguments, key=name, pure=False, retries=0, resources={lane.value: 1}
        )
        running.add_done_callback(lambda done: self._settle(name, done, outcome))
        return outcome

    def stop_task(self, name: str, outcome: Future[Any]) -> None:
        """Have a submitted task end, soon and somehow; returns at once. ``outcome`` is what `submit` gave."""
        # In threads of their own: a worker that is too busy to listen must not hold anybody up.
        for target, arguments in ((self._ask_to_stop, (name,)), (self._end_worker_of, (name, outcome))):
            threading.Thread(target=target, args=arguments, name="task-stop", daemon=True).start()

    def _ask_to_stop(self, name: str) -> None:
        assert self._client is not None
        try:
            self._client.run(ask_to_stop, name, on_error="ignore")
        except (OSError, TimeoutError, ValueError) as error:
            log.warning("task.not_asked_to_stop", task=name, error=type(error).__name__)

    def _end_worker_of(self, name: str, outcome: Future[Any]) -> None:
        assert self._client is not None
        wait_for([outcome], timeout=STOP_SECONDS)
        if outcome.done() or self._stopping.is_set():
            return
        addresses = [address for address, tasks in self._client.processing().items() if name in tasks]
        log.warning("task.worker_ended", task=name, workers=len(addresses))
        if addresses:
            self._client.restart_workers(addresses, raise_for_error=False)

    @property
    def busy(self) -> int:
        """How many tasks are at work or queued in the workers, uploads among them."""
        if self._client is None:
            return 0
        return sum(len(tasks) for tasks in self._client.processing().values())

    def _settle(self, name: str, done: DaskFuture[Any], outcome: Future[Any]) -> None:
        try:
            outcome.set_result(unwrap(done.result()))
        except KilledWorker as killed:
            over_memory = killed.last_worker.address in self._over_memory
            outcome.set_exception(OutOfMemory() if over_memory else WorkerLost())
        except TaskBroken as broken:
            log.error("task.broken", task=name, error=broken.error, stack=broken.stack)
            outcome.set_exception(broken)
        except Exception as error:  # noqa: BLE001 - the future passes it on
            lost = done.status in ("cancelled", "lost")
            outcome.set_exception(NoWorkers() if lost else error)
        finally:
            done.release()

    def _start(self) -> None:
        while not self._stopping.is_set():
            try:
                self._connect()
                break
            except Exception as error:
                # Whatever it is: the platform goes on with what needs no workers, and tries again.
                log.exception("workers.unavailable", reason=str(error.__cause__ or error))
                self._stopping.wait(RETRY_SECONDS)
        if self._stopping.is_set():
            return
        log.info("workers.ready")
        if self._cluster is not None:
            self._supervise(self._cluster)

    def _supervise(self, cluster: SpecCluster) -> None:
        """Replace workers that Dask has given up: those that could not start, or lost contact for good."""
        missing: dict[str, float] = {}
        while not self._stopping.wait(SUPERVISION_SECONDS):
            try:
                assert self._client is not None
                present = {worker["name"] for worker in self._client.scheduler_info()["workers"].values()}
                now = time.monotonic()
                missing = {name: missing.get(name, now) for name in cluster.worker_spec if name not in present}
                for name in [name for name, since in missing.items() if now - since >= MISSING_SECONDS]:
                    log.error("worker.replaced", worker=name)
                    cluster.sync(_replace, cluster, name)
                    del missing[name]
            except Exception as error:
                log.exception("workers.unavailable", reason=str(error.__cause__ or error))

    def _connect(self) -> None:
        address = self._settings.dask_scheduler
        if address is None:
            self._cluster = self._cluster or self._embedded()
            address = self._cluster.scheduler_address
        client = Client(address, timeout=RETRY_SECONDS, set_as_default=False, security=self._security)
        client.subscribe_topic(MEMORY_TOPIC, self._on_over_memory)
        client.subscribe_topic(TOPIC, self._on_message)
        self._client = client
        self._ready.set()

    def _on_over_memory(self, event: tuple[float, dict[str, Any]]) -> None:
        self._over_memory.append(event[1]["worker"])

    def _on_message(self, event: tuple[float, dict[str, Any]]) -> None:
        if self._listener is not None:
            self._listener(event[1])

    def _embedded(self) -> SpecCluster:
        """Start the scheduler in this process and the workers as its children: they exit when it does, however."""
        lanes = {f"jobs-{number}": Lane.JOBS for number in range(self._settings.workers)}
        lanes["uploads-0"] = Lane.UPLOADS
        memory: str | int = self._settings.worker_memory_limit
        if memory == "auto":
            memory = MEMORY_LIMIT // len(lanes)
        dask.config.set(_CONFIG)
        return SpecCluster(
            scheduler={
                "cls": Scheduler,
                "options": {
                    "host": "127.0.0.1",
                    "protocol": "tls://",
                    "security": self._security,
                    "dashboard": False,
                    "dashboard_address": _WEB_ADDRESS,
                    "allowed_failures": 0,
                },
            },
            workers={
                name: {
                    "cls": Nanny,
                    "options": {
                        "host": "127.0.0.1",
                        "protocol": "tls://",
                        "security": self._security,
                        "nthreads": 1,
                        "resources": {lane.value: 1},
                        "memory_limit": memory,
                        "local_directory": str(self._settings.data_dir / "workers"),
                        "preload": _PRELOADED,
                        "dashboard": False,
                        "dashboard_address": _WEB_ADDRESS,
                        "silence_logs": logging.CRITICAL,
                    },
                }
                for name, lane in lanes.items()
            },
            security=self._security,
            silence_logs=logging.CRITICAL,
        )


async def _replace(cluster: SpecCluster, name: str) -> None:
    given_up = cluster.workers.pop(name, None)
    if given_up is not None:
        await given_up.close(timeout=RETRY_SECONDS)
    await cluster._correct_state()
