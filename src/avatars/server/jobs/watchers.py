"""Waiting for the end of a job in a request, without a thread for each who waits."""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from uuid import UUID


class Watchers:
    """Requests that wait for jobs, woken from the runner's thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[UUID, set[asyncio.Event]] = defaultdict(set)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_closed = False

    @contextmanager
    def watch(self, job_id: UUID) -> Iterator[asyncio.Event]:
        """An event that is set when the job ends, from now on; call within the event loop."""
        over = asyncio.Event()
        if self._is_closed:
            over.set()
        with self._lock:
            self._loop = asyncio.get_running_loop()
            self._waiting[job_id].add(over)
        try:
            yield over
        finally:
            with self._lock:
                self._waiting[job_id].discard(over)
                if not self._waiting[job_id]:
                    del self._waiting[job_id]

    def notify(self, job_id: UUID) -> None:
        """Wake those who wait for this job; from any thread."""
        with self._lock:
            waiting = list(self._waiting.get(job_id, ()))
            loop = self._loop
        for over in waiting:
            assert loop is not None
            # A loop that is closed has nobody left to wake.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(over.set)

    def close(self) -> None:
        """Wake everybody, from now on at once: the platform stops, and answers with what it knows."""
        with self._lock:
            self._is_closed = True
            waited_for = list(self._waiting)
        for job_id in waited_for:
            self.notify(job_id)
