"""How a worker says how far an attempt is, and hears that nobody wants it any more."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

from avatars.engine.progress import completion

MESSAGE_SECONDS = 0.2
"""A job speaks of its progress at most this often."""


class JobProgress:
    """The engine's progress of one attempt, as messages: never falling, a few a second at most."""

    def __init__(
        self, job_id: UUID, attempt: int, send: Callable[[dict[str, Any]], None], is_unwanted: Callable[[], bool]
    ) -> None:
        self._attempt = {"job": str(job_id), "attempt": attempt}
        self._send = send
        self._is_unwanted = is_unwanted
        self._lock = threading.Lock()
        self._step = ""
        self._completion = 0.0
        self._next = 0.0

    def report(self, step: str, done: float, total: float) -> None:
        """Tell the platform, unless it was told a moment ago and the step is still the same."""
        with self._lock:
            self._completion = max(self._completion, completion(step, done, total))
            now = time.monotonic()
            if step == self._step and now < self._next:
                return
            self._step, self._next = step, now + MESSAGE_SECONDS
            self._send({**self._attempt, "step": step, "completion": self._completion})

    def should_stop(self) -> bool:
        """Whether the job was cancelled, or its data deleted."""
        return self._is_unwanted()
