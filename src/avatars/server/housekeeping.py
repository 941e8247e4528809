"""Storage and database of one mind: whose storage it is, and which files are still to be deleted.

Rows go in a transaction, files do not. So the transaction that deletes rows also writes down which files are to follow,
and these are deleted at once or, where the storage is away, as soon as it is back.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID, uuid4

import structlog
from sqlalchemy import String, delete, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Mapped, Session, mapped_column

from avatars.server.db import Base, Database, utc_now
from avatars.server.storage import Storage, StorageError

log = structlog.get_logger(__name__)

RETRY_SECONDS = 15.0
"""How often it is tried to delete what could not be deleted."""

OWNER = "platform/installation"
"""The file that says whose storage it is. Encrypted like the others, it also shows whether the keys are theirs."""


class Installation(Base):
    """The one row says what this database is called in its storage."""

    __tablename__ = "installations"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)


class Remains(Base):
    """A file or folder of the storage that nothing refers to any more."""

    __tablename__ = "remains"

    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    since: Mapped[datetime] = mapped_column(default=utc_now)


class ForeignStorage(StorageError):
    """The storage belongs to another database; the text is one sentence for the person who runs the platform."""


def claim(database: Database, storage: Storage) -> None:
    """Make sure that the storage is this database's, or nobody's yet: a platform sweeps up files that it does not know.

    Raises
    ------
    ForeignStorage
        Another database's name is on it.
    UnusableKey, StorageError
        It cannot be read: what is encrypted, with which keys, is noticed here.
    """
    with database.write() as session:
        own = session.scalar(select(Installation.id))
        if own is None:
            own = uuid4()
            session.add(Installation(id=own))
    try:
        owner = storage.read_bytes(OWNER).decode()
    except FileNotFoundError:
        storage.write_bytes(OWNER, str(own).encode())
        return
    if owner != str(own):
        raise ForeignStorage(
            f"The storage {storage.location} belongs to the platform of another database: check "
            "AVATARS_DATABASE_URL, and give each platform a storage, or a prefix, of its own."
        )


def doom(session: Session, keys: Iterable[str]) -> None:
    """Write down, in the transaction of whatever they belonged to, that files are to be deleted."""
    for key in keys:
        session.merge(Remains(key=key))


def clear(database: Database, storage: Storage) -> int:
    """Delete the files that were written down; gives how many are left because the storage is away."""
    with database.read() as session:
        keys = session.scalars(select(Remains.key)).all()
    for done, key in enumerate(keys):
        try:
            storage.delete(key)
        except StorageError as error:
            log.warning("files.not_deleted", left=len(keys) - done, reason=str(error))
            return len(keys) - done
        with database.write() as session:
            session.execute(delete(Remains).where(Remains.key == key))
    return 0


def discard(database: Database, storage: Storage, key: str) -> None:
    """Delete a file or folder that nothing refers to, now or later; raises nothing."""
    try:
        storage.delete(key)
    except StorageError as error:
        log.warning("files.not_deleted", left=1, reason=str(error))
        try:
            with database.write() as session:
                doom(session, [key])
        except SQLAlchemyError as away:
            # The next start sweeps it up.
            log.error("database.unreachable", error=type(away).__name__)


class Housekeeper:
    """The thread that deletes what could not be deleted at once."""

    def __init__(self, database: Database, storage: Storage) -> None:
        self._database = database
        self._storage = storage
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="housekeeper", daemon=True)

    def start(self) -> None:
        """Work in the background."""
        self._thread.start()

    def stop(self) -> None:
        """Stop after the file that is being deleted."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(RETRY_SECONDS):
            try:
                clear(self._database, self._storage)
            except SQLAlchemyError as error:
                log.error("database.unreachable", error=type(error).__name__)
            except Exception:
                # This thread has to outlive whatever one file does to it.
                log.exception("housekeeper.failed")
