"""What can go wrong between a program and the platform, one class a kind.

::

    AvatarsError(Exception)            every error of the client side
    ├── InvalidInput (ValueError)      an argument cannot be used; nothing was sent
    ├── ConnectionFailed               the platform is not there, or the connection broke
    ├── RequestTimeout                 the platform was silent for longer than `timeout`
    ├── UnexpectedAnswer               what answered does not speak like a platform
    ├── IncompatibleVersion            the platform does not speak with this version of the client
    ├── EmbeddedFailed                 the platform that a client without an address starts did not start
    ├── JobFailed                      the job has no result because it failed, or was cancelled
    ├── PipelineFailed                 a pipeline stopped: at which step, with which ids
    └── APIError                       the platform refused: status_code, code, request_id, body
        ├── BadRequest             400
        ├── NotAuthenticated       401 (also raised when no token is set; nothing was sent then)
        ├── PermissionDenied       403
        ├── NotFound               404 (also: exists, but belongs to somebody else)
        ├── Conflict               409
        ├── PayloadTooLarge        413
        ├── InvalidRequest         422
        ├── RateLimited            429 (retry_after)
        └── ServerError            5xx

``error.message`` is one sentence that says what is wrong and what to do. ``str(error)`` is the same, but an
`APIError` puts the call before it, in the words that programs written for older clients look for:
``Got error in HTTP request: get /datasets/…. 404 <message>``.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any
from uuid import UUID

__all__ = [
    "APIError",
    "AvatarsError",
    "BadRequest",
    "Conflict",
    "ConnectionFailed",
    "EmbeddedFailed",
    "IncompatibleVersion",
    "InvalidInput",
    "InvalidRequest",
    "JobFailed",
    "NotAuthenticated",
    "NotFound",
    "PayloadTooLarge",
    "PermissionDenied",
    "PipelineFailed",
    "RateLimited",
    "RequestTimeout",
    "ServerError",
    "UnexpectedAnswer",
]


class AvatarsError(Exception):
    """Every error of the client side.

    Attributes
    ----------
    message
        One sentence: what is wrong and what to do.
    """

    def __init__(self, message: str, *rest: object) -> None:
        # What a subclass needs positionally is in ``args``: pickle makes the error again from them.
        super().__init__(message, *rest)
        self.message = message

    def __str__(self) -> str:
        return self.message


class InvalidInput(AvatarsError, ValueError):
    """An argument cannot be used; nothing was sent."""


class ConnectionFailed(AvatarsError):
    """The platform is not there, or the connection to it broke."""


class RequestTimeout(AvatarsError):
    """The platform was silent for longer than ``timeout``."""


class UnexpectedAnswer(AvatarsError):
    """What answered does not speak like a platform, or like one of another version."""


class JobFailed(AvatarsError):
    """The job has no result because it failed; the message is the platform's own.

    Attributes
    ----------
    job_id
        The job that failed.
    """

    def __init__(self, message: str, job_id: UUID) -> None:
        super().__init__(message, job_id)
        self.job_id = job_id


class IncompatibleVersion(AvatarsError):
    """The platform does not speak with this version of the client."""


class EmbeddedFailed(AvatarsError):
    """A client without an address could not start the platform of its own."""


class PipelineFailed(AvatarsError):
    """A pipeline stopped; its cause (``__cause__``) says why.

    Attributes
    ----------
    step
        Where it stopped.
    ids
        What is on the platform already, by name: ``original_dataset``, ``preprocessed_dataset``,
        ``avatarization_job``, ``sensitive_unshuffled_avatars_dataset``, ``privacy_job``, ``signal_job``, as far as it
        came.
    """

    def __init__(self, message: str, step: str, ids: dict[str, UUID]) -> None:
        super().__init__(message, step, ids)
        self.step = step
        self.ids = ids


class APIError(AvatarsError):
    """The platform refused a request.

    Attributes
    ----------
    status_code
        The HTTP status.
    code
        Stable name of the refusal in snake_case, made for programs; None where the answer has none.
    request_id
        What to tell the person who runs the platform; None where the answer has none.
    body
        The answer as it came: parsed JSON, or None.
    retry_after
        Seconds after which the platform asks to be called again; None where it does not say.
    call
        Method and path of the request, for example ``get /datasets/…``.
    """

    def __init__(
        self,
        message: str,
        status_code: int,
        *,
        call: str = "",
        code: str | None = None,
        request_id: str | None = None,
        body: Any = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, status_code)
        self.status_code = status_code
        self.call = call
        self.code = code
        self.request_id = request_id
        self.body = body
        self.retry_after = retry_after

    def __str__(self) -> str:
        return f"Got error in HTTP request: {self.call}. {self.status_code} {self.message}"


class BadRequest(APIError):
    """400: the request cannot be carried out as it stands."""


class NotAuthenticated(APIError):
    """401: there is no token, or the platform does not accept it (any more).

    Raised before any network traffic where ``authenticate`` was not called.
    """

    def __str__(self) -> str:
        return self.message


class PermissionDenied(APIError):
    """403: the user is known, but may not do this."""


class NotFound(APIError):
    """404: there is no such thing, or it belongs to somebody else."""


class Conflict(APIError):
    """409: the request contradicts the present state."""


class PayloadTooLarge(APIError):
    """413: more bytes than the platform accepts."""


class InvalidRequest(APIError):
    """422: a value of the request is not one that the platform accepts."""


class RateLimited(APIError):
    """429: too many requests; try again after ``retry_after`` seconds."""


class ServerError(APIError):
    """5xx: the platform, or something on the way to it, failed."""


_BY_STATUS: dict[int, type[APIError]] = {
    400: BadRequest,
    401: NotAuthenticated,
    403: PermissionDenied,
    404: NotFound,
    409: Conflict,
    413: PayloadTooLarge,
    422: InvalidRequest,
    429: RateLimited,
}


_NO_MESSAGE = "The platform gave no reason: try again, and if it happens again tell the person who runs it."


def refusal(status_code: int, body: bytes, headers: Mapping[str, str], call: str) -> APIError:
    """Return the error that stands for an answer of the platform, or of something on the way to it.

    ``body`` is ``{"detail": {"message": ..., "code": ...}}``, ``{"detail": "text"}``, or for 422 ``{"detail":
    [{"loc": [...], "msg": ...}]}``; whatever else it is gives an error too, without the platform's words.
    """
    kind = ServerError if status_code >= 500 else _BY_STATUS.get(status_code, APIError)
    try:
        parsed: Any = json.loads(body)
    except ValueError:
        parsed = None
    answer: dict[str, Any] = parsed if isinstance(parsed, dict) else {}
    detail = answer.get("detail", answer)
    fields: dict[str, Any] = {**answer, **detail} if isinstance(detail, dict) else answer
    return kind(
        _message(detail),
        status_code,
        call=call,
        code=_text(fields.get("code")),
        request_id=_text(fields.get("request_id")) or headers.get("X-Request-ID"),
        body=parsed,
        retry_after=_retry_after(headers.get("Retry-After")),
    )


def _message(detail: Any) -> str:
    match detail:
        case str() if detail:
            return detail
        case {"message": str(message)} if message:
            return message
        case [_, *_]:
            return "; ".join(_field_message(item) for item in detail)
        case _:
            return _NO_MESSAGE


def _field_message(item: Any) -> str:
    match item:
        case {"loc": [*_, field], "msg": str(message)}:
            return f"{message}: {field}"
        case {"msg": str(message)}:
            return message
        case _:
            return "a value is not accepted"


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _retry_after(header: str | None) -> float | None:
    """Return the seconds of a Retry-After header, which may also be a date."""
    if header is None:
        return None
    try:
        seconds = float(header)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(header).timestamp() - time.time()
        except ValueError:
            return None
    return max(seconds, 0.0) if math.isfinite(seconds) else None
