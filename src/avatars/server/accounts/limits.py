"""How often something may happen within a while, counted in the database: the limits hold over all processes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import ColumnElement, case, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import InstrumentedAttribute, Session

from avatars.server.accounts.models import Counter
from avatars.server.db import Base, Database, utc_now
from avatars.server.errors import TooManyRequests

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Limit:
    """So many times in a window of time; ``what`` says it to the person, "Too many {what}: ..."."""

    name: str
    times: int
    window: timedelta
    what: str
    code: str


@dataclass(frozen=True)
class Use:
    """A limit as it holds for one account name, address or user."""

    limit: Limit
    of: str

    @property
    def key(self) -> str:
        """The counter's name in the database: nothing that somebody typed can be read from it."""
        return hashlib.sha256(f"{self.limit.name}:{self.of}".encode(errors="replace")).hexdigest()


def count(database: Database, uses: Iterable[Use]) -> None:
    """Count something that is about to happen.

    Raises
    ------
    TooManyRequests
        It happened too often lately.
    """
    now = utc_now()
    blocked: list[tuple[datetime, Limit]] = []
    with database.write() as session:
        # Always in the same order: two requests that lock the same rows must not wait for each other.
        for use in sorted(uses, key=lambda use: use.key):
            counter = session.execute(_add(session, use, now)).one()
            if counter.times > use.limit.times:
                blocked.append((counter.window_ends_at, use.limit))
        purge(session, Counter, Counter.key, Counter.window_ends_at <= now)
    if blocked:
        ends_at, limit = max(blocked, key=lambda each: each[0])
        seconds = max(1, round((ends_at - now).total_seconds()))
        log.warning("limit.reached", limit=limit.name, retry_after=seconds)
        minutes = -(-seconds // 60)
        raise TooManyRequests(
            limit.code,
            f"Too many {limit.what}: wait {minutes} minute{'s' if minutes > 1 else ''}, then try again.",
            retry_after=seconds,
        )


def forgive(session: Session, *, once: Use, wholly: Use) -> None:
    """Take back one count of ``once`` and all of ``wholly``."""
    less = update(Counter).where(Counter.key == once.key, Counter.times > 0).values(times=Counter.times - 1)
    gone = delete(Counter).where(Counter.key == wholly.key)
    # In the same order as they are counted in, for the same reason.
    for statement in (gone, less) if wholly.key < once.key else (less, gone):
        session.execute(statement)


def purge(session: Session, model: type[Base], key: InstrumentedAttribute[str], over: ColumnElement[bool]) -> None:
    """Delete rows that are over; those that another request is deleting at the same moment are left to it."""
    rows = select(key).where(over).with_for_update(skip_locked=True)
    session.execute(delete(model).where(key.in_(rows)), execution_options={"synchronize_session": False})


def _add(session: Session, use: Use, now: datetime) -> Any:
    """One statement that starts a window or counts within it; atomic on both databases."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    fresh = {"times": 1, "window_ends_at": now + use.limit.window}
    over = Counter.window_ends_at <= now
    return (
        insert(Counter)
        .values(key=use.key, **fresh)
        .on_conflict_do_update(
            index_elements=[Counter.key],
            set_={
                "times": case((over, 1), else_=Counter.times + 1),
                "window_ends_at": case((over, fresh["window_ends_at"]), else_=Counter.window_ends_at),
            },
        )
        .returning(Counter.times, Counter.window_ends_at)
    )
