"""Assessments: what attacks find in avatars that are made as a job made its own."""

from __future__ import annotations

from uuid import UUID

from avatars._http import Http, as_uuid, parse
from avatars.errors import InvalidInput
from avatars.models import Assessment, AssessmentCreate, AssessmentThoroughness, ReleaseCreate
from avatars.resources import waiting


class Assessments:
    """What attacks on avatars find, and the verdict."""

    def __init__(self, http: Http, *, progress: bool = True) -> None:
        self._http = http
        self._progress = progress

    def get_assessment(
        self,
        id: UUID | str,
        *,
        per_request_timeout: float | None = None,
        timeout: float | None = None,
        progress: bool | None = None,
    ) -> Assessment:
        """Wait for the assessment of the avatarization with this id, and return it.

        One follows each avatarization by itself; of several, the most thorough one counts. The arguments are those of
        ``jobs.get_avatarization_job``.

        Raises
        ------
        avatars.errors.NotFound
            There is no such job, or it has no avatars yet.
        """

        def look(*, wait: float, timeout: float) -> Assessment:
            params = {"wait": f"{wait:.3f}"} if wait else None
            path = f"/jobs/{as_uuid(id)}/assessment"
            return parse(self._http.request("GET", path, params=params, timeout=timeout, attempts=1), Assessment)

        return waiting.wait(
            look,
            f'get_assessment("{id}")',
            timeout=timeout,
            per_request_timeout=per_request_timeout,
            progress=self._progress if progress is None else progress,
        )

    def create_assessment(
        self, id: UUID | str, *, thoroughness: str = "thorough", timeout: float | None = None
    ) -> Assessment:
        """Have the avatarization with this id attacked again, and return at once; ``get_assessment`` waits.

        Parameters
        ----------
        thoroughness
            ``"thorough"``, every attack, or ``"quick"``.

        Raises
        ------
        avatars.errors.InvalidInput
            There is no such thoroughness; nothing was sent.
        avatars.errors.BadRequest
            The job has not succeeded.
        """
        try:
            request = AssessmentCreate(thoroughness=AssessmentThoroughness(thoroughness))
        except ValueError:
            raise InvalidInput(f"thoroughness is 'quick' or 'thorough', not {thoroughness!r}.") from None
        answer = self._http.request("POST", f"/jobs/{as_uuid(id)}/assessment", json=request, timeout=timeout)
        return parse(answer, Assessment)

    def release_avatars(self, id: UUID | str, reason: str, *, timeout: float | None = None) -> Assessment:
        """Let the avatars of anybody's job be downloaded in spite of their assessment; for admins, and recorded.

        Parameters
        ----------
        reason
            Why, for whoever asks later; without a person's name.

        Raises
        ------
        avatars.errors.PermissionDenied
            Only admins may.
        """
        answer = self._http.request(
            "POST", f"/jobs/{as_uuid(id)}/release", json=ReleaseCreate(reason=reason), timeout=timeout
        )
        return parse(answer, Assessment)
