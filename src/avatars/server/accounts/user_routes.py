"""Users over HTTP."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query

from avatars.models import CreateUser, User
from avatars.server.accounts import limits, service
from avatars.server.accounts.limits import Limit, Use
from avatars.server.accounts.models import Role
from avatars.server.dependencies import Admin, CurrentUser, DatabaseDep
from avatars.server.errors import BadRequest, Conflict, documented
from avatars.server.security import WeakPassword

USER_REQUESTS = Limit("users", 120, timedelta(minutes=1), "requests about users", "too_many_requests")
"""Per user who asks: enough for a screen or a script, too few to go through a list of names."""

router = APIRouter(prefix="/users", tags=["users"])


def limited(user: CurrentUser, database: DatabaseDep) -> None:
    """Count one request; raises ``TooManyRequests``."""
    limits.count(database, [Use(USER_REQUESTS, str(user.id))])


@router.get("/me", responses=documented(401, 503))
async def get_me(user: CurrentUser) -> User:
    """Say who you are."""
    return service.describe(user)


@router.get("", responses=documented(401, 429, 503), dependencies=[Depends(limited)])
def find_users(
    user: CurrentUser,
    database: DatabaseDep,
    email: Annotated[str, Query()] = "",
    username: Annotated[str, Query()] = "",
) -> list[User]:
    """Find users by e-mail address or name, or all of them. Who is no admin finds themselves and nobody else."""
    return service.find_users(database, user, email, username)


@router.post("", responses=documented(400, 401, 403, 409, 413, 429, 503), dependencies=[Depends(limited)])
def create_user(request: CreateUser, admin: Admin, database: DatabaseDep) -> User:
    """Make an account; for admins. Without a password it can be used after a reset of its password.

    An account without a username is called by its e-mail address.
    """
    name = request.username or request.email
    if not name:
        raise BadRequest("no_name", "The account has no name: give a username, an email, or both.")
    try:
        user = service.create_user(
            database,
            name,
            request.password,
            role=Role(request.role.value),
            email=request.email or None,
            by=admin.id,
        )
    except service.UsernameTaken as error:
        raise Conflict("name_taken", str(error)) from None
    except (service.AccountError, WeakPassword) as error:
        raise BadRequest("invalid_account", str(error)) from None
    return service.describe(user)


@router.get("/{name_or_id}", responses=documented(401, 404, 429, 503), dependencies=[Depends(limited)])
def get_user(name_or_id: Annotated[str, Path(max_length=600)], user: CurrentUser, database: DatabaseDep) -> User:
    """Describe a user, by name or id. Who is no admin can see themselves and nobody else."""
    return service.find_user(database, user, name_or_id)
