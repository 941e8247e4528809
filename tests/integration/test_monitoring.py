"""What Prometheus reads, over its own port: right figures, and nobody's name."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import httpx2
import pytest
from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text, update
from starlette.testclient import TestClient
from tests.conftest import LogIn
from tests.integration.steps import IRIS, create, outcome, upload

from avatars.server.app import create_app
from avatars.server.db import utc_now
from avatars.server.jobs.compute import Compute
from avatars.server.jobs.models import Job
from avatars.server.mail.models import Mail
from avatars.server.settings import Settings

pytestmark = pytest.mark.databases("sqlite")
"""What is shown here does not depend on the database; where it does, both are named."""

Figures = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture
def app(settings: Settings, compute: Compute) -> Iterator[FastAPI]:
    app = create_app(settings.model_copy(update={"monitoring_port": 0}), compute=compute)
    yield app
    # What it opened, it closes.
    assert app.state.monitoring.port is None


def read(app: FastAPI) -> str:
    answer = httpx2.get(f"http://127.0.0.1:{app.state.monitoring.port}/metrics")
    assert answer.status_code == 200
    return answer.text


def figures(app: FastAPI) -> Figures:
    families = text_string_to_metric_families(read(app))
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def value(app: FastAPI, name: str, **labels: str) -> float:
    return figures(app).get((name, frozenset(labels.items())), 0.0)


def test_answers_are_counted_by_route_and_status_and_timed(http: TestClient, app: FastAPI, log_in: LogIn) -> None:
    headers = log_in()
    for _ in range(3):
        http.get(f"/datasets/{uuid4()}", headers=headers)
    http.get("/health")
    http.post("/login", data={"username": "username", "password": "a wrong password"})
    http.request("BREW", "/coffee/1")
    http.get("/coffee/2")
    found = {"method": "GET", "route": "/datasets/{id}"}
    assert value(app, "avatars_requests_total", status="404", **found) == 3
    assert value(app, "avatars_request_seconds_count", **found) == 3
    assert value(app, "avatars_request_seconds_bucket", le="+Inf", **found) == 3
    # Logins that are refused.
    assert value(app, "avatars_requests_total", method="POST", route="/login", status="401") == 1
    # However many addresses and methods somebody makes up, they are two series.
    assert value(app, "avatars_requests_total", method="other", route="unknown", status="404") == 1
    assert value(app, "avatars_requests_total", method="GET", route="unknown", status="404") == 1


def test_requests_that_wait_for_a_job_are_counted_and_not_timed(http: TestClient, app: FastAPI, log_in: LogIn) -> None:
    headers = log_in()
    outcome(http, headers, create(http, headers, upload(http, headers, IRIS.read_bytes()))["id"])
    route = {"method": "GET", "route": "/jobs/avatarization/{id}"}
    assert value(app, "avatars_requests_total", status="200", **route) == 1
    assert value(app, "avatars_request_seconds_count", **route) == 0


def test_bytes_of_uploads_are_counted_those_of_other_bodies_are_not(
    http: TestClient, app: FastAPI, log_in: LogIn
) -> None:
    headers = log_in()
    assert value(app, "avatars_upload_bytes_total") == 0
    assert http.post("/datasets/stream", content=b"a,b\n1,2\n3,4\n", headers=headers).status_code == 200
    assert value(app, "avatars_upload_bytes_total") == 12


@pytest.mark.databases("sqlite", "postgresql")
def test_jobs_mails_and_workers_are_counted_and_the_oldest_s_age_is_known(
    http: TestClient, app: FastAPI, log_in: LogIn
) -> None:
    headers = log_in()
    id = upload(http, headers, IRIS.read_bytes())
    done = outcome(http, headers, create(http, headers, id)["id"])["id"]
    assessment = f"/jobs/{done}/assessment"
    assert http.get(assessment, params={"wait": 60}, headers=headers).json()["status"] == "success"
    app.state.runner.stop()
    http.post(assessment, json={}, headers=headers)
    created = [create(http, headers, id)["id"] for _ in range(2)]
    http.post(f"/jobs/{created[0]}/cancel", headers=headers)
    with app.state.database.write() as session:
        for is_assessment, hours in ((False, 1), (True, 2)):
            waiting = (Job.status == "pending", (Job.kind == "assessment").is_(is_assessment))
            session.execute(update(Job).where(*waiting).values(created_at=utc_now() - timedelta(hours=hours)))
        session.add(Mail(letter="forgotten_password", address="canary@example.org"))
    statuses = ("pending", "started", "success", "failure", "killed")
    assert [value(app, "avatars_jobs", status=status) for status in statuses] == [2, 0, 2, 0, 1]
    assert 3600 <= value(app, "avatars_job_waiting_seconds") < 4000
    assert 7200 <= value(app, "avatars_assessment_waiting_seconds") < 7600
    assert value(app, "avatars_mails") == 1
    assert value(app, "avatars_mail_waiting_seconds") > 0
    assert [value(app, "avatars_workers", lane=lane) for lane in ("jobs", "uploads")] == [1, 1]
    assert value(app, "avatars_database_up") == 1
    assert value(app, "process_resident_memory_bytes") > 0


def test_nobody_and_no_thing_can_be_told_from_the_figures(http: TestClient, app: FastAPI, log_in: LogIn) -> None:
    headers = log_in("ada_the_canary", "a long password")
    id = upload(http, headers, b"canary_column,b\n1,2\n3,4\n")
    http.get(f"/datasets/{id}?name=canary", headers={**headers, "User-Agent": "canary"})
    http.get("/canary")
    shown = read(app)
    assert "canary" not in shown
    assert id not in shown
    labels = {name for _, pairs in figures(app) for name, _ in pairs}
    assert labels <= {"method", "route", "status", "le", "lane"}


@pytest.mark.databases("sqlite", "postgresql")
def test_while_the_database_is_away_the_rest_is_told(
    http: TestClient, app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    http.get("/health")
    with app.state.database.write() as session:
        session.execute(text("ALTER TABLE jobs RENAME TO away"))
    assert value(app, "avatars_database_up") == 0
    assert value(app, "avatars_requests_total", method="GET", route="/health", status="200") == 1
    with app.state.database.write() as session:
        session.execute(text("ALTER TABLE away RENAME TO jobs"))
    assert value(app, "avatars_database_up") == 1


def test_the_figures_are_not_on_the_platform_s_own_port(http: TestClient, log_in: LogIn) -> None:
    assert http.get("/metrics", headers=log_in()).status_code == 404


def test_ready_is_said_when_the_workers_are_up_and_the_database_answers(
    http: TestClient, settings: Settings, compute: Compute
) -> None:
    assert compute.wait(60)
    assert http.get("/health/ready").json() == {"status": "ok"}
    # An app whose workers have not been started.
    waiting = create_app(settings, compute=Compute(settings))
    answer = TestClient(waiting).get("/health/ready")
    assert (answer.status_code, answer.json()["detail"]["code"]) == (503, "workers_starting")
    assert TestClient(waiting).get("/health").status_code == 200
    waiting.state.database.dispose()
