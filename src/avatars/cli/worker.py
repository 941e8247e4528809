"""``avatars worker``: this machine works for a platform on another one."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from typing import Annotated

import typer

from avatars.cli.common import fail, read_settings, server_extra


def worker(
    scheduler: Annotated[
        str | None,
        typer.Argument(
            help="The platform's AVATARS_CLUSTER_LISTEN, as tls://HOST:PORT (AVATARS_DASK_SCHEDULER).",
            show_default=False,
        ),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="Jobs at the same time (AVATARS_WORKERS).", show_default="2")
    ] = None,
    host: Annotated[
        str | None,
        typer.Option(help="Address under which the platform reaches this machine.", show_default="found out"),
    ] = None,
    ports: Annotated[
        str | None, typer.Option(help="Ports that the workers may use, as 9000:9020.", show_default="any")
    ] = None,
) -> None:
    """Let this machine work for a platform until it is told to stop (Ctrl-C, SIGTERM).

    It needs the platform's certificates (AVATARS_CLUSTER_*_FILE), versions and storage, and says what is missing.
    """
    settings = read_settings(dask_scheduler=scheduler, workers=workers)
    if settings.dask_scheduler is None:
        fail("Say where the platform is: avatars worker tls://HOST:PORT, or set AVATARS_DASK_SCHEDULER.")
    with server_extra():
        from avatars.server.jobs import joining
        from avatars.server.jobs.invitation import CannotJoin
        from avatars.server.logging import configure_logging

    configure_logging()
    os.umask(0o077)

    def say(sentence: str) -> None:
        typer.echo(sentence)
        sys.stdout.flush()

    async def work() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await joining.work(settings, joining.Place(host, ports), say, stop)

    try:
        asyncio.run(work())
    except CannotJoin as error:
        fail(str(error))
