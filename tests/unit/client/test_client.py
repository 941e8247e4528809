"""The client as a whole: how it is made, what it costs, how it ends."""

from __future__ import annotations

import gc
import json
import socket
import subprocess
import sys
from collections.abc import Callable
from threading import Thread

import httpx2
import pytest

from avatars.client import ApiClient
from avatars.errors import IncompatibleVersion, InvalidInput, NotAuthenticated

NewClient = Callable[[Callable[[httpx2.Request], httpx2.Response]], ApiClient]


def test_an_empty_address_is_no_address() -> None:
    with pytest.raises(InvalidInput, match=r"base_url is empty: pass .*avatars serve.*None"):
        ApiClient(base_url="")


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
        if request.url.path == "/check_client":
            return httpx2.Response(404)
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


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (
            {"message": "too old", "status": "incompatible", "most_recent_compatible_client": "1.2"},
            "install version 1.2",
        ),
        ({"message": "Ask Ada for a newer one.", "status": "incompatible"}, "Ask Ada for a newer one"),
    ],
)
def test_a_platform_of_an_incompatible_version_is_said_at_login(answer: dict[str, str], sentence: str) -> None:
    def platform(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, json=answer if request.url.path == "/check_client" else {"access_token": "abc"})

    with ApiClient("http://platform.test", transport=httpx2.MockTransport(platform)) as client:
        with pytest.raises(IncompatibleVersion, match=rf"http://platform.test does not speak .*{sentence}"):
            client.authenticate("me", "strong_password")
        with pytest.raises(NotAuthenticated):
            client.users.get_me()


@pytest.mark.parametrize(
    "answer",
    [
        httpx2.Response(404, json={"detail": "Not Found"}),
        httpx2.Response(200, json={"message": "no status: an older one"}),
        httpx2.Response(200, json={"message": "who are you?", "status": "unknown"}),
    ],
    ids=["too old to ask", "without a status", "does not know"],
)
def test_a_platform_that_cannot_say_whether_it_is_compatible_is_not_in_the_way(answer: httpx2.Response) -> None:
    def platform(request: httpx2.Request) -> httpx2.Response:
        return answer if request.url.path == "/check_client" else httpx2.Response(200, json={"access_token": "abc"})

    with ApiClient("http://platform.test", transport=httpx2.MockTransport(platform)) as client:
        client.authenticate("me", "strong_password")


def test_a_login_that_has_ended_says_how_to_begin_a_new_one(new_client: NewClient) -> None:
    client = new_client(lambda request: httpx2.Response(401, json={"detail": {"message": "x", "code": "expired"}}))
    with pytest.raises(NotAuthenticated, match=r"not authenticated any more.*client\.authenticate") as caught:
        client.users.get_me()
    assert caught.value.code == "expired"


def test_a_wrong_password_is_not_taken_for_a_login_that_has_ended() -> None:
    answers = [
        httpx2.Response(200, json={"access_token": "abc"}),
        httpx2.Response(404),
        httpx2.Response(401, json={"detail": {"message": "The username or the password is wrong."}}),
    ]
    transport = httpx2.MockTransport(lambda request: answers.pop(0))
    with ApiClient("http://platform.test", transport=transport) as client:
        client.authenticate("me", "strong_password")
        with pytest.raises(NotAuthenticated, match="the password is wrong"):
            client.authenticate("me", "another_password")


def test_logging_out_forgets_the_token(new_client: NewClient) -> None:
    client = new_client(lambda request: httpx2.Response(200, json={"message": "bye"}))
    client.auth.logout()
    with pytest.raises(NotAuthenticated, match=r"Call client\.authenticate"):
        client.users.get_me()


def test_a_new_password_in_the_words_of_the_tutorial(new_client: NewClient) -> None:
    seen = []

    def platform(request: httpx2.Request) -> httpx2.Response:
        seen.append((request.url.path, json.loads(request.content)))
        return httpx2.Response(200, json={"message": "look into your mail"})

    client = new_client(platform)
    assert client.forgotten_password("yourmail@mail.com").message == "look into your mail"
    with pytest.raises(ValueError, match=r"token: must be an id"):
        client.reset_password("yourmail@mail.com", "new_password", "new_password", "token-received-by-mail")
    token = "00000000-0000-0000-0000-000000000001"
    client.reset_password("yourmail@mail.com", "new_password", "new_password", token)
    assert seen == [
        ("/login/forgotten_password", {"email": "yourmail@mail.com"}),
        (
            "/login/reset_password",
            {
                "email": "yourmail@mail.com",
                "new_password": "new_password",
                "new_password_repeated": "new_password",
                "token": token,
            },
        ),
    ]


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
