"""Users: people, or programs, with a login."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from uuid import UUID

from pydantic import Field

from avatars.models.auth import MAX_PASSWORD, MIN_PASSWORD
from avatars.models.base import Request, Response


class UserRole(str, Enum):
    """What a user may do."""

    admin = "admin"
    """Manages accounts; sees no one else's data for that."""
    user = "user"
    """Works with their own datasets and jobs."""


class CreateUser(Request):
    """Asks for an account. It needs a username, or an e-mail address where people log in with that."""

    username: str | None = None
    email: str | None = None
    role: UserRole = UserRole.user
    is_email_confirmed: bool = False
    """True where the address is known to be theirs."""
    password: str | None = Field(default=None, min_length=MIN_PASSWORD, max_length=MAX_PASSWORD)
    """Without one the account can be used after a password reset."""


class User(Response):
    """A user, as others may see them: never with a password."""

    id: UUID
    organization_id: UUID
    """The same for every user of one platform."""
    username: str | None = None
    email: str | None = None
    role: UserRole = UserRole.user
    is_active: bool = True
    """False where an operator has disabled the account."""
    created_at: datetime | None = None
