"""What the platform finds out about a dataset's columns."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pandas as pd
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from tests.conftest import LogIn
from tests.integration.steps import Headers, upload

pytestmark = pytest.mark.databases("sqlite")
"""What is shown here does not depend on the database."""

ROWS = 200


@pytest.fixture
def mine(log_in: LogIn) -> Headers:
    return log_in()


@pytest.fixture
def people() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    age = rng.integers(18, 90, ROWS)
    return pd.DataFrame(
        {
            "patient": [f"P{number:04}" for number in rng.permutation(ROWS)],
            "number": rng.permutation(ROWS) + 1000,
            "age": age,
            "income": np.exp(rng.normal(10, 1, ROWS)).round(2),
            "weight": np.where(rng.random(ROWS) < 0.1, np.nan, 40 + age / 2 + rng.normal(size=ROWS)),
            "town": rng.choice(["Lyon", "Nantes"], ROWS).astype(object),
            "seen": pd.date_range("2024-01-01", periods=ROWS).strftime("%Y-%m-%d"),
            "smoker": rng.random(ROWS) < 0.3,
            "same": 1.5,
        }
    )


@pytest.fixture
def dataset(http: TestClient, mine: Headers, people: pd.DataFrame) -> str:
    people.loc[0, "town"] = "Metz"
    return upload(http, mine, people.to_csv(index=False).encode())


def analysed(http: TestClient, headers: Headers, id: str) -> dict[str, Any]:
    answer = http.post(f"/datasets/{id}/analyze", headers=headers)
    assert answer.status_code == 200, answer.text
    deadline = time.monotonic() + 30
    while True:
        described: dict[str, Any] = http.get(f"/datasets/{id}", headers=headers).json()
        if described["analysis_status"] == "done":
            return described
        assert described["analysis_status"] == "started", described
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_statistics_of_each_column_are_those_of_pandas(
    http: TestClient, mine: Headers, dataset: str, people: pd.DataFrame
) -> None:
    before = http.get(f"/datasets/{dataset}", headers=mine).json()
    assert (before["analysis_status"], before["summary"], before["analysis_duration"]) == (None, None, None)
    described = analysed(http, mine, dataset)
    assert described["analysis_duration"] > 0
    stats = {column["label"]: column for column in described["summary"]["stats"]}
    assert list(stats) == list(people.columns)
    for label, column in stats.items():
        values = people[label]
        assert column["missing_number"] == values.isna().sum()
        assert column["missing_proportion"] == pytest.approx(values.isna().mean())
        assert column["unique_number"] == values.nunique()
        assert column["unique_proportion"] == pytest.approx(values.nunique() / ROWS)
    for label in ("age", "income", "weight"):
        assert stats[label]["mean"] == pytest.approx(people[label].mean())
        assert stats[label]["median"] == pytest.approx(people[label].median())
        assert stats[label]["standard_deviation"] == pytest.approx(people[label].std(ddof=0))
    assert {label: column["dtype"] for label, column in stats.items()} == {
        "patient": "category", "number": "int", "age": "int", "income": "float", "weight": "float",
        "town": "category", "seen": "datetime", "smoker": "bool", "same": "float",
    }  # fmt: skip
    assert (stats["income"]["is_skewed"], stats["age"]["is_skewed"], stats["same"]["is_skewed"]) == (True, False, False)
    assert (stats["town"]["is_rare"], stats["age"]["is_rare"]) == (True, None)
    assert stats["town"]["mode"] == people["town"].mode()[0]
    assert (stats["patient"]["mode"], stats["same"]["mode"]) == (None, 1.5)
    assert stats["smoker"]["mode"] == str(people["smoker"].mode()[0])
    assert stats["seen"]["mean"] is None


def test_what_names_people_is_pointed_out(http: TestClient, mine: Headers, dataset: str) -> None:
    assert analysed(http, mine, dataset)["summary"]["probable_ids"] == ["patient", "number"]


def test_the_analysis_is_none_of_the_users_jobs_and_is_made_once(
    http: TestClient, mine: Headers, dataset: str, app: FastAPI
) -> None:
    app.state.runner.stop()
    for _ in range(2):
        assert http.post(f"/datasets/{dataset}/analyze", headers=mine).json()["analysis_status"] == "started"
    assert http.get("/jobs", headers=mine).json() == []
    assert [each["analysis_status"] for each in http.get("/datasets", headers=mine).json()] == ["started"]


def test_declaring_another_type_makes_the_summary_void(http: TestClient, mine: Headers, dataset: str) -> None:
    assert analysed(http, mine, dataset)["summary"]["stats"][2]["dtype"] == "int"
    for type, status in (("int", "done"), ("category", None)):
        body = {"columns": [{"label": "age", "type": type}]}
        assert http.patch(f"/datasets/{dataset}", json=body, headers=mine).json()["analysis_status"] == status
    assert analysed(http, mine, dataset)["summary"]["stats"][2]["dtype"] == "category"


def test_correlations_are_those_of_pandas(http: TestClient, mine: Headers, dataset: str, people: pd.DataFrame) -> None:
    answer = http.get(f"/datasets/{dataset}/correlations", headers=mine)
    assert answer.status_code == 200, answer.text
    found = pd.DataFrame(answer.json()["data"])
    numeric = ["number", "age", "income", "weight", "seen", "same"]
    assert list(found.columns) == list(found.index) == numeric
    assert found["same"].isna().all()
    expected = people.assign(seen=np.arange(ROWS))[numeric].corr()
    pd.testing.assert_frame_equal(found.drop(index="same", columns="same"), expected.drop(index="same", columns="same"))


def test_too_many_columns_to_correlate_are_refused(http: TestClient, mine: Headers) -> None:
    names = ",".join(f"c{number}" for number in range(501))
    values = "\n".join(",".join(str(number % 7 + row) for number in range(501)) for row in range(3))
    id = upload(http, mine, f"{names}\n{values}\n".encode())
    answer = http.get(f"/datasets/{id}/correlations", headers=mine)
    assert (answer.status_code, answer.json()["detail"]["code"]) == (400, "too_many_columns")
