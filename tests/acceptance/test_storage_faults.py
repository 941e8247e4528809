"""The disk is full, the bucket away: clear refusals, nothing lost, nothing half-written, and it goes on by itself."""

from __future__ import annotations

import os
import resource
import socket
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import httpx2
import pytest
from tests.conftest import PASSWORD, USERNAME, ObjectStore, Platform
from tests.integration.steps import IRIS

from avatars.server.storage.keys import add_key


class Gate:
    """A port that passes everything on to an object store while it is open, and refuses connections while it is not."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._connections: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._serve()

    def open(self) -> None:
        """Let it pass everything on."""
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self._serve()

    def close(self) -> None:
        """Break all connections, and refuse others."""
        for each in (self._listener, *self._connections):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        self._connections.clear()

    def _serve(self) -> None:
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client = listener.accept()[0]
                store = socket.create_connection(("127.0.0.1", self._store.port))
                self._connections += [client, store]
                for source, target in ((client, store), (store, client)):
                    threading.Thread(target=_pass_on, args=(source, target), daemon=True).start()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while block := source.recv(65_536):
            target.sendall(block)
    for each in (source, target):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
        each.close()


def logged_in(platform: Platform) -> httpx2.Client:
    http = httpx2.Client(base_url=platform.base_url, timeout=120)
    token = http.post("/login", data={"username": USERNAME, "password": PASSWORD}).json()["access_token"]
    http.headers["Authorization"] = f"Bearer {token}"
    return http


def refusal(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["detail"]["code"]


def test_a_full_disk_refuses_uploads_and_keeps_everything_else(new_platform: Callable[..., Platform]) -> None:
    platform = new_platform()
    platform.add_user(USERNAME, PASSWORD)
    platform.start()
    files = platform.data_dir / "files"
    large = b"a,b\n" + b"".join(b"%d,%s\n" % (row, os.urandom(20).hex().encode()) for row in range(80_000))
    with closing(logged_in(platform)) as http:
        id = http.post("/datasets/stream", content=IRIS.read_bytes()).json()["id"]
        before = sorted(files.rglob("*"))
        # As on a full disk, the system refuses to write on; what the platform has is more than its other files need.
        limits = resource.prlimit(platform.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(platform.pid, resource.RLIMIT_FSIZE, (2_000_000, limits[1]))
        assert refusal(http.post("/datasets/stream", content=large)) == (507, "storage_full")
        assert [path for path in sorted(files.rglob("*")) if path.is_file()] == [p for p in before if p.is_file()]
        assert http.get(f"/datasets/{id}/download").status_code == 200
        resource.prlimit(platform.pid, resource.RLIMIT_FSIZE, limits)
        assert http.post("/datasets/stream", content=large).json()["nb_lines"] == 80_000


@pytest.mark.soak
@pytest.mark.timeout(400)
def test_a_bucket_that_is_away_loses_no_job(
    new_platform: Callable[..., Platform],
    object_store: ObjectStore,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gate = Gate(object_store)
    add_key(tmp_path / "keys")
    url = object_store.new_url().replace(f":{object_store.port}", f":{gate.port}")
    monkeypatch.setenv("AVATARS_STORAGE_URL", url)
    monkeypatch.setenv("AVATARS_ENCRYPTION_KEY_FILE", str(tmp_path / "keys"))
    platform = new_platform()
    platform.add_user(USERNAME, PASSWORD)
    platform.start()
    with closing(logged_in(platform)) as http:
        id = http.post("/datasets/stream", content=IRIS.read_bytes()).json()["id"]
        gate.close()
        body = {"parameters": {"k": 5, "seed": 1, "dataset_id": id}}
        job = http.post("/jobs/avatarization", json=body).json()["id"]
        assert refusal(http.get(f"/datasets/{id}/download")) == (503, "storage_unreachable")
        assert refusal(http.post("/datasets/stream", content=IRIS.read_bytes())) == (503, "storage_unreachable")
        end = time.monotonic() + 90
        while "job.put_back" not in platform.log.read_text():
            assert time.monotonic() < end
            time.sleep(0.2)
        assert http.get("/health").status_code == 200
        gate.open()
        while (over := http.get(f"/jobs/avatarization/{job}", params={"wait": 30}).json())["status"] != "success":
            assert over["status"] in ("pending", "started"), over
            assert time.monotonic() < end + 90
        avatars = over["result"]["avatars_dataset"]["id"]
        assert http.get(f"/datasets/{avatars}/download").content.count(b"\n") == 151
        assert http.get(f"/datasets/{id}/download").content == IRIS.read_bytes()
    platform.close()
    gate.close()
