"""One platform per database: two would sweep up each other's uploads and put back each other's jobs.

On PostgreSQL the right is a lock of the database that lives as long as one connection does; on SQLite it is a lock on
a file beside it. Whoever dies, however, gives it back by dying.
"""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from typing import IO

import structlog
from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from avatars.server.db import Database, DatabaseError

log = structlog.get_logger(__name__)

PLATFORM_LOCK = 0x6F70656E61766100
"""Any constant, but not that of upgrades."""

START_SECONDS = 5.0
"""How long a platform that starts waits: the database may not have noticed yet that its predecessor is gone."""

LOST_SECONDS = 60.0
"""How long a platform that was cut off tries to get its right back. Its own dead connection has ended by then."""

RETRY_SECONDS = 0.2

# A machine that vanished without a word: the database ends its connection after 10 + 3 * 5 seconds.
_KEEPALIVE = {"tcp_keepalives_idle": 10, "tcp_keepalives_interval": 5, "tcp_keepalives_count": 3}


class LeaseLost(Exception):
    """Another platform runs on the database by now."""


class Lease:
    """The right to be the platform of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: Connection | None = None
        self._file: IO[bytes] | None = None
        self._missed_since: float | None = None

    def take(self) -> None:
        """Become the platform of the database.

        Raises
        ------
        DatabaseError
            Another process is, or the database cannot be reached.
        """
        deadline = time.monotonic() + START_SECONDS
        with self._database.readable_errors("reached"):
            while not self._try():
                if time.monotonic() >= deadline:
                    raise DatabaseError(
                        "Another platform runs on this database: stop it first, or give this one a --database-url "
                        "and a --data-dir of its own."
                    )
                time.sleep(RETRY_SECONDS)

    def holds(self) -> bool:
        """Whether this is still the platform of the database; tries to be again where the connection broke.

        Cost: on PostgreSQL one round trip.

        Raises
        ------
        LeaseLost
            Somebody else has been for a minute.
        SQLAlchemyError
            The database is away.
        """
        if self._file is not None or self._is_connected():
            return True
        if self._try():
            log.warning("lease.taken_again")
            self._missed_since = None
            return True
        # Perhaps our own dead connection, which the database has not missed yet.
        self._missed_since = self._missed_since or time.monotonic()
        if time.monotonic() - self._missed_since > LOST_SECONDS:
            raise LeaseLost
        return False

    def release(self) -> None:
        """Let others be the platform of the database."""
        if self._file is not None:
            self._file.close()
            self._file = None
        self._disconnect()

    def _try(self) -> bool:
        file = self._database.file
        if file is None:
            return self._try_lock()
        self._file = _locked(f"{file}.lock")
        return self._file is not None

    def _try_lock(self) -> bool:
        self._disconnect()
        self._connection = self._database.connect()
        got = False
        try:
            for name, value in _KEEPALIVE.items():
                self._connection.execute(text(f"SET {name} = {value}"))
            got = bool(self._connection.scalar(text("SELECT pg_try_advisory_lock(:lock)"), {"lock": PLATFORM_LOCK}))
        finally:
            if not got:
                self._disconnect()
        return got

    def _is_connected(self) -> bool:
        if self._connection is None:
            return False
        try:
            self._connection.execute(text("SELECT 1"))
        except SQLAlchemyError:
            return False
        return True

    def _disconnect(self) -> None:
        if self._connection is not None:
            # Not back into the pool: the lock is the connection's.
            with suppress(SQLAlchemyError):
                self._connection.invalidate()
                self._connection.close()
            self._connection = None


def _locked(path: str) -> IO[bytes] | None:
    """Open a file and lock it until it is closed; None where somebody else has."""
    file = open(path, "ab")  # noqa: SIM115, PTH123 - it is to stay open
    if sys.platform != "win32":
        import fcntl

        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            return None
    return file
