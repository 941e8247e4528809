"""The thread between the database and the workers: starts what is pending, records what came of it.

The rows are the truth. A row goes from pending to started by a conditional UPDATE that also counts the attempt, and to
its end by another one that names the attempt: whatever dies in between, and however late a worker that was given up
answers, each job ends once and has one result.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from queue import SimpleQueue
from typing import Any
from uuid import UUID, uuid4

import structlog
from sqlalchemy.exc import SQLAlchemyError

from avatars.server.datasets import normal_form
from avatars.server.db import Database, utc_now
from avatars.server.housekeeping import discard
from avatars.server.jobs import endings, ledger
from avatars.server.jobs.compute import Compute
from avatars.server.jobs.endings import End
from avatars.server.jobs.ledger import Advance, Claim
from avatars.server.jobs.orders import Done, Order, Outputs, perform
from avatars.server.jobs.watchers import Watchers
from avatars.server.jobs.workers import Lane
from avatars.server.lease import Lease, LeaseLost
from avatars.server.reports import files as report_files
from avatars.server.storage import Storage

log = structlog.get_logger(__name__)

COOLING_SECONDS = 2.0
"""Before a job is tried again whose worker died: they often die together, and some may not be known to be dead yet."""

STORAGE_SECONDS = 5.0
"""Before a job is tried again that could not read or write its files."""

PROGRESS_SECONDS = 0.2
"""Progress is written at most this often."""

IDLE_SECONDS = 5.0
"""How often the thread looks though nobody woke it: an operator's command may have changed something."""

POLL_SECONDS = 0.5
"""Between attempts while the workers are not up yet, or the database is away."""


@dataclass
class _Running:
    claim: Claim
    outputs: Outputs
    outcome: Future[Done] = field(default_factory=Future)
    since: float = field(default_factory=time.monotonic)
    percent: int = 0
    is_stopping: bool = False

    @property
    def task(self) -> str:
        """Its name among the workers."""
        return f"{self.claim.kind.value}-{self.claim.job_id}-{self.claim.attempt}"


