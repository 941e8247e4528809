"""Jobs over HTTP, with a real database, real storage and a real worker process."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import pandas as pd
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from tests.conftest import OTHER_PASSWORD, OTHER_USERNAME, LogIn
from tests.integration.steps import IRIS, create, download, outcome, upload

pytestmark = pytest.mark.databases("sqlite")
"""What is shown here does not depend on the database; where it does, both are named."""


@pytest.fixture
def mine(log_in: LogIn) -> dict[str, str]:
    return log_in()


@pytest.fixture
def iris(http: TestClient, mine: dict[str, str]) -> str:
    return upload(http, mine, IRIS.read_bytes())


@pytest.mark.databases("sqlite", "postgresql")
def test_a_job_gives_avatars_and_metrics(http: TestClient, mine: dict[str, str], iris: str) -> None:
    created = create(http, mine, iris)
    assert created["status"] == "pending"
    assert created["result"] is None
    job = outcome(http, mine, created["id"])
    assert job["status"] == "success", job
    assert job["error_message"] is None
    privacy, signal = job["result"]["privacy_metrics"], job["result"]["signal_metrics"]
    assert 50 < privacy["hidden_rate"] <= 100
    assert privacy["local_cloaking"] >= 1
    assert privacy["distance_to_closest"] > 0
    assert 0 < privacy["closest_distances_ratio"] <= 1
    assert privacy["targets"]["hidden_rate"] == "> 90"
    assert 0 < signal["hellinger_mean"] < 0.5
    assert signal["hellinger_std"] >= 0
    assert signal["correlation_difference_ratio"] >= 0

    original = pd.read_csv(IRIS)
    for name in ("avatars_dataset", "sensitive_unshuffled_avatars_datasets"):
        dataset = job["result"][name]
        described = http.get(f"/datasets/{dataset['id']}", headers=mine).json()
        assert described == dataset
        assert dataset["nb_lines"] == len(original)
        assert [column["label"] for column in dataset["columns"]] == list(original.columns)
        avatars = download(http, mine, dataset)
        assert avatars.dtypes.equals(original.dtypes)
        assert set(avatars["variety"]) == set(original["variety"])


def test_both_avatar_tables_hold_the_same_rows_in_another_order(
    http: TestClient, mine: dict[str, str], iris: str
) -> None:
    result = outcome(http, mine, create(http, mine, iris)["id"])["result"]
    published = download(http, mine, result["avatars_dataset"])
    unshuffled = download(http, mine, result["sensitive_unshuffled_avatars_datasets"])
    assert not published.equals(unshuffled)
    columns = list(published.columns)
    pd.testing.assert_frame_equal(
        published.sort_values(columns, ignore_index=True), unshuffled.sort_values(columns, ignore_index=True)
    )


def test_progress_names_a_step_and_never_falls(http: TestClient, mine: dict[str, str]) -> None:
    rows = "".join(f"{number},{number * number % 997},{number % 13}\n" for number in range(40_000))
    job_id = create(http, mine, upload(http, mine, f"a,b,c\n{rows}".encode()), k=20)["id"]
    seen: list[dict[str, Any]] = []
    while not seen or seen[-1]["status"] in ("pending", "started"):
        seen.append(http.get(f"/jobs/avatarization/{job_id}", headers=mine).json())
        time.sleep(0.02)
    progress = [job["current_progress"] for job in seen if job["current_progress"] is not None]
    percents = [each["completion_rate_100"] for each in progress]
    assert percents == sorted(percents)
    assert len(set(percents)) > 2
    assert percents[-1] == 100
    assert all(each["name"] and each["created_at"].endswith("Z") for each in progress)
    assert seen[-1]["status"] == "success", seen[-1]


def test_a_seed_makes_two_jobs_the_same(http: TestClient, mine: dict[str, str], iris: str) -> None:
    jobs = [outcome(http, mine, create(http, mine, iris, seed=seed)["id"])["result"] for seed in (7, 7, 8)]
    tables = [download(http, mine, job["avatars_dataset"]) for job in jobs]
    pd.testing.assert_frame_equal(tables[0], tables[1])
    assert not tables[0].equals(tables[2])
    assert jobs[0]["privacy_metrics"] == jobs[1]["privacy_metrics"]


@pytest.mark.databases("sqlite", "postgresql")
def test_every_parameter_of_the_wire_is_accepted(http: TestClient, mine: dict[str, str], iris: str) -> None:
    job = create(
        http,
        mine,
        iris,
        ncp=50,
        column_weights={"variety": 0, "petal.width": 2.5},
        imputation={"method": "median", "k": 3, "training_fraction": 0.5},
        to_categorical_threshold=30,
        exclude_categorical=None,
        something_newer=1,
    )
    assert outcome(http, mine, job["id"])["status"] == "success"


def test_types_come_back_as_they_were(http: TestClient, mine: dict[str, str]) -> None:
    frame = pd.DataFrame(
        {
            "b": [True, False] * 10,
            "i": [number // 2 for number in range(20)],
            "gap": [None, 2.5] * 10,
            "d": [f"{number // 2 + 11}/01/2020" for number in range(20)],
            "a": list("xy") * 10,
        }
    )
    result = outcome(http, mine, create(http, mine, upload(http, mine, frame.to_csv(index=False).encode()))["id"])[
        "result"
    ]
    avatars = download(http, mine, result["avatars_dataset"])
    assert list(avatars.columns) == list(frame.columns)
    assert avatars["b"].dtype == bool
    assert avatars["i"].dtype == "int64"
    assert avatars["gap"].isna().any()
    assert pd.to_datetime(avatars["d"], format="%d/%m/%Y").between("2020-01-11", "2020-01-20").all()
    types = [column["type"] for column in result["avatars_dataset"]["columns"]]
    assert types[:3] == ["bool", "int", "float"]


def test_a_declared_type_counts_for_the_job(http: TestClient, mine: dict[str, str]) -> None:
    rows = "".join(f"{number % 4 * 1000},{number}\n" for number in range(60))
    id = upload(http, mine, f"code,x\n{rows}".encode())
    http.patch(f"/datasets/{id}", json={"columns": [{"label": "code", "type": "category"}]}, headers=mine)
    result = outcome(http, mine, create(http, mine, id)["id"])["result"]
    # As a number, avatars would lie between the codes.
    assert set(download(http, mine, result["avatars_dataset"])["code"]) <= {0, 1000, 2000, 3000}
    assert result["avatars_dataset"]["columns"][0] == {"type": "category", "label": "code"}


def test_the_threshold_applies_although_a_client_declared_every_column(http: TestClient, mine: dict[str, str]) -> None:
    rows = "".join(f"{number % 4 * 1000},{number}\n" for number in range(60))
    id = upload(http, mine, f"code,x\n{rows}".encode())
    declared = [{"label": label, "type": "int"} for label in ("code", "x")]
    assert http.patch(f"/datasets/{id}", json={"columns": declared}, headers=mine).status_code == 200
    result = outcome(http, mine, create(http, mine, id, to_categorical_threshold=4)["id"])["result"]
    assert set(download(http, mine, result["avatars_dataset"])["code"]) <= {0, 1000, 2000, 3000}
    assert result["avatars_dataset"]["columns"][0] == {"type": "int", "label": "code"}


@pytest.mark.parametrize("k", [150, 151, 10**9])
def test_k_of_the_number_of_rows_makes_the_job_fail_not_the_request(
    http: TestClient, mine: dict[str, str], iris: str, k: int
) -> None:
    job = outcome(http, mine, create(http, mine, iris, k=k)["id"])
    assert job["status"] == "failure"
    assert "k must be at most 149" in job["error_message"]
    assert job["result"] is None
    assert job["traceback"] is None


@pytest.mark.parametrize(
    "parameters",
    [{"k": 1}, {"k": -5}, {"k": None}, {"ncp": 0}, {"dataset_id": "x"}, {"imputation": {"training_fraction": 2}}],
)
def test_values_that_cannot_be_are_refused_at_once(
    http: TestClient, mine: dict[str, str], iris: str, parameters: dict[str, Any]
) -> None:
    body = {"parameters": {"k": 5, "dataset_id": iris, **parameters}}
    answer = http.post("/jobs/avatarization", json=body, headers=mine)
    assert answer.status_code == 422, answer.text
    (item,) = answer.json()["detail"]
    assert set(item) == {"loc", "msg", "type"}


@pytest.mark.parametrize("weights", [{"petal.lenght": 2}, {"petal.length": -1}])
def test_weights_that_do_not_fit_the_columns_are_refused_at_once(
    http: TestClient, mine: dict[str, str], iris: str, weights: dict[str, float]
) -> None:
    body = {"parameters": {"k": 5, "dataset_id": iris, "column_weights": weights}}
    answer = http.post("/jobs/avatarization", json=body, headers=mine)
    assert answer.status_code == 400, answer.text
    assert "'petal.length'" in answer.json()["detail"]["message"]


def test_somebody_elses_dataset_and_job_are_not_there(
    http: TestClient, mine: dict[str, str], iris: str, log_in: LogIn
) -> None:
    job = create(http, mine, iris)
    others = log_in(OTHER_USERNAME, OTHER_PASSWORD)
    for dataset_id in (iris, str(uuid4())):
        body = {"parameters": {"k": 5, "dataset_id": dataset_id}}
        assert http.post("/jobs/avatarization", json=body, headers=others).status_code == 404
    for job_id in (job["id"], str(uuid4())):
        assert http.get(f"/jobs/avatarization/{job_id}", headers=others).status_code == 404
    assert outcome(http, mine, job["id"])["status"] == "success"


@pytest.mark.databases("sqlite", "postgresql")
def test_a_key_makes_one_job_however_often_it_is_sent(http: TestClient, mine: dict[str, str], iris: str) -> None:
    headers = {**mine, "Idempotency-Key": "once"}
    first = create(http, headers, iris)
    assert create(http, headers, iris)["id"] == first["id"]
    # Spelling out the defaults is the same request.
    assert create(http, headers, iris, ncp=None, imputation=None)["id"] == first["id"]
    assert create(http, {**mine, "Idempotency-Key": "another"}, iris)["id"] != first["id"]
    assert create(http, mine, iris)["id"] != first["id"]


@pytest.mark.databases("sqlite", "postgresql")
def test_a_key_makes_one_job_when_all_requests_come_at_once(http: TestClient, mine: dict[str, str], iris: str) -> None:
    headers = {**mine, "Idempotency-Key": "race"}
    with ThreadPoolExecutor(8) as threads:
        ids = set(threads.map(lambda _: create(http, headers, iris)["id"], range(16)))
    assert len(ids) == 1


@pytest.mark.databases("sqlite", "postgresql")
def test_a_key_with_another_request_is_refused(http: TestClient, mine: dict[str, str], iris: str) -> None:
    headers = {**mine, "Idempotency-Key": "once"}
    create(http, headers, iris)
    body = {"parameters": {"k": 6, "seed": 1, "dataset_id": iris}}
    answer = http.post("/jobs/avatarization", json=body, headers=headers)
    assert answer.status_code == 409
    assert "Idempotency-Key" in answer.json()["detail"]["message"]


@pytest.mark.databases("sqlite", "postgresql")
def test_keys_of_two_users_do_not_meet(http: TestClient, mine: dict[str, str], iris: str, log_in: LogIn) -> None:
    others = log_in(OTHER_USERNAME, OTHER_PASSWORD)
    job = create(http, {**mine, "Idempotency-Key": "once"}, iris)
    theirs = create(http, {**others, "Idempotency-Key": "once"}, upload(http, others, IRIS.read_bytes()))
    assert theirs["id"] != job["id"]


@pytest.mark.parametrize("wait", ["", "0", None])
def test_without_wait_the_answer_comes_at_once(
    http: TestClient, mine: dict[str, str], iris: str, wait: str | None
) -> None:
    job = create(http, mine, iris)
    params = {} if wait is None else {"wait": wait}
    answer = http.get(f"/jobs/avatarization/{job['id']}", params=params, headers=mine)
    assert answer.status_code == 200
    outcome(http, mine, job["id"])


def test_wait_ends_when_its_time_is_over(http: TestClient, mine: dict[str, str], iris: str, app: FastAPI) -> None:
    app.state.runner.stop()
    job = create(http, mine, iris)
    started = time.monotonic()
    answer = http.get(f"/jobs/avatarization/{job['id']}", params={"wait": 0.3}, headers=mine)
    assert 0.25 < time.monotonic() - started < 25
    assert answer.json()["status"] == "pending"


@pytest.mark.parametrize("wait", ["61", "-1", "soon", "nan"])
def test_a_wait_that_is_no_time_is_refused(http: TestClient, mine: dict[str, str], iris: str, wait: str) -> None:
    job = create(http, mine, iris)
    assert http.get(f"/jobs/avatarization/{job['id']}", params={"wait": wait}, headers=mine).status_code == 422
    outcome(http, mine, job["id"])


def test_what_goes_wrong_on_our_side_is_a_reference_and_no_detail(
    http: TestClient, mine: dict[str, str], iris: str, app: FastAPI, caplog: pytest.LogCaptureFixture
) -> None:
    # The table is gone from the storage: nothing that a user could have done.
    app.state.storage.delete(f"datasets/{iris}")
    job = outcome(http, mine, create(http, mine, iris)["id"])
    assert job["status"] == "failure"
    assert job["error_message"].startswith("Something went wrong on our side (reference ")
    assert "File" not in job["error_message"]
    assert str(app.state.settings.data_dir) not in job["error_message"]
    reference = job["error_message"].split("reference ")[1].split(")")[0]
    assert reference in caplog.text


def test_a_success_leaves_only_the_files_of_datasets(
    http: TestClient, mine: dict[str, str], iris: str, app: FastAPI
) -> None:
    result = outcome(http, mine, create(http, mine, iris)["id"])["result"]
    outcome(http, mine, create(http, mine, iris, k=1000)["id"])
    ids = {iris, result["avatars_dataset"]["id"], result["sensitive_unshuffled_avatars_datasets"]["id"]}
    assert {UUID(name) for name in app.state.storage.list("datasets")} == {UUID(id) for id in ids}
    assert app.state.storage.list("temporary") == []
    assert app.state.storage.list("quarantine") == []


@pytest.mark.databases("sqlite", "postgresql")
def test_a_hundred_jobs_of_one_user_do_not_hold_up_anothers_one(
    http: TestClient, mine: dict[str, str], log_in: LogIn
) -> None:
    rows = "".join(f"{number},{number % 5}\n" for number in range(20))
    id = upload(http, mine, f"a,b\n{rows}".encode())
    hundred = {create(http, mine, id)["id"] for _ in range(100)}
    others = log_in(OTHER_USERNAME, OTHER_PASSWORD)
    theirs = create(http, others, upload(http, others, f"a,b\n{rows}".encode()))["id"]
    over_before = {job["id"] for job in http.get("/jobs", headers=mine).json() if job["status"] == "success"}
    assert outcome(http, others, theirs)["status"] == "success"
    over = {job["id"] for job in http.get("/jobs", headers=mine).json() if job["status"] == "success"}
    # There is one worker: it had one job of the many at hand, or two where one ended in between.
    assert len(over - over_before) <= 3
    assert len(hundred - over) > 50
    # The others are not waited for.
    assert http.delete(f"/datasets/{id}", headers=mine).status_code == 200
