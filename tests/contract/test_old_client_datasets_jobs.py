"""What an unmodified 0.2.1 client sends and expects of datasets and jobs."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from uuid import UUID

import httpx2
import pandas as pd
import pytest
from tests.contract.old_client import IRIS, creation, logged_in, ok, polled, upload

if TYPE_CHECKING:
    from tests.conftest import Platform


@pytest.fixture
def client(platform: Platform) -> Iterator[httpx2.Client]:
    with logged_in(platform) as client:
        yield client


def finished(client: httpx2.Client, job_id: str) -> dict[str, Any]:
    return polled(client, f"/jobs/avatarization/{job_id}")


def upload_dataframe(client: httpx2.Client, frame: pd.DataFrame) -> dict[str, Any]:
    """As pandas_integration does: a CSV, then the type of every column."""
    described = upload(client, frame.to_csv(index=False))
    names = {"float": "float", "int": "int", "bool": "bool", "datetime": "datetime"}
    columns = [
        {"type": next((type for part, type in names.items() if part in str(dtype)), "category"), "label": label}
        for label, dtype in frame.dtypes.items()
    ]
    ok(client.patch(f"/datasets/{described['id']}", json={"columns": columns}))
    return described


def download_dataframe(client: httpx2.Client, dataset_id: str) -> pd.DataFrame:
    """As pandas_integration does: strict about integers and booleans."""
    columns = {each["label"]: each["type"] for each in ok(client.get(f"/datasets/{dataset_id}"))["columns"]}
    answer = client.get(f"/datasets/{dataset_id}/download")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    dtypes = {label: type for label, type in columns.items() if type != "datetime"}
    frame = pd.read_csv(io.StringIO(answer.text), dtype=dtypes)
    for label, type in columns.items():
        if type == "datetime":
            frame[label] = frame[label].astype("datetime64[ns]")
    return frame


def test_the_quickstart(client: httpx2.Client) -> None:
    dataset = upload(client, IRIS.read_text(), "iris.csv")
    assert {"id", "hash", "download_url"} <= set(dataset)
    job = ok(client.post("/jobs/avatarization", json=creation(dataset["id"], 20)))
    assert job["status"] in ("pending", "started", "success")
    job = finished(client, job["id"])
    assert job["status"] == "success"
    metrics = job["result"]["privacy_metrics"]
    for name in ("hidden_rate", "local_cloaking", "distance_to_closest", "closest_distances_ratio"):
        assert isinstance(metrics[name], (int, float))
    answer = client.get(f"/datasets/{job['result']['avatars_dataset']['id']}/download")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    avatars = pd.read_csv(io.StringIO(answer.text))
    assert avatars.shape == (150, 5)


def test_three_parameters_are_enough_and_nulls_mean_defaults(client: httpx2.Client) -> None:
    dataset = upload(client, IRIS.read_text())
    body = creation(
        dataset["id"], 5, ncp=7, seed=42, imputation={"method": "knn", "k": None, "training_fraction": None}
    )
    job = finished(client, ok(client.post("/jobs/avatarization", json=body))["id"])
    assert job["status"] == "success", job


def test_a_dataframe_comes_back_with_its_types_and_order(client: httpx2.Client) -> None:
    frame = pd.DataFrame(
        {
            "when": pd.date_range("2020-01-01", periods=30),
            "smoker": [True, False, False] * 10,
            "age": range(20, 50),
            "weight": [60.5 + number for number in range(30)],
            "missing": [None, 1.5, 2.5] * 10,
            "sex": ["f", "m"] * 15,
        }
    )
    described = upload_dataframe(client, frame)
    job = finished(client, ok(client.post("/jobs/avatarization", json=creation(described["id"], 5)))["id"])
    assert job["status"] == "success", job
    for name in ("avatars_dataset", "sensitive_unshuffled_avatars_datasets"):
        avatars = download_dataframe(client, job["result"][name]["id"])
        assert list(avatars.columns) == list(frame.columns)
        kinds = [str(dtype) for dtype in avatars.dtypes]
        assert kinds == ["datetime64[ns]", "bool", "int64", "float64", "float64", "category"]


def test_four_rows_and_ncp_beyond_their_dimensions_are_no_problem(client: httpx2.Client) -> None:
    frame = pd.DataFrame({f"variable_{number}": [100 + number, 150, 120, 100] for number in range(1, 5)})
    described = upload_dataframe(client, frame)
    job = finished(client, ok(client.post("/jobs/avatarization", json=creation(described["id"], 3)))["id"])
    assert job["status"] == "success", job
    assert download_dataframe(client, job["result"]["avatars_dataset"]["id"]).dtypes.eq("int64").all()


def test_answers_have_all_that_later_clients_look_for(client: httpx2.Client) -> None:
    dataset = upload(client, IRIS.read_text())
    assert dataset["nb_dimensions"] == 7
    assert dataset["filetype"] == "csv"
    assert dataset["created_at"]
    job = ok(client.post("/jobs/avatarization", json=creation(dataset["id"], 20)))
    assert job["kind"] == "avatarization"
    assert job["created_at"]
    assert UUID(job["parameters"]["dataset_id"]) == UUID(dataset["id"])
    job = finished(client, job["id"])
    assert job["result"]["privacy_metrics"]["targets"]["local_cloaking"]
    assert job["result"]["signal_metrics"]["targets"]["hellinger_mean"]
    progress = job["current_progress"]
    assert isinstance(progress["completion_rate_100"], int)
    assert progress["created_at"]


def test_a_status_is_never_one_that_the_client_does_not_know(client: httpx2.Client) -> None:
    dataset = upload(client, IRIS.read_text())
    job = ok(client.post("/jobs/avatarization", json=creation(dataset["id"], 150)))
    job = finished(client, job["id"])
    assert job["status"] == "failure"
    assert "k must be at most 149" in job["error_message"]


def test_refusals_lead_to_their_sentence_by_the_first_value(client: httpx2.Client) -> None:
    dataset = upload(client, IRIS.read_text())
    body = creation(dataset["id"], 20, column_weights={"petal.lenght": 2})
    answer = client.post("/jobs/avatarization", json=body)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/json"
    first: Any = answer.json()
    while isinstance(first, dict):
        first = next(iter(first.values()))
    assert "'petal.length'" in first

    answer = client.post("/jobs/avatarization", json=creation(dataset["id"], -5))
    assert answer.status_code == 422
    item = answer.json()["detail"][0]
    assert item["loc"][-1] == "k"
    assert "2" in item["msg"]


def test_empty_texts_in_a_query_mean_the_default(client: httpx2.Client) -> None:
    dataset = upload(client, IRIS.read_text())
    answer = client.get(f"/datasets/{dataset['id']}/download", params={"filetype": ""})
    assert answer.text == IRIS.read_text()
