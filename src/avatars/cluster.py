"""The workers of a Dask scheduler as the engine's: the same tasks, the same bytes, on other processes or machines.

Large arrays do not travel: they are files of a working folder that all of them see, and a task opens those it reads.
Dask runs a task again whose worker was lost. Whoever reaches a scheduler can run code on its workers: use ``tls://``
addresses beyond one machine (Dask reads where the keys are from its own configuration).
"""

from __future__ import annotations

import functools
import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import cloudpickle
from distributed import Client, KilledWorker

from avatars.engine.batches import in_order, single_threaded_blas, working_on
from avatars.engine.errors import EngineError

S = TypeVar("S")
T = TypeVar("T")

ITEMS_PER_TASK = 8
"""Items that go to a worker together: a task costs the scheduler about a millisecond."""

LARGEST_TASK = 4 * 2**20
"""Bytes; a task that holds on to more is computed here, for it would travel with every item."""

CONNECT_SECONDS = 5


class DaskWorkers:
    """The workers of the scheduler that a client is connected to."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def map(self, task: Callable[[S], T], items: Iterable[S]) -> Iterator[T]:
        """Yield ``task(item)`` of all items in their order, a few ahead of who reads.

        Raises ``EngineError`` where workers are lost again and again.
        """
        pickled = cloudpickle.dumps(task)
        if len(pickled) > LARGEST_TASK:
            yield from in_order(task, items)
            return
        ahead = 2 * max(1, sum(self._client.ncores().values()))
        waiting: deque[Any] = deque()
        try:
            for together in _by(ITEMS_PER_TASK, items):
                waiting.append(self._client.submit(_work, pickled, together, pure=False))
                if len(waiting) > ahead:
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()
        except KilledWorker as killed:
            raise EngineError(
                "The cluster lost one worker after the other over the same task: give its workers more memory.",
                code="workers_lost",
            ) from killed
        finally:
            self._client.cancel(list(waiting))


@contextmanager
def working_on_scheduler(address: str) -> Iterator[None]:
    """Compute on the workers of a scheduler such as ``tls://host:8786``; raises ``EngineError`` if there is none."""
    try:
        client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise EngineError(
            f"No Dask scheduler answers at {address}: start one, or compute on this machine.", code="no_scheduler"
        ) from error
    with client, working_on(DaskWorkers(client)):
        yield


def _work(pickled: bytes, items: list[Any]) -> list[Any]:
    """Run a task on some items, in a worker."""
    task = _task(pickled)
    with single_threaded_blas():
        return [task(item) for item in items]


@functools.lru_cache(maxsize=2)
def _task(pickled: bytes) -> Callable[[Any], Any]:
    task: Callable[[Any], Any] = cloudpickle.loads(pickled)
    return task


def _by(size: int, items: Iterable[S]) -> Iterator[list[S]]:
    left = iter(items)
    while together := list(itertools.islice(left, size)):
        yield together
