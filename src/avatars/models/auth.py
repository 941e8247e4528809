"""Logging in."""

from __future__ import annotations

from avatars.models.base import Request, Response


class Login(Request):
    """The login form; ``grant_type`` may be empty, as old clients send it."""

    username: str
    password: str
    grant_type: str = ""
    scope: str = ""
    client_id: str = ""
    client_secret: str = ""


class LoginResponse(Response):
    """A token for the ``Authorization: Bearer`` header."""

    access_token: str
    token_type: str = "bearer"
