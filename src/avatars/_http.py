"""HTTP as the client side uses it: one connection pool, timeouts, retries, answers and refusals read.

A request is sent again only where that is safe: GET, PATCH and DELETE always, POST only with its ``Idempotency-Key``.
httpx2 takes nearly half of the client's import; so it is imported when a client is made.
"""

from __future__ import annotations

import random
import ssl
import time
import weakref
from collections.abc import Callable, Mapping
from os import PathLike
from typing import IO, TYPE_CHECKING, Any, Literal, Protocol, TypeVar
from uuid import UUID

from pydantic import BaseModel, ValidationError

from avatars.errors import (
    APIError,
    AvatarsError,
    ConnectionFailed,
    InvalidInput,
    NotAuthenticated,
    RequestTimeout,
    UnexpectedAnswer,
    refusal,
)

if TYPE_CHECKING:
    import httpx2

DEFAULT_TIMEOUT = 60.0
"""Seconds of silence after which a request is given up."""

CONNECT_TIMEOUT = 5.0
"""Seconds to reach the platform at all: no reason to wait as long as for an answer."""

ATTEMPTS = 4
"""How often a request is sent at most: about two seconds in all, long enough for a restarting proxy."""

FIRST_BACKOFF = 0.25
"""Seconds before the second attempt; doubled for each further one, less up to a half of jitter."""

LONGEST_RETRY_AFTER = 20.0
"""Seconds that a ``Retry-After`` may ask for before the caller, not the client, has to decide."""

KEEPALIVE_SECONDS = 4.0
"""Seconds that an idle connection is kept: fewer than servers keep it (uvicorn: 5), which close it unseen."""

PASSING_STATUSES = frozenset({429, 502, 503, 504})
"""Refusals that the same request may not meet again in a moment."""

Method = Literal["GET", "POST", "PATCH", "DELETE"]
Verify = bool | str | PathLike[str] | ssl.SSLContext
ModelT = TypeVar("ModelT", bound=BaseModel)


class Sink(Protocol):
    """What takes the body of an answer."""

    def begin(self) -> None:
        """Make ready for a body; called again where one broke off and is sent anew."""
        ...

    def write(self, block: bytes) -> None:
        """Take the next bytes of it."""
        ...


