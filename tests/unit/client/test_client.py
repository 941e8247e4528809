"""The client as a whole: how it is made, what it costs, how it ends."""

from __future__ import annotations

import gc
import socket
import subprocess
import sys
from threading import Thread

import httpx2
import pytest

from avatars.client import ApiClient
from avatars.errors import InvalidInput, NotAuthenticated


@pytest.mark.parametrize("base_url", [None, ""])
def test_without_an_address_it_says_where_to_get_one(base_url: str | None) -> None:
    with pytest.raises(InvalidInput, match=r"pass base_url=.*set BASE_URL.*avatars serve"):
        ApiClient(base_url=base_url)


def test_what_it_was_given() -> None:
    with ApiClient("http://platform.test/", 5) as client:
        assert (client.base_url, client.timeout) == ("http://platform.test", 5)
        client.timeout = 7
        assert client.timeout == 7
        assert repr(client) == "ApiClient(base_url='http://platform.test')"
    with ApiClient("http://platform.test", timeout=None) as client:
        assert client.timeout == 60


def test_the_login_is_a_form_and_its_token_is_kept() -> None:
    requests = []

    def platform(request: httpx2.Request) -> httpx2.Response:
        requests.append(request)
        return httpx2.Response(200, json={"access_token": "abc", "token_type": "bearer"})

    with ApiClient("http://platform.test", transport=httpx2.MockTransport(platform)) as client:
        client.health.get_health()
        with pytest.raises(NotAuthenticated):
            client.datasets.get_dataset("00000000-0000-0000-0000-000000000001")
        client.authenticate("me", "p&ss wörd", 3)
        client.health.get_root()
        assert "abc" not in repr(vars(client))
    health, login, root = requests
    assert "Authorization" not in health.headers
    assert login.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert b"username=me&password=p%26ss+w%C3%B6rd" in login.content
    assert login.extensions["timeout"]["read"] == 3
    assert root.headers["Authorization"] == "Bearer abc"


def test_a_client_that_is_left_behind_closes_its_connections() -> None:
    """pytest turns the ResourceWarning of an open socket into an error."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer_once() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
                assert connection.recv(65536) == b""  # the client hangs up

        thread = Thread(target=answer_once)
        thread.start()
        client = ApiClient(f"http://127.0.0.1:{server.getsockname()[1]}")
        assert client.health.get_health() == {}
        del client
        gc.collect()
        thread.join(timeout=5)
        assert not thread.is_alive()


def test_importing_it_brings_nothing_that_only_some_need() -> None:
    code = "import sys, avatars.client; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"pandas", "pyarrow", "numpy", "rich", "scipy", "fastapi", "sqlalchemy"} & set(loaded)
