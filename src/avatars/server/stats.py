"""How busy the platform is, and which clients it understands."""

from __future__ import annotations

import re

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool

from avatars.models import ClusterStats, CompatibilityResponse, CompatibilityStatus
from avatars.server.dependencies import LoginDep, RunnerDep
from avatars.server.errors import documented
from avatars.server.health import VERSION

router = APIRouter(tags=["platform"])

NEWEST_OLD_CLIENT = (0, 2, 2)
"""Up to this version of the public client everything that it asks for is answered as it expects."""


@router.get("/stats/cluster", responses=documented(401, 503))
async def get_cluster_stats(login: LoginDep, runner: RunnerDep) -> ClusterStats:
    """Say how busy the workers are."""
    compute = runner.compute
    is_up = compute.wait(timeout=0)

    def look() -> tuple[int, int]:
        login.user()
        return (compute.busy, compute.capacity) if is_up else (0, 0)

    busy, capacity = await run_in_threadpool(look)
    waiting = "No workers have joined: jobs wait." if is_up else "The workers are starting."
    return ClusterStats(
        n_active_tasks=busy,
        available_concurrency=capacity,
        utilization_rate_100=min(100, round(100 * busy / max(1, capacity))),
        status_message="ok" if capacity else waiting,
    )


@router.get("/check_client")
async def is_client_compatible(request: Request) -> CompatibilityResponse:
    """Say whether the client that asks, by its ``User-Agent``, and this platform understand each other."""
    agent = request.headers.get("User-Agent", "")
    if _is_compatible(agent):
        status, message = CompatibilityStatus.compatible, "This client and this platform understand each other."
    else:
        status = CompatibilityStatus.unknown
        message = "This platform does not know this client: use open-avatars, or avatar-python up to 0.2.2."
    return CompatibilityResponse(message=message, most_recent_compatible_client=VERSION, status=status)


def _is_compatible(agent: str) -> bool:
    # Clients up to 0.2.2 say no version.
    if agent == "avatar-python" or agent.startswith("open-avatars/"):
        return True
    version = re.match(r"avatar-python/(\d{1,6})\.(\d{1,6})\.(\d{1,6})", agent)
    return version is not None and tuple(map(int, version.groups())) <= NEWEST_OLD_CLIENT
