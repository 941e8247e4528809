"""Requests: when they are sent again, how long they may take, what their failures say."""

from __future__ import annotations

import io
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import httpx2
import pytest
from pydantic import BaseModel

from avatars import _http
from avatars._bar import Section
from avatars._http import ATTEMPTS, FIRST_BACKOFF, LONGEST_RETRY_AFTER, Http, as_uuid, parse, parse_json
from avatars.errors import (
    AvatarsError,
    ConnectionFailed,
    InvalidInput,
    NotAuthenticated,
    RateLimited,
    RequestTimeout,
    ServerError,
    UnexpectedAnswer,
)
from avatars.resources.destinations import Incoming

if TYPE_CHECKING:
    from tests.unit.client.conftest import FakeClock

NewHttp = Callable[[Callable[[httpx2.Request], httpx2.Response]], Http]


class Script:
    """Answers, or failures, one after the other; the last one for ever."""

    def __init__(self, *answers: httpx2.Response | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[httpx2.Request] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        # Made anew: a response can be read once.
        return httpx2.Response(answer.status_code, headers=answer.headers, content=answer.content)


def ok() -> httpx2.Response:
    return httpx2.Response(200, json={"fine": True})


def broken() -> httpx2.Response:
    return httpx2.Response(503, json={"detail": {"message": "in a moment"}})


FLEETING = [
    httpx2.ConnectError("refused"),
    httpx2.ReadError("reset"),
    httpx2.RemoteProtocolError("disconnected"),
    httpx2.Response(502, text="<html>"),
    broken(),
    httpx2.Response(504),
    httpx2.Response(429),
]


@pytest.mark.parametrize("failure", FLEETING, ids=repr)
def test_a_get_is_sent_again_after_what_may_pass(
    new_http: NewHttp, clock: FakeClock, failure: httpx2.Response | Exception
) -> None:
    script = Script(failure, failure, ok())
    assert parse_json(new_http(script).request("GET", "/z")) == {"fine": True}
    assert len(script.requests) == 3
    first, second = clock.sleeps
    assert FIRST_BACKOFF / 2 <= first <= FIRST_BACKOFF
    assert FIRST_BACKOFF <= second <= 2 * FIRST_BACKOFF


@pytest.mark.parametrize("failure", FLEETING, ids=repr)
def test_a_post_is_sent_again_only_with_its_key(
    new_http: NewHttp, clock: FakeClock, failure: httpx2.Response | Exception
) -> None:
    script = Script(failure, ok())
    http = new_http(script)
    with pytest.raises(AvatarsError):
        http.request("POST", "/z")
    assert len(script.requests) == 1

    script = Script(failure, failure, ok())
    new_http(script).request("POST", "/z", idempotency_key="key")
    assert [request.headers["Idempotency-Key"] for request in script.requests] == ["key"] * 3


@pytest.mark.parametrize("status", [400, 401, 404, 422, 500])
def test_a_refusal_that_stays_is_not_repeated(new_http: NewHttp, clock: FakeClock, status: int) -> None:
    script = Script(httpx2.Response(status, json={}))
    with pytest.raises(AvatarsError):
        new_http(script).request("GET", "/z")
    assert len(script.requests) == 1
    assert not clock.sleeps


def test_a_few_attempts_are_all(new_http: NewHttp, clock: FakeClock) -> None:
    script = Script(broken())
    with pytest.raises(ServerError, match="in a moment"):
        new_http(script).request("GET", "/z")
    assert len(script.requests) == ATTEMPTS
    assert len(clock.sleeps) == ATTEMPTS - 1


def test_retry_after_is_obeyed(new_http: NewHttp, clock: FakeClock) -> None:
    script = Script(httpx2.Response(429, headers={"Retry-After": "7"}), ok())
    new_http(script).request("GET", "/z")
    assert clock.sleeps == [7]


def test_a_retry_after_beyond_patience_is_left_to_the_caller(new_http: NewHttp, clock: FakeClock) -> None:
    script = Script(httpx2.Response(429, headers={"Retry-After": str(LONGEST_RETRY_AFTER + 1)}))
    with pytest.raises(RateLimited) as caught:
        new_http(script).request("GET", "/z")
    assert caught.value.retry_after == LONGEST_RETRY_AFTER + 1
    assert not clock.sleeps


def test_a_timeout_is_not_for_a_second_try(new_http: NewHttp, clock: FakeClock) -> None:
    script = Script(httpx2.ReadTimeout("silence"))
    with pytest.raises(RequestTimeout, match=r"silent for 3 seconds.*`timeout` parameter"):
        new_http(script).request("GET", "/z", timeout=3)
    assert len(script.requests) == 1


@pytest.mark.parametrize(("given", "meant"), [(None, 60), (0, 60), (2, 2), (0.5, 0.5)])
def test_no_timeout_and_zero_mean_the_clients(new_http: NewHttp, given: float | None, meant: float) -> None:
    script = Script(ok())
    new_http(script).request("GET", "/z", timeout=given)
    timeout = script.requests[0].extensions["timeout"]
    assert (timeout["read"], timeout["write"]) == (meant, meant)
    assert timeout["connect"] == min(meant, _http.CONNECT_TIMEOUT)


@pytest.mark.parametrize("seconds", [-1, float("nan")])
def test_a_timeout_that_is_no_time_is_refused_unsent(new_http: NewHttp, seconds: float) -> None:
    script = Script(ok())
    with pytest.raises(InvalidInput, match="timeout must be"):
        new_http(script).request("GET", "/z", timeout=seconds)
    assert not script.requests


def test_without_a_token_nothing_is_sent_but_what_is_public(new_http: NewHttp) -> None:
    script = Script(ok())
    http = new_http(script)
    http.token = None
    with pytest.raises(NotAuthenticated, match=r"You are not authenticated\. Call client\.authenticate"):
        http.request("GET", "/z")
    assert not script.requests
    http.request("GET", "/health", public=True)
    assert "Authorization" not in script.requests[0].headers


def test_requests_say_who_sends_them(new_http: NewHttp) -> None:
    script = Script(ok())
    new_http(script).request("GET", "/z")
    # Not the old clients' "avatar-python": a platform may answer those in their own way.
    assert script.requests[0].headers["User-Agent"].startswith("open-avatars/")
    assert script.requests[0].headers["Authorization"] == "Bearer token"


def test_a_body_that_broke_off_is_written_again_from_its_beginning(new_http: NewHttp, clock: FakeClock) -> None:
    class Torn(httpx2.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            yield b"a,b\n1,2\n and so on"
            raise httpx2.RemoteProtocolError("peer closed connection")

    answers = [httpx2.Response(200, stream=Torn()), httpx2.Response(200, content=b"a,b\n1,2\n")]
    file = io.BytesIO(b"# from the caller\n")
    file.seek(0, io.SEEK_END)
    new_http(lambda request: answers.pop(0)).request("GET", "/z", into=Incoming(file, Section()))
    assert file.getvalue() == b"# from the caller\na,b\n1,2\n"


def test_what_was_written_to_a_pipe_cannot_be_taken_back(new_http: NewHttp, clock: FakeClock) -> None:
    class Torn(httpx2.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            yield b"a,b\n"
            raise httpx2.RemoteProtocolError("peer closed connection")

    class Pipe:
        def write(self, block: bytes) -> None:
            assert block == b"a,b\n"

    http = new_http(lambda request: httpx2.Response(200, stream=Torn()))
    with pytest.raises(ConnectionFailed, match="download it again, to a path"):
        http.request("GET", "/z", into=Incoming(Pipe(), Section()))


def test_a_refusal_is_not_written_into_the_file(new_http: NewHttp) -> None:
    file = io.BytesIO()
    with pytest.raises(ServerError, match="in a moment"):
        new_http(Script(broken())).request("GET", "/z", into=Incoming(file, Section()), attempts=1)
    assert file.getvalue() == b""


def test_a_redirect_is_not_followed_with_the_token(new_http: NewHttp) -> None:
    script = Script(httpx2.Response(307, headers={"Location": "https://elsewhere.test/z"}))
    with pytest.raises(UnexpectedAnswer, match="another address"):
        new_http(script).request("GET", "/z")
    assert len(script.requests) == 1


def test_a_platform_that_is_not_there_is_named() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unused.getsockname()[1]}"
        http = Http(address, sleep=lambda seconds: None)
        with pytest.raises(ConnectionFailed, match=f"No platform answers at {address}: check the address"):
            http.request("GET", "/health", public=True)
        http.close()


def test_an_address_may_have_a_path_and_no_credentials() -> None:
    http = Http("https://platform.test/api/")
    assert http.address == "https://platform.test/api"
    http.close()
    with pytest.raises(InvalidInput, match="must not hold") as caught:
        Http("https://someone:secret@platform.test/api/")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("address", ["localhost:8000", "platform.test", "ftp://platform.test", "http://", "http://x:y"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(InvalidInput, match="base_url must be an address"):
        Http(address)


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_ca_file_that_is_none_is_refused(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    with pytest.raises(InvalidInput, match="verify must be a file"):
        Http("https://platform.test", verify=path)


def test_a_closed_client_says_so(new_http: NewHttp) -> None:
    http = new_http(Script(ok()))
    http.close()
    with pytest.raises(InvalidInput, match="closed"):
        http.request("GET", "/z")


class Answer(BaseModel):
    name: str
    size: int


def test_an_answer_of_another_version_names_fields_and_no_values() -> None:
    response = httpx2.Response(200, json={"size": "secret value"})
    with pytest.raises(UnexpectedAnswer, match=r"see name, size") as caught:
        parse(response, Answer)
    assert "secret" not in str(caught.value)


def test_a_web_page_is_no_answer() -> None:
    with pytest.raises(UnexpectedAnswer, match="not JSON"):
        parse_json(httpx2.Response(200, text="<html>welcome</html>"))


def test_ids_are_checked_before_they_become_part_of_a_path() -> None:
    id = uuid4()
    assert as_uuid(id) is id
    assert as_uuid(str(id)) == id
    for wrong in ("", "../users", "12"):
        with pytest.raises(InvalidInput, match="id"):
            as_uuid(wrong)
