"""Whether client and platform understand each other."""

from __future__ import annotations

from avatars._http import Http, parse
from avatars.models import CompatibilityResponse


class Compatibility:
    """What the platform thinks of this version of the client. It needs no login."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def is_client_compatible(self, *, timeout: float | None = None) -> CompatibilityResponse:
        """Return whether the platform understands this client; ``status`` says it in one word."""
        return parse(self._http.request("GET", "/check_client", timeout=timeout, public=True), CompatibilityResponse)
