"""Reports and figures of the platform: written by workers, kept with their job, waited for by who asks."""

from __future__ import annotations

import html
import io
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import numpy as np
import pandas as pd
import pypdf
import pytest
from fastapi import FastAPI
from sqlalchemy import select
from starlette.testclient import TestClient
from tests.conftest import LogIn
from tests.integration.steps import Headers, create, measure, measured, outcome, until, upload

from avatars.report.words import words_of
from avatars.server import deletion
from avatars.server.audit.models import AuditEvent
from avatars.server.db import utc_now

SQLITE_ALONE = pytest.mark.databases("sqlite")
"""Of what no database could do otherwise."""


def people() -> pd.DataFrame:
    """A small table, for figures take the most of a report's time."""
    random = np.random.default_rng(1)
    group = random.choice(["a", "b"], 60)
    return pd.DataFrame(
        {"age": random.normal(50, 9, 60).round(1), "weight": random.normal(70, 8, 60).round(1), "group": group}
    )


def csv(frame: pd.DataFrame) -> bytes:
    return frame.to_csv(index=False).encode()


@pytest.fixture
def mine(log_in: LogIn) -> Headers:
    return log_in()


@pytest.fixture
def table(http: TestClient, mine: Headers) -> str:
    return upload(http, mine, csv(people()))


@pytest.fixture
def job(http: TestClient, mine: Headers, table: str) -> dict[str, Any]:
    return outcome(http, mine, create(http, mine, table, k=10)["id"])


def asked(http: TestClient, headers: Headers, **request: Any) -> dict[str, Any]:
    answer = http.post("/reports", json=request, headers=headers)
    assert answer.status_code == 200, answer.text
    report: dict[str, Any] = answer.json()
    return report


def got(http: TestClient, headers: Headers, path: str, **params: str) -> Any:
    """What is behind an address; asks again while it is not there yet, as clients do."""
    for _ in range(3):
        answer = http.get(path, params=params, headers=headers)
        if answer.status_code != 503:
            break
    return answer


def downloaded(http: TestClient, headers: Headers, report: dict[str, Any], format: str) -> Any:
    return got(http, headers, f"/reports/{report['id']}/download", format=format)


def files(app: FastAPI) -> list[str]:
    found: list[str] = app.state.storage.list("reports")
    return found


def actions(app: FastAPI) -> Iterator[str]:
    with app.state.database.read() as session:
        yield from session.scalars(select(AuditEvent.action))


def test_a_report_is_had_as_pdf_html_and_json_and_goes_with_its_job(
    http: TestClient, app: FastAPI, mine: Headers, job: dict[str, Any]
) -> None:
    report = asked(http, mine, job_id=job["id"])
    assert (report["job_id"], report["language"]) == (job["id"], "en")
    assert report["download_url"].endswith(f"/reports/{report['id']}/download")
    # Asking for it waits until it is there.
    answer = got(http, mine, f"/reports/{report['id']}/download")
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/pdf"
    text = pypdf.PdfReader(io.BytesIO(answer.content)).pages[0].extract_text()
    assert "60" in text
    assert http.get(f"/reports/{report['id']}", headers=mine).json()["status"] == "success"
    assert http.get(f"/reports/jobs/{job['id']}", headers=mine).json()["id"] == report["id"]
    page = downloaded(http, mine, report, "html")
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "attachment" in page.headers["Content-Disposition"]
    said = downloaded(http, mine, report, "json").json()
    # What the job says is what the report says.
    values = {metric["name"]: metric["value"] for metric in said["metrics"]}
    for family in ("privacy_metrics", "signal_metrics"):
        for detail in job["result"][family]["details"]:
            assert values[detail["name"]] == detail["value"]
    assert said["marks"]["avatars_id"] == job["result"]["avatars_dataset"]["id"]
    # The assessment follows the run by itself; a report that is written later has it.
    until(lambda: http.get(f"/jobs/avatarization/{job['id']}", headers=mine).json()["result"]["assessment"]["verdict"])
    later = asked(http, mine, job_id=job["id"], language="fr")
    attacked = downloaded(http, mine, later, "json").json()["assessment"]
    assert attacked["figures"]
    # Programs read English, and who reads the report reads its language.
    page = html.unescape(downloaded(http, mine, later, "html").text)
    assert words_of("fr")("attacks.said") in page
    assert all(sentence not in page for sentence in attacked["reasons"])
    assert "des attaques en demandent 100" in page
    # It is no job that users see, and it is written down who had it.
    assert [each["id"] for each in http.get("/jobs", headers=mine).json()] == [job["id"]]
    assert http.get(f"/jobs/{report['id']}", headers=mine).status_code == 404
    assert {"report.created", "report.downloaded"} <= set(actions(app))
    assert len(files(app)) == 2
    assert http.delete(f"/jobs/{job['id']}", headers=mine).status_code == 200
    assert files(app) == []
    assert http.get(f"/reports/{report['id']}/download", headers=mine).status_code == 404


@SQLITE_ALONE
def test_figures_are_drawn_once_and_come_as_svg_png_and_data(
    http: TestClient, app: FastAPI, mine: Headers, job: dict[str, Any]
) -> None:
    path = f"/jobs/{job['id']}/figures"
    listed = got(http, mine, path, language="fr").json()
    names = {figure["name"] for figure in listed}
    assert {"plane-1-2", "distribution-1", "links", "variance", "contributions", "distances"} <= names
    assert all(figure["title"] and figure["description"] for figure in listed)
    french = {"language": "fr"}
    drawn = http.get(f"{path}/links", params=french, headers=mine)
    assert drawn.headers["Content-Type"] == "image/svg+xml"
    assert b"<svg" in drawn.content
    picture = http.get(f"{path}/links", params=french | {"format": "png"}, headers=mine)
    assert picture.content.startswith(b"\x89PNG")
    data = http.get(f"{path}/links", params=french | {"format": "json"}, headers=mine).json()
    assert data["names"]
    answer = http.get(f"{path}/none", params=french, headers=mine)
    assert (answer.status_code, answer.json()["detail"]["code"]) == (404, "no_figure")
    assert len(files(app)) == 1


