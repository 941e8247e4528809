"""The database layer, on SQLite and on PostgreSQL."""

from __future__ import annotations

import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Engine, MetaData, Uuid, inspect, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError

from avatars.server.accounts.models import Role, Token, User
from avatars.server.audit.models import AuditEvent
from avatars.server.datasets.models import Dataset
from avatars.server.db import Base, Database, DatabaseError, owned, parse_url, utc_now
from avatars.server.errors import NotFound
from avatars.server.housekeeping import Installation
from avatars.server.jobs.models import Job
from avatars.server.mail.models import Mail

if TYPE_CHECKING:
    from pathlib import Path


def new_user(name: str, **other: Any) -> User:
    return User(id=uuid4(), username=name, password_hash="x", role=Role.USER.value, **other)


def engine_of(database: Database) -> Engine:
    return database._engine


def test_the_migrations_make_the_tables_of_the_models(database: Database) -> None:
    with engine_of(database).connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []
    # The models of every room were compared.
    assert {
        User.__tablename__,
        Dataset.__tablename__,
        Job.__tablename__,
        AuditEvent.__tablename__,
        Installation.__tablename__,
        Mail.__tablename__,
    } <= set(Base.metadata.tables)


def test_every_migration_can_be_taken_back(database: Database) -> None:
    config = Config()
    config.set_main_option("script_location", "avatars.server:migrations")
    with engine_of(database).begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
    with engine_of(database).connect() as connection:
        assert inspect(connection).get_table_names() == ["alembic_version"]
    database.upgrade()
    with database.read() as session:
        assert session.scalars(select(User)).all() == []


@pytest.mark.databases(empty=True)
def test_what_the_first_version_kept_is_there_after_the_upgrade_and_after_its_return(database_url: str) -> None:
    config = Config()
    config.set_main_option("script_location", "avatars.server:migrations")
    database = Database(database_url)
    ids = {name: uuid4() for name in ("user", "dataset", "job")}
    with engine_of(database).begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
        old = MetaData()
        old.reflect(connection)
        now = utc_now().replace(tzinfo=None)
        user = {"username": "ada", "username_key": "ada", "password_hash": "x", "role": "user", "is_active": True}
        dataset = {"kind": "original", "hash": "0", "filetype": "csv", "nb_lines": 1, "columns": [], "size": 1}
        job = {"kind": "avatarization", "status": "success", "parameters": {"k": 2}, "request_hash": "0", "attempt": 1}
        job |= {"worker_losses": 0, "interruptions": 0, "progress_percent": 100}
        connection.execute(old.tables["users"].insert(), {**user, "id": _stored(old, ids["user"]), "created_at": now})
        owner = {"user_id": _stored(old, ids["user"]), "created_at": now}
        connection.execute(old.tables["datasets"].insert(), {**dataset, **owner, "id": _stored(old, ids["dataset"])})
        more = {"id": _stored(old, ids["job"]), "dataset_id": _stored(old, ids["dataset"])}
        connection.execute(old.tables["jobs"].insert(), {**job, **owner, **more})
    database.upgrade()
    with database.read() as session:
        kept = session.get_one(Job, ids["job"])
        assert (kept.dataset_id, kept.parameters, kept.details) == (ids["dataset"], {"k": 2}, None)
    with database.write() as session:
        session.delete(session.get_one(Dataset, ids["dataset"]))
    with database.read() as session:
        # It outlives its originals now.
        assert session.get_one(Job, ids["job"]).dataset_id is None
    # What is not among the values of the new version is refused as before.
    with pytest.raises(IntegrityError), database.write() as session:
        session.get_one(Job, ids["job"]).status = "lost"
    with engine_of(database).begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0002")
        # The older version does not know jobs without originals.
        assert connection.execute(text("SELECT count(*) FROM jobs")).scalar_one() == 0
        assert connection.execute(text("SELECT count(*) FROM users")).scalar_one() == 1
    database.dispose()


def _stored(tables: MetaData, id: UUID) -> UUID | str:
    """An id as the reflected tables take it: SQLite has no type for it."""
    return id if isinstance(tables.tables["users"].c.id.type, Uuid) else id.hex


@pytest.mark.databases(empty=True)
def test_an_upgrade_that_fails_leaves_nothing_behind(database_url: str) -> None:
    database = Database(database_url)
    # A table that is in the way of a later step.
    with engine_of(database).begin() as connection:
        connection.execute(text("CREATE TABLE login_failures (x INTEGER)"))
    with pytest.raises(DatabaseError, match="cannot be prepared"):
        database.upgrade()
    with engine_of(database).connect() as connection:
        assert "users" not in inspect(connection).get_table_names()
    database.dispose()


