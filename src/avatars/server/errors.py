"""What the platform answers when it cannot do what was asked.

::

    ApiError
    ├── BadRequest           400
    ├── Unauthorized         401   (the token is missing, unknown or expired)
    ├── Forbidden            403
    ├── NotFound             404   (also: exists, but belongs to somebody else)
    ├── Conflict             409
    ├── PayloadTooLarge      413
    ├── TooManyRequests      429
    ├── Unavailable          503
    └── StorageIsFull        507

Every error is JSON. ``message`` comes first because old clients follow the first value down to the text
that they show; ``code`` is stable and made for programs.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from avatars.models.wording import plain_words
from avatars.server.storage import StorageAway, StorageError, StorageFull

log = structlog.get_logger(__name__)

NOT_AUTHENTICATED = "You are not authenticated. Log in and send the token that you are given."


class ErrorDetail(BaseModel):
    """What went wrong; further keys may follow."""

    message: str
    code: str
    request_id: str


class ErrorBody(BaseModel):
    """The body of every error but 422, whose ``detail`` is a list."""

    detail: ErrorDetail | str


class ApiError(HTTPException):
    """A refusal with a sentence for the person and a stable code for programs.

    It is an ``HTTPException`` because FastAPI lets only those pass unchanged while it reads a request's body.

    Parameters
    ----------
    status_code
        The HTTP status.
    code
        Stable name of the refusal, in snake_case.
    message
        One sentence that says what is wrong and what to do; never a cell of a table.
    headers
        Further headers of the answer.
    details
        Further keys of the answer, for example ``column="age"``; JSON values.
    """

    def __init__(
        self,
        status_code: int,
        code: str,
        message: str,
        *,
        headers: Mapping[str, str] | None = None,
        **details: Any,
    ) -> None:
        super().__init__(status_code, detail=message, headers=headers)
        self.code = code
        self.message = message
        self.details = details


class BadRequest(ApiError):
    """400: the request cannot be carried out as it stands."""

    def __init__(self, code: str, message: str, **details: Any) -> None:
        super().__init__(400, code, message, **details)


class Unauthorized(ApiError):
    """401: no token, or one that is unknown, expired or revoked."""

    def __init__(self, message: str = NOT_AUTHENTICATED, code: str = "not_authenticated") -> None:
        super().__init__(401, code, message, headers={"WWW-Authenticate": "Bearer"})


class Forbidden(ApiError):
    """403: known user, but not one who may do this."""

    def __init__(self, code: str, message: str, **details: Any) -> None:
        super().__init__(403, code, message, **details)


class NotFound(ApiError):
    """404: there is no such thing, or it belongs to somebody else; the two look the same."""

    def __init__(self, message: str, code: str = "not_found", **details: Any) -> None:
        super().__init__(404, code, message, **details)


class Conflict(ApiError):
    """409: the request contradicts the present state."""

    def __init__(self, code: str, message: str, **details: Any) -> None:
        super().__init__(409, code, message, **details)


class PayloadTooLarge(ApiError):
    """413: more bytes than the platform accepts."""

    def __init__(self, message: str, code: str = "payload_too_large", **details: Any) -> None:
        super().__init__(413, code, message, **details)


class TooManyRequests(ApiError):
    """429: come back in ``retry_after`` seconds."""

    def __init__(self, code: str, message: str, *, retry_after: int) -> None:
        super().__init__(429, code, message, headers={"Retry-After": str(retry_after)})


class Unavailable(ApiError):
    """503: a part that the platform needs does not answer; the same request may work in a moment."""

    def __init__(self, code: str, message: str, *, retry_after: int = 5) -> None:
        super().__init__(503, code, message, headers={"Retry-After": str(retry_after)})


class StorageIsFull(ApiError):
    """507: there is no room for what was sent or made."""

    def __init__(self) -> None:
        message = (
            "The platform has no room left for tables: ask the person who runs it to make some, or delete datasets "
            "that you do not need, and send the request again."
        )
        super().__init__(507, "storage_full", message)


def error_response(
    request_id: str,
    status_code: int,
    code: str,
    message: str,
    details: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """The one shape of an error's body.

    ``detail`` is an object with ``message`` first, except for a missing or bad token, where old clients look
    for a plain text that contains "authenticated".
    """
    rest = {"code": code, "request_id": request_id, **(details or {})}
    body: dict[str, Any]
    if status_code == 401 and code == "not_authenticated":
        body = {"detail": message, **rest}
    else:
        body = {"detail": {"message": message, **rest}}
    return JSONResponse(body, status_code, headers=headers)


def internal_error(request_id: str) -> JSONResponse:
    """500, for what nobody foresaw; the log has the rest under the same request id."""
    message = (
        "Something went wrong in the platform, not in your request. Try again, and if it happens again, "
        f"give the request id {request_id} to the person who runs the platform."
    )
    return error_response(request_id, 500, "internal_error", message)


def install_error_handlers(app: FastAPI) -> None:
    """Make every error of ``app`` one of the shapes above; unforeseen ones are caught in ``middleware``."""
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    for unreachable in (OperationalError, InterfaceError, PoolTimeout):
        app.add_exception_handler(unreachable, _on_database_unreachable)
    app.add_exception_handler(StorageError, _on_storage_error)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The ``responses`` of a route that may answer with these errors, for its documentation."""
    return {status: {"model": ErrorBody, "description": HTTPStatus(status).phrase} for status in statuses}


