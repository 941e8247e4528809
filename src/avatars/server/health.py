"""Whether the platform and its database are up. Public: load balancers have no login."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import structlog
from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool

from avatars.server.db import Database, DatabaseError
from avatars.server.dependencies import DatabaseDep, RunnerDep
from avatars.server.errors import Unavailable, documented

log = structlog.get_logger(__name__)
router = APIRouter(tags=["health"])

VERSION = version("open-avatars")


@router.get("/")
async def get_root() -> dict[str, Any]:
    """Say what answers here."""
    return {"name": "open-avatars", "version": VERSION, "status": "ok"}


@router.get("/health")
async def get_health() -> dict[str, Any]:
    """Say that the process answers, also when all of its threads wait for something."""
    return {"status": "ok"}


@router.get("/health/ready", responses=documented(503))
def get_health_ready(database: DatabaseDep, runner: RunnerDep) -> dict[str, Any]:
    """Say that the platform takes requests: its database answers, its workers have come up; 503 where it does not."""
    if not runner.compute.wait(timeout=0):
        raise Unavailable("workers_starting", "The workers of the platform are starting. Try again in a few seconds.")
    return _reach(database)


@router.get("/health/db", responses=documented(503))
async def get_health_db(database: DatabaseDep) -> dict[str, Any]:
    """Say that the database answers; 503 where it does not."""
    return await run_in_threadpool(_reach, database)


def _reach(database: Database) -> dict[str, Any]:
    try:
        database.ping()
    except DatabaseError as error:
        log.error("database.unreachable", error=type(error.__cause__).__name__)
        raise Unavailable(
            "database_unreachable",
            "The platform cannot reach its database at the moment. Try again in a few seconds.",
        ) from None
    return {"status": "ok"}
