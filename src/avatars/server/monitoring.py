"""What Prometheus is told: counts, ages and times, on a port of its own. No user, no id and no name is a label."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any
from wsgiref.simple_server import WSGIServer

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, start_http_server
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import func, select

from avatars.server.db import Database, utc_now
from avatars.server.jobs.compute import Compute
from avatars.server.jobs.models import Job, JobKind, JobState
from avatars.server.jobs.workers import Lane
from avatars.server.mail.models import Mail
from avatars.server.settings import Settings

log = structlog.get_logger(__name__)

_METHODS = {"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}
# Most answers take milliseconds; a table is read while its sender waits.
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class CannotListen(Exception):
    """The port is taken, or the address is not this machine's; the text is one sentence for the operator."""


class Monitoring:
    """The figures of a running platform, and the port that they are read at.

    Counting costs some microseconds a request and goes on whether there is a port or not.
    """

    def __init__(self, settings: Settings, database: Database, compute: Compute) -> None:
        self.registry = CollectorRegistry()
        self._settings = settings
        self._server: tuple[WSGIServer, threading.Thread] | None = None
        self._requests = Counter("avatars_requests", "Answers.", ["method", "route", "status"], registry=self.registry)
        self._seconds = Histogram(
            "avatars_request_seconds",
            "From a request's arrival to the end of its answer; those that wait for a job on purpose are left out.",
            ["method", "route"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._upload_bytes = Counter("avatars_upload_bytes", "Bytes of uploads that came in.", registry=self.registry)
        ProcessCollector(registry=self.registry)
        self.registry.register(_State(database, compute))

    def start(self) -> None:
        """Open the port, if there is to be one; raises `CannotListen`."""
        host, port = self._settings.monitoring_host, self._settings.monitoring_port
        if port is None:
            return
        try:
            self._server = start_http_server(port, host, self.registry)
        except OSError as error:
            reason = (error.strerror or "not possible").lower()
            raise CannotListen(
                f"Prometheus cannot be served on {host} port {port} ({reason}): choose another AVATARS_MONITORING_PORT."
            ) from error

    def stop(self) -> None:
        """Close the port."""
        if self._server is not None:
            server, thread = self._server
            server.shutdown()
            server.server_close()
            thread.join()
            self._server = None

    @property
    def port(self) -> int | None:
        """The port that is open."""
        return None if self._server is None else self._server[0].server_port

    def count(self, method: str, route: str | None, status: int, seconds: float | None) -> None:
        """Count an answer; ``seconds`` where it was given as soon as possible."""
        # What strangers make up must not make new series.
        method, route = method if method in _METHODS else "other", route or "unknown"
        self._requests.labels(method, route, status).inc()
        if seconds is not None:
            self._seconds.labels(method, route).observe(seconds)

    def count_upload(self, size: int) -> None:
        """Count the bytes of an upload, taken or refused."""
        self._upload_bytes.inc(size)


class _State(Collector):
    """What is looked up when somebody asks: the database's part is missing while it is away."""

    def __init__(self, database: Database, compute: Compute) -> None:
        self._database = database
        self._compute = compute

    def describe(self) -> Iterable[Any]:
        """Name nothing in advance: the registry would look everything up for that."""
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Look everything up."""
        workers = GaugeMetricFamily("avatars_workers", "Worker processes.", labels=["lane"])
        count = self._compute.count() if self._compute.wait(0) else {}
        for lane in Lane:
            workers.add_metric([lane.value], count.get(lane.value, 0))
        yield workers
        try:
            yield from self._rows()
            is_up = 1
        except Exception:
            # Whatever it is: the server below would print its text.
            log.exception("monitoring.no_figures_of_the_database")
            is_up = 0
        yield GaugeMetricFamily("avatars_database_up", "Whether the database answers.", value=is_up)

    def _rows(self) -> list[GaugeMetricFamily]:
        with self._database.read() as session:
            by_status = session.execute(select(Job.status, func.count()).group_by(Job.status))
            counts = {status: count for status, count in by_status}  # noqa: C416 - rows are no tuples to mypy
            waiting = select(func.min(Job.created_at)).where(Job.status == JobState.PENDING)
            # They come after all other jobs: in one figure with these, their age would say nothing about capacity.
            oldest_assessment = session.scalar(waiting.where(Job.kind == JobKind.ASSESSMENT))
            oldest_job = session.scalar(waiting.where(Job.kind != JobKind.ASSESSMENT))
            mails, oldest_mail = session.execute(select(func.count(), func.min(Mail.created_at))).one()
        jobs = GaugeMetricFamily("avatars_jobs", "Jobs that are in the database.", labels=["status"])
        for state in JobState:
            jobs.add_metric([state.value], counts.get(state.value, 0))
        return [
            jobs,
            _gauge(
                "avatars_job_waiting_seconds",
                "Age of the job that has waited the longest, assessments left out.",
                _age(oldest_job),
            ),
            _gauge(
                "avatars_assessment_waiting_seconds",
                "Age of the assessment that has waited the longest.",
                _age(oldest_assessment),
            ),
            _gauge("avatars_mails", "Mails that wait to be sent.", mails),
            _gauge("avatars_mail_waiting_seconds", "Age of the mail that has waited the longest.", _age(oldest_mail)),
        ]


def _gauge(name: str, about: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, about, value=value)


def _age(since: datetime | None) -> float:
    return 0.0 if since is None else max(0.0, (utc_now() - since).total_seconds())
