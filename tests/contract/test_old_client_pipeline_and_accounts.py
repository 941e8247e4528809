"""What an unmodified 0.2.1 client sends and expects of everything but the quickstart; and the client in R."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import httpx2
import pandas as pd
import pytest
from tests.contract.old_client import IRIS, creation, logged_in, ok, polled, upload

if TYPE_CHECKING:
    from tests.conftest import Platform

QUICK = 2.0
"""Seconds in which the tutorial's jobs are done on an idle machine; the client looks at 0, 1 and 3."""


@pytest.fixture
def client(platform: Platform) -> Iterator[httpx2.Client]:
    with logged_in(platform) as client:
        yield client


def table(client: httpx2.Client, dataset_id: str) -> pd.DataFrame:
    answer = client.get(f"/datasets/{dataset_id}/download")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/csv; charset=utf-8")
    return pd.read_csv(io.StringIO(answer.text))


def test_the_pipeline_of_the_tutorial(client: httpx2.Client) -> None:
    original = pd.DataFrame(
        {
            "variable_1": [100, 150, 120, 100],
            "variable_2": [10, 30, 30, 22],
            "variable_3": [30, 60, 30, 35],
            "variable_4": [60, 60, 60, 65],
        }
    )
    parts = ["variable_2", "variable_3", "variable_4"]
    original_id = upload(client, original.to_csv(index=False))["id"]
    columns = [{"type": "int", "label": label} for label in original]
    ok(client.patch(f"/datasets/{original_id}", json={"columns": columns}))

    shares = original.copy()
    shares[parts] = shares[parts].div(shares[parts].sum(axis=1), axis=0)
    shares_id = upload(client, shares.to_csv(index=False))["id"]
    columns = [{"type": "int" if label == "variable_1" else "float", "label": label} for label in original]
    ok(client.patch(f"/datasets/{shares_id}", json={"columns": columns}))
    created = ok(client.post("/jobs/avatarization", json=creation(shares_id, 3)))
    job = polled(client, f"/jobs/avatarization/{created['id']}")
    assert job["status"] == "success", job

    avatars = table(client, job["result"]["sensitive_unshuffled_avatars_datasets"]["id"])
    avatars[parts] = avatars[parts].mul(avatars["variable_1"], axis=0).div(avatars[parts].sum(axis=1), axis=0)
    avatars_id = upload(client, avatars.to_csv(index=False))["id"]
    columns = [{"type": "int" if label == "variable_1" else "float", "label": label} for label in original]
    ok(client.patch(f"/datasets/{avatars_id}", json={"columns": columns}))

    common = {"original_id": original_id, "seed": None, "job_id": None}
    privacy = {**common, "unshuffled_avatars_id": avatars_id, "imputation": None, "ncp": None}
    privacy_job = ok(client.post("/jobs/metrics/privacy", json={"kind": "privacy_metrics", "parameters": privacy}))
    signal = {**common, "avatars_id": avatars_id}
    signal_job = ok(client.post("/jobs/metrics/signal", json={"kind": "signal_metrics", "parameters": signal}))
    # The signal first: the client's order. Both are over when it asks for the last time, 3 s after its first question.
    signal_job = polled(client, f"/jobs/{signal_job['id']}/metrics/signal")
    privacy_job = polled(client, f"/jobs/{privacy_job['id']}/metrics/privacy")
    assert (signal_job["status"], privacy_job["status"]) == ("success", "success")
    for name in ("hidden_rate", "local_cloaking", "distance_to_closest", "closest_distances_ratio"):
        assert isinstance(privacy_job["result"][name], float | int)
    for name in ("hellinger_mean", "hellinger_std"):
        assert isinstance(signal_job["result"][name], float)


def test_each_job_of_the_tutorial_is_done_within_two_seconds(client: httpx2.Client) -> None:
    dataset_id = upload(client, IRIS.read_text())["id"]
    requests = {
        "/jobs/avatarization": {"k": 20, "dataset_id": dataset_id},
        "/jobs/metrics/privacy": {"original_id": dataset_id, "unshuffled_avatars_id": dataset_id},
        "/jobs/metrics/signal": {"original_id": dataset_id, "avatars_id": dataset_id},
    }
    for path, parameters in requests.items():
        best = QUICK
        for _ in range(3):
            # The best of three: others may be at work on this machine.
            started = time.monotonic()
            job_id = ok(client.post(path, json={"parameters": parameters}))["id"]
            job = ok(client.get(f"/jobs/{job_id}", params={"wait": 5}, timeout=10))
            best = min(best, time.monotonic() - started)
            assert job["status"] == "success", job
        assert best < QUICK, path


