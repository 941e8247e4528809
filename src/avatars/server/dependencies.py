"""What a route may ask for, taken from ``app.state`` where ``create_app`` put it."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import Depends, Request
from fastapi.security import OAuth2PasswordBearer

from avatars.server.accounts import service
from avatars.server.accounts.models import User
from avatars.server.db import Database
from avatars.server.errors import Unauthorized
from avatars.server.jobs.runner import JobRunner
from avatars.server.settings import Settings
from avatars.server.storage import Storage

_bearer = OAuth2PasswordBearer(tokenUrl="/login", auto_error=False, description="The token that /login gives.")


def get_settings(request: Request) -> Settings:
    """The settings that the app was created with."""
    return cast(Settings, request.app.state.settings)


def get_database(request: Request) -> Database:
    """The app's database."""
    return cast(Database, request.app.state.database)


def get_storage(request: Request) -> Storage:
    """The app's storage of files."""
    return cast(Storage, request.app.state.storage)


def get_runner(request: Request) -> JobRunner:
    """The thread that hands jobs to the cluster."""
    return cast(JobRunner, request.app.state.runner)


SettingsDep = Annotated[Settings, Depends(get_settings)]
DatabaseDep = Annotated[Database, Depends(get_database)]
StorageDep = Annotated[Storage, Depends(get_storage)]
RunnerDep = Annotated[JobRunner, Depends(get_runner)]


def get_current_user(
    database: DatabaseDep, settings: SettingsDep, token: Annotated[str | None, Depends(_bearer)]
) -> User:
    """The user whose token came with the request, detached from the database.

    Raises
    ------
    Unauthorized
        There is no token, or it is unknown, expired or revoked, or its user is disabled.
    """
    user = service.authenticate(database, settings, token) if token else None
    if user is None:
        raise Unauthorized
    return user


CurrentUser = Annotated[User, Depends(get_current_user)]
