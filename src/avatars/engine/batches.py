"""Work on a table block by block, on all cores, with progress and cancellation."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from threadpoolctl import threadpool_limits

from avatars.engine.progress import Progress, advance
from avatars.engine.random import blocks

T = TypeVar("T")

# Blocks handed to the threads before progress is reported: about a quarter of a million rows.
_BLOCKS_AT_ONCE = 64


def default_threads() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def single_threaded_blas() -> Iterator[None]:
    """Keep BLAS to one thread: the threads are ours, and sums must not depend on how BLAS splits them."""
    with threadpool_limits(limits=1, user_api="blas"):
        yield


def each_block(work: Callable[[int, slice], None], n: int, *, step: str, progress: Progress) -> None:
    """Call ``work(index, rows)`` for every block of ``n`` rows; it writes where only its rows are.

    Raises ``Cancelled`` between two groups of blocks where ``progress`` says so.
    """
    for _ in _in_groups(work, n, step, progress):
        pass


def merged_blocks(
    work: Callable[[int, slice], T], merge: Callable[[T, T], T], n: int, *, step: str, progress: Progress
) -> T:
    """Return the merge of ``work(index, rows)`` over all blocks, from the first to the last whatever threads do."""
    return functools.reduce(merge, _in_groups(work, n, step, progress))


def _in_groups(work: Callable[[int, slice], T], n: int, step: str, progress: Progress) -> Iterator[T]:
    todo = list(blocks(n))
    with ThreadPoolExecutor(default_threads()) as pool:
        for start in range(0, len(todo), _BLOCKS_AT_ONCE):
            group = todo[start : start + _BLOCKS_AT_ONCE]
            yield from list(pool.map(lambda block: work(*block), group))
            advance(progress, step, group[-1][1].stop, n)
