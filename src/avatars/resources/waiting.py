"""Waiting for a job: asking quickly at first, then patiently, and showing how far it is."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from typing import Protocol, TypeVar

from avatars._bar import Section, progress_bar
from avatars._http import LONGEST_RETRY_AFTER, checked_seconds, is_passing, retry_after
from avatars.errors import AvatarsError, ConnectionFailed
from avatars.models import JobProgress, JobStatus

FIRST_PAUSE = 0.1
"""Seconds that the first look may take to hear of the job's end; small jobs are over soon after."""

LONGEST_PAUSE = 2.0
"""They double up to this many: often enough for a table of progress, short enough not to hold up a platform that
is about to stop."""

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
JobT_co = TypeVar("JobT_co", bound=Waitable, covariant=True)


class Look(Protocol[JobT_co]):
    """Fetches a job once."""

    def __call__(self, *, wait: float, timeout: float) -> JobT_co:
        """Return the job when it is over, or after ``wait`` seconds; give up after ``timeout`` seconds of silence."""
        ...


def wait(
    look: Look[JobT],
    way_back: str,
    *,
    timeout: float | None = None,
    per_request_timeout: float | None = None,
    progress: bool = True,
    clock: Clock = time,
) -> JobT:
    """Look at a job until it is over, or until ``timeout`` seconds have passed, and return it as last seen.

    Each look lasts until the job is over or its time is up; where the platform knows no such waiting and answers at
    once, the rest of that time is slept. A connection that is lost meanwhile is taken up again.

    Parameters
    ----------
    way_back
        The call that comes back to the job, for messages.
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
    limit = checked_seconds(per_request_timeout) or REQUEST_TIMEOUT
    end = clock.monotonic() + (math.inf if timeout is None else timeout)
    answered = clock.monotonic()
    job: JobT | None = None
    try:
        with progress_bar("waiting for the platform", shown=progress) as steps:
            for pause in _pauses():
                began = clock.monotonic()
                left = end - began
                failure: AvatarsError | None = None
                try:
                    # The platform's answer must have time to arrive before the look is given up.
                    job = look(wait=max(0.0, min(pause, left, limit / 2)), timeout=min(limit, max(left, LAST_LOOK)))
                except AvatarsError as error:
                    if not is_passing(error):
                        raise
                    failure = error
                    pause = max(pause, min(retry_after(error) or 0.0, LONGEST_RETRY_AFTER))
                else:
                    answered = clock.monotonic()
                _show(steps, job if failure is None else None)
                if job is not None and job.status.is_over:
                    return job

                now = clock.monotonic()
                if now >= end:
                    break
                if timeout is None and now - answered > PATIENCE:
                    raise ConnectionFailed(
                        f"The platform has not answered for {PATIENCE / 60:g} minutes; "
                        f"the job may still be running: call {way_back} to come back to it."
                    )
                clock.sleep(max(0.0, min(pause - (now - began), end - now)))
    except KeyboardInterrupt as interrupt:
        interrupt.add_note(f"The job goes on without you: call {way_back} to come back to it.")
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


def _show(steps: Section, job: Waitable | None) -> None:
    """Go to where the job is; None stands for a lost connection."""
    if job is None:
        steps.note("no answer, trying again")
    elif job.status is JobStatus.success:
        steps.finish()
    elif job.status.is_over:
        steps.fail(job.status.value if job.status is JobStatus.killed else "failed")
    elif job.current_progress is None:
        steps("waiting for a worker", None)
    else:
        # Under way it is never all done: the end is the status' to say.
        steps(job.current_progress.name or "running", min(job.current_progress.completion_rate_100, 99) / 100)
