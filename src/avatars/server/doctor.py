"""The examination of a platform's surroundings: each part is tried, not believed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from concurrent.futures import TimeoutError as TimedOut
from dataclasses import dataclass
from uuid import uuid4

from avatars.server.db import Database, DatabaseError
from avatars.server.jobs.compute import START_SECONDS, Compute, Lane, NoWorkers, WorkerLost
from avatars.server.mail import smtp
from avatars.server.settings import GIB, Settings
from avatars.server.storage import Storage

LITTLE_ROOM = 5 * GIB
"""Free bytes below which a disk is called nearly full: less than one large upload."""

LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True)
class Finding:
    """What was found out about one part, in one sentence."""

    part: str
    is_fine: bool
    sentence: str


def examine(settings: Settings) -> Iterator[Finding]:
    """Try every part that the settings name; a part that is wrong does not stop the others."""
    yield _settings(settings)
    yield _folder(settings)
    yield _database(settings)
    yield _storage(settings)
    yield _mail(settings)
    yield _workers(settings)


def _settings(settings: Settings) -> Finding:
    if settings.host not in LOOPBACK and not settings.base_url.startswith("https://"):
        return Finding(
            "settings",
            False,
            f"the platform listens on {settings.host} and AVATARS_PUBLIC_URL is no https address: passwords and tables "
            "would cross the network in the open; put a proxy that ends TLS before it.",
        )
    return Finding("settings", True, f"clients reach the platform at {settings.base_url}.")


def _folder(settings: Settings) -> Finding:
    mode = settings.data_dir.stat().st_mode & 0o077
    if os.name == "posix" and mode:
        return Finding(
            "data folder",
            False,
            f"others of this machine may look into {settings.data_dir}: chmod 700 it.",
        )
    free = shutil.disk_usage(settings.data_dir).free
    return Finding(
        "data folder",
        free >= LITTLE_ROOM,
        f"{free / GIB:.1f} GiB are free at {settings.data_dir}"
        + ("." if free >= LITTLE_ROOM else ", which is little: make room."),
    )


def _database(settings: Settings) -> Finding:
    try:
        database = Database(settings.database_url)
        try:
            database.ping()
            revision, newest = database.revision(), database.newest_revision()
        finally:
            database.dispose()
    except DatabaseError as error:
        return Finding("database", False, str(error))
    if revision is None:
        return Finding("database", True, "it answers, and is empty yet.")
    if revision != newest:
        return Finding(
            "database", False, f"its tables are of step {revision}, not {newest}: back it up, then avatars db upgrade."
        )
    return Finding("database", True, "it answers, and has the tables of this version.")


def _storage(settings: Settings) -> Finding:
    key, content = f"doctor/{uuid4().hex}", os.urandom(1000)
    try:
        storage = Storage(settings.files_dir)
        storage.write_bytes(key, content)
        is_same = storage.read_bytes(key) == content
        storage.delete(key)
    except OSError as error:
        return Finding("storage", False, f"a file cannot be written and read again ({error.strerror}).")
    return Finding("storage", is_same, f"a file {'was' if is_same else 'was NOT'} read as it was written.")


def _mail(settings: Settings) -> Finding:
    if settings.smtp_host is None:
        return Finding("mail", True, "off: passwords are reset with avatars user reset-link.")
    where = f"{settings.smtp_host} port {settings.smtp_port} ({settings.smtp_security})"
    try:
        with smtp.connect(settings) as server:
            server.noop()
    except OSError as error:
        return Finding(
            "mail", False, f"{where} cannot be used ({type(error).__name__}): check AVATARS_SMTP_*, and that it runs."
        )
    return Finding("mail", True, f"{where} answers, and takes the login.")


def _workers(settings: Settings) -> Finding:
    compute = Compute(settings)
    compute.start()
    try:
        answer = compute.submit(Lane.JOBS, f"doctor-{uuid4()}", os.getpid)
        is_apart = answer.result(START_SECONDS) != os.getpid()
    except (NoWorkers, WorkerLost, TimedOut):
        return Finding("workers", False, "none takes a task: check AVATARS_DASK_SCHEDULER, and the machine's memory.")
    finally:
        compute.stop()
    return Finding("workers", is_apart, f"a task ran in a worker; {settings.workers} would run at the same time.")
