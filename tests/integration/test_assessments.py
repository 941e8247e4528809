"""The assessment that follows each avatarization: run, shown, counted, asked for again, enforced, overruled."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
import pytest
from fastapi import FastAPI
from sqlalchemy import delete
from starlette.testclient import TestClient
from tests.conftest import OTHER_PASSWORD, OTHER_USERNAME, LogIn
from tests.integration.steps import IRIS, Headers, create, outcome, upload

from avatars.server.accounts import service
from avatars.server.accounts.models import Role
from avatars.server.jobs.models import Job
from avatars.server.settings import Settings

pytestmark = pytest.mark.databases("sqlite")

LEAKING = {"method": "avatar", "k": 2}
"""The published draw over the two nearest: avatars all but on the records."""


def people(rows: int = 600) -> bytes:
    random = np.random.default_rng(0)
    cells = random.normal(size=(rows, 6)) @ random.normal(size=(6, 6))
    frame = pd.DataFrame(cells, columns=list("abcdef"))
    frame["ward"] = np.where(frame["a"] > 0, "north", "süd")
    return frame.to_csv(index=False).encode()


@pytest.fixture
def mine(log_in: LogIn) -> Headers:
    return log_in()


@pytest.fixture
def admin(app: FastAPI, log_in: LogIn) -> Headers:
    service.create_user(app.state.database, "boss", OTHER_PASSWORD, role=Role.ADMIN)
    return log_in("boss", OTHER_PASSWORD)


def assessed(http: TestClient, headers: Headers, job_id: str) -> dict[str, Any]:
    """The assessment when it is over."""
    answer = http.get(f"/jobs/{job_id}/assessment", params={"wait": 60}, headers=headers)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    assert found["status"] in ("success", "failure"), found
    return found


def avatarized(http: TestClient, headers: Headers, dataset: str, **parameters: Any) -> dict[str, Any]:
    job = outcome(http, headers, create(http, headers, dataset, **parameters)["id"])
    assert job["status"] == "success", job
    return job


def test_it_follows_by_itself_and_is_shown_with_the_job(http: TestClient, mine: Headers) -> None:
    dataset = upload(http, mine, people())
    leaking = avatarized(http, mine, dataset, **LEAKING)
    sound = avatarized(http, mine, dataset, method="local", k=60)
    # It is there with the avatars, over or not.
    assert leaking["result"]["assessment"]["thoroughness"] == "quick"
    found = assessed(http, mine, leaking["id"])
    assert (found["status"], found["verdict"], found["number"]) == ("success", "BLOCK", 1)
    assert any("nearest_auc" in reason for reason in found["reasons"])
    assert found["advice"]
    named = {figure["name"]: figure for figure in found["figures"]}
    nearest = named["nearest_auc"]
    assert nearest["low"] < nearest["value"] < nearest["high"]
    assert nearest["attacker"]
    assert set(nearest["columns"]) <= set("abcdef") | {"ward"}
    assert found["exposure"]["measured"] > 100
    second = assessed(http, mine, sound["id"])
    assert (second["verdict"], second["number"]) == ("PASS", 2)
    # Lists show them too, and assessments are no jobs of one's own there.
    listed = {job["id"]: job for job in http.get("/jobs", headers=mine).json()}
    assert {id: job["result"]["assessment"]["verdict"] for id, job in listed.items()} == {
        leaking["id"]: "BLOCK",
        sound["id"]: "PASS",
    }


def test_to_ask_again_is_no_second_chance_and_is_counted(http: TestClient, mine: Headers) -> None:
    dataset = upload(http, mine, people())
    first = assessed(http, mine, avatarized(http, mine, dataset, **LEAKING)["id"])
    # The same table under another name, and another seed for its avatars.
    again = avatarized(http, mine, upload(http, mine, people()), **LEAKING | {"seed": 2})
    second = assessed(http, mine, again["id"])
    assert (first["number"], second["number"]) == (1, 2)
    assert first["figures"] == second["figures"]
    answer = http.post(f"/jobs/{again['id']}/assessment", json={"thoroughness": "quick"}, headers=mine)
    assert answer.status_code == 200, answer.text
    assert assessed(http, mine, again["id"])["figures"] == first["figures"]


def test_few_people_are_inconclusive_with_the_number_that_is_needed(http: TestClient, mine: Headers) -> None:
    table = b"a,b\n1,2\n2,3\n3,1\n4,4\n"
    found = assessed(http, mine, avatarized(http, mine, upload(http, mine, table), k=2)["id"])
    assert (found["status"], found["verdict"]) == ("success", "INCONCLUSIVE")
    assert any("4 rows" in reason for reason in found["reasons"]), found["reasons"]


def test_it_is_its_owners(http: TestClient, mine: Headers, log_in: LogIn, admin: Headers) -> None:
    job = avatarized(http, mine, upload(http, mine, IRIS.read_bytes()))
    other = log_in(OTHER_USERNAME, OTHER_PASSWORD)
    for method in ("get", "post"):
        for headers in (other, admin):
            json = {"thoroughness": "quick"} if method == "post" else None
            answer = http.request(method, f"/jobs/{job['id']}/assessment", json=json, headers=headers)
            assert answer.status_code == 404
    reason = {"reason": "Seen by the ethics board."}
    assert http.post(f"/jobs/{job['id']}/release", json=reason, headers=mine).status_code == 403
    assert http.post(f"/jobs/{job['id']}/release", json={"reason": "x"}, headers=admin).status_code == 422


class TestEnforced:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"release_policy": "enforce"})

    @pytest.mark.databases("sqlite", "postgresql")
    def test_what_is_blocked_goes_out_by_an_admin_alone_and_is_recorded(
        self, http: TestClient, mine: Headers, admin: Headers, log_in: LogIn
    ) -> None:
        dataset = upload(http, mine, people())
        job = avatarized(http, mine, dataset, **LEAKING)
        result = job["result"]
        made = [result[name]["id"] for name in ("avatars_dataset", "sensitive_unshuffled_avatars_datasets")]
        assert assessed(http, mine, job["id"])["verdict"] == "BLOCK"

        def answers(headers: Headers, ending: str = "download") -> list[tuple[int, str]]:
            found = [http.get(f"/datasets/{id}/{ending}", headers=headers) for id in made]
            return [(answer.status_code, answer.json()["detail"]["code"]) for answer in found if answer.is_error]

        assert answers(mine) == answers(mine, "download/stream") == [(403, "release_blocked")] * 2
        # Whose they are not learns nothing; originals are not concerned.
        assert [code for code, _ in answers(log_in(OTHER_USERNAME, OTHER_PASSWORD))] == [404, 404]
        assert http.get(f"/datasets/{dataset}/download", headers=mine).status_code == 200
        reason = {"reason": "Made for a test of the gate."}
        answer = http.post(f"/jobs/{job['id']}/release", json=reason, headers=admin)
        assert answer.status_code == 200, answer.text
        assert (answer.json()["verdict"], answer.json()["is_released"]) == ("BLOCK", True)
        assert answers(mine) == []
        actions = [event["action"] for event in http.get("/audit", headers=admin).json()]
        assert "avatars.released" in actions

    def test_avatars_whose_job_is_gone_are_not_given_out(self, http: TestClient, app: FastAPI, mine: Headers) -> None:
        job = avatarized(http, mine, upload(http, mine, IRIS.read_bytes()))
        assessed(http, mine, job["id"])
        address = f"/datasets/{job['result']['avatars_dataset']['id']}/download"
        assert http.get(address, headers=mine).status_code == 200
        with app.state.database.write() as session:
            session.execute(delete(Job).where(Job.id == UUID(job["id"])))
        answer = http.get(address, headers=mine)
        assert (answer.status_code, answer.json()["detail"]["code"]) == (409, "assessment_failed")

    def test_what_passes_goes_out_once_it_is_assessed(self, http: TestClient, mine: Headers) -> None:
        job = avatarized(http, mine, upload(http, mine, people()), method="local", k=60)
        address = f"/datasets/{job['result']['avatars_dataset']['id']}/download"
        early = http.get(address, headers=mine)
        if early.is_error:
            assert (early.status_code, early.json()["detail"]["code"]) == (503, "assessment_not_ready")
        assert assessed(http, mine, job["id"])["verdict"] == "PASS"
        assert http.get(address, headers=mine).status_code == 200
