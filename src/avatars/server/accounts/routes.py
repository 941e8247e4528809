"""Logging in."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request

from avatars.models import LoginResponse
from avatars.server.accounts import service
from avatars.server.dependencies import DatabaseDep, SettingsDep
from avatars.server.errors import documented

router = APIRouter(tags=["auth"])


@router.post("/login", responses=documented(401, 413, 429, 503))
def login(
    request: Request,
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
    address = request.client.host if request.client is not None else "unknown"
    return LoginResponse(access_token=service.log_in(database, settings, username, password, address))
