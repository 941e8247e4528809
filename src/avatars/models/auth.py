"""Logging in, and getting back in."""

from __future__ import annotations

from typing import Self
from uuid import UUID

from pydantic import Field, model_validator

from avatars.models.base import Request, Response

MIN_PASSWORD = 12
"""Characters that a password has at least."""

MAX_PASSWORD = 128
"""Characters that a password has at most."""


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


class ForgottenPasswordRequest(Request):
    """Asks for a mail with a token that a new password can be set with."""

    email: str


class ResetPasswordRequest(Request):
    """Sets a new password, with the token that came by mail."""

    email: str
    new_password: str = Field(min_length=MIN_PASSWORD, max_length=MAX_PASSWORD)
    new_password_repeated: str = Field(min_length=MIN_PASSWORD, max_length=MAX_PASSWORD)
    token: UUID
    """Valid once, and for 24 hours."""

    @model_validator(mode="after")
    def _passwords_agree(self) -> Self:
        if self.new_password != self.new_password_repeated:
            raise ValueError("the new password was not repeated as it is")
        return self


class Message(Response):
    """What happened, in one sentence for a person."""

    message: str
