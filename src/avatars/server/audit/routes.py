"""The audit over HTTP."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from avatars.models import AuditEvent
from avatars.server.audit import service
from avatars.server.dependencies import Admin, DatabaseDep, EmptyIsAbsent
from avatars.server.errors import documented

router = APIRouter(tags=["audit"])


@router.get("/audit", responses=documented(401, 403, 503))
def read_audit(
    admin: Admin,
    database: DatabaseDep,
    before: Annotated[int | None, Field(ge=0, lt=2**31), EmptyIsAbsent, Query()] = None,
    since: Annotated[datetime | None, EmptyIsAbsent, Query()] = None,
    actor_id: Annotated[UUID | None, EmptyIsAbsent, Query()] = None,
    subject_id: Annotated[UUID | None, EmptyIsAbsent, Query()] = None,
) -> list[AuditEvent]:
    """List who did what, the latest 1,000 events first; for admins, and itself recorded.

    ``before`` takes the smallest ``id`` of the last page. A time without a zone counts as UTC.
    """
    if since is not None and since.tzinfo is None:
        since = since.replace(tzinfo=UTC)
    return service.read(database, admin.id, before=before, since=since, actor_id=actor_id, subject_id=subject_id)
