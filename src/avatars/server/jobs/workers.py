"""Worker processes, the same ones whether the platform starts them or ``avatars worker`` does on another machine.

Dask is imported where it is used: the platform answers while a thread of its own imports it.
"""

from __future__ import annotations

import logging
import multiprocessing.util
import os
import ssl
import sys
import tempfile
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from avatars.engine.machine import read_size
from avatars.server.settings import Settings

if TYPE_CHECKING:
    from distributed import Security, Worker

# Workers import these before they count as up, so that the first job does not wait for it.
_PRELOADED = ["avatars.server.datasets.ingest", "avatars.server.jobs.tasks", "avatars.server.jobs.workers"]

NICENESS = 5
"""Of workers that do jobs, where the system knows nothing better."""

# Workers hold one table at a time and no results: there is nothing to spill, and one that pauses to wait for memory
# helps nobody. Whoever goes over the limit is ended.
_CONFIG: dict[str, Any] = {
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.profile.enabled": False,
    "distributed.admin.system-monitor.gil.enabled": False,
    # Dask's web servers cannot be turned off; they are left without a page.
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
}

WEB_ADDRESS = "127.0.0.1:0"


class Lane(StrEnum):
    """What a worker is for. A worker says so by a Dask resource of this name, amount 1."""

    JOBS = "jobs"
    """Avatarizations: minutes and gigabytes."""
    UPLOADS = "uploads"
    """Tables that somebody waits for: never queued behind jobs, and a hostile file takes no job down."""


_LONGEST_FOLDER = 60
"""Bytes; Python's own part of the name takes some 40."""


def configure_dask() -> None:
    """Set what schedulers and workers of this process, and its children, read from Dask's configuration.

    Where the system can, one process imports what workers need, and they are forks of it: a start takes a third of the
    time, and they share the memory of what was imported. Dask's own log has nothing to say to an operator: it is off,
    also after a cluster's end, when what was still to be sent is reported with a traceback.
    """
    import dask.config
    from distributed.utils import get_mp_context

    dask.config.set(_CONFIG)
    for name in ("distributed", "distributed.client", "distributed.gc"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    if _can_fork():
        _make_room_for_sockets()
        dask.config.set({"distributed.worker.multiprocessing-method": "forkserver"})
        # Dask has a list of its own, which it sets at the first call.
        get_mp_context().set_forkserver_preload(["distributed", *_PRELOADED])


def _can_fork() -> bool:
    return sys.platform == "linux"


def _make_room_for_sockets() -> None:
    """Where temporary files lie deep, keep the socket to the one process elsewhere: its name has 107 bytes."""
    if len(os.fsencode(tempfile.gettempdir())) > _LONGEST_FOLDER:
        usual = tempfile.tempdir
        tempfile.tempdir = "/tmp"  # noqa: S108 - a folder of one's own is made in it
        try:
            # Made once a process, and gone with it.
            multiprocessing.util.get_temp_dir()
        finally:
            tempfile.tempdir = usual


def warm_up() -> None:
    """Wait until workers can be started quickly; takes seconds the first time, as long as what they import."""
    from distributed.utils import get_mp_context

    if _can_fork():
        first = get_mp_context().Process(target=int)
        first.start()
        first.join()


def lanes(jobs: int) -> dict[str, Lane]:
    """Name the workers of a machine that does so many jobs at the same time: one more reads uploads."""
    return {**{f"jobs-{number}": Lane.JOBS for number in range(jobs)}, "uploads-0": Lane.UPLOADS}


def memory_limit(settings: Settings) -> int:
    """Give the bytes that one worker may use."""
    if settings.worker_memory_limit == "auto":
        from distributed.system import MEMORY_LIMIT

        return int(MEMORY_LIMIT) // len(lanes(settings.workers))
    return read_size(settings.worker_memory_limit)


def dask_setup(worker: Worker) -> None:
    """Set up a worker process; Dask calls this of each module that it preloads."""
    if Lane.JOBS.value in worker.state.total_resources:
        let_others_go_first()


def let_others_go_first() -> None:
    """Give this process the processors that nobody else wants: where somebody waits for an answer, jobs wait.

    An answer is made of short turns in several threads. Beside a process that is merely nicer many a turn first waits
    until the scheduler's next tick, 4 ms; beside one of Linux' ``SCHED_IDLE`` (sched(7)) it begins at once. Both
    belong to threads, not to processes: those that are there already are asked one by one, new ones inherit it.
    """
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    if sys.platform == "linux":
        for thread in Path("/proc/self/task").iterdir():
            # It has ended meanwhile, or the system (a sandbox) allows no more than to be nice.
            with suppress(OSError):
                os.sched_setscheduler(int(thread.name), os.SCHED_IDLE, os.sched_param(0))


def nanny_options(settings: Settings, lane: Lane, security: Security, folder: str) -> dict[str, Any]:
    """Give what a worker process and the nanny that looks after it are started with."""
    return {
        "security": security,
        "nthreads": 1,
        "resources": {lane.value: 1},
        "memory_limit": memory_limit(settings),
        "local_directory": folder,
        "preload": _PRELOADED,
        "dashboard": False,
        "dashboard_address": WEB_ADDRESS,
        "silence_logs": logging.CRITICAL,
    }


def security_of(settings: Settings) -> Security:
    """Give what the machines of a cluster know each other by.

    Whoever reaches a scheduler can run code in its workers. Where the settings name certificates, both sides of every
    connection show theirs. Where they do not, nothing is open but loopback, where every user of the machine is: the key
    is made at each start, is never written down, and only our own children have it.
    """
    from distributed import Security

    if settings.cluster_key_file is not None:
        certificate, key = str(settings.cluster_certificate_file), str(settings.cluster_key_file)
        return Security(
            require_encryption=True,
            tls_min_version=ssl.TLSVersion.TLSv1_3,
            tls_ca_file=str(settings.cluster_ca_file),
            **{f"tls_{role}_cert": certificate for role in ("client", "scheduler", "worker")},
            **{f"tls_{role}_key": key for role in ("client", "scheduler", "worker")},
        )
    return Security.temporary() if settings.dask_scheduler is None else Security()
