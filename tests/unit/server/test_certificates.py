"""The certificates of a cluster: who knows whom by them."""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from avatars.server.certificates import Files, good_until, make


def context(files: Files, purpose: ssl.Purpose) -> ssl.SSLContext:
    made = ssl.create_default_context(purpose, cafile=str(files.ca))
    made.load_cert_chain(files.certificate, files.key)
    made.verify_mode = ssl.CERT_REQUIRED if purpose is ssl.Purpose.CLIENT_AUTH else made.verify_mode
    made.check_hostname = False
    return made


def shake_hands(server: Files, client: Files) -> bytes:
    """What the client hears when the two meet; raises ``OSError`` where one does not know the other."""
    ours, theirs = socket.socketpair()
    with ours, theirs:

        def answer() -> None:
            with suppress(OSError), context(server, ssl.Purpose.CLIENT_AUTH).wrap_socket(ours, server_side=True) as tls:
                tls.sendall(b"hello")

        thread = threading.Thread(target=answer)
        thread.start()
        try:
            with context(client, ssl.Purpose.SERVER_AUTH).wrap_socket(theirs) as tls:
                return tls.recv(5)
        finally:
            theirs.close()
            thread.join()


def test_machines_of_one_cluster_know_each_other_and_nobody_else(tmp_path: Path) -> None:
    ours, others = make(tmp_path / "ours"), make(tmp_path / "others")
    assert shake_hands(ours, ours) == b"hello"
    strangers = [(others, ours), (ours, others), (ours, Files(ours.ca, others.certificate, others.key))]
    for server, client in strangers:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            shake_hands(server, client)


def test_the_key_is_for_its_owner_and_the_authority_s_own_is_gone(tmp_path: Path) -> None:
    files = make(tmp_path / "new")
    assert files.key.stat().st_mode & 0o777 == 0o600
    assert files.key.parent.stat().st_mode & 0o777 == 0o700
    assert {path.name for path in files.key.parent.iterdir()} == {"ca.pem", "certificate.pem", "key.pem"}
    assert sum("PRIVATE KEY" in path.read_text() for path in files.key.parent.iterdir()) == 1


def test_they_are_good_for_as_long_as_asked_and_never_overwritten(tmp_path: Path) -> None:
    files = make(tmp_path, days=10)
    for path in (files.ca, files.certificate):
        assert abs(good_until(path) - datetime.now(UTC) - timedelta(days=10)) < timedelta(minutes=5)
    before = files.key.read_bytes()
    with pytest.raises(FileExistsError):
        make(tmp_path)
    assert files.key.read_bytes() == before
