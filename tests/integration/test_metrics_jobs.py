"""Metrics of avatars made here or anywhere, and what is known of an avatarization's projection."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import numpy as np
import pandas as pd
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from tests.conftest import OTHER_PASSWORD, OTHER_USERNAME, LogIn
from tests.integration.steps import IRIS, Headers, create, download, measure, measured, outcome, upload

pytestmark = pytest.mark.databases("sqlite")
"""What is shown here does not depend on the database."""

FAMILIES = ["privacy", "signal"]


@pytest.fixture
def mine(log_in: LogIn) -> Headers:
    return log_in()


@pytest.fixture
def iris(http: TestClient, mine: Headers) -> str:
    return upload(http, mine, IRIS.read_bytes())


@pytest.fixture
def avatarized(http: TestClient, mine: Headers, iris: str) -> dict[str, Any]:
    return outcome(http, mine, create(http, mine, iris)["id"])


def csv(frame: pd.DataFrame) -> bytes:
    return frame.to_csv(index=False).encode()


def test_metrics_of_avatars_made_here_are_those_of_their_job(
    http: TestClient, mine: Headers, iris: str, avatarized: dict[str, Any]
) -> None:
    unshuffled = avatarized["result"]["sensitive_unshuffled_avatars_datasets"]["id"]
    jobs = {family: measure(http, mine, family, iris, unshuffled, seed=1) for family in FAMILIES}
    for family in FAMILIES:
        job = measured(http, mine, family, jobs[family])
        assert job["status"] == "success", job
        assert job["kind"] == f"{family}_metrics"
        assert job["columns_left_out"] == []
        theirs = avatarized["result"][f"{family}_metrics"]
        for name, value in job["result"].items():
            assert value == pytest.approx(theirs[name], rel=1e-6) if isinstance(value, float) else True, name
        assert job["result"]["targets"] == theirs["targets"]


def test_the_pipeline_of_the_tutorial_float_avatars_of_integers(http: TestClient, mine: Headers) -> None:
    original = pd.DataFrame(
        {
            "variable_1": [100, 150, 120, 100],
            "variable_2": [10, 30, 30, 22],
            "variable_3": [30, 60, 30, 35],
            "variable_4": [60, 60, 60, 65],
        }
    )
    original_id = upload(http, mine, csv(original))
    parts = original[["variable_2", "variable_3", "variable_4"]]
    shares = original.assign(**parts.div(parts.sum(axis=1), axis=0))
    made = outcome(http, mine, create(http, mine, upload(http, mine, csv(shares)), k=3)["id"])
    assert made["status"] == "success", made
    avatars = download(http, mine, made["result"]["sensitive_unshuffled_avatars_datasets"])
    avatars[parts.columns] = avatars[parts.columns].mul(avatars["variable_1"], axis=0)
    assert avatars["variable_2"].dtype == float
    avatars_id = upload(http, mine, csv(avatars))
    jobs = [(family, measure(http, mine, family, original_id, avatars_id)) for family in FAMILIES]
    for family, job_id in jobs:
        job = measured(http, mine, family, job_id)
        assert job["status"] == "success", job
        numbers = [value for value in job["result"].values() if isinstance(value, float)]
        assert np.isfinite(numbers).all()


def test_columns_that_only_one_has_are_left_out_and_named(http: TestClient, mine: Headers) -> None:
    rng = np.random.default_rng(0)
    original = pd.DataFrame({"a": rng.normal(size=50), "b": rng.normal(size=50), "only_here": range(50)})
    avatars = original[["a", "b"]] + rng.normal(scale=0.5, size=(50, 2))
    ids = [upload(http, mine, csv(frame)) for frame in (original, avatars.assign(only_there="x"))]
    same = [upload(http, mine, csv(frame[["b", "a"]])) for frame in (original, avatars)]
    for family in FAMILIES:
        job = measured(http, mine, family, measure(http, mine, family, *ids, seed=1))
        assert job["columns_left_out"] == ["only_here", "only_there"], job
        alone = measured(http, mine, family, measure(http, mine, family, *same, seed=1))
        for name in ("hidden_rate", "distance_to_closest") if family == "privacy" else ("hellinger_mean",):
            assert job["result"][name] == pytest.approx(alone["result"][name], rel=1e-6)


def test_tables_that_do_not_belong_together_make_the_job_fail_with_a_sentence(http: TestClient, mine: Headers) -> None:
    people = upload(http, mine, b"age\n" + b"".join(b"%d\n" % age for age in range(20)))
    others = upload(http, mine, b"height\n" + b"".join(b"%d\n" % age for age in range(20)))
    fewer = upload(http, mine, b"age\n1\n2\n3\n")
    for avatars, words in ((others, "no column in common"), (fewer, "rows")):
        job = measured(http, mine, "privacy", measure(http, mine, "privacy", people, avatars))
        assert (job["status"], job["result"]) == ("failure", None)
        assert words in job["error_message"]


def test_metrics_need_two_datasets_of_ones_own(http: TestClient, mine: Headers, iris: str, log_in: LogIn) -> None:
    others = log_in(OTHER_USERNAME, OTHER_PASSWORD)
    theirs = upload(http, others, IRIS.read_bytes())
    for family, name in (("privacy", "unshuffled_avatars_id"), ("signal", "avatars_id")):
        for original, avatars in ((iris, theirs), (theirs, iris), (iris, str(uuid4()))):
            body = {"parameters": {"original_id": original, name: avatars}}
            answer = http.post(f"/jobs/metrics/{family}", json=body, headers=mine)
            assert answer.status_code == 404, answer.text


def test_metrics_are_measured_in_the_space_of_the_job_that_is_named(
    http: TestClient, mine: Headers, iris: str, avatarized: dict[str, Any]
) -> None:
    narrow = outcome(http, mine, create(http, mine, iris, ncp=2)["id"])
    unshuffled = narrow["result"]["sensitive_unshuffled_avatars_datasets"]["id"]
    job_id = measure(http, mine, "privacy", iris, unshuffled, seed=1, job_id=narrow["id"])
    job = measured(http, mine, "privacy", job_id)
    assert job["parameters"]["ncp"] == 2
    assert job["result"]["distance_to_closest"] == pytest.approx(
        narrow["result"]["privacy_metrics"]["distance_to_closest"]
    )


def test_a_metrics_job_is_found_under_its_own_addresses_only(http: TestClient, mine: Headers, iris: str) -> None:
    job_id = measure(http, mine, "signal", iris, iris)
    assert measured(http, mine, "signal", job_id)["result"]["hellinger_mean"] == 0
    assert http.get(f"/jobs/{job_id}", headers=mine).json()["kind"] == "signal_metrics"
    for path in (f"/jobs/avatarization/{job_id}", f"/jobs/{job_id}/metrics/privacy", f"/variance/{job_id}"):
        assert http.get(path, headers=mine).status_code == 404


def test_a_key_makes_one_metrics_job(http: TestClient, mine: Headers, iris: str) -> None:
    headers = {**mine, "Idempotency-Key": "once"}
    first = measure(http, headers, "privacy", iris, iris)
    assert measure(http, headers, "privacy", iris, iris) == first
    body = {"parameters": {"original_id": iris, "avatars_id": iris}}
    assert http.post("/jobs/metrics/signal", json=body, headers=headers).status_code == 409


# --- the projection -------------------------------------------------------------------------------------


def test_projections_are_points_of_all_rows_in_as_many_components(
    http: TestClient, mine: Headers, avatarized: dict[str, Any]
) -> None:
    points = http.get(f"/projections/{avatarized['id']}", headers=mine).json()
    variance = http.get(f"/variance/{avatarized['id']}", headers=mine).json()
    records, avatars = np.array(points["records"]), np.array(points["avatars"])
    assert records.shape == avatars.shape == (150, len(variance["raw"]))
    assert points["nb_lines"] == 150
    # Coordinates of the originals: centred, with the variance that is told beside them.
    np.testing.assert_allclose(records.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(records.var(axis=0), variance["raw"], rtol=1e-6)
    assert np.all(np.diff(variance["raw"]) <= 0)
    assert 0 < sum(variance["ratio"]) <= 1 + 1e-12


def test_avatars_are_projected_in_the_order_in_which_they_are_published(
    http: TestClient, mine: Headers, iris: str
) -> None:
    # One component of one number: points and values are in the same order.
    rows = b"".join(b"%d\n" % (number**2) for number in range(60))
    job = outcome(http, mine, create(http, mine, upload(http, mine, b"x\n" + rows))["id"])
    points = http.get(f"/projections/{job['id']}", headers=mine).json()
    published = download(http, mine, job["result"]["avatars_dataset"])["x"]
    unshuffled = download(http, mine, job["result"]["sensitive_unshuffled_avatars_datasets"])["x"]
    avatars = np.ravel(points["avatars"])
    assert abs(np.corrcoef(avatars, published)[0, 1]) > 0.999999
    assert abs(np.corrcoef(avatars, unshuffled)[0, 1]) < 0.9


def test_contributions_of_each_component_add_up_to_all(
    http: TestClient, mine: Headers, iris: str, avatarized: dict[str, Any]
) -> None:
    for params in ({"dataset_id": iris}, {"dataset_id": ""}, {}):
        answer = http.get("/contributions", params={"job_id": avatarized["id"], **params}, headers=mine)
        data = answer.json()["data"]
        assert next(iter(data)) == "Dim. 1"
        for percents in data.values():
            assert set(percents) == set(pd.read_csv(IRIS).columns)
            assert sum(percents.values()) == pytest.approx(100)
    other = http.get("/contributions", params={"job_id": avatarized["id"], "dataset_id": str(uuid4())}, headers=mine)
    assert (other.status_code, other.json()["detail"]["code"]) == (400, "other_dataset")


def test_a_column_with_missing_cells_is_one_variable(http: TestClient, mine: Headers) -> None:
    rows = b"".join(b"%d,%s\n" % (number, b"" if number % 5 == 0 else b"%d" % (number % 7)) for number in range(80))
    job = outcome(http, mine, create(http, mine, upload(http, mine, b"a,b\n" + rows))["id"])
    data = http.get("/contributions", params={"job_id": job["id"]}, headers=mine).json()["data"]
    assert all(set(percents) == {"a", "b"} for percents in data.values())
    assert all(sum(percents.values()) == pytest.approx(100) for percents in data.values())
    points = http.get(f"/projections/{job['id']}", headers=mine).json()
    assert np.isfinite(points["records"]).all()
    assert np.isfinite(points["avatars"]).all()


def test_points_go_with_the_unshuffled_avatars_and_with_the_originals(
    http: TestClient, mine: Headers, iris: str, avatarized: dict[str, Any]
) -> None:
    sensitive = avatarized["result"]["sensitive_unshuffled_avatars_datasets"]["id"]
    assert http.delete(f"/datasets/{sensitive}", headers=mine).status_code == 200
    answer = http.get(f"/projections/{avatarized['id']}", headers=mine)
    assert (answer.status_code, answer.json()["detail"]["code"]) == (404, "points_deleted")
    # What says nothing about single rows is still there.
    assert http.get(f"/variance/{avatarized['id']}", headers=mine).status_code == 200


def test_a_job_that_is_not_over_has_no_projection(http: TestClient, mine: Headers, iris: str, app: FastAPI) -> None:
    app.state.runner.stop()
    job_id = create(http, mine, iris)["id"]
    for path in (f"/projections/{job_id}", f"/variance/{job_id}", f"/contributions?job_id={job_id}"):
        answer = http.get(path, headers=mine)
        assert (answer.status_code, answer.json()["detail"]["code"]) == (409, "job_not_successful")