@SQLITE_ALONE
def test_identifiers_that_were_replaced_are_named_and_nothing_else_is_said_of_them(
    http: TestClient, mine: Headers
) -> None:
    table = upload(http, mine, csv(people().assign(number=[f"P{i:04}" for i in range(60)])))
    job = outcome(http, mine, create(http, mine, table, k=10, identifiers="replace")["id"])
    said = downloaded(http, mine, asked(http, mine, job_id=job["id"]), "json").json()
    assert said["replaced"] == ["number"]
    assert {variable["name"] for variable in said["variables"]} == {"age", "weight", "group"}


@SQLITE_ALONE
def test_what_has_not_succeeded_has_no_report(http: TestClient, mine: Headers, table: str) -> None:
    failed = outcome(http, mine, create(http, mine, upload(http, mine, b"a\n1\n2\n"), k=2)["id"])
    assert failed["status"] == "failure"
    answer = http.post("/reports", json={"job_id": failed["id"]}, headers=mine)
    assert answer.status_code == 400
    assert "status is not success" in answer.json()["detail"]["message"]
    assert http.get(f"/jobs/{failed['id']}/figures", headers=mine).status_code == 400
    assert http.post("/reports", json={}, headers=mine).status_code == 400
    assert http.post("/reports", json={"job_id": str(uuid4())}, headers=mine).status_code == 404
    assert http.post("/reports", json={"job_id": failed["id"], "language": "de"}, headers=mine).status_code == 422
    assert http.get(f"/reports/jobs/{failed['id']}", headers=mine).json()["detail"]["code"] == "no_report"


@SQLITE_ALONE
def test_the_report_of_later_clients_names_its_metrics_jobs(
    http: TestClient, mine: Headers, table: str, job: dict[str, Any]
) -> None:
    """And avatars from elsewhere have a report too; held-out people come along."""
    held_out = upload(http, mine, csv(people().iloc[::4]))
    unshuffled = job["result"]["sensitive_unshuffled_avatars_datasets"]["id"]
    more: dict[str, dict[str, Any]] = {
        "privacy": {"known_variables": ["age"], "target": "group", "holdout_id": held_out},
        "signal": {"thorough": True, "target": "group"},
    }
    ids = {
        f"{family}_job_id": measure(http, mine, family, table, unshuffled, seed=1, **more[family]) for family in more
    }
    for family in more:
        done = measured(http, mine, family, ids[f"{family}_job_id"])
        assert done["status"] == "success", done
        named = {detail["name"]: detail for detail in done["result"]["details"]}
        if family == "privacy":
            assert named["inference_categorical"]["value"] == done["result"]["inference_categorical"]
            assert named["distance_to_closest"]["baseline"]["what"].startswith("held-out people")
        else:
            assert named["discriminator_auc"]["value"] == done["result"]["discriminator_auc"]
            assert named["hellinger_mean"]["worst"]
    report = asked(http, mine, avatarization_job_id=job["id"], language="fr", **ids)
    said = downloaded(http, mine, report, "json").json()
    assert said["held_out"] == 15
    assert said["settings"]["k"] == 10
    page = downloaded(http, mine, report, "html").text
    assert '<html lang="fr"' in page
    tables = {"dataset_id": table, "avatars_dataset_id": unshuffled}
    answer = http.post("/reports/from_data", json=tables | ids, headers=mine)
    assert answer.status_code == 200, answer.text
    elsewhere = downloaded(http, mine, answer.json(), "json").json()
    assert (elsewhere["settings"], elsewhere["held_out"]) == (None, 15)
    answer = http.post("/reports/from_data", json=tables | ids | {"dataset_id": held_out}, headers=mine)
    assert (answer.status_code, answer.json()["detail"]["code"]) == (400, "other_dataset")


@SQLITE_ALONE
def test_a_report_outlives_the_tables_and_none_can_be_made_of_what_is_gone(
    http: TestClient, mine: Headers, table: str, job: dict[str, Any]
) -> None:
    report = asked(http, mine, job_id=job["id"])
    assert downloaded(http, mine, report, "pdf").status_code == 200
    assert http.delete(f"/datasets/{table}", headers=mine).status_code == 200
    assert http.get(f"/reports/{report['id']}/download", headers=mine).status_code == 200
    answer = http.post("/reports", json={"job_id": job["id"], "language": "fr"}, headers=mine)
    assert (answer.status_code, answer.json()["detail"]["code"]) == (404, "data_deleted")


@SQLITE_ALONE
def test_a_key_asks_once_and_purging_takes_all(
    http: TestClient, app: FastAPI, mine: Headers, job: dict[str, Any]
) -> None:
    once = mine | {"Idempotency-Key": "k"}
    first = asked(http, once, job_id=job["id"])
    assert asked(http, once, job_id=job["id"])["id"] == first["id"]
    assert http.post("/reports", json={"job_id": job["id"], "language": "fr"}, headers=once).status_code == 409
    assert downloaded(http, mine, first, "pdf").status_code == 200
    deletion.purge(app.state.database, app.state.storage, utc_now())
    assert files(app) == []
