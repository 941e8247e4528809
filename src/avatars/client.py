"""`ApiClient`: a platform, as a Python program sees it."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

from avatars._bar import progress_bar
from avatars._http import DEFAULT_TIMEOUT, KEEPALIVE_SECONDS, Http, Verify, checked_seconds
from avatars.embedded import EmbeddedPlatform
from avatars.errors import AvatarsError, IncompatibleVersion, InvalidInput
from avatars.models import CompatibilityStatus, ForgottenPasswordRequest, Login, Message, ResetPasswordRequest
from avatars.pandas_integration import PandasIntegration
from avatars.pipelines import Pipelines
from avatars.resources import Assessments, Auth, Compatibility, Datasets, Health, Jobs, Metrics, Reports, Stats, Users

if TYPE_CHECKING:
    import httpx2

__all__ = ["ApiClient"]


class ApiClient:
    """A platform, reached over HTTP.

    ::

        client = ApiClient(base_url="http://127.0.0.1:8000")
        client.authenticate(username="username", password="strong_password")
        dataset = client.datasets.create_dataset("patients.csv")

    Without ``base_url`` it starts a platform of its own on this machine (extra ``server``; about three seconds), which
    ends with the client and keeps nothing: close the client, and its datasets are gone. The first ``authenticate``
    makes its one user, with whatever name and password.

    Connections are kept and used again. ``close``, or leaving a ``with`` block, gives them back; so does the
    end of the program. Every error is an `avatars.errors.AvatarsError`. Requests that are safe to repeat are
    repeated a few times where that may help.

    Parameters
    ----------
    base_url
        Address of the platform; ``avatars serve`` prints it.
    timeout
        Seconds that the platform may be silent before a request is given up. Each method has a ``timeout`` of
        its own, too; 0 and None stand for this one.
    progress
        False hides the tables of progress that are shown on a terminal and in a notebook.
    verify
        The file (PEM) of the authority that signed the platform's certificate, where that is not one that the
        machine trusts already; or an `ssl.SSLContext`. False turns the check off: then anyone on the way can
        read everything, so never with real data.
    transport
        Another way to send requests, for tests and unusual networks.

    Attributes
    ----------
    auth, compatibility, datasets, health, jobs, metrics, pandas_integration, pipelines, reports, stats, users
        What the platform offers.

    Raises
    ------
    avatars.errors.InvalidInput
        The address is none; or there is none, and the extra ``server`` is not installed.
    avatars.errors.EmbeddedFailed
        The platform of its own did not start.
    """

    def __init__(
        self,
        base_url: str | None = None,
        timeout: float | None = DEFAULT_TIMEOUT,
        *,
        progress: bool = True,
        verify: Verify = True,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        if base_url == "":
            raise InvalidInput(
                'base_url is empty: pass the address of a platform, such as "http://127.0.0.1:8000" '
                "(`avatars serve` prints it), or None for a platform of the client's own."
            )
        self._embedded: EmbeddedPlatform | None = None
        if base_url is None:
            with progress_bar("starting a platform for this client alone", shown=progress):
                self._embedded = EmbeddedPlatform()
            base_url = self._embedded.address
            import httpx2

            # No proxy leads to the loopback, whatever the environment says.
            transport = transport or httpx2.HTTPTransport(limits=httpx2.Limits(keepalive_expiry=KEEPALIVE_SECONDS))
        self._http = Http(base_url, timeout=timeout or DEFAULT_TIMEOUT, verify=verify, transport=transport)
        self.assessments: Assessments = Assessments(self._http, progress=progress)
        self.auth: Auth = Auth(self._http)
        self.compatibility: Compatibility = Compatibility(self._http)
        self.datasets: Datasets = Datasets(self._http, progress=progress)
        self.health: Health = Health(self._http)
        self.jobs: Jobs = Jobs(self._http, progress=progress)
        self.metrics: Metrics = Metrics(self._http)
        self.pandas_integration: PandasIntegration = PandasIntegration(self.datasets)
        self.pipelines: Pipelines = Pipelines(self.jobs, self.pandas_integration, progress=progress)
        self.reports: Reports = Reports(self._http)
        self.stats: Stats = Stats(self._http)
        self.users: Users = Users(self._http)

    @property
    def base_url(self) -> str:
        """Address of the platform."""
        return self._http.address

    @property
    def timeout(self) -> float:
        """Seconds that the platform may be silent before a request is given up."""
        return self._http.timeout

    @timeout.setter
    def timeout(self, seconds: float) -> None:
        self._http.timeout = checked_seconds(seconds) or DEFAULT_TIMEOUT

    def authenticate(self, username: str, password: str, timeout: float | None = None) -> None:
        """Log in; every further request is made in this user's name.

        Raises
        ------
        avatars.errors.NotAuthenticated
            The name or the password is wrong.
        avatars.errors.IncompatibleVersion
            The platform does not speak with this version of the client.
        avatars.errors.ConnectionFailed
            The platform is not there.
        """
        if self._embedded is not None:
            self._embedded.add_first_user(username, password)
        answer = self.auth.login(Login(username=username, password=password), timeout=timeout)
        self._check_version(timeout)
        self._http.token = answer.access_token

    def forgotten_password(self, email: str, timeout: float | None = None) -> Message:
        """Ask for a mail with a token that a new password can be set with."""
        return self.auth.forgotten_password(ForgottenPasswordRequest(email=email), timeout=timeout)

    def reset_password(
        self,
        email: str,
        new_password: str,
        new_password_repeated: str,
        token: UUID | str,
        timeout: float | None = None,
    ) -> Message:
        """Set a new password, with the token that came by mail; it is valid once and for 24 hours.

        Raises
        ------
        ValueError
            The password is too short or was not repeated as it is, or the token is none; nothing was sent.
        """
        fields: dict[str, Any] = {"email": email, "new_password": new_password, "token": token}
        request = ResetPasswordRequest(new_password_repeated=new_password_repeated, **fields)
        return self.auth.reset_password(request, timeout=timeout)

    def close(self) -> None:
        """Give the connections back, and end a platform of its own; the client cannot be used afterwards."""
        self._http.close()
        if self._embedded is not None:
            self._embedded.close()

    def _check_version(self, timeout: float | None) -> None:
        try:
            answer = self.compatibility.is_client_compatible(timeout=timeout)
        except AvatarsError:
            return  # a platform that cannot say, because it is too old or busy, is not in the way
        if answer.status is CompatibilityStatus.incompatible:
            newest = answer.most_recent_compatible_client
            raise IncompatibleVersion(
                f"The platform at {self.base_url} does not speak with this version of the client: "
                + (f"install version {newest}." if newest else answer.message)
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"ApiClient(base_url={self.base_url!r})"
