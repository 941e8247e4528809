"""The shape of a 422 answer; all other refusals are ``{"detail": {"message": ...}}``."""

from __future__ import annotations

from avatars.models.base import Response


class ValidationError(Response):
    """One value that is not accepted."""

    loc: list[str | int]
    """Where it stands in the request."""
    msg: str
    """What it must be."""
    type: str
    """The refusal's name, made for programs."""


class HTTPValidationError(Response):
    """All values of a request that are not accepted."""

    detail: list[ValidationError] | None = None
