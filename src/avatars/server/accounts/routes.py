"""Logging in and out, and getting back in, over HTTP."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Form

from avatars.models import ForgottenPasswordRequest, LoginResponse, Message, ResetPasswordRequest
from avatars.server.accounts import logins, passwords
from avatars.server.dependencies import AddressDep, CurrentUser, DatabaseDep, OutboxDep, SettingsDep, TokenDep
from avatars.server.errors import documented

router = APIRouter(tags=["auth"])


@router.post("/login", responses=documented(401, 413, 429, 503))
def login(
    address: AddressDep,
    database: DatabaseDep,
    settings: SettingsDep,
    username: Annotated[str, Form()],
    password: Annotated[str, Form()],
    grant_type: Annotated[Literal["password", ""], Form()] = "",
    scope: Annotated[str, Form()] = "",
    client_id: Annotated[str, Form()] = "",
    client_secret: Annotated[str, Form()] = "",
) -> LoginResponse:
    """Give a token for a username and a password.

    The form may be urlencoded or multipart. Further fields of an OAuth 2 password form are accepted and not
    looked at.
    """
    return LoginResponse(access_token=logins.log_in(database, settings, username, password, address))


@router.post("/logout", responses=documented(401, 503))
def logout(user: CurrentUser, token: TokenDep, database: DatabaseDep) -> Message:
    """End the login whose token is sent; other logins of the same user go on."""
    assert token is not None
    logins.log_out(database, user, token)
    return Message(message="You are logged out.")


@router.post("/login/forgotten_password", responses=documented(403, 413, 429, 503))
def forgotten_password(
    request: ForgottenPasswordRequest,
    address: AddressDep,
    database: DatabaseDep,
    settings: SettingsDep,
    outbox: OutboxDep,
) -> Message:
    """Send a mail with a token that a new password can be set with. The answer is the same for every address."""
    passwords.ask_for_mail(database, settings, request.email, address)
    outbox.wake()
    return Message(message="If this address belongs to an account, a mail with a token is on its way.")


@router.post("/login/reset_password", responses=documented(400, 403, 413, 429, 503))
def reset_password(
    request: ResetPasswordRequest,
    address: AddressDep,
    database: DatabaseDep,
    settings: SettingsDep,
    outbox: OutboxDep,
) -> Message:
    """Set a new password with the token that came by mail; it is valid once, and for 24 hours. All logins end."""
    passwords.reset(database, settings, request, address)
    outbox.wake()
    return Message(message="The password is changed: log in with the new one.")
