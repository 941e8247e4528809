"""Whether the platform and its database are up. Public: load balancers have no login."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import structlog
from fastapi import APIRouter

from avatars.server.db import DatabaseError
from avatars.server.dependencies import DatabaseDep
from avatars.server.errors import Unavailable, documented

log = structlog.get_logger(__name__)
router = APIRouter(tags=["health"])

VERSION = version("open-avatars")


@router.get("/")
def get_root() -> dict[str, Any]:
    """Say what answers here."""
    return {"name": "open-avatars", "version": VERSION, "status": "ok"}


@router.get("/health")
def get_health() -> dict[str, Any]:
    """Say that the process answers."""
    return {"status": "ok"}


@router.get("/health/db", responses=documented(503))
def get_health_db(database: DatabaseDep) -> dict[str, Any]:
    """Say that the database answers; 503 where it does not."""
    try:
        database.ping()
    except DatabaseError as error:
        log.error("database.unreachable", error=type(error.__cause__).__name__)
        raise Unavailable(
            "database_unreachable",
            "The platform cannot reach its database at the moment. Try again in a few seconds.",
        ) from None
    return {"status": "ok"}