@pytest.mark.databases(empty=True)
def test_processes_that_upgrade_at_the_same_time_take_turns(database_url: str) -> None:
    code = "import sys; from avatars.server.db import Database; Database(sys.argv[1]).upgrade()"
    started = [
        subprocess.Popen([sys.executable, "-c", code, database_url], stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    assert [process.communicate()[1] for process in started] == [""] * 3
    assert [process.returncode for process in started] == [0] * 3


def test_a_database_of_a_newer_version_is_refused_in_one_sentence(database: Database) -> None:
    with database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseError, match="newer version of open-avatars"):
        database.upgrade()


def test_times_come_back_in_utc(database: Database) -> None:
    paris = datetime(2026, 7, 1, 12, 30, 15, 123456, tzinfo=timezone(timedelta(hours=2)))
    with database.write() as session:
        session.add(new_user("ada", created_at=paris))
    with database.read() as session:
        [user] = session.scalars(select(User).where(User.created_at == paris))
    assert user.created_at == paris
    assert user.created_at.tzinfo is UTC


def test_a_time_without_a_zone_is_refused(database: Database) -> None:
    with pytest.raises(StatementError, match="without a zone"), database.write() as session:
        session.add(new_user("ada", created_at=datetime(2026, 7, 1)))  # noqa: DTZ001 - that is what is refused


def test_a_write_that_raises_is_undone(database: Database) -> None:
    def fail_half_way() -> None:
        with database.write() as session:
            session.add(new_user("ada"))
            session.flush()
            raise LookupError

    with pytest.raises(LookupError):
        fail_half_way()
    with database.read() as session:
        assert session.scalars(select(User)).all() == []


def test_a_read_cannot_write(database: Database) -> None:
    with pytest.raises(DBAPIError, match=r"read-?only"), database.read() as session:
        session.execute(text("DELETE FROM users"))
    # And the same connection can, afterwards.
    with database.write() as session:
        session.add(new_user("ada"))


def test_foreign_keys_hold(database: Database) -> None:
    with pytest.raises(IntegrityError), database.write() as session:
        session.add(Token(hash="x", user_id=uuid4(), expires_at=utc_now()))


def test_writers_that_read_first_all_get_their_turn(database: Database) -> None:
    with database.write() as session:
        user = new_user("ada", email="0")
        session.add(user)

    def count_up() -> None:
        for _ in range(10):
            with database.write() as session:
                row = session.scalars(select(User).with_for_update()).one()
                row.email = str(int(row.email or "0") + 1)

    threads = [threading.Thread(target=count_up) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as session:
        assert session.scalars(select(User)).one().email == "40"


def test_a_row_is_given_to_its_owner_only(database: Database) -> None:
    ada, bob = new_user("ada"), new_user("bob")
    columns: list[Any] = []
    dataset = Dataset(
        id=uuid4(), user_id=ada.id, kind="original", hash="", filetype="csv", nb_lines=0, columns=columns, size=0
    )
    with database.write() as session:
        session.add_all([ada, bob])
        session.flush()
        session.add(dataset)
    with database.read() as session:
        assert owned(session, ada.id, Dataset, dataset.id).id == dataset.id
        for user, id in ((bob, dataset.id), (ada, uuid4())):
            with pytest.raises(NotFound, match="You have no dataset with this id"):
                owned(session, user.id, Dataset, id)


def test_the_parameters_of_statements_are_not_in_the_text_of_errors(database: Database) -> None:
    with pytest.raises(DBAPIError) as refused, database.read() as session:
        session.execute(text("SELECT :value FROM nowhere"), {"value": "canary"})
    assert "canary" not in str(refused.value)


def test_sqlite_is_set_up_for_many_readers_and_a_waiting_writer(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'a.db'}")
    with engine_of(database).connect() as connection:
        pragmas = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "busy_timeout", "foreign_keys")
        }
    assert pragmas == {"journal_mode": "wal", "busy_timeout": 30_000, "foreign_keys": 1}
    database.dispose()


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_spelling_of_postgresql_uses_psycopg_3(scheme: str) -> None:
    assert parse_url(f"{scheme}://ada@localhost/avatars").drivername == "postgresql+psycopg"


@pytest.mark.parametrize("url", ["", "avatars", "mysql://ada:secret@localhost/a", "sqlite://", "sqlite:///:memory:"])
def test_other_addresses_are_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(DatabaseError, match="give sqlite:///FILE or postgresql://") as refused:
        Database(url)
    assert "secret" not in str(refused.value)


def test_a_database_that_is_not_there_is_one_sentence_without_the_password(tmp_path: Path) -> None:
    database = Database("postgresql://ada:secret@127.0.0.1:1/avatars")
    for use in (database.ping, database.upgrade):
        with pytest.raises(DatabaseError, match="check that it runs") as failed:
            use()
        assert "secret" not in str(failed.value)
    with pytest.raises(DatabaseError, match="cannot be prepared"):
        Database(f"sqlite:///{tmp_path / 'missing' / 'a.db'}").upgrade()
