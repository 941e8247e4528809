"""Logging in, and getting back in."""

from __future__ import annotations

from avatars._http import Http, parse
from avatars.models import ForgottenPasswordRequest, Login, LoginResponse, Message, ResetPasswordRequest


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
        form = request.model_dump()
        return parse(self._http.request("POST", "/login", form=form, timeout=timeout, public=True), LoginResponse)

    def logout(self, *, timeout: float | None = None) -> None:
        """End this login: the platform accepts its token no longer, and the client forgets it."""
        self._http.request("POST", "/logout", timeout=timeout)
        self._http.token = None

    def forgotten_password(self, request: ForgottenPasswordRequest, *, timeout: float | None = None) -> Message:
        """Ask for a mail with a token that a new password can be set with.

        The answer is the same whether there is such an account or not.
        """
        return self._post("/login/forgotten_password", request, timeout)

    def reset_password(self, request: ResetPasswordRequest, *, timeout: float | None = None) -> Message:
        """Set a new password, with the token that came by mail; it is valid once and for 24 hours."""
        return self._post("/login/reset_password", request, timeout)

    def _post(
        self, path: str, request: ForgottenPasswordRequest | ResetPasswordRequest, timeout: float | None
    ) -> Message:
        return parse(self._http.request("POST", path, json=request, timeout=timeout, public=True), Message)