class Http:
    """The connection of one `ApiClient`.

    Attributes
    ----------
    address
        Where the platform is.
    timeout
        Seconds of silence after which a request is given up, unless the request says otherwise.
    token
        What ``authenticate`` got; None before.
    """

    def __init__(
        self,
        base_url: str,
        *,
        timeout: float = DEFAULT_TIMEOUT,
        verify: Verify = True,
        transport: httpx2.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        import httpx2

        self.address: str = _address(base_url)
        self.timeout: float = checked_seconds(timeout) or DEFAULT_TIMEOUT
        self.token: str | None = None
        self._sleep = sleep
        self._client = httpx2.Client(
            base_url=base_url,
            headers={"User-Agent": f"open-avatars/{_version()}"},
            verify=_trust(verify),
            limits=httpx2.Limits(keepalive_expiry=KEEPALIVE_SECONDS),
            transport=transport,
        )
        # The tutorial never closes its client: the sockets are closed when the last reference goes.
        self.close: Callable[[], object] = weakref.finalize(self, self._client.close)

    def request(
        self,
        method: Method,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        json: BaseModel | None = None,
        form: Mapping[str, str] | None = None,
        files: Mapping[str, tuple[str, IO[bytes], str]] | None = None,
        into: Sink | None = None,
        timeout: float | None = None,
        public: bool = False,
        idempotency_key: str | None = None,
        attempts: int = ATTEMPTS,
    ) -> httpx2.Response:
        """Send one request, again where that is safe and may help, and return its answer if it is a success.

        Parameters
        ----------
        into
            Takes the body of the answer as it comes; the response then has none.
        timeout
            Seconds of silence; None or 0 mean the client's.
        public
            True where the platform asks for no token.
        idempotency_key
            Makes a POST safe to repeat.
        attempts
            How often to send at most, where sending again is safe.
        """
        import httpx2

        if self._client.is_closed:
            raise InvalidInput("This client is closed: make a new ApiClient.")
        call = f"{method.lower()} {path}"
        seconds = checked_seconds(timeout) or self.timeout
        request = self._client.build_request(
            method,
            path,
            params=params,
            headers=self._headers(call, public, idempotency_key),
            json=json.model_dump(mode="json", exclude_none=True) if json is not None else None,
            data=form,
            files=files,
            timeout=httpx2.Timeout(seconds, connect=min(seconds, CONNECT_TIMEOUT)),
        )

        repeatable = method != "POST" or idempotency_key is not None
        last = attempts if repeatable else 1
        for attempt in range(1, last + 1):
            try:
                return self._send_once(request, call, into)
            except AvatarsError as error:
                pause = pause_before_retry(error, attempt)
                if attempt == last or pause is None:
                    raise
            self._sleep(pause)
        raise AssertionError("the last attempt returns or raises")

    def _headers(self, call: str, public: bool, idempotency_key: str | None) -> dict[str, str]:
        headers = {}
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
        elif not public:
            raise NotAuthenticated(
                "You are not authenticated. Call client.authenticate(username, password) first.",
                401,
                code="not_authenticated",
                call=call,
            )
        if idempotency_key is not None:
            headers["Idempotency-Key"] = idempotency_key
        return headers

    def _send_once(self, request: httpx2.Request, call: str, into: Sink | None) -> httpx2.Response:
        import httpx2

        try:
            response = self._client.send(request, stream=True)
            try:
                if into is not None and response.is_success:
                    into.begin()
                    for block in response.iter_bytes():
                        into.write(block)
                else:
                    response.read()
            finally:
                response.close()
        except httpx2.RequestError as error:
            raise self._network_error(error, request) from None
        if response.is_redirect:
            raise UnexpectedAnswer(
                f"{self.address} sends its visitors on to another address: "
                "pass base_url as the platform's own, for example with https instead of http."
            )
        if not response.is_success:
            refused = refusal(response.status_code, response.content, response.headers, call)
            # A wrong password is not a login that has ended, though the client may still have the token of one.
            if isinstance(refused, NotAuthenticated) and "Authorization" in request.headers and call != "post /login":
                refused.message = (
                    "You are not authenticated any more: the login has ended. "
                    "Call client.authenticate(username, password) again."
                )
            raise refused
        return response

    def _network_error(self, error: httpx2.RequestError, request: httpx2.Request) -> AvatarsError:
        import httpx2

        if _is_distrust(error):
            return _Untrusted(
                f"The certificate of {self.address} is not signed by anyone that this machine trusts: "
                'pass verify="ca.pem", the file of the authority that signed it.'
            )
        match error:
            case httpx2.ConnectError() | httpx2.ConnectTimeout():
                return ConnectionFailed(
                    f"No platform answers at {self.address}: check the address and that the platform is "
                    "running (`avatars serve` prints its address)."
                )
            case httpx2.TimeoutException():
                seconds = request.extensions["timeout"]["read"]
                return RequestTimeout(
                    f"The call timed out: {self.address} was silent for {seconds:g} seconds. "
                    "Consider increasing the timeout with the `timeout` parameter."
                )
            case httpx2.ProxyError():
                return ConnectionFailed(
                    f"The proxy on the way to {self.address} refused: "
                    "check the environment variables HTTP_PROXY, HTTPS_PROXY and NO_PROXY."
                )
            case httpx2.NetworkError() | httpx2.RemoteProtocolError():
                return ConnectionFailed(
                    f"The connection to {self.address} broke before the answer was complete: "
                    "check that the platform is still running, and call again."
                )
            case httpx2.LocalProtocolError():
                return InvalidInput("The file changed while it was sent: call again when nothing writes to it.")
            case _:
                return UnexpectedAnswer(
                    f"The answer of {self.address} cannot be read: check that base_url is the address of a platform."
                )


class _Untrusted(ConnectionFailed):
    """A certificate is not trusted; sending again would not change that."""


def pause_before_retry(error: AvatarsError, attempt: int) -> float | None:
    """Return the seconds to wait before attempt ``attempt + 1``, or None where sending again is no use.

    Timeouts are not for another attempt: the caller has said how long to wait.
    """
    if not is_passing(error) or isinstance(error, RequestTimeout):
        return None
    asked = retry_after(error)
    if asked is None:
        # Jitter keeps the clients of a restarted platform from coming back in step; no secret depends on it.
        return FIRST_BACKOFF * 2.0 ** (attempt - 1) * random.uniform(0.5, 1.0)  # noqa: S311
    return asked if asked <= LONGEST_RETRY_AFTER else None


def retry_after(error: AvatarsError) -> float | None:
    """Return the seconds after which the platform asks to be called again, if it does."""
    return error.retry_after if isinstance(error, APIError) else None


def is_passing(error: AvatarsError) -> bool:
    """Return whether the same request may succeed in a moment."""
    if isinstance(error, APIError):
        return error.status_code in PASSING_STATUSES
    return isinstance(error, (ConnectionFailed, RequestTimeout)) and not isinstance(error, _Untrusted)


def parse(response: httpx2.Response, model: type[ModelT]) -> ModelT:
    """Return the body of an answer as ``model``; `UnexpectedAnswer` where it is not one."""
    return _validated(parse_json(response), model)


def _validated(answer: Any, model: type[ModelT]) -> ModelT:
    try:
        return model.model_validate(answer)
    except ValidationError as error:
        # Names of fields only: pydantic's own text repeats the values.
        fields = ", ".join(sorted({".".join(map(str, item["loc"])) or "the body" for item in error.errors()}))
        raise UnexpectedAnswer(
            f"The answer is not the {model.__name__} that this client knows (see {fields}): "
            "check that base_url is the address of a platform, and of a version that matches this client's."
        ) from None


def parse_list(response: httpx2.Response, model: type[ModelT]) -> list[ModelT]:
    """Return the body of an answer as a list of ``model``; `UnexpectedAnswer` where it is not one."""
    items = parse_json(response)
    if not isinstance(items, list):
        raise UnexpectedAnswer(f"The answer is not a list of {model.__name__}: check that base_url is a platform's.")
    return [_validated(item, model) for item in items]


def parse_json(response: httpx2.Response) -> Any:
    """Return the JSON of an answer; `UnexpectedAnswer` where it is something else."""
    try:
        return response.json()
    except ValueError:
        raise UnexpectedAnswer(
            "The answer is not JSON: check that base_url is the address of a platform, not of a web site."
        ) from None


def as_uuid(value: UUID | str) -> UUID:
    """Return an id that may be put into a path; `InvalidInput` where it is none."""
    try:
        return value if isinstance(value, UUID) else UUID(value)
    except (ValueError, AttributeError, TypeError):
        raise InvalidInput("The id is not one: pass the `.id` of a dataset or of a job.") from None


def checked_seconds(timeout: float | None) -> float | None:
    """Return ``timeout`` as it is; `InvalidInput` where it is not a time."""
    if timeout is not None and not timeout >= 0:
        raise InvalidInput("timeout must be a number of seconds that is not negative.")
    return timeout


def _address(base_url: str) -> str:
    """Return an address as it may be shown; `InvalidInput` where it is none."""
    import httpx2

    try:
        url = httpx2.URL(base_url)
    except (httpx2.InvalidURL, TypeError):
        url = httpx2.URL("")
    if url.scheme not in ("http", "https") or not url.host:
        raise InvalidInput('base_url must be an address like "http://127.0.0.1:8000" or "https://avatars.example.org".')
    if url.userinfo:
        # They would be sent in place of the token, and shown in errors.
        raise InvalidInput("base_url must not hold a name or a password: pass them to client.authenticate.")
    return str(url).rstrip("/")


def _trust(verify: Verify) -> ssl.SSLContext | bool:
    if isinstance(verify, (bool, ssl.SSLContext)):
        return verify
    try:
        return ssl.create_default_context(cafile=verify)
    except (OSError, ssl.SSLError):
        raise InvalidInput("verify must be a file with certificates in the PEM format, and readable.") from None


def _is_distrust(error: BaseException) -> bool:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return True
        cause = cause.__cause__ or cause.__context__
    return False


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("open-avatars")
    except PackageNotFoundError:  # run from a source tree that was not installed
        return "0"
