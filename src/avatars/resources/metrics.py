"""What an avatarization was measured in: the projection of originals and avatars, and its figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, overload
from urllib.parse import quote
from uuid import UUID

from avatars._http import Http, as_uuid, parse, parse_json, parse_list
from avatars.errors import APIError, InvalidInput
from avatars.models import Contributions, ExplainedVariance, FigureDescription, FigureFormat, Projections
from avatars.resources.reports import NOT_READY, as_language

if TYPE_CHECKING:
    import httpx2


class Metrics:
    """Projections and figures of avatarization jobs."""

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

    def get_job_figures(
        self, job_id: UUID | str, *, language: str | None = None, timeout: float | None = None
    ) -> list[FigureDescription]:
        """Return the names of a job's figures, with what is to be seen in them; those of its report.

        ``language`` is ``"en"`` or ``"fr"``, the platform's own by default. The first call for a job waits until the
        figures are drawn.
        """
        path = f"/jobs/{as_uuid(job_id)}/figures"
        return parse_list(
            self._wait(path, _given(language=language and as_language(language).value), timeout), FigureDescription
        )

    @overload
    def get_job_figure(
        self,
        job_id: UUID | str,
        name: str,
        *,
        format: Literal["svg"] = "svg",
        language: str | None = None,
        timeout: float | None = None,
    ) -> str: ...

    @overload
    def get_job_figure(
        self,
        job_id: UUID | str,
        name: str,
        *,
        format: Literal["png"],
        language: str | None = None,
        timeout: float | None = None,
    ) -> bytes: ...

    @overload
    def get_job_figure(
        self,
        job_id: UUID | str,
        name: str,
        *,
        format: Literal["json"],
        language: str | None = None,
        timeout: float | None = None,
    ) -> dict[str, Any]: ...

    def get_job_figure(
        self,
        job_id: UUID | str,
        name: str,
        *,
        format: Literal["svg", "png", "json"] = "svg",
        language: str | None = None,
        timeout: float | None = None,
    ) -> str | bytes | dict[str, Any]:
        """Return one of a job's figures: as SVG (text), as PNG (bytes), or as the numbers that it shows.

        Parameters
        ----------
        name
            As ``get_job_figures`` lists them: ``plane-1-2`` is that of components 1 and 2, ``distribution-3`` that of
            the table's third column.
        format
            ``"svg"``, ``"png"`` or ``"json"``.
        language
            ``"en"`` or ``"fr"``, the platform's own by default.
        timeout
            Seconds that the platform may be silent.

        Raises
        ------
        avatars.errors.NotFound
            The job has no such figure: it names some that it has.
        """
        if format not in [each.value for each in FigureFormat]:
            raise InvalidInput("format must be one of svg, png, json.")
        path = f"/jobs/{as_uuid(job_id)}/figures/{quote(name, safe='')}"
        answer = self._wait(path, _given(format=format, language=language and as_language(language).value), timeout)
        if format == "json":
            data: dict[str, Any] = parse_json(answer)
            return data
        return answer.content if format == "png" else answer.text

    def _wait(self, path: str, params: dict[str, str], timeout: float | None) -> httpx2.Response:
        while True:
            try:
                return self._http.request("GET", path, params=params, timeout=timeout, attempts=1)
            except APIError as error:
                # It has already waited on the platform's side.
                if error.code != NOT_READY:
                    raise


def _given(**said: str | None) -> dict[str, str]:
    return {name: value for name, value in said.items() if value is not None}
