"""Jobs that are listed, cancelled and deleted."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from fastapi import FastAPI
from sqlalchemy import select, update
from starlette.testclient import TestClient
from tests.conftest import OTHER_PASSWORD, OTHER_USERNAME, LogIn
from tests.integration.steps import IRIS, Headers, create, measure, measured, outcome, upload

from avatars.server.db import utc_now
from avatars.server.jobs.models import Job

NEW_CLIENT = {"User-Agent": "open-avatars/1.0"}
OLD_CLIENT = {"User-Agent": "avatar-python"}


@pytest.fixture
def mine(log_in: LogIn) -> Headers:
    return log_in()


@pytest.fixture
def iris(http: TestClient, mine: Headers) -> str:
    return upload(http, mine, IRIS.read_bytes())


@pytest.fixture
def large(http: TestClient, mine: Headers) -> str:
    """A table whose job takes long enough to be interrupted."""
    numbers = np.random.default_rng(0).integers(0, 10**6, size=(300_000, 6))
    rows = "\n".join(",".join(map(str, row)) for row in numbers.tolist())
    return upload(http, mine, f"a,b,c,d,e,f\n{rows}\n".encode())


def wait_until_started(http: TestClient, headers: Headers, job_id: str) -> None:
    deadline = time.monotonic() + 30
    while True:
        job = http.get(f"/jobs/{job_id}", headers=headers).json()
        if job["status"] == "started" and job["current_progress"] is not None:
            return
        assert job["status"] in ("pending", "started"), job
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_the_list_has_the_newest_jobs_first_with_their_results(
    http: TestClient, mine: Headers, iris: str, log_in: LogIn
) -> None:
    first = create(http, mine, iris)["id"]
    outcome(http, mine, first)
    second = measure(http, mine, "signal", iris, iris)
    measured(http, mine, "signal", second)
    listed = http.get("/jobs", headers=mine).json()
    assert [(job["id"], job["kind"]) for job in listed] == [(second, "signal_metrics"), (first, "avatarization")]
    for job in listed:
        assert http.get(f"/jobs/{job['id']}", headers=mine).json() == job
    assert listed[1]["result"]["avatars_dataset"]["nb_lines"] == 150
    assert http.get("/jobs", headers=log_in(OTHER_USERNAME, OTHER_PASSWORD)).json() == []


def test_the_list_goes_back_five_days_or_as_many_as_asked_for(
    http: TestClient, mine: Headers, iris: str, app: FastAPI
) -> None:
    app.state.runner.stop()
    ids = [create(http, mine, iris)["id"] for _ in range(2)]
    with app.state.database.write() as session:
        old = update(Job).where(Job.id == session.scalars(select(Job.id).order_by(Job.created_at)).first())
        session.execute(old.values(created_at=utc_now() - timedelta(days=6)))
    for nb_days, expected in ((None, ids[1:]), ("", ids[1:]), ("5", ids[1:]), ("7", ids[::-1]), ("0", [])):
        params = {} if nb_days is None else {"nb_days": nb_days}
        listed = http.get("/jobs", params=params, headers=mine).json()
        assert [job["id"] for job in listed] == expected, nb_days
    for nb_days in ("-1", "many", "1e3"):
        assert http.get("/jobs", params={"nb_days": nb_days}, headers=mine).status_code == 422


def test_a_waiting_job_is_cancelled_at_once_and_whoever_waits_for_it_hears_it(
    http: TestClient, mine: Headers, iris: str, app: FastAPI
) -> None:
    app.state.runner.stop()
    job_id = create(http, mine, iris)["id"]
    heard: list[Any] = []

    def wait() -> None:
        heard.append(http.get(f"/jobs/{job_id}", params={"wait": 30}, headers={**mine, **NEW_CLIENT}).json())

    waiting = threading.Thread(target=wait)
    waiting.start()
    time.sleep(0.3)
    started = time.monotonic()
    cancelled = http.post(f"/jobs/{job_id}/cancel", headers={**mine, **NEW_CLIENT})
    assert cancelled.status_code == 200
    assert (cancelled.json()["status"], cancelled.json()["error_message"]) == ("killed", "The job was cancelled.")
    waiting.join()
    assert time.monotonic() - started < 25
    assert heard[0]["status"] == "killed"


def test_a_client_that_does_not_know_killed_is_told_failure(
    http: TestClient, mine: Headers, iris: str, app: FastAPI
) -> None:
    app.state.runner.stop()
    job_id = create(http, mine, iris)["id"]
    assert http.post(f"/jobs/{job_id}/cancel", headers={**mine, **OLD_CLIENT}).json()["status"] == "failure"
    agents = {"avatar-python": "failure", "libcurl/8 r-curl/5": "failure", "avatar-python/0.3.0": "killed"}
    for agent, status in agents.items():
        headers = {**mine, "User-Agent": agent}
        assert http.get(f"/jobs/avatarization/{job_id}", headers=headers).json()["status"] == status
        assert http.get("/jobs", headers=headers).json()[0]["status"] == status


def test_a_job_under_way_stops_soon_and_the_worker_goes_on(
    http: TestClient, mine: Headers, large: str, iris: str, app: FastAPI
) -> None:
    job_id = create(http, mine, large, k=50)["id"]
    wait_until_started(http, mine, job_id)
    assert http.post(f"/jobs/{job_id}/cancel", headers={**mine, **NEW_CLIENT}).json()["status"] == "killed"
    started = time.monotonic()
    # There is one worker: this one has to wait until it has stopped.
    assert outcome(http, mine, create(http, mine, iris)["id"])["status"] == "success"
    assert time.monotonic() - started < 25
    assert http.get(f"/jobs/{job_id}", headers={**mine, **NEW_CLIENT}).json()["status"] == "killed"
    # Three datasets: the two tables, and what the second job made; nothing of the first job.
    assert len(app.state.storage.list("datasets")) == 4


def test_a_job_that_is_over_stays_as_it_is_when_it_is_cancelled(http: TestClient, mine: Headers, iris: str) -> None:
    job = outcome(http, mine, create(http, mine, iris)["id"])
    still = http.post(f"/jobs/{job['id']}/cancel", headers=mine).json()
    # Its assessment is a job of its own, and goes on.
    for each in (job, still):
        del each["result"]["assessment"]
    assert still == job


def test_a_deleted_job_is_gone_with_what_it_made(http: TestClient, mine: Headers, iris: str, app: FastAPI) -> None:
    job = outcome(http, mine, create(http, mine, iris)["id"])
    made = [job["result"][name]["id"] for name in ("avatars_dataset", "sensitive_unshuffled_avatars_datasets")]
    assert http.delete(f"/jobs/{job['id']}", headers=mine).status_code == 200
    for path in (f"/jobs/{job['id']}", *(f"/datasets/{id}" for id in made), f"/datasets/{made[0]}/download"):
        assert http.get(path, headers=mine).status_code == 404, path
    assert app.state.storage.list("datasets") == [iris]
    assert http.delete(f"/jobs/{job['id']}", headers=mine).status_code == 404


def test_deleting_a_job_under_way_stops_it(
    http: TestClient, mine: Headers, large: str, iris: str, app: FastAPI
) -> None:
    job_id = create(http, mine, large, k=50)["id"]
    wait_until_started(http, mine, job_id)
    assert http.delete(f"/jobs/{job_id}", headers=mine).status_code == 200
    assert outcome(http, mine, create(http, mine, iris)["id"])["status"] == "success"
    assert len(app.state.storage.list("datasets")) == 4


def test_originals_that_are_deleted_take_what_is_as_sensitive_along_and_leave_the_avatars(
    http: TestClient, mine: Headers, iris: str, app: FastAPI
) -> None:
    job = outcome(http, mine, create(http, mine, iris)["id"])
    avatars = job["result"]["avatars_dataset"]["id"]
    sensitive = job["result"]["sensitive_unshuffled_avatars_datasets"]["id"]
    assert http.delete(f"/datasets/{iris}", headers=mine).status_code == 200
    for id in (iris, sensitive):
        assert http.get(f"/datasets/{id}", headers=mine).status_code == 404
    assert app.state.storage.list("datasets") == [avatars]
    assert http.get(f"/datasets/{avatars}/download", headers=mine).status_code == 200
    kept = http.get(f"/jobs/{job['id']}", headers=mine).json()
    assert (kept["status"], kept["result"], kept["error_message"]) == (
        "success",
        None,
        "What this job made was deleted.",
    )


def test_a_job_whose_dataset_is_deleted_before_its_turn_ends(
    http: TestClient, mine: Headers, iris: str, app: FastAPI
) -> None:
    app.state.runner.stop()
    job_id = create(http, mine, iris)["id"]
    assert http.delete(f"/datasets/{iris}", headers=mine).status_code == 200
    job = http.get(f"/jobs/{job_id}", headers={**mine, **NEW_CLIENT}).json()
    assert (job["status"], "was deleted" in job["error_message"]) == ("killed", True)


@pytest.mark.parametrize("request_", ["get /jobs/{}", "post /jobs/{}/cancel", "delete /jobs/{}"])
def test_a_job_of_somebody_else_is_not_there(
    http: TestClient, mine: Headers, iris: str, log_in: LogIn, request_: str
) -> None:
    others = log_in(OTHER_USERNAME, OTHER_PASSWORD)
    job_id = measure(http, mine, "signal", iris, iris)
    method, path = request_.split()
    for id in (job_id, str(uuid4())):
        assert http.request(method, path.format(id), headers=others).status_code == 404
    assert measured(http, mine, "signal", job_id)["status"] == "success"
