"""What is deleted is gone: a mark in the data is searched for on the disk and in the database."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import inspect, select, text
from tests.conftest import LogIn
from tests.integration.steps import Headers, create, measure, measured, outcome, until, upload

from avatars.server import deletion
from avatars.server.audit import service as audit
from avatars.server.audit.models import AuditEvent
from avatars.server.db import utc_now

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.testclient import TestClient

    from avatars.server.db import Database
    from avatars.server.settings import Settings

CELL, LABEL, NAME = "canary-in-a-cell", "canary-in-a-label", "canary-in-a-name"


@pytest.fixture
def mine(log_in: LogIn) -> Headers:
    return log_in()


def traces(app: FastAPI, settings: Settings, tmp_path: Path) -> set[str]:
    """Where the marks are found: files by their bytes, those of the storage decrypted too, tables by their rows."""
    storage = app.state.storage
    kept = {key for key in storage._place.all_keys() if b"canary-in-a-" in storage.read_bytes(key)}
    found = {
        str(path.relative_to(tmp_path))
        for path in tmp_path.rglob("*")
        if path.is_file() and b"canary-in-a-" in path.read_bytes()
    }
    return found | kept | set(_tables_with_marks(app.state.database))


def _tables_with_marks(database: Database) -> Iterator[str]:
    with database._engine.connect() as connection:
        for table in inspect(connection).get_table_names():
            if "canary-in-a-" in str(connection.execute(text(f'SELECT * FROM "{table}"')).all()):
                yield f"table {table}"


@pytest.fixture
def dataset(http: TestClient, mine: Headers) -> str:
    rows = "".join(f"{CELL if number % 2 else 'b'},{number}\n" for number in range(60))
    content = f"{LABEL},x\n{rows}".encode()
    answer = http.post("/datasets", files={"file": (f"{NAME}.csv", content)}, data={"name": NAME}, headers=mine)
    assert answer.status_code == 200
    id = str(answer.json()["id"])
    http.post(f"/datasets/{id}/analyze", headers=mine)
    until(lambda: http.get(f"/datasets/{id}", headers=mine).json()["analysis_status"] == "done")
    return id


def test_a_dataset_and_its_jobs_leave_no_byte(
    http: TestClient, mine: Headers, dataset: str, app: FastAPI, settings: Settings, tmp_path: Path
) -> None:
    job = outcome(http, mine, create(http, mine, dataset)["id"])
    metrics = measure(http, mine, "signal", dataset, job["result"]["avatars_dataset"]["id"])
    measured(http, mine, "signal", metrics)
    other = upload(http, mine, b"a\n1\n2\n")
    before = traces(app, settings, tmp_path)
    assert {"table datasets", "table jobs"} <= before
    assert any("table.parquet" in place for place in before)
    for path in (f"/datasets/{dataset}", f"/jobs/{job['id']}", f"/jobs/{metrics}"):
        assert http.delete(path, headers=mine).status_code == 200
    assert traces(app, settings, tmp_path) == set()
    # What was not deleted is still there.
    assert http.get(f"/datasets/{other}/download", headers=mine).text == "a\n1\n2\n"


@pytest.mark.databases("postgresql")  # Beside it are a bucket and encryption, which hide most.
def test_a_report_goes_with_its_job_and_leaves_no_byte(
    http: TestClient, mine: Headers, dataset: str, app: FastAPI, settings: Settings, tmp_path: Path
) -> None:
    job = outcome(http, mine, create(http, mine, dataset)["id"])["id"]
    report = http.post("/reports", json={"job_id": job}, headers=mine).json()["id"]
    until(lambda: http.get(f"/reports/{report}", headers=mine).json()["status"] == "success")
    assert any(place.startswith("reports/") for place in traces(app, settings, tmp_path))
    assert http.delete(f"/jobs/{job}", headers=mine).status_code == 200
    assert app.state.storage.list("reports") == []
    # What it was made of is another thing, and goes next.
    assert http.delete(f"/datasets/{dataset}", headers=mine).status_code == 200
    assert traces(app, settings, tmp_path) == set()


def test_a_user_who_is_deleted_leaves_no_byte(
    http: TestClient, mine: Headers, dataset: str, app: FastAPI, settings: Settings, tmp_path: Path
) -> None:
    outcome(http, mine, create(http, mine, dataset)["id"])
    me = http.get("/users/me", headers=mine).json()
    from uuid import UUID

    deletion.delete_user(app.state.database, app.state.storage, UUID(me["id"]))
    assert traces(app, settings, tmp_path) == set()
    assert app.state.storage.list("datasets") == []
    assert http.get("/users/me", headers=mine).status_code == 401


def test_what_is_old_is_purged_and_what_a_job_needs_stays(
    http: TestClient, mine: Headers, dataset: str, app: FastAPI, settings: Settings, tmp_path: Path
) -> None:
    job_id = outcome(http, mine, create(http, mine, dataset)["id"])["id"]
    app.state.runner.stop()
    # Whether or not its first one was over: an old assessment that still waits keeps nothing.
    http.post(f"/jobs/{job_id}/assessment", json={}, headers=mine)
    kept = upload(http, mine, b"a\n1\n2\n3\n")
    waiting = create(http, mine, kept, k=2)["id"]
    time.sleep(0.01)
    assert deletion.purge(app.state.database, app.state.storage, utc_now()) == 3
    assert traces(app, settings, tmp_path) == set()
    assert [job["id"] for job in http.get("/jobs", headers=mine).json()] == [waiting]
    assert [each["id"] for each in http.get("/datasets", headers=mine).json()] == [kept]


def test_events_of_the_audit_go_when_they_are_old_and_that_is_an_event(
    http: TestClient, mine: Headers, dataset: str, app: FastAPI
) -> None:
    database = app.state.database

    def actions() -> list[str]:
        with database.read() as session:
            return list(session.scalars(select(AuditEvent.action).order_by(AuditEvent.id)))

    before = actions()
    assert {"user.logged_in", "dataset.created"} <= set(before)
    assert audit.purge(database, utc_now() - timedelta(days=1)) == 0
    assert actions() == [*before, "audit.purged"]
    assert audit.purge(database, utc_now() + timedelta(seconds=1)) == len(before) + 1
    assert actions() == ["audit.purged"]
    # What they told of is still there.
    assert [each["id"] for each in http.get("/datasets", headers=mine).json()] == [dataset]


def test_an_upload_that_is_refused_leaves_no_byte(
    http: TestClient, mine: Headers, app: FastAPI, settings: Settings, tmp_path: Path
) -> None:
    content = f"{LABEL},x\n{CELL},1\nb\n".encode()
    answer = http.post("/datasets", files={"file": ("x.csv", content)}, headers=mine)
    assert answer.status_code == 400, answer.text
    assert CELL not in answer.text
    assert traces(app, settings, tmp_path) == set()
