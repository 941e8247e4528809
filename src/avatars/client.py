"""`ApiClient`: a platform, as a Python program sees it."""

from __future__ import annotations

from types import TracebackType
from typing import Self

import httpx2

from avatars._http import DEFAULT_TIMEOUT, Http, Verify, checked_seconds
from avatars.errors import InvalidInput
from avatars.models import Login
from avatars.pandas_integration import PandasIntegration
from avatars.resources import Auth, Datasets, Health, Jobs

__all__ = ["ApiClient"]


class ApiClient:
    """A platform, reached over HTTP.

    ::

        client = ApiClient(base_url="http://127.0.0.1:8000")
        client.authenticate(username="username", password="strong_password")
        dataset = client.datasets.create_dataset("patients.csv")

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
        False hides the progress bars that waiting shows on a terminal.
    verify
        The file (PEM) of the authority that signed the platform's certificate, where that is not one that the
        machine trusts already; or an `ssl.SSLContext`. False turns the check off: then anyone on the way can
        read everything, so never with real data.
    transport
        Another way to send requests, for tests and unusual networks.

    Attributes
    ----------
    auth, datasets, health, jobs, pandas_integration
        What the platform offers.

    Raises
    ------
    avatars.errors.InvalidInput
        The address is missing or is none.
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
        if not base_url:
            raise InvalidInput(
                'ApiClient needs the address of a platform: pass base_url="http://...", or set BASE_URL if '
                "your program reads it from the environment "
                "(`avatars serve` starts a platform and prints its address)."
            )
        self._http = Http(base_url, timeout=timeout or DEFAULT_TIMEOUT, verify=verify, transport=transport)
        self.auth: Auth = Auth(self._http)
        self.datasets: Datasets = Datasets(self._http)
        self.health: Health = Health(self._http)
        self.jobs: Jobs = Jobs(self._http, progress=progress)
        self.pandas_integration: PandasIntegration = PandasIntegration(self._http, self.datasets)

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
        avatars.errors.ConnectionFailed
            The platform is not there.
        """
        answer = self.auth.login(Login(username=username, password=password), timeout=timeout)
        self._http.token = answer.access_token

    def close(self) -> None:
        """Give the connections back; the client cannot be used afterwards."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"ApiClient(base_url={self.base_url!r})"
