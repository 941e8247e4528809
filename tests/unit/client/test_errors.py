"""Refusals become errors that say what is wrong, whatever shape they have."""

from __future__ import annotations

import json
import pickle
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatars.errors import (
    APIError,
    AvatarsError,
    BadRequest,
    Conflict,
    InvalidInput,
    InvalidRequest,
    JobFailed,
    NotAuthenticated,
    NotFound,
    PayloadTooLarge,
    PermissionDenied,
    RateLimited,
    ServerError,
    refusal,
)


def refused(status: int, body: Any, headers: dict[str, str] | None = None) -> APIError:
    return refusal(status, json.dumps(body).encode(), headers or {}, "get /z")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, BadRequest),
        (401, NotAuthenticated),
        (403, PermissionDenied),
        (404, NotFound),
        (409, Conflict),
        (413, PayloadTooLarge),
        (418, APIError),
        (422, InvalidRequest),
        (429, RateLimited),
        (500, ServerError),
        (503, ServerError),
    ],
)
def test_each_status_has_its_class(status: int, kind: type[APIError]) -> None:
    error = refused(status, {"detail": {"message": "boom", "code": "some_code", "request_id": "r-1"}})
    assert type(error) is kind
    assert isinstance(error, AvatarsError)
    assert (error.message, error.status_code, error.code, error.request_id) == (
        "boom",
        status,
        "some_code",
        "r-1",
    )


def test_the_text_is_the_one_that_old_except_clauses_look_for() -> None:
    assert str(refused(400, {"detail": {"message": "boom"}})) == "Got error in HTTP request: get /z. 400 boom"
    assert str(refused(422, {"detail": [{"loc": ["body", "k"], "msg": "field required"}]})).endswith(
        "422 field required: k"
    )


def test_a_401_with_a_plain_text_keeps_its_code_beside_it() -> None:
    error = refused(401, {"detail": "You are not authenticated. Log in.", "code": "not_authenticated"})
    assert str(error) == "You are not authenticated. Log in."
    assert error.code == "not_authenticated"


def test_every_field_of_a_422_is_named() -> None:
    error = refused(
        422,
        {
            "detail": [{"loc": ["body", "k"], "msg": "too small"}, {"msg": "cannot be read"}],
            "code": "invalid_request",
            "request_id": "r-2",
        },
    )
    assert error.message == "too small: k; cannot be read"
    assert (error.code, error.request_id) == ("invalid_request", "r-2")


def test_a_gateways_page_is_not_repeated() -> None:
    error = refusal(502, b"<html>Bad gateway</html>", {"X-Request-ID": "r-3"}, "get /z")
    assert isinstance(error, ServerError)
    assert "<html>" not in str(error)
    assert error.request_id == "r-3"
    assert error.body is None


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7), ("0.5", 0.5), ("-1", 0), ("soon", None), ("inf", None), (None, None)]
)
def test_retry_after_in_seconds(header: str | None, seconds: float | None) -> None:
    headers = {} if header is None else {"Retry-After": header}
    assert refused(429, {}, headers).retry_after == seconds


def test_retry_after_as_a_date() -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    seconds = refused(429, {}, {"Retry-After": date}).retry_after
    assert seconds is not None
    assert 25 < seconds <= 30


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.sampled_from(["detail", "message", "loc", "msg", "code"]) | st.text(), inner)
    ),
)


@given(status=st.integers(400, 599), body=st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_body_gives_an_error_with_a_message(status: int, body: bytes) -> None:
    error = refusal(status, body, {}, "get /z")
    assert error.status_code == status
    assert error.message
    assert error.code is None or isinstance(error.code, str)


@pytest.mark.parametrize(
    "error",
    [
        refused(429, {"detail": {"message": "slowly", "code": "rate_limited"}}, {"Retry-After": "3"}),
        JobFailed("k is too large", uuid4()),
        InvalidInput("no"),
    ],
)
def test_errors_survive_the_way_between_processes(error: AvatarsError) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert again.__dict__ == error.__dict__


def test_what_is_wrong_with_an_argument_is_a_value_error_too() -> None:
    assert issubclass(InvalidInput, ValueError)
