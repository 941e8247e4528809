"""What a route may ask for, taken from ``app.state`` where ``create_app`` put it.

What waits for nothing is ``async`` all the same: FastAPI hands every other one to a thread and back, which costs more
than what it does. It checks what a route gives in a thread, too, unless the route is ``async``: those that are asked
the most go to a thread themselves, once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Request
from fastapi.security import OAuth2PasswordBearer
from pydantic import BeforeValidator

from avatars.server.accounts import logins
from avatars.server.accounts.models import Role, User
from avatars.server.db import Database
from avatars.server.errors import Forbidden, Unauthorized
from avatars.server.jobs.runner import JobRunner
from avatars.server.mail.outbox import Outbox
from avatars.server.settings import Settings
from avatars.server.storage import Storage

_bearer = OAuth2PasswordBearer(tokenUrl="/login", auto_error=False, description="The token that /login gives.")


async def get_settings(request: Request) -> Settings:
    """The settings that the app was created with."""
    return cast(Settings, request.app.state.settings)


async def get_database(request: Request) -> Database:
    """The app's database."""
    return cast(Database, request.app.state.database)


async def get_storage(request: Request) -> Storage:
    """The app's storage of files."""
    return cast(Storage, request.app.state.storage)


async def get_runner(request: Request) -> JobRunner:
    """The thread that hands jobs to the cluster."""
    return cast(JobRunner, request.app.state.runner)


async def get_outbox(request: Request) -> Outbox:
    """The thread that sends mails."""
    return cast(Outbox, request.app.state.outbox)


SettingsDep = Annotated[Settings, Depends(get_settings)]
DatabaseDep = Annotated[Database, Depends(get_database)]
StorageDep = Annotated[Storage, Depends(get_storage)]
RunnerDep = Annotated[JobRunner, Depends(get_runner)]
OutboxDep = Annotated[Outbox, Depends(get_outbox)]


TokenDep = Annotated[str | None, Depends(_bearer)]


@dataclass(frozen=True)
class Login:
    """Who asks, by their token.

    For routes that are asked again and again: they look the user up in the thread in which they look up the rest.
    Beside jobs, each turn in a thread is waited for.
    """

    token: str
    database: Database
    settings: Settings

    def user(self) -> User:
        """Look up the user, detached from the database; call it first.

        Raises
        ------
        Unauthorized
            The token is unknown, expired or revoked, or its user is disabled.
        """
        user = logins.authenticate(self.database, self.settings, self.token)
        if user is None:
            raise Unauthorized
        return user


async def get_login(token: TokenDep, database: DatabaseDep, settings: SettingsDep) -> Login:
    """The token that came with the request; raises ``Unauthorized`` where there is none."""
    if not token:
        raise Unauthorized
    return Login(token, database, settings)


LoginDep = Annotated[Login, Depends(get_login)]


def get_current_user(login: LoginDep) -> User:
    """The user whose token came with the request, detached from the database; raises ``Unauthorized``."""
    return login.user()


CurrentUser = Annotated[User, Depends(get_current_user)]


async def get_admin(user: CurrentUser) -> User:
    """The user, who is an admin.

    Raises
    ------
    Forbidden
        They are not.
    """
    if user.role != Role.ADMIN:
        raise Forbidden("admins_only", "Only admins may do this: ask the person who runs the platform.")
    return user


Admin = Annotated[User, Depends(get_admin)]

EmptyIsAbsent = BeforeValidator(lambda value: None if value == "" else value)
"""Of a query parameter: old clients send what they leave out as an empty text."""


@dataclass(frozen=True)
class Audience:
    """For whom an answer is made.

    Attributes
    ----------
    base_url
        What links begin with.
    knows_killed
        Whether the client knows the status ``killed``; others are told ``failure``.
    patience
        Seconds that the client waits for an answer without being told to; less than after which it gives up.
    """

    base_url: str
    knows_killed: bool = True
    patience: float = 30.0


async def get_audience(request: Request, settings: SettingsDep) -> Audience:
    """The client that asks, by what it says it is."""
    agent = request.headers.get("User-Agent", "")
    # Clients up to 0.2.2 say no version, and those in R wait for "success" or "failure" and for nothing else.
    knows_killed = agent.startswith(("open-avatars/", "avatar-python/"))
    # Old clients give up after five seconds of silence.
    return Audience(settings.base_url, knows_killed, 4.0 if agent.startswith("avatar-python") else Audience.patience)


AudienceDep = Annotated[Audience, Depends(get_audience)]


async def get_address(request: Request) -> str:
    """Where the request comes from, for limits."""
    return request.client.host if request.client is not None else "unknown"


AddressDep = Annotated[str, Depends(get_address)]
