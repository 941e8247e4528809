"""What is deleted is gone: a mark in the data is searched for on the disk and in the database."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import inspect, text
from tests.conftest import LogIn
from tests.integration.steps import Headers, create, measure, measured, outcome, until, upload

from avatars.server import deletion
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
    """Where the marks are found: files by their bytes, tables by their rows."""
    found = {
        str(path.relative_to(tmp_path))
        for path in tmp_path.rglob("*")
        if path.is_file() and b"canary-in-a-" in path.read_bytes()
    }
    return found | set(_tables_with_marks(app.state.database))


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
    outcome(http, mine, create(http, mine, dataset)["id"])
    app.state.runner.stop()
    kept = upload(http, mine, b"a\n1\n2\n3\n")
    waiting = create(http, mine, kept, k=2)["id"]
    time.sleep(0.01)
    assert deletion.purge(app.state.database, app.state.storage, utc_now()) == 3
    assert traces(app, settings, tmp_path) == set()
    assert [job["id"] for job in http.get("/jobs", headers=mine).json()] == [waiting]
    assert [each["id"] for each in http.get("/datasets", headers=mine).json()] == [kept]


def test_an_upload_that_is_refused_leaves_no_byte(
    http: TestClient, mine: Headers, app: FastAPI, settings: Settings, tmp_path: Path
) -> None:
    content = f"{LABEL},x\n{CELL},1\nb\n".encode()
    answer = http.post("/datasets", files={"file": ("x.csv", content)}, headers=mine)
    assert answer.status_code == 400, answer.text
    assert CELL not in answer.text
    assert traces(app, settings, tmp_path) == set()
