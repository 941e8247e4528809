"""The workers: processes that read uploads and run jobs, apart from the process that answers requests.

Dask only executes. What is to be done, and what came of it, stands in the database; losing every worker, or this
process, loses time and nothing else.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import wait as wait_for
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import structlog

from avatars.server.jobs import invitation
from avatars.server.jobs.guard import TOPIC, OutOfMemory, TaskBroken, ask_to_stop, guarded, unwrap
from avatars.server.jobs.workers import (
    WEB_ADDRESS,
    Lane,
    configure_dask,
    lanes,
    memory_limit,
    nanny_options,
    security_of,
    warm_up,
)
from avatars.server.settings import Settings
from avatars.server.storage import Storage

if TYPE_CHECKING:
    # Imported where it is used, which is a thread of its own: it takes as long as a third of the platform's start.
    from distributed import Client, Nanny, Security, SpecCluster
    from distributed import Future as DaskFuture

log = structlog.get_logger(__name__)

MEMORY_TOPIC = "worker-restart-memory"
"""Dask's own: which workers were ended because they used too much memory."""

START_SECONDS = 60.0
"""How long a task waits for workers that are not up yet; they usually take one or two."""

RETRY_SECONDS = 5.0

SUPERVISION_SECONDS = 5.0
"""How often it is looked whether all embedded workers are there, and the scheduler of others."""

COUNT_SECONDS = 1.0
"""How old a count of the workers may be."""

STOP_SECONDS = 10.0
"""How long a task that is asked to stop may take to do so; then its worker is ended."""

MISSING_SECONDS = 30.0
"""A worker that has been away for so long is replaced; Dask brings most of them back by itself in a second or two."""

FETCH_SECONDS = 5.0
"""Before it is looked whether a result still can come; results are small."""


class WorkerLost(Exception):
    """The worker process died while it ran the task."""


class NoWorkers(Exception):
    """The platform is stopping, its workers do not come up, or contact with them was lost."""


