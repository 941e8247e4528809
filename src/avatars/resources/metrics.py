"""What an avatarization was measured in: the projection of originals and avatars."""

from __future__ import annotations

from uuid import UUID

from avatars._http import Http, as_uuid, parse
from avatars.models import Contributions, ExplainedVariance, Projections


class Metrics:
    """Projections of avatarization jobs."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def get_job_projections(self, job_id: UUID | str, *, timeout: float | None = None) -> Projections:
        """Return originals and avatars as points in the space that neighbours were searched in."""
        return parse(self._http.request("GET", f"/projections/{as_uuid(job_id)}", timeout=timeout), Projections)

    def get_variable_contributions(
        self, job_id: UUID | str, dataset_id: UUID | str, *, timeout: float | None = None
    ) -> Contributions:
        """Return how much each variable of a dataset contributes to each component of a job's projection."""
        params = {"job_id": str(as_uuid(job_id)), "dataset_id": str(as_uuid(dataset_id))}
        return parse(self._http.request("GET", "/contributions", params=params, timeout=timeout), Contributions)

    def get_explained_variance(self, job_id: UUID | str, *, timeout: float | None = None) -> ExplainedVariance:
        """Return the variance that each component of a job's projection explains."""
        return parse(self._http.request("GET", f"/variance/{as_uuid(job_id)}", timeout=timeout), ExplainedVariance)
