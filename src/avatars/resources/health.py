"""Whether the platform is there, and well."""

from __future__ import annotations

from typing import Any

from avatars._http import Http, parse_json


class Health:
    """What a monitor asks. None of it needs a login."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def get_root(self, *, timeout: float | None = None) -> Any:
        """Return what the platform says of itself, as parsed JSON."""
        return self._get("/", timeout)

    def get_health(self, *, timeout: float | None = None) -> Any:
        """Return the platform's state, as parsed JSON.

        Raises
        ------
        avatars.errors.ConnectionFailed
            The platform is not there.
        """
        return self._get("/health", timeout)

    def get_health_db(self, *, timeout: float | None = None) -> Any:
        """Return the state of the platform's database, as parsed JSON.

        Raises
        ------
        avatars.errors.ServerError
            The platform does not reach its database.
        """
        return self._get("/health/db", timeout)

    def _get(self, path: str, timeout: float | None) -> Any:
        return parse_json(self._http.request("GET", path, timeout=timeout, public=True))
