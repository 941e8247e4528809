"""One platform per database: the right to be it is held, given back, lost and taken again."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from avatars.server import lease as module
from avatars.server.db import Database, DatabaseError
from avatars.server.lease import PLATFORM_LOCK, Lease, LeaseLost


@pytest.fixture
def new(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Lease]]:
    """Make leases as several processes would have them: each by connections of its own."""
    monkeypatch.setattr(module, "START_SECONDS", 0.3)
    made: list[tuple[Lease, Database]] = []

    def new() -> Lease:
        database = Database(database_url)
        made.append((Lease(database), database))
        return made[-1][0]

    yield new
    for lease, database in made:
        lease.release()
        database.dispose()


def test_one_has_it_at_a_time(new: Callable[[], Lease]) -> None:
    first, second = new(), new()
    first.take()
    with pytest.raises(DatabaseError, match=r"^Another platform runs on this database: stop it first"):
        second.take()
    assert first.holds()
    first.release()
    second.take()
    assert second.holds()


def test_who_waits_a_moment_gets_it_from_who_leaves(new: Callable[[], Lease], monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = new(), new()
    first.take()
    # While the second one waits, the first one goes.
    monkeypatch.setattr("time.sleep", lambda _: first.release())
    second.take()


# --- PostgreSQL, whose connections break ----------------------------------------------------------------


def cut_off(database: Database) -> None:
    """End the connection of whoever has the lock, as a restart of the database or of a switch does."""
    holder = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = :low AND granted"
    with database.write() as session:
        session.execute(
            text(f"{holder} AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"),
            {"low": PLATFORM_LOCK & 0xFFFFFFFF},
        )


@pytest.fixture
def postgres(database: Database) -> Database:
    if database.file is not None:
        pytest.skip("a file's lock has no connection")
    return database


def test_a_connection_that_broke_is_made_again(new: Callable[[], Lease], postgres: Database) -> None:
    first, second = new(), new()
    first.take()
    cut_off(postgres)
    assert first.holds()
    with pytest.raises(DatabaseError):
        second.take()


def test_who_was_cut_off_and_replaced_hears_it(
    new: Callable[[], Lease], postgres: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = new(), new()
    first.take()
    cut_off(postgres)
    second.take()
    assert not first.holds()
    assert second.holds()
    monkeypatch.setattr(module, "LOST_SECONDS", 0.0)
    with pytest.raises(LeaseLost):
        first.holds()


def test_while_the_database_is_away_nobody_knows(new: Callable[[], Lease]) -> None:
    away = Lease(Database("postgresql://ada@127.0.0.1:1/avatars"))
    with pytest.raises(SQLAlchemyError):
        away.holds()
    with pytest.raises(DatabaseError, match="cannot be reached"):
        away.take()
