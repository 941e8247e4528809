"""What the platform says of itself."""

from __future__ import annotations

from enum import Enum

from avatars.models.base import Response


class ClusterStats(Response):
    """How busy the platform's workers are."""

    n_active_tasks: int | None = None
    """Jobs and uploads at work."""
    available_concurrency: int | None = None
    """How many can be at work at the same time."""
    utilization_rate_100: int | None = None
    """Percent of the workers that are busy."""
    status_message: str | None = ""


class CompatibilityStatus(str, Enum):
    """Whether client and platform understand each other."""

    compatible = "compatible"
    incompatible = "incompatible"
    unknown = "unknown"


class CompatibilityResponse(Response):
    """Whether this client and this platform understand each other."""

    message: str
    most_recent_compatible_client: str | None = None
    """The newest version of the client that this platform knows."""
    status: CompatibilityStatus