class JobRunner:
    """Runs the jobs of a database on some workers; one runner per database.

    Parameters
    ----------
    database, storage, compute
        Where jobs are written down, where their tables are, and who does the work.
    lease
        The right to be the database's only runner; taken already.
    deadline_hours
        How long one attempt may take.
    on_lost
        Called, in the runner's thread, where another runner has the right by now; this one has stopped.
    """

    def __init__(
        self,
        database: Database,
        storage: Storage,
        compute: Compute,
        lease: Lease,
        *,
        deadline_hours: float,
        on_lost: Callable[[], None],
    ) -> None:
        self.compute = compute
        self.watchers = Watchers()
        self._database = database
        self._storage = storage
        self._lease = lease
        self._deadline_hours = deadline_hours
        self._on_lost = on_lost
        self._wake = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="job-runner", daemon=True)
        # Filled by other threads, emptied by ours.
        self._messages: SimpleQueue[dict[str, Any]] = SimpleQueue()
        self._arrivals: SimpleQueue[tuple[UUID, Future[Done]]] = SimpleQueue()
        # Ours alone.
        self._running: dict[UUID, _Running] = {}
        self._finished: dict[UUID, Future[Done]] = {}
        self._advances: dict[UUID, Advance] = {}
        self._advances_due = 0.0
        self._cooling: dict[UUID, float] = {}
        self._unsure = False
        self._look_again_at = 0.0

    def start(self) -> None:
        """Take up what an earlier run of the platform left, then work in the background."""
        self._storage.sweep()
        normal_form.sweep(self._storage, ledger.known_datasets(self._database))
        report_files.sweep(self._storage, ledger.known_reports(self._database))
        endings.resume(self._database)
        self.compute.listen(self._on_message)
        self.compute.invite(self._storage)
        self._thread.start()

    def stop(self) -> None:
        """Stop; jobs under way are put back and start again when the platform does."""
        self._stopping = True
        self._wake.set()
        self._thread.join()

    def wake(self) -> None:
        """Say that there is a new job; from any thread."""
        self._wake.set()

    def stop_unwanted(self) -> None:
        """Say that jobs were killed or deleted that may be under way; from any thread."""
        self._look_again_at = 0.0
        self._wake.set()

    def _on_message(self, message: dict[str, Any]) -> None:
        self._messages.put(message)
        self._wake.set()

    def _on_done(self, job_id: UUID, outcome: Future[Done]) -> None:
        self._arrivals.put((job_id, outcome))
        self._wake.set()

    def _run(self) -> None:
        while not self._stopping and not self.compute.wait(timeout=POLL_SECONDS):
            pass
        while not self._stopping:
            try:
                pause = self._work() if self._lease.holds() else self._wait_a_moment()
            except LeaseLost:
                log.critical("runner.superseded")
                self._on_lost()
                return
            except SQLAlchemyError as error:
                # Nothing is lost while the database is away: what is not recorded yet stays in our hands.
                log.error("runner.database_away", error=type(error).__name__)
                self._unsure = True
                pause = self._wait_a_moment()
            except Exception:
                # This thread has to outlive whatever one job does to it.
                log.exception("runner.failed")
                self._unsure = True
                pause = self._wait_a_moment()
            self._wake.wait(pause)
            self._wake.clear()
        self._put_back()

    def _work(self) -> float:
        """Bring rows and workers together once; gives the seconds until it wants to be called again."""
        self._recover()
        self._record_ends()
        self._fail_overdue()
        self._stop_unwanted()
        self._start_pending()
        return min(self._record_progress(), COOLING_SECONDS if self._cooling else IDLE_SECONDS)

    def _wait_a_moment(self) -> float:
        # Asleep, whatever others tell us: a fault must not be met at full speed.
        time.sleep(POLL_SECONDS)
        return 0.0

    def _recover(self) -> None:
        """After a fault: a claim may have been recorded although we were told that it was not."""
        if self._unsure:
            ledger.put_back_all_but(self._database, self._running)
            self._unsure = False

    def _start_pending(self) -> None:
        free = self.compute.capacity - len(self._running)
        now = time.monotonic()
        self._cooling = {job_id: until for job_id, until in self._cooling.items() if until > now}
        for claim in ledger.claim(self._database, free, self._cooling):
            running = _Running(claim, Outputs(uuid4(), uuid4()))
            self._running[claim.job_id] = running
            order = Order(
                claim.job_id,
                claim.attempt,
                claim.kind,
                claim.dataset_id,
                claim.compared_dataset_id,
                claim.parameters,
                claim.columns,
                running.outputs,
            )
            try:
                running.outcome = self.compute.submit(Lane.JOBS, running.task, perform, self._storage, order)
            except Exception as error:  # noqa: BLE001 - however submitting fails, it ends the attempt like any other failure
                running.outcome.set_exception(error)
            running.outcome.add_done_callback(partial(self._on_done, claim.job_id))
            log.info("job.started", job_id=str(claim.job_id), kind=claim.kind.value, attempt=claim.attempt)

    def _fail_overdue(self) -> None:
        """Fail what takes too long; nobody wants it then, and so it is stopped."""
        overdue = time.monotonic() - self._deadline_hours * 3600
        for running in self._running.values():
            if running.since < overdue and not running.is_stopping:
                endings.record_overdue(self._database, running.claim, self._deadline_hours)
                self._look_again_at = 0.0

    def _stop_unwanted(self) -> None:
        """Stop what was killed or deleted meanwhile: looked up when somebody says so, and now and then anyway."""
        if not self._running or time.monotonic() < self._look_again_at:
            return
        self._look_again_at = time.monotonic() + IDLE_SECONDS
        for job_id in ledger.unwanted(self._database, [running.claim for running in self._running.values()]):
            running = self._running[job_id]
            if not running.is_stopping:
                running.is_stopping = True
                self.compute.stop_task(running.task, running.outcome)
                # Nobody has to wait until it has really stopped.
                self.watchers.notify(job_id)

    def _record_ends(self) -> None:
        while not self._arrivals.empty():
            job_id, outcome = self._arrivals.get()
            self._finished[job_id] = outcome
        for job_id, outcome in list(self._finished.items()):
            running = self._running[job_id]
            memory = self.compute.memory_limit
            end = endings.record(self._database, running.claim, running.outputs, outcome, memory)
            # Only now: had recording failed, the loop would come back to it.
            del self._finished[job_id], self._running[job_id]
            self._advances.pop(job_id, None)
            if end is not End.RESULT:
                self._discard(running.outputs)
            if end is End.WORKER_LOST:
                self._cooling[job_id] = time.monotonic() + COOLING_SECONDS
            elif end is End.STORAGE_FAULT:
                self._cooling[job_id] = time.monotonic() + STORAGE_SECONDS
            elif end is End.NO_WORKERS:
                self._wait_a_moment()
            else:
                self.watchers.notify(job_id)

    def _discard(self, outputs: Outputs) -> None:
        folders = [*map(normal_form.folder_key, outputs.ids), report_files.folder_key(outputs.avatars)]
        for folder in folders:
            discard(self._database, self._storage, folder)

    def _record_progress(self) -> float:
        """Write down how far the jobs are, not too often; gives the seconds until it wants to be called again."""
        while not self._messages.empty():
            self._take_in(self._messages.get())
        if not self._advances:
            return IDLE_SECONDS
        wait = self._advances_due - time.monotonic()
        if wait > 0:
            return wait
        ledger.advance(self._database, self._advances.values())
        self._advances.clear()
        self._advances_due = time.monotonic() + PROGRESS_SECONDS
        return IDLE_SECONDS

    def _take_in(self, message: dict[str, Any]) -> None:
        job_id = UUID(message["job"])
        running = self._running.get(job_id)
        if running is None or running.claim.attempt != message["attempt"]:
            return
        # 100 is for a job that is over.
        running.percent = min(99, max(running.percent, round(message["completion"] * 100)))
        self._advances[job_id] = Advance(job_id, message["attempt"], message["step"], running.percent, utc_now())

    def _put_back(self) -> None:
        """Leave the database as if what is still under way had not been started; the last act of the thread."""
        try:
            self._record_ends()
            ledger.put_back(self._database, [running.claim for running in self._running.values()])
        except Exception:
            # The next start puts them back as well.
            log.exception("runner.failed")
