"""The database: SQLite by default, PostgreSQL for production, behind the same few calls.

Sessions come from :meth:`Database.read` and :meth:`Database.write`; each is one transaction. A row that
belongs to a user is fetched with :func:`owned` and in no other way.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar
from uuid import UUID

from pydantic_core import from_json
from sqlalchemy import (
    DateTime,
    Dialect,
    Engine,
    MetaData,
    TypeDecorator,
    Uuid,
    create_engine,
    event,
    select,
    text,
)
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Session

from avatars.server.errors import NotFound

if TYPE_CHECKING:
    from alembic.config import Config

SQLITE_BUSY_SECONDS = 30
"""How long a writer waits for another one; a write of ours takes milliseconds."""

POSTGRES = {
    "connect_timeout": 10,
    # A server that is gone without a word is noticed within a minute, not within the quarter of an hour of TCP's own.
    "keepalives_idle": 20,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 50_000,
}
"""What connections are made with (libpq's names; seconds, but the last in milliseconds)."""

UPGRADE_LOCK = 0x6F70656E61766174
"""Any constant: two processes that upgrade the same PostgreSQL database take turns on it."""


def utc_now() -> datetime:
    """The time now, aware of its zone (UTC)."""
    return datetime.now(UTC)


class UtcDateTime(TypeDecorator[datetime]):
    """A point in time: aware on the way in and, as UTC, on the way out, on every database."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive times; SQLite keeps no zone, so it is given UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give every time back in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """What every table's class inherits; ``datetime`` and ``UUID`` columns need no further words."""

    type_annotation_map: ClassVar[dict[Any, Any]] = {datetime: UtcDateTime(), UUID: Uuid()}
    # Names that are the same on both databases, so that a migration can speak of them.
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class DatabaseError(Exception):
    """The database cannot be used; the text is one sentence for the person who runs the platform."""


class Database:
    """A database and its connections.

    Parameters
    ----------
    url
        ``sqlite:///FILE``, or ``postgresql://`` (also ``postgres://``) ``USER:PASSWORD@HOST:PORT/NAME``.

    Raises
    ------
    DatabaseError
        The address is not one of these, or the driver of PostgreSQL is not installed.
    """

    def __init__(self, url: str) -> None:
        self._url = parse_url(url)
        self._engine = _make_engine(self._url)
        self._reader = self._engine.execution_options(avatars_write=False, **_read_only(self._url))
        self._writer = self._engine.execution_options(avatars_write=True)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """One transaction that cannot write; objects stay usable after it, detached."""
        with Session(self._reader, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """One transaction: committed at the end of the block, rolled back when it raises.

        SQLite has one writer at a time, so keep the block short and let nothing slow happen inside.
        """
        with Session(self._writer, expire_on_commit=False) as session, session.begin():
            yield session

    @property
    def file(self) -> Path | None:
        """The file of a SQLite database; None of any other."""
        if self._url.get_backend_name() != "sqlite":
            return None
        return Path(str(self._url.database)).absolute()

    def connect(self) -> Connection:
        """Open a connection outside of transactions, for what lives as long as it does; whoever asks closes it."""
        return self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")

    def ping(self) -> None:
        """Ask the database for nothing, to see whether it answers.

        Raises
        ------
        DatabaseError
            It does not.
        """
        with self.readable_errors("reached"), self._reader.connect() as connection:
            connection.execute(text("SELECT 1"))

    def upgrade(self) -> None:
        """Bring the tables to this version of the platform: all of the missing migrations, or none.

        Raises
        ------
        DatabaseError
            The database cannot be reached, or a newer version of the platform has changed it.
        """
        from alembic import command
        from alembic.util.exc import CommandError

        config = _migrations()
        with self.readable_errors("prepared"), self._writer.begin() as connection:
            if self._url.get_backend_name() == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": UPGRADE_LOCK})
            config.attributes["connection"] = connection
            try:
                command.upgrade(config, "head")
            except CommandError as error:
                raise DatabaseError(
                    "A newer version of open-avatars has changed the database; install that version."
                ) from error

    def revision(self) -> str | None:
        """The step of the tables' history that the database is at; None where it has no tables yet."""
        from alembic.migration import MigrationContext

        with self.readable_errors("read"), self._reader.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()

    @staticmethod
    def newest_revision() -> str | None:
        """The step that this version of the platform works with."""
        from alembic.script import ScriptDirectory

        return ScriptDirectory.from_config(_migrations()).get_current_head()

    def forget(self) -> None:
        """Overwrite what has just been deleted, as far as the database can be told to.

        SQLite keeps what was deleted in its log until that is written back. PostgreSQL's own cleaning does it later.
        """
        if self._url.get_backend_name() == "sqlite":
            with self._engine.connect() as connection:
                driver = connection.connection.cursor()
                # Waits for nobody: where somebody reads, the next time does it.
                driver.execute("PRAGMA busy_timeout = 0")
                driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                driver.execute(f"PRAGMA busy_timeout = {SQLITE_BUSY_SECONDS * 1000}")
                driver.close()

    def dispose(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    @contextmanager
    def readable_errors(self, what: str) -> Iterator[None]:
        """Turn what the database's driver raises into one sentence, that it cannot be ``what``."""
        try:
            yield
        except SQLAlchemyError as error:
            where = self._url.render_as_string(hide_password=True)
            raise DatabaseError(
                f"The database {where} cannot be {what}; check that it runs and that its address is right."
            ) from error


ModelT = TypeVar("ModelT", bound=Base)


def owned(session: Session, user_id: UUID, model: type[ModelT], id: UUID) -> ModelT:
    """The row with this id, if it belongs to the user; every access to somebody's data starts here.

    Raises
    ------
    NotFound
        There is no such row, or it belongs to somebody else: the answer does not tell which.
    """
    columns = model.__table__.c
    row = session.scalars(select(model).where(columns.id == id, columns.user_id == user_id)).one_or_none()
    if row is None:
        noun = model.__name__.lower()
        raise NotFound(f"You have no {noun} with this id: check the id, or create the {noun} again.")
    return row


def parse_url(url: str) -> URL:
    """The address as SQLAlchemy takes it, with the driver that the platform uses.

    Raises
    ------
    DatabaseError
        It is not the address of a SQLite file or of a PostgreSQL database.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        parsed = None
    if parsed is not None and parsed.drivername in ("postgres", "postgresql", "postgresql+psycopg"):
        return parsed.set(drivername="postgresql+psycopg")
    # Several threads and processes share the data: a database in memory would be another one for each.
    if parsed is not None and parsed.drivername == "sqlite" and parsed.database not in (None, "", ":memory:"):
        return parsed
    raise DatabaseError(
        "The address of the database is not understood; give sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME."
    )


def _migrations() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "avatars.server:migrations")
    return config


def _make_engine(url: URL) -> Engine:
    # hide_parameters: the values of a statement must never come out through an error's text or a log.
    common: dict[str, Any] = {
        "hide_parameters": True,
        # A list of jobs holds a hundred kilobytes of it: three times as fast as the standard library.
        "json_deserializer": from_json,
        "pool_pre_ping": True,
        "pool_size": 10,
        "max_overflow": 30,
    }
    if url.get_backend_name() == "sqlite":
        engine = create_engine(url, connect_args={"timeout": SQLITE_BUSY_SECONDS, "check_same_thread": False}, **common)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    try:
        return create_engine(url, connect_args=POSTGRES, **common)
    except ModuleNotFoundError as error:
        raise DatabaseError(
            'PostgreSQL needs a driver that is not installed; install the extra "postgres" of open-avatars.'
        ) from error


def _read_only(url: URL) -> dict[str, Any]:
    return {"postgresql_readonly": True} if url.get_backend_name() == "postgresql" else {}


def _prepare_sqlite(connection: Any, _: Any) -> None:
    # The driver begins no transactions by itself: `_begin_sqlite` does, and says which kind.
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA foreign_keys = ON")
    # What is deleted is overwritten with zeros: it may be about people.
    connection.execute("PRAGMA secure_delete = ON")
    connection.execute(f"PRAGMA busy_timeout = {SQLITE_BUSY_SECONDS * 1000}")


def _begin_sqlite(connection: Connection) -> None:
    write = bool(connection.get_execution_options().get("avatars_write", True))
    connection.exec_driver_sql(f"PRAGMA query_only = {'OFF' if write else 'ON'}")
    # IMMEDIATE takes the writer's place at once. A transaction that began as a reader and then wants to write
    # could only fail when another one has written in between, however long it waited.
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
