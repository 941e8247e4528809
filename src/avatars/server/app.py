"""The platform, put together: the only place that names concrete parts."""

from __future__ import annotations

import os
import signal
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from anyio import to_thread
from fastapi import FastAPI
from pydantic.warnings import UnsupportedFieldAttributeWarning

from avatars.server import documentation, health, housekeeping, stats
from avatars.server.accounts import routes as accounts
from avatars.server.accounts import user_routes as users
from avatars.server.assessments import routes as assessments
from avatars.server.audit import routes as audit
from avatars.server.datasets import routes as datasets
from avatars.server.db import Database, DatabaseError
from avatars.server.errors import install_error_handlers
from avatars.server.housekeeping import Housekeeper
from avatars.server.jobs import routes as jobs
from avatars.server.jobs.compute import Compute
from avatars.server.jobs.runner import JobRunner
from avatars.server.lease import Lease
from avatars.server.mail.outbox import Outbox
from avatars.server.metrics import routes as metrics
from avatars.server.middleware import RequestMiddleware
from avatars.server.monitoring import CannotListen, Monitoring
from avatars.server.reports import routes as reports
from avatars.server.settings import Settings
from avatars.server.storage import Storage, StorageError

log = structlog.get_logger(__name__)

# A false alarm, which FastAPI silences where it wraps a model; ours are built later than that, when first used.
warnings.simplefilter("ignore", UnsupportedFieldAttributeWarning)


def create_app(settings: Settings, *, compute: Compute | None = None) -> FastAPI:
    """Build the platform; nothing starts before the app's lifespan does.

    Parameters
    ----------
    settings
        Where everything is and how large it may get; the data folder exists.
    compute
        A cluster that runs already and that the caller stops; by default the app starts and stops its own.

    Raises
    ------
    DatabaseError
        The address of the database is not understood.
    StorageError
        The key file cannot be used, or there is no storage.
    """
    database = Database(settings.database_url)
    storage = Storage(settings.storage_url, settings.encryption_key_file)
    own_compute = compute is None
    compute = compute or Compute(settings)
    lease = Lease(database)

    def give_way() -> None:
        app.state.failure = "Another platform runs on this database by now: this one has stopped."
        os.kill(os.getpid(), signal.SIGTERM)

    runner = JobRunner(database, storage, compute, lease, deadline_hours=settings.job_deadline_hours, on_lost=give_way)
    outbox = Outbox(database, settings)
    monitoring = Monitoring(settings, database, compute)
    housekeeper = Housekeeper(database, storage)

    def start() -> None:
        # First, so that a database that is not there, or somebody else's, is noticed before anything runs.
        monitoring.start()
        database.ping()
        lease.take()
        database.upgrade()
        housekeeping.claim(database, storage)
        if own_compute:
            # Returns at once: the workers come up while the first requests are answered.
            compute.start()
        runner.start()
        outbox.start()
        housekeeper.start()
        log.info("platform.started")

    def abandon() -> None:
        if own_compute:
            compute.stop()
        lease.release()
        monitoring.stop()
        database.dispose()

    def stop() -> None:
        housekeeper.stop()
        outbox.stop()
        runner.stop()
        abandon()
        log.info("platform.stopped")

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        try:
            await to_thread.run_sync(start)
        except BaseException as error:
            app.state.failure = _sentence(error)
            await to_thread.run_sync(abandon)
            raise
        try:
            yield
        finally:
            await to_thread.run_sync(stop)

    app = FastAPI(
        title="open-avatars",
        version=health.VERSION,
        lifespan=lifespan,
        # The usual pages load their scripts from somebody else's machines.
        docs_url=None,
        redoc_url=None,
    )
    app.state.failure = None
    app.state.settings = settings
    app.state.database = database
    app.state.storage = storage
    app.state.runner = runner
    app.state.outbox = outbox
    app.state.monitoring = monitoring
    app.add_middleware(RequestMiddleware, settings=settings, monitoring=monitoring)
    install_error_handlers(app)
    for part in (health, accounts, users, datasets, jobs, assessments, metrics, reports, stats, audit, documentation):
        app.include_router(part.router)
    return app


def _sentence(error: BaseException) -> str:
    if isinstance(error, DatabaseError | CannotListen | StorageError):
        return str(error)
    log.error("platform.start_failed", exc_info=error)
    return f"The platform could not start ({type(error).__name__}); the log says where."