def test_health_and_users_and_cluster(client: httpx2.Client) -> None:
    for path in ("/", "/health", "/health/db"):
        ok(client.get(path))
    me = ok(client.get("/users/me"))
    assert str(UUID(me["id"])) == me["id"]
    assert me["username"] == "username"
    assert ok(client.get("/users/username")) == me
    assert ok(client.get("/users?email=&username=username")) == [me]
    stats = ok(client.get("/stats/cluster"))
    assert stats["available_concurrency"] == 2
    assert 0 <= stats["utilization_rate_100"] <= 100
    assert isinstance(stats["status_message"], str)
    assert ok(client.get("/check_client"))["status"] == "compatible"


@pytest.mark.parametrize(
    ("agent", "status"),
    [
        ("avatar-python/0.2.2", "compatible"),
        ("open-avatars/0.1.0", "compatible"),
        ("avatar-python/0.15.0", "unknown"),
        ("curl/8", "unknown"),
        ("", "unknown"),
    ],
)
def test_check_client_needs_no_login_and_promises_nothing_about_others(
    client: httpx2.Client, agent: str, status: str
) -> None:
    answer = client.get("/check_client", headers={"User-Agent": agent, "Authorization": ""})
    assert ok(answer)["status"] == status
    assert {"message", "most_recent_compatible_client"} <= set(answer.json())


def test_the_routes_about_passwords_show_their_sentence(client: httpx2.Client) -> None:
    # This platform sends no mail. R prints `.message`, Python the first value of the error.
    body = {"email": "a@example.org", "new_password": "x" * 12, "new_password_repeated": "x" * 12}
    for path, more in (("forgotten_password", {}), ("reset_password", {"token": str(uuid4())})):
        answer = client.post(f"/login/{path}", json={**body, **more}, headers={"Authorization": ""})
        assert answer.status_code == 403
        assert "This platform sends no mail" in next(iter(answer.json()["detail"].values()))


def test_analysis_and_correlations(client: httpx2.Client) -> None:
    dataset_id = upload(client, IRIS.read_text())["id"]
    assert ok(client.post(f"/datasets/{dataset_id}/analyze"))["analysis_status"] in ("started", "done")
    deadline = time.monotonic() + 20
    while (dataset := ok(client.get(f"/datasets/{dataset_id}")))["analysis_status"] != "done":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    for column in dataset["summary"]["stats"]:
        assert isinstance(column["missing_number"], int)
        assert isinstance(column["missing_proportion"], float)
    assert ok(client.get(f"/datasets/{dataset_id}/correlations"))


def test_the_client_in_r(platform: Platform) -> None:
    with httpx2.Client(base_url=platform.base_url, timeout=30, headers={"User-Agent": "libcurl/8 httr/1.4"}) as r:
        # httr's default encoding is multipart, with two fields only.
        fields = {name: (None, value) for name, value in (("username", "username"), ("password", "strong_password"))}
        r.headers["Authorization"] = f"Bearer {ok(r.post('/login', files=fields))['access_token']}"
        files: Any = {"file": ("iris.csv", IRIS.read_bytes(), "application/csv"), "name": (None, "iris")}
        dataset = ok(r.post("/datasets/inline", files=files))
        assert dataset["name"] == "iris"
        types = [{"label": each["label"], "type": each["type"]} for each in dataset["columns"]]
        ok(r.patch(f"/datasets/{dataset['id']}", json={"columns": types}))
        job = ok(r.post("/jobs", json={"parameters": {"k": 20, "ncp": 4, "dataset_id": dataset["id"]}}))
        while job["status"] not in ("success", "failure"):
            time.sleep(0.5)
            job = ok(r.get(f"/jobs/{job['id']}"))
        assert job["status"] == "success"
        download = r.get(job["result"]["avatars_dataset"]["download_url"])
        assert download.status_code == 200
        contributions = ok(r.get(f"/contributions?job_id={job['id']}&dataset_id={dataset['id']}"))["data"]
        assert len(contributions) == 4
        points = ok(r.get(f"/projections/{job['id']}"))
        assert len(points["records"]) == len(points["avatars"]) == 150
        variance = ok(r.get(f"/variance/{job['id']}"))
        assert len(variance["raw"]) == len(variance["ratio"]) == 4
