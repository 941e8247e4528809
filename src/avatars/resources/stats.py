"""How busy the platform is."""

from __future__ import annotations

from avatars._http import Http, parse
from avatars.models import ClusterStats


class Stats:
    """Figures of the platform's workers."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def get_cluster_stats(self, *, timeout: float | None = None) -> ClusterStats:
        """Return how many jobs are at work, and how many could be."""
        return parse(self._http.request("GET", "/stats/cluster", timeout=timeout), ClusterStats)
