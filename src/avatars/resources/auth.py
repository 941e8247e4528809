"""Logging in."""

from __future__ import annotations

from avatars._http import Http, parse
from avatars.models import Login, LoginResponse


class Auth:
    """What gives a token. Most programs call ``client.authenticate`` and need no more."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def login(self, request: Login, *, timeout: float | None = None) -> LoginResponse:
        """Return a token for a name and a password; the client does not use it by itself.

        Raises
        ------
        avatars.errors.NotAuthenticated
            The name or the password is wrong.
        """
        return parse(
            self._http.request("POST", "/login", form=request.model_dump(), timeout=timeout, public=True), LoginResponse
        )
