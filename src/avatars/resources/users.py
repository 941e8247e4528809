"""Users: people, or programs, with a login."""

from __future__ import annotations

from urllib.parse import quote

from avatars._http import Http, parse, parse_list
from avatars.errors import InvalidInput
from avatars.models import CreateUser, User


class Users:
    """Accounts. All but ``get_me`` are for admins."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def find_users(
        self, email: str | None = None, username: str | None = None, *, timeout: float | None = None
    ) -> list[User]:
        """Return the users with this e-mail address and this name; everybody where neither is given."""
        params = {name: value for name, value in (("email", email), ("username", username)) if value}
        return parse_list(self._http.request("GET", "/users", params=params, timeout=timeout), User)

    def create_user(self, request: CreateUser, *, timeout: float | None = None) -> User:
        """Make an account.

        Raises
        ------
        avatars.errors.Conflict
            The name or the e-mail address is taken.
        """
        return parse(self._http.request("POST", "/users", json=request, timeout=timeout), User)

    def get_me(self, *, timeout: float | None = None) -> User:
        """Return who is logged in."""
        return parse(self._http.request("GET", "/users/me", timeout=timeout), User)

    def get_user(self, username: str, *, timeout: float | None = None) -> User:
        """Return the user with this name.

        Raises
        ------
        avatars.errors.NotFound
            There is no such user.
        """
        if username in ("", ".", "..", "me"):
            # They would lead to another address.
            raise InvalidInput("username must be a name that a user can have.")
        return parse(self._http.request("GET", f"/users/{quote(username, safe='')}", timeout=timeout), User)
