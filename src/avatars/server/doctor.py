"""The examination of a platform's surroundings: each part is tried, not believed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from concurrent.futures import TimeoutError as TimedOut
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from distributed import Client

from avatars.server.certificates import good_until
from avatars.server.db import Database, DatabaseError, utc_now
from avatars.server.housekeeping import OWNER
from avatars.server.jobs import invitation
from avatars.server.jobs.compute import START_SECONDS, Compute, NoWorkers, WorkerLost
from avatars.server.jobs.workers import Lane, security_of
from avatars.server.mail import smtp
from avatars.server.settings import GIB, LOOPBACK, Settings, reachable
from avatars.server.storage import Storage, StorageError, UnusableKey
from avatars.server.storage.keys import read_keys

LITTLE_ROOM = 5 * GIB
"""Free bytes below which a disk is called nearly full: less than one large upload."""


SOON_OVER_DAYS = 30
"""Certificates that end sooner are to be replaced: all machines of a cluster need the new ones at once."""


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
    if settings.encryption_key_file is not None:
        yield _keys(settings.encryption_key_file)
    yield _storage(settings)
    yield _mail(settings)
    yield _workers(settings)
    if settings.cluster_key_file is not None:
        yield _certificates(settings)
    if settings.cluster_listen is not None or settings.dask_scheduler is not None:
        yield _cluster(settings)


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
        storage = Storage(settings.storage_url, settings.encryption_key_file)
        if storage.exists(OWNER):
            # Whether the keys are those of the files that are there.
            storage.read_bytes(OWNER)
        storage.write_bytes(key, content)
        is_same = storage.read_bytes(key) == content
        storage.delete(key)
    except StorageError as error:
        return Finding("storage", False, f"a file cannot be written and read again. {error}")
    sentence = f"a file {'was' if is_same else 'was NOT'} read as it was written"
    return Finding("storage", is_same, f"{sentence}, {'encrypted' if storage.is_encrypted else 'not encrypted'}.")


def _keys(path: Path) -> Finding:
    try:
        keys = read_keys(path)
    except UnusableKey as error:
        return Finding("keys", False, str(error))
    if os.name == "posix" and path.stat().st_mode & 0o077:
        return Finding("keys", False, f"others of this machine may read {path}: chmod 600 it.")
    number = f"{len(keys.keys)} key{'' if len(keys.keys) == 1 else 's'}"
    return Finding("keys", True, f"{path} has {number}; new files are encrypted with {keys.first.hex()}.")


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
    # The place where others join is the running platform's.
    compute = Compute(settings.model_copy(update={"cluster_listen": None}))
    compute.start()
    try:
        answer = compute.submit(Lane.JOBS, f"doctor-{uuid4()}", os.getpid)
        is_apart = answer.result(START_SECONDS) != os.getpid()
        capacity = compute.capacity
    except (NoWorkers, WorkerLost, TimedOut):
        return Finding("workers", False, "none takes a task: check AVATARS_DASK_SCHEDULER, and the machine's memory.")
    finally:
        compute.stop()
    return Finding("workers", is_apart, f"a task ran in a worker; {capacity} would run at the same time.")


def _certificates(settings: Settings) -> Finding:
    assert settings.cluster_ca_file is not None
    assert settings.cluster_certificate_file is not None
    assert settings.cluster_key_file is not None
    try:
        until = min(good_until(settings.cluster_ca_file), good_until(settings.cluster_certificate_file))
    except (OSError, ValueError):
        return Finding("certificates", False, "a file of AVATARS_CLUSTER_*_FILE is no certificate in PEM.")
    if os.name == "posix" and settings.cluster_key_file.stat().st_mode & 0o077:
        return Finding(
            "certificates", False, f"others of this machine may read {settings.cluster_key_file}: chmod 600."
        )
    days = (until - utc_now()).days
    if days < SOON_OVER_DAYS:
        return Finding("certificates", False, f"they end in {max(0, days)} days: make new ones for all machines.")
    return Finding("certificates", True, f"they are good for {days} days.")


def _cluster(settings: Settings) -> Finding:
    """Ask the scheduler that runs, as the settings name it, for its workers, and these whether they can work."""
    address = settings.dask_scheduler
    if address is None:
        listen = urlsplit(f"//{settings.cluster_listen}")
        address = f"tls://{reachable(listen.hostname or '')}:{listen.port}"
    try:
        with Client(address, timeout=5, set_as_default=False, security=security_of(settings)) as client:
            said: Any = client.get_metadata(invitation.TOPIC, default=None)
            if said is None:
                return Finding("cluster", True, f"the scheduler at {address} answers, and no platform runs there yet.")
            answers: dict[str, str | None] = client.run(invitation.objection, said)
    except OSError:
        return Finding("cluster", True, f"nothing answers at {address}: it can be examined while the platform runs.")
    objections = [f"{urlsplit(worker).hostname}: {sentence}" for worker, sentence in answers.items() if sentence]
    machines = len({urlsplit(worker).hostname for worker in answers})
    if objections:
        return Finding("cluster", False, objections[0])
    return Finding(
        "cluster", True, f"{len(answers)} workers on {machines} machines are like this one, and see its storage."
    )
