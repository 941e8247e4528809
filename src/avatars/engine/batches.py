"""Work on a table block by block, on all cores or on other machines, with progress and cancellation."""

from __future__ import annotations

import functools
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol, TypeVar

from threadpoolctl import threadpool_limits

from avatars.engine.progress import Progress, advance
from avatars.engine.random import blocks

T = TypeVar("T")
S = TypeVar("S")


def default_threads() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def single_threaded_blas() -> Iterator[None]:
    """Keep BLAS to one thread: the threads are ours, and sums must not depend on how BLAS splits them."""
    with threadpool_limits(limits=1, user_api="blas"):
        yield


class Workers(Protocol):
    """Who computes: the threads of this process, or processes elsewhere."""

    def map(self, task: Callable[[S], T], items: Iterable[S]) -> Iterator[T]:
        """Yield ``task(item)`` of all items in their order; a task may be run twice where a worker was lost.

        A task only reads, and gives what it has computed. What it holds on to is pickled where workers are elsewhere:
        large arrays should be a workspace's files.
        """
        ...


class Threads:
    """The threads of this process, as many as it has cores."""

    def map(self, task: Callable[[S], T], items: Iterable[S]) -> Iterator[T]:
        """Yield ``task(item)`` of all items in their order."""
        return in_order(task, items)


_workers: ContextVar[Workers] = ContextVar("workers")


@contextmanager
def working_on(workers: Workers) -> Iterator[None]:
    """Compute what is large on these workers; bit for bit the same comes out wherever it is."""
    token = _workers.set(workers)
    try:
        yield
    finally:
        _workers.reset(token)


def spread(task: Callable[[S], T], items: Iterable[S]) -> Iterator[T]:
    """Yield ``task(item)`` of all items in their order, computed by whom ``working_on`` says; else by threads."""
    return _workers.get(Threads()).map(task, items)


def each_block(work: Callable[[int, slice], T], n: int, *, step: str, progress: Progress) -> Iterator[tuple[slice, T]]:
    """Yield ``(rows, work(index, rows))`` for every block of ``n`` rows, from the first to the last.

    Raises ``Cancelled`` between two blocks where ``progress`` says so.
    """
    todo = list(blocks(n))
    for (_, rows), result in zip(todo, spread(lambda block: work(*block), todo), strict=True):
        yield rows, result
        advance(progress, step, rows.stop, n)


def merged_blocks(
    work: Callable[[int, slice], T], merge: Callable[[T, T], T], n: int, *, step: str, progress: Progress
) -> T:
    """Return the merge of ``work(index, rows)`` over all blocks, from the first to the last whoever computes."""
    results = (result for _, result in each_block(work, n, step=step, progress=progress))
    return functools.reduce(merge, results)


def in_order(work: Callable[[S], T], items: Iterable[S]) -> Iterator[T]:
    """Yield ``work(item)`` of all items in their order, a few ahead on all cores: memory for those alone."""
    waiting: deque[Future[T]] = deque()
    with ThreadPoolExecutor(default_threads()) as pool:
        try:
            for item in items:
                waiting.append(pool.submit(work, item))
                if len(waiting) > default_threads():
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def slices(n: int, size: int) -> Iterator[slice]:
    """Yield the ``size`` first of ``n`` rows, the next, and so on, the last ones fewer."""
    for start in range(0, n, size):
        yield slice(start, min(n, start + size))