def request_id_of(request: Request) -> str:
    """The id of this request, which its answer carries as ``X-Request-ID``."""
    return str(request.state.request_id)


async def _on_http_exception(request: Request, error: Exception) -> JSONResponse:
    request_id = request_id_of(request)
    if isinstance(error, ApiError):
        return error_response(request_id, error.status_code, error.code, error.message, error.details, error.headers)
    assert isinstance(error, HTTPException)
    code, message = _FRAMEWORK_ERRORS.get(
        error.status_code,
        ("http_error", f"The request was refused: {HTTPStatus(error.status_code).phrase.lower()}."),
    )
    return error_response(request_id, error.status_code, code, message, headers=error.headers)


async def _on_invalid_request(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    body = {
        "detail": [plain_words(item) for item in error.errors()],
        "code": "invalid_request",
        "request_id": request_id_of(request),
    }
    return JSONResponse(body, 422)


async def _on_database_unreachable(request: Request, error: Exception) -> JSONResponse:
    # The class only: the text of a database's error may hold its address.
    if _is_disk_full(error):
        log.error("database.full", error=type(error).__name__)
        return await _on_http_exception(request, StorageIsFull())
    log.error("database.unreachable", error=type(error).__name__)
    message = "The platform cannot reach its database at the moment. Try again in a few seconds."
    answer = Unavailable("database_unreachable", message)
    return await _on_http_exception(request, answer)


async def _on_storage_error(request: Request, error: Exception) -> JSONResponse:
    # Its sentence is for the person who runs the platform: it may name keys and addresses.
    log.error("storage.failed", error=type(error).__name__, reason=str(error))
    if isinstance(error, StorageFull):
        return await _on_http_exception(request, StorageIsFull())
    if isinstance(error, StorageAway):
        message = "The platform cannot reach its storage at the moment. Try again in a few seconds."
        return await _on_http_exception(request, Unavailable("storage_unreachable", message))
    return internal_error(request_id_of(request))


def _is_disk_full(error: Exception) -> bool:
    """Whether the database answers, but has no room to write."""
    said = getattr(error, "orig", None)
    on_sqlite = getattr(said, "sqlite_errorname", None) == "SQLITE_FULL"
    # The SQLSTATE disk_full.
    return on_sqlite or getattr(said, "sqlstate", None) == "53100"


_FRAMEWORK_ERRORS = {
    400: ("bad_request", "The body of the request cannot be read: check its format and its Content-Type."),
    404: ("unknown_route", "There is nothing at this address: check the path against the documentation."),
    405: ("method_not_allowed", "This address does not answer to this HTTP method."),
}
