"""``avatars serve``: the platform, in this process."""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from avatars.cli.common import DatabaseUrl, DataDir, fail, load_settings, server_extra

if TYPE_CHECKING:
    from fastapi import FastAPI

    from avatars.server.settings import Settings

GRACE_SECONDS = 20
"""How long requests that are being answered may go on after the platform was told to stop."""


def serve(
    host: Annotated[
        str | None, typer.Option(help="Address to listen on (AVATARS_HOST).", show_default="127.0.0.1")
    ] = None,
    port: Annotated[
        int | None, typer.Option(help="Port; 0 takes a free one (AVATARS_PORT).", show_default="8000")
    ] = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Run the platform until it is told to stop (Ctrl-C, SIGTERM).

    Further settings are environment variables that begin with AVATARS_.
    """
    settings = load_settings(host=host, port=port, data_dir=data_dir, database_url=database_url)
    os.umask(0o077)
    lock = take_folder(settings.data_dir)
    listener = _listen(settings.host, settings.port)
    settings = settings.model_copy(update={"port": listener.getsockname()[1]})
    with listener, lock:
        _run(settings, listener)


def _run(settings: Settings, listener: socket.socket) -> None:
    with server_extra():
        import uvicorn

        from avatars.server.app import create_app
        from avatars.server.db import DatabaseError
        from avatars.server.logging import configure_logging
        from avatars.server.storage import StorageError

    configure_logging()
    # Answers are made of short turns in several threads: none must wait five milliseconds for the next.
    sys.setswitchinterval(0.0005)

    class Server(uvicorn.Server):
        """Says when it is ready, which is when the app has started; lets nobody wait for a job when it stops."""

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started and not self.should_exit:
                typer.echo(f"open-avatars is ready at {local_url(settings)}")
                sys.stdout.flush()
                settling.start()

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            app.state.runner.watchers.close()
            await super().shutdown(sockets)

    try:
        app = create_app(settings)
    except (DatabaseError, StorageError) as error:
        fail(str(error))
    server = Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            # Longer than clients and proxies keep an idle connection (5 to 60 seconds): whoever asks must be the one to
            # let go first, or a question meets a connection that was closed a moment ago.
            timeout_keep_alive=75,
            proxy_headers=bool(settings.trusted_proxies),
            forwarded_allow_ips=settings.trusted_proxies or None,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
    )
    settling = threading.Thread(target=settle, args=(app, lambda: server.should_exit), name="settle")
    # uvicorn stops gracefully on these and then raises them again for whoever was there before. Being told to
    # stop is not a failure, so that is this, which also covers the moments before uvicorn listens to them.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: setattr(server, "should_exit", True))
    # It exits by itself, with a code of its own, where the app's start failed.
    try:
        with suppress(SystemExit):
            server.run(sockets=[listener])
    finally:
        # Whatever ended it, the thread above is not to wait for workers any more.
        server.should_exit = True
    if app.state.failure is not None:
        fail(str(app.state.failure))


def settle(app: FastAPI, is_over: Callable[[], bool]) -> None:
    """Do what takes a second, and what nobody who asks something is to wait for.

    In a thread that the process waits for: one that ends while another of its threads is at work may be aborted.
    """
    # The documentation, and with it the validators of every body.
    app.openapi()
    # Once the workers are up everything is imported, and stays as long as the process. Were it searched for garbage
    # again and again, all answers would stand still for 0.2 s each time.
    while not app.state.runner.compute.wait(timeout=0.5):
        if is_over():
            return
    gc.collect()
    gc.freeze()


def local_url(settings: Settings) -> str:
    """The address that this process listens on, whatever proxy stands before it."""
    return settings.model_copy(update={"public_url": None}).base_url


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket: made here, so that a port in use is noticed before anything starts."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError:
        fail(f"The address {host} does not exist on this machine: choose another one with --host.")
    if sys.platform != "win32":
        # A restart must not wait for old connections to time out.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        listener.listen(2048)
    except OSError as error:
        listener.close()
        reason = (error.strerror or "not possible").lower()
        fail(f"The platform cannot listen on {host} port {port} ({reason}): choose another --port.")
    return listener


def take_folder(data_dir: Path) -> IO[str]:
    """Keep other platforms out of the data folder: two would run the same jobs. The lock ends with the process."""
    lock = (data_dir / "lock").open("w")
    if sys.platform != "win32":
        import fcntl

        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            fail(f"Another platform uses the folder {data_dir}: stop it or choose another --data-dir.")
    return lock
