"""What happens around every request: its id, its limits, its headers, its line in the log.

Plain ASGI and not ``BaseHTTPMiddleware``, which would hold whole streams up.
"""

from __future__ import annotations

import time
from uuid import uuid4

import structlog
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from avatars.server.errors import PayloadTooLarge, internal_error
from avatars.server.monitoring import Monitoring
from avatars.server.settings import Settings

log = structlog.get_logger(__name__)

MIB = 1024**2

ANONYMOUS_BODY = 64 * 1024
"""Bytes of a body without a token, which is a login: strangers must not fill the memory or the disk."""

JSON_BODY = 16 * MIB
"""Bytes of any other body; the declared types of a table of 100,000 columns take a third of it."""

MULTIPART_OVERHEAD = MIB
"""What the wrapping of an uploaded file may add to the file."""

UPLOADS = {"/datasets", "/datasets/inline", "/datasets/stream"}
"""Where the body is a file."""

_SECURITY_HEADERS = {
    # Answers hold personal data: no cache may keep them.
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    # An answer that a browser shows as a page must neither run, load nor be framed by anything.
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class RequestMiddleware:
    """Gives each request an id, counts its body, adds the security headers, logs it, catches what escaped."""

    def __init__(self, app: ASGIApp, settings: Settings, monitoring: Monitoring) -> None:
        self.app = app
        self.monitoring = monitoring
        self.headers = dict(_SECURITY_HEADERS)
        if (settings.public_url or "").startswith("https://"):
            self.headers["Strict-Transport-Security"] = "max-age=63072000"
        self.upload_body = settings.max_upload_bytes + MULTIPART_OVERHEAD

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id
        started = time.perf_counter()
        status = 0
        counted = _Counted(receive, self._limit(scope))

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = request_id
                for name, value in self.headers.items():
                    headers.setdefault(name, value)
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self.app(scope, counted.receive, send_with_headers)
            except Exception:
                log.exception("request.failed", method=scope["method"], route=_route(scope))
                if status:
                    # Part of the answer is out: a broken connection tells the client that it is not whole.
                    raise
                await internal_error(request_id)(scope, receive, send_with_headers)
            finally:
                seconds, route = time.perf_counter() - started, _route(scope)
                log.info(
                    "request",
                    method=scope["method"],
                    route=route,
                    status=status,
                    duration_ms=round(seconds * 1000, 1),
                )
                # Whoever waits for a job says nothing about how quick the platform is.
                waits = b"wait=" in scope["query_string"]
                self.monitoring.count(scope["method"], route, status, None if waits else seconds)
                if _is_upload(scope):
                    self.monitoring.count_upload(counted.seen)

    def _limit(self, scope: Scope) -> int:
        if not any(name == b"authorization" for name, _ in scope["headers"]):
            return ANONYMOUS_BODY
        return self.upload_body if _is_upload(scope) else JSON_BODY


class _Counted:
    """A request's body, of which no more than ``limit`` bytes are handed out."""

    def __init__(self, receive: Receive, limit: int) -> None:
        self.seen = 0
        self._receive = receive
        self._limit = limit

    async def receive(self) -> Message:
        """Hand out the next piece."""
        message = await self._receive()
        self.seen += len(message.get("body", b""))
        if self.seen > self._limit:
            raise PayloadTooLarge(f"The request is too large: at most {self._limit} bytes are accepted here.")
        return message


def _is_upload(scope: Scope) -> bool:
    return bool(scope["method"] == "POST" and scope["path"].rstrip("/") in UPLOADS)


def _route(scope: Scope) -> str | None:
    """The route's pattern: the path itself may be anything that somebody typed."""
    route = scope.get("route")
    return getattr(route, "path", None)
