"""A client whose requests end in a function instead of a network, and a clock that a test moves."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx2
import pytest

from avatars._http import Http
from avatars.client import ApiClient

Handler = Callable[[httpx2.Request], httpx2.Response]


class FakeClock:
    """Time that passes only when someone sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.sleeps: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float, /) -> None:
        self.sleeps.append(seconds)
        self.now += seconds


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def new_http(clock: FakeClock) -> Iterator[Callable[[Handler], Http]]:
    made: list[Http] = []

    def new(handler: Handler) -> Http:
        http = Http("http://platform.test", transport=httpx2.MockTransport(handler), sleep=clock.sleep)
        http.token = "token"
        made.append(http)
        return http

    yield new
    for http in made:
        http.close()


@pytest.fixture
def new_client() -> Iterator[Callable[[Handler], ApiClient]]:
    made: list[ApiClient] = []

    def new(handler: Handler) -> ApiClient:
        def with_login(request: httpx2.Request) -> httpx2.Response:
            if request.url.path == "/login":
                return httpx2.Response(200, json={"access_token": "token", "token_type": "bearer"})
            if request.url.path == "/check_client":
                return httpx2.Response(200, json={"message": "welcome", "status": "compatible"})
            return handler(request)

        client = ApiClient("http://platform.test", transport=httpx2.MockTransport(with_login))
        client.authenticate("username", "strong_password")
        made.append(client)
        return client

    yield new
    for client in made:
        client.close()
