"""``avatars worker``: the workers of this machine join a platform, leave it in order, and come back when it does."""

from __future__ import annotations

import asyncio
import secrets
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import Any

import structlog
from distributed import Client, Nanny, Security
from distributed.comm.core import FatalCommClosedError
from distributed.core import Status

from avatars.server.jobs import invitation
from avatars.server.jobs.invitation import CannotJoin, Invitation
from avatars.server.jobs.workers import Lane, configure_dask, lanes, nanny_options, security_of
from avatars.server.settings import Settings

log = structlog.get_logger(__name__)

CONNECT_SECONDS = 5.0
"""How long one attempt to reach the platform takes at most."""

RETRY_SECONDS = 2.0

LOOK_SECONDS = 1.0
"""How often it is looked whether platform and workers are there."""

MISSING_SECONDS = 30.0
"""A worker process that has been away for so long is replaced; its nanny brings most back in a second or two."""

LEAVE_SECONDS = 10.0
"""How long saying goodbye may take."""


@dataclass(frozen=True)
class Place:
    """Where the workers of this machine are on the network.

    Attributes
    ----------
    host
        The address under which the platform reaches this machine; by default the one that Dask finds.
    ports
        Ports that the workers may use, as ``9000:9020``; by default any free ones.
    """

    host: str | None = None
    ports: str | None = None


async def work(settings: Settings, place: Place, say: Callable[[str], None], stop: asyncio.Event) -> None:
    """Work for the platform of ``settings.dask_scheduler`` until ``stop`` is set; waits for it where it is away.

    Raises
    ------
    CannotJoin
        This machine has other versions or certificates than the platform, or does not see its storage.
    """
    configure_dask()
    security = security_of(settings)
    with TemporaryDirectory(prefix="avatars-worker-") as folder:
        while not stop.is_set():
            async with _platform(settings, security, say, stop) as client:
                if client is None:
                    return
                machine = _Machine(settings, place, security, folder, client)
                await machine.join()
                say(f"Working for the platform at {settings.dask_scheduler}: {settings.workers} at a time.")
                log.info("worker.joined", workers=settings.workers)
                try:
                    await machine.stay(stop)
                finally:
                    await machine.leave()
            log.info("worker.left", stopping=stop.is_set())


@asynccontextmanager
async def _platform(
    settings: Settings, security: Security, say: Callable[[str], None], stop: asyncio.Event
) -> AsyncIterator[Client | None]:
    """Wait for a scheduler with a platform and be its client; None where we are to stop before there is one."""
    has_said = False
    while not stop.is_set():
        client: Any = Client(
            settings.dask_scheduler,
            timeout=CONNECT_SECONDS,
            security=security,
            asynchronous=True,
            set_as_default=False,
        )
        try:
            async with client:
                if await _invitation(client) is not None:
                    yield client
                    return
        except OSError as error:
            if isinstance(error.__cause__, ssl.SSLError | FatalCommClosedError):
                raise CannotJoin(
                    f"The platform at {settings.dask_scheduler} and this machine do not know each other: "
                    "use the certificates of the platform, and see that they are not over."
                ) from error
        if not has_said:
            say(f"Waiting for the platform at {settings.dask_scheduler}: nothing answers there yet.")
            has_said = True
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), RETRY_SECONDS)
    yield None


async def _invitation(client: Client) -> Invitation | None:
    found: Any = client.get_metadata(invitation.TOPIC, default=None)
    said: Invitation | None = await found
    return said


class _Machine:
    """The workers of this machine while they work for one scheduler."""

    def __init__(self, settings: Settings, place: Place, security: Security, folder: str, client: Client) -> None:
        self._settings, self._place, self._security, self._folder = settings, place, security, folder
        self._client = client
        # Two machines may have one name, and one machine may come back before it is missed.
        self._prefix = f"{socket.gethostname()}-{secrets.token_hex(3)}"
        self._nannies: dict[str, Nanny] = {}
        self._missing: dict[str, float] = {}

    async def join(self) -> None:
        """Start all workers; raises `CannotJoin`."""
        await self._check()
        for name, lane in lanes(self._settings.workers).items():
            self._nannies[name] = await self._nanny(name, lane)

    async def stay(self, stop: asyncio.Event) -> None:
        """Look after the workers until we are to stop or the scheduler is gone."""
        while not stop.is_set() and self._client.status == "running":
            for name, lane in lanes(self._settings.workers).items():
                if self._is_gone(name):
                    log.error("worker.replaced", worker=name)
                    await self._nannies[name].close()
                    await self._check()
                    self._nannies[name] = await self._nanny(name, lane)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LOOK_SECONDS)

    async def leave(self) -> None:
        """End all workers; what they are doing is done by others, and does not count as lost."""
        if self._client.status == "running":
            retired: Any = self._client.retire_workers(names=list(map(self._named, self._nannies)), close_workers=False)
            try:
                await asyncio.wait_for(retired, LEAVE_SECONDS)
            except (OSError, TimeoutError) as error:
                log.warning("worker.not_retired", error=type(error).__name__)
        await asyncio.gather(*(nanny.close() for nanny in self._nannies.values()))

    def _is_gone(self, name: str) -> bool:
        nanny, now = self._nannies[name], asyncio.get_running_loop().time()
        if nanny.status in (Status.closed, Status.failed):
            return True
        if nanny.is_alive():
            self._missing.pop(name, None)
            return False
        return now - self._missing.setdefault(name, now) >= MISSING_SECONDS

    async def _check(self) -> None:
        said = await _invitation(self._client)
        if said is not None:
            await asyncio.to_thread(invitation.accept, said)

    async def _nanny(self, name: str, lane: Lane) -> Nanny:
        self._missing.pop(name, None)
        options = nanny_options(self._settings, lane, self._security, self._folder)
        where = {"host": self._place.host, "port": self._place.ports, "worker_port": self._place.ports or 0}
        made: Nanny = await Nanny(self._settings.dask_scheduler, name=self._named(name), **where, **options)
        return made

    def _named(self, name: str) -> str:
        return f"{self._prefix}-{name}"
