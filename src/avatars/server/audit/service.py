"""Writing events down, and reading them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from avatars import models as wire
from avatars.server.audit.models import Action, AuditEvent
from avatars.server.db import Database

MOST_EVENTS = 1000
"""In one answer."""


def record(session: Session, action: Action, actor_id: UUID | None, subject_id: UUID | None = None) -> None:
    """Add an event to a transaction: it is there if and only if what it tells of is."""
    # The middleware has said which request this is, to whatever is done for it.
    request_id = structlog.contextvars.get_contextvars().get("request_id")
    session.add(AuditEvent(action=action.value, actor_id=actor_id, subject_id=subject_id, request_id=request_id))


def record_alone(database: Database, action: Action, actor_id: UUID | None, subject_id: UUID | None = None) -> None:
    """Record something that changes no row, such as a download, before it happens."""
    with database.write() as session:
        record(session, action, actor_id, subject_id)


def read(
    database: Database,
    reader_id: UUID,
    *,
    before: int | None,
    since: datetime | None,
    actor_id: UUID | None,
    subject_id: UUID | None,
) -> list[wire.AuditEvent]:
    """Give the latest events, newest first, and record that they were read.

    Parameters
    ----------
    before
        Only events with a smaller id: for the next page.
    since
        Only events from then on.
    actor_id, subject_id
        Only events of this user, or about this thing.
    """
    conditions = []
    if before is not None:
        conditions.append(AuditEvent.id < before)
    if since is not None:
        conditions.append(AuditEvent.at >= since)
    if actor_id is not None:
        conditions.append(AuditEvent.actor_id == actor_id)
    if subject_id is not None:
        conditions.append(AuditEvent.subject_id == subject_id)
    wanted = select(AuditEvent).where(*conditions).order_by(AuditEvent.id.desc()).limit(MOST_EVENTS)
    with database.write() as session:
        events = session.scalars(wanted).all()
        record(session, Action.AUDIT_READ, reader_id)
    return [
        wire.AuditEvent(
            id=event.id,
            at=event.at,
            action=event.action,
            actor_id=event.actor_id,
            subject_id=event.subject_id,
            request_id=event.request_id,
        )
        for event in events
    ]


def purge(database: Database, before: datetime) -> int:
    """Delete all events that are older, record that, and give their number. By an operator."""
    with database.write() as session:
        old = AuditEvent.at < before
        count = session.scalar(select(func.count()).select_from(AuditEvent).where(old)) or 0
        session.execute(delete(AuditEvent).where(old))
        record(session, Action.AUDIT_PURGED, None)
    database.forget()
    return count