class Compute:
    """Worker processes: embedded ones, which live and die with this process, or those of a scheduler elsewhere.

    Parameters
    ----------
    settings
        ``workers`` embedded processes for jobs and one for uploads, each within ``worker_memory_limit``, and with
        ``cluster_listen`` those of other machines that join them; or those of ``dask_scheduler``.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._cluster: SpecCluster | None = None
        self._nannies: dict[str, Nanny] = {}
        self._client: Client | None = None
        self._ready = threading.Event()
        self._is_warming = threading.Event()
        self._stopping = threading.Event()
        self._starter: threading.Thread | None = None
        self._listener: Callable[[dict[str, Any]], None] | None = None
        self._over_memory: deque[str] = deque(maxlen=100)
        self._storage: Storage | None = None
        self._under_way: set[str] = set()
        self._present: Counter[str] = Counter()
        self._counted_at = float("-inf")
        self._has_invited = False
        self._missing: dict[str, float] = {}

    def start(self) -> None:
        """Bring the workers up in the background; `submit` waits for them."""
        self._starter = threading.Thread(target=self._start, name="compute-start", daemon=True)
        self._starter.start()

    def stop(self) -> None:
        """End the embedded workers and whatever they are doing, also while they are still coming up."""
        self._stopping.set()
        # A process that ends while another of its threads imports may be aborted; what warms up only waits.
        while self._starter is not None and self._starter.is_alive() and not self._is_warming.is_set():
            if not self._ready.is_set():
                self._end_processes()
            self._starter.join(timeout=0.1)
        if self._client is not None:
            self._client.close(timeout=2)
        if self._cluster is not None:
            self._end_processes()
            self._cluster.close(timeout=10)

    @cached_property
    def _security(self) -> Security:
        return security_of(self._settings)

    def _end_processes(self) -> None:
        """End the embedded workers' processes: nothing in them is wanted any more, and Dask would wait for it."""
        from distributed.core import Status

        for nanny in self._nannies.values():
            if nanny.status in (Status.init, Status.starting, Status.running):
                # Else it would start another one.
                nanny.close_gracefully()
            if nanny.pid is not None:
                with suppress(ProcessLookupError):
                    os.kill(nanny.pid, signal.SIGTERM)

    def wait(self, timeout: float) -> bool:
        """Wait until the workers are up; False where they are not after ``timeout`` seconds."""
        return self._ready.wait(timeout)

    def invite(self, storage: Storage) -> None:
        """Let other machines join that see this storage, soon and where the settings allow it."""
        self._storage = storage

    @property
    def capacity(self) -> int:
        """How many jobs run at the same time."""
        return self.count()[Lane.JOBS]

    @property
    def memory_limit(self) -> int:
        """Bytes that one worker of this machine may use; those of others may say otherwise."""
        return memory_limit(self._settings)

    @property
    def busy(self) -> int:
        """How many tasks of this platform are at work or wait for a worker, uploads among them."""
        return len(self._under_way)

    def count(self) -> Counter[str]:
        """Count the workers of each lane, as they were a moment ago."""
        if not self._is_open:
            # One that has just died is back in a second.
            return Counter(lanes(self._settings.workers).values())
        if time.monotonic() - self._counted_at >= COUNT_SECONDS:
            found: Counter[str] = Counter()
            if self._client is not None and self._client.status == "running":
                for worker in self._client.scheduler_info(n_workers=-1)["workers"].values():
                    found.update(worker["resources"].keys())
            if found != self._present:
                log.info("workers.counted", **{lane.value: found[lane] for lane in Lane})
            self._present, self._counted_at = found, time.monotonic()
        return self._present

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
        if not self._ready.wait(START_SECONDS) or self._stopping.is_set() or not self.count()[lane]:
            raise NoWorkers
        client = self._client
        assert client is not None
        outcome: Future[Any] = Future()
        try:
            # Dask is to try once: attempts are counted in the database.
            running = client.submit(guarded, task, *arguments, key=name, pure=False, retries=0, resources={lane: 1})
        except Exception as error:
            if client.status == "running":
                raise
            # The scheduler went away in this moment.
            raise NoWorkers from error
        self._under_way.add(name)
        running.add_done_callback(lambda done: self._settle(name, done, outcome))
        return outcome

    def stop_task(self, name: str, outcome: Future[Any]) -> None:
        """Have a submitted task end, soon and somehow; returns at once. ``outcome`` is what `submit` gave."""
        # In threads of their own: a worker that is too busy to listen must not hold anybody up.
        for act, arguments in ((self._ask_to_stop, (name,)), (self._end_worker_of, (name, outcome))):
            threading.Thread(target=_calmly, args=(act, *arguments), name="task-stop", daemon=True).start()

    def _ask_to_stop(self, name: str) -> None:
        assert self._client is not None
        self._client.run(ask_to_stop, name, on_error="ignore")

    def _end_worker_of(self, name: str, outcome: Future[Any]) -> None:
        assert self._client is not None
        wait_for([outcome], timeout=STOP_SECONDS)
        if outcome.done() or self._stopping.is_set():
            return
        addresses = [address for address, tasks in self._client.processing().items() if name in tasks]
        log.warning("task.worker_ended", task=name, workers=len(addresses))
        if addresses:
            self._client.restart_workers(addresses, raise_for_error=False)

    def _settle(self, name: str, done: DaskFuture[Any], outcome: Future[Any]) -> None:
        from distributed import KilledWorker

        self._under_way.discard(name)
        try:
            outcome.set_result(unwrap(self._result_of(done)))
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

    def _result_of(self, done: DaskFuture[Any]) -> Any:
        """Fetch a result from its worker.

        Where Dask's loop ends in this moment, its own waiting has no end, and neither has the process.
        """
        while True:
            try:
                return done.result(timeout=FETCH_SECONDS)
            except TimeoutError:
                if self._stopping.is_set():
                    raise NoWorkers from None

    def _start(self) -> None:
        if self._settings.dask_scheduler is None:
            configure_dask()
            # Whoever stops us in these seconds does not wait for them.
            self._is_warming.set()
            warm_up()
            self._is_warming.clear()
        self._reach()
        while not self._stopping.is_set():
            try:
                self._look_after()
            except Exception as error:
                log.exception("workers.unavailable", reason=str(error.__cause__ or error))
            self._stopping.wait(SUPERVISION_SECONDS)

    def _look_after(self) -> None:
        """Mend what does not mend itself."""
        assert self._client is not None
        if self._client.status == "closed":
            # The scheduler was away for longer than its client is patient.
            self._ready.clear()
            self._reach()
        if self._storage is not None and not self._has_invited:
            self._client.set_metadata(invitation.TOPIC, invitation.invite(self._storage))
            self._has_invited = True
        if self._cluster is not None:
            self._replace_missing(self._cluster, self._client)

    def _reach(self) -> None:
        """Connect to the scheduler, however long it takes."""
        while not self._stopping.is_set():
            try:
                self._connect()
            except Exception as error:
                if self._stopping.is_set():
                    return
                # Whatever it is: the platform goes on with what needs no workers, and tries again.
                log.exception("workers.unavailable", reason=str(error.__cause__ or error))
                self._stopping.wait(RETRY_SECONDS)
            else:
                log.info("workers.ready")
                return

    def _connect(self) -> None:
        from distributed import Client

        address = self._settings.dask_scheduler
        if address is None:
            self._cluster = self._cluster or self._embedded()
            address = self._cluster.scheduler_address
        client = Client(address, timeout=RETRY_SECONDS, set_as_default=False, security=self._security)
        client.subscribe_topic(MEMORY_TOPIC, self._on_over_memory)
        client.subscribe_topic(TOPIC, self._on_message)
        self._client = client
        self._has_invited = not self._is_open
        self._ready.set()

    @property
    def _is_open(self) -> bool:
        """Whether workers come from other machines."""
        return self._settings.dask_scheduler is not None or self._settings.cluster_listen is not None

    def _replace_missing(self, cluster: SpecCluster, client: Client) -> None:
        """Replace workers that Dask has given up: those that could not start, or lost contact for good."""
        present = {worker["name"] for worker in client.scheduler_info()["workers"].values()}
        now = time.monotonic()
        self._missing = {name: self._missing.get(name, now) for name in cluster.worker_spec if name not in present}
        for name in [name for name, since in self._missing.items() if now - since >= MISSING_SECONDS]:
            log.error("worker.replaced", worker=name)
            cluster.sync(_replace, cluster, name)
            del self._missing[name]

    def _on_over_memory(self, event: tuple[float, dict[str, Any]]) -> None:
        self._over_memory.append(event[1]["worker"])

    def _on_message(self, event: tuple[float, dict[str, Any]]) -> None:
        if self._listener is not None:
            self._listener(event[1])

    def _embedded(self) -> SpecCluster:
        """Start the scheduler in this process and the workers as its children: they exit when it does, however."""
        from distributed import Scheduler, SpecCluster

        # Other machines reach the scheduler where the settings say; our own workers stay on loopback all the same.
        listen = urlsplit(f"//{self._settings.cluster_listen or '127.0.0.1:0'}")
        common = {"protocol": "tls://", "security": self._security}
        folder = str(self._settings.data_dir / "workers")
        return SpecCluster(
            scheduler={
                "cls": Scheduler,
                "options": {
                    "host": listen.hostname,
                    "port": listen.port,
                    "dashboard": False,
                    "dashboard_address": WEB_ADDRESS,
                    "allowed_failures": 0,
                    **common,
                },
            },
            workers={
                name: {
                    "cls": self._hire,
                    "options": {
                        "host": "127.0.0.1",
                        **common,
                        **nanny_options(self._settings, lane, self._security, folder),
                    },
                }
                for name, lane in lanes(self._settings.workers).items()
            },
            security=self._security,
            silence_logs=logging.CRITICAL,
        )

    def _hire(self, address: str, **options: Any) -> Nanny:
        """Make the keeper of one embedded worker, and remember it: `stop` does not wait until it has started."""
        from distributed import Nanny

        nanny = Nanny(address, **options)
        self._nannies[options["name"]] = nanny
        return nanny


def _calmly(act: Callable[..., None], *arguments: Any) -> None:
    """Do something that the end of the scheduler may interrupt."""
    try:
        act(*arguments)
    except (OSError, TimeoutError, ValueError) as error:
        log.warning("task.not_stopped", error=type(error).__name__)


async def _replace(cluster: SpecCluster, name: str) -> None:
    given_up = cluster.workers.pop(name, None)
    if given_up is not None:
        await given_up.close(timeout=RETRY_SECONDS)
    await cluster._correct_state()
