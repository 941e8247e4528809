"""Waiting for a job: asking quickly at first, then patiently, and showing how far it is."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from typing import Protocol, TypeVar
from uuid import UUID

from avatars._bar import Update, progress_bar
from avatars._http import LONGEST_RETRY_AFTER, checked_seconds, is_passing, retry_after
from avatars.errors import AvatarsError, ConnectionFailed
from avatars.models import JobProgress, JobStatus

FIRST_PAUSE = 0.1
"""Seconds between the first two looks; small jobs are over by then."""

LONGEST_PAUSE = 2.0
"""Pauses double up to this many seconds: often enough for a progress bar, seldom enough for the platform."""

REQUEST_TIMEOUT = 10.0
"""Seconds of silence after which one look is given up; another follows."""

LAST_LOOK = 1.0
"""Seconds that a look may take which begins when the time is almost up."""

PATIENCE = 300.0
"""Seconds without an answer after which waiting without a ``timeout`` ends: longer than any restart."""


class Waitable(Protocol):
    """A job as waiting sees it."""

    @property
    def status(self) -> JobStatus:
        """Where the job stands."""
        ...

    @property
    def current_progress(self) -> JobProgress | None:
        """How far it is."""
        ...


class Clock(Protocol):
    """What the time is read from; the module ``time`` is one."""

    def monotonic(self) -> float:
        """Seconds since some moment."""
        ...

    def sleep(self, seconds: float, /) -> None:
        """Let time pass."""
        ...


JobT = TypeVar("JobT", bound=Waitable)


def wait(
    look: Callable[[float], JobT],
    job_id: UUID,
    *,
    timeout: float | None = None,
    per_request_timeout: float | None = None,
    progress: bool = True,
    clock: Clock = time,
) -> JobT:
    """Look at a job until it is over, or until ``timeout`` seconds have passed, and return it as last seen.

    A connection that is lost meanwhile is taken up again.

    Parameters
    ----------
    look
        Fetches the job once, within the seconds that it is given.
    timeout
        Seconds in all; None waits until the job is over.
    per_request_timeout
        Seconds of silence for one look.

    Raises
    ------
    avatars.errors.ConnectionFailed
        The platform did not answer even once within ``timeout``, or for five minutes without one.
    """
    checked_seconds(timeout)
    end = clock.monotonic() + (math.inf if timeout is None else timeout)
    answered = clock.monotonic()
    job: JobT | None = None
    try:
        with progress_bar("waiting for the platform", shown=progress) as update:
            for pause in _pauses():
                failure: AvatarsError | None = None
                left = end - clock.monotonic()
                try:
                    job = look(min(per_request_timeout or REQUEST_TIMEOUT, max(left, LAST_LOOK)))
                except AvatarsError as error:
                    if not is_passing(error):
                        raise
                    failure = error
                    pause = max(pause, min(retry_after(error) or 0.0, LONGEST_RETRY_AFTER))
                else:
                    answered = clock.monotonic()
                _show(update, job if failure is None else None)
                if job is not None and job.status.is_over:
                    return job

                now = clock.monotonic()
                if now >= end:
                    break
                if timeout is None and now - answered > PATIENCE:
                    raise ConnectionFailed(
                        f"The platform has not answered for {PATIENCE / 60:g} minutes; "
                        f"the job may still be running: {_way_back(job_id)}"
                    )
                clock.sleep(min(pause, end - now))
    except KeyboardInterrupt as interrupt:
        interrupt.add_note(f"The job goes on without you: {_way_back(job_id)}")
        raise
    if job is not None:
        return job
    assert failure is not None
    raise failure


def _pauses() -> Iterator[float]:
    pause = FIRST_PAUSE
    while True:
        yield pause
        pause = min(2 * pause, LONGEST_PAUSE)


def _way_back(job_id: UUID) -> str:
    return f'call get_avatarization_job("{job_id}") to come back to it.'


def _show(update: Update, job: Waitable | None) -> None:
    """Move the bar to where the job is; None stands for a lost connection, which leaves it where it was."""
    if job is None:
        update("no answer from the platform, trying again", None)
    elif job.status is JobStatus.success:
        update("done", 1.0)
    elif job.status.is_over:
        update("failed", None)
    elif job.current_progress is None:
        update("waiting for a worker", None)
    else:
        update(job.current_progress.name or "running", job.current_progress.completion_rate_100 / 100)
