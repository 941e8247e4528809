"""How an attempt ended, written down: a result, a sentence for its user, or another attempt.

Attempts are repeated for faults of the platform's own parts, a few times; never for what the job itself cannot do.
"""

from __future__ import annotations

import secrets
from concurrent.futures import Future
from enum import Enum, auto

import structlog

from avatars.engine.errors import Cancelled, EngineError
from avatars.engine.machine import in_words
from avatars.server.db import Database
from avatars.server.jobs import ledger
from avatars.server.jobs.compute import NoWorkers, WorkerLost
from avatars.server.jobs.guard import OutOfMemory
from avatars.server.jobs.ledger import Claim
from avatars.server.jobs.orders import Done, Outputs
from avatars.server.storage import StorageAway, StorageFull

log = structlog.get_logger(__name__)

MAX_WORKER_LOSSES = 3
"""A job whose worker died this often is likely to be why."""

MAX_INTERRUPTIONS = 10
"""A job that was under way each of so many times that the platform was killed may be what kills it."""

_BROKEN = (
    "Something went wrong on our side (reference {reference}): try again, and if it happens again, give the reference "
    "to the person who runs the platform."
)
_OUT_OF_MEMORY = (
    "The job ran out of memory, of which one has {memory} here: use fewer rows or columns, or ask the person who runs "
    "the platform to give its workers more memory."
)
_LOST_TOO_OFTEN = (
    f"The job was stopped after {MAX_WORKER_LOSSES} attempts in which its worker process ended: try again with fewer "
    "rows or columns, and if that fails too, ask the person who runs the platform."
)
_OVERDUE = (
    "The job was stopped after {time}, the longest that one may take on this platform: use fewer rows or columns, or "
    "ask the person who runs the platform for more time."
)
_INTERRUPTED_TOO_OFTEN = (
    f"The job was given up because the platform stopped unexpectedly {MAX_INTERRUPTIONS} times while it ran: ask the "
    "person who runs the platform, then create the job again."
)


class End(Enum):
    """What became of an attempt."""

    RESULT = auto()
    """The job has its result."""
    NONE = auto()
    """The job is over without one, or not this attempt's any more."""
    WORKER_LOST = auto()
    """The job starts again, a little later."""
    STORAGE_FAULT = auto()
    """It starts again until the storage is back, or somebody has made room."""
    NO_WORKERS = auto()
    """It starts again as soon as there are workers."""


def record(database: Database, claim: Claim, outputs: Outputs, outcome: Future[Done], memory: int) -> End:
    """Write down how an attempt ended, and say so; ``memory`` is what it had, in bytes."""
    named = log.bind(job_id=str(claim.job_id), attempt=claim.attempt)
    try:
        done = outcome.result()
    except Cancelled:
        named.info("job.stopped")
    except EngineError as error:
        ledger.fail(database, claim, str(error))
        named.info("job.refused", code=error.code)
    except OutOfMemory:
        ledger.fail(database, claim, _OUT_OF_MEMORY.format(memory=in_words(memory)))
        named.warning("job.out_of_memory")
    except NoWorkers:
        # Contact with the scheduler was lost: no fault of the job's, so it does not count.
        ledger.put_back(database, [claim])
        named.warning("job.put_back")
        return End.NO_WORKERS
    except (StorageAway, StorageFull) as error:
        # No fault of the job's either.
        ledger.put_back(database, [claim])
        named.warning("job.put_back", reason=str(error))
        return End.STORAGE_FAULT
    except WorkerLost:
        over = ledger.retry(database, claim, MAX_WORKER_LOSSES, _LOST_TOO_OFTEN)
        named.warning("job.worker_lost", over=over)
        return End.NONE if over else End.WORKER_LOST
    except Exception as error:  # noqa: BLE001 - a fault of ours: the user gets a reference to the log
        reference = secrets.token_hex(4)
        ledger.fail(database, claim, _BROKEN.format(reference=reference))
        # What a task raised is in the log already, without the text that may quote a cell.
        named.error("job.broken", reference=reference, error=type(error).__name__)
    else:
        if ledger.succeed(database, claim, outputs, done):
            named.info("job.succeeded")
            return End.RESULT
        named.warning("job.outdated")
    return End.NONE


def record_overdue(database: Database, claim: Claim, hours: float) -> None:
    """Write down that an attempt took longer than any may."""
    time = f"{hours:g} hours" if hours >= 1 else f"{hours * 60:.2g} minutes"
    ledger.fail(database, claim, _OVERDUE.format(time=time))
    log.warning("job.overdue", job_id=str(claim.job_id), attempt=claim.attempt)


def resume(database: Database) -> None:
    """Let start again what was under way when the platform was killed; only when nobody runs it any more."""
    ledger.resume(database, MAX_INTERRUPTIONS, _INTERRUPTED_TOO_OFTEN)
