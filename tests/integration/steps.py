"""What tests of the platform do over and over: send a table, ask for a job, wait for its end."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
from starlette.testclient import TestClient

IRIS = Path(__file__).parents[2] / "fixtures" / "iris.csv"

Headers = dict[str, str]


def upload(http: TestClient, headers: Headers, content: bytes) -> str:
    answer = http.post("/datasets", files={"file": ("people.csv", content, "text/csv")}, headers=headers)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


def create(http: TestClient, headers: Headers, dataset_id: str, **parameters: Any) -> dict[str, Any]:
    body = {"parameters": {"k": 5, "seed": 1, "dataset_id": dataset_id, **parameters}}
    answer = http.post("/jobs/avatarization", json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    job: dict[str, Any] = answer.json()
    return job


def outcome(http: TestClient, headers: Headers, job_id: str) -> dict[str, Any]:
    """The job when it is over."""
    answer = http.get(f"/jobs/avatarization/{job_id}", params={"wait": 60}, headers=headers)
    assert answer.status_code == 200, answer.text
    job: dict[str, Any] = answer.json()
    assert job["status"] in ("success", "failure"), job
    return job


def download(http: TestClient, headers: Headers, dataset: dict[str, Any]) -> pd.DataFrame:
    answer = http.get(f"/datasets/{dataset['id']}/download", headers=headers)
    assert answer.status_code == 200
    return pd.read_csv(io.StringIO(answer.text))


def measure(http: TestClient, headers: Headers, family: str, original: str, avatars: str, **more: Any) -> str:
    """Ask for privacy or signal metrics; gives the job's id."""
    name = "unshuffled_avatars_id" if family == "privacy" else "avatars_id"
    body = {"parameters": {"original_id": original, name: avatars, **more}}
    answer = http.post(f"/jobs/metrics/{family}", json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


def measured(http: TestClient, headers: Headers, family: str, job_id: str) -> dict[str, Any]:
    """The job when it is over."""
    answer = http.get(f"/jobs/{job_id}/metrics/{family}", params={"wait": 60}, headers=headers)
    assert answer.status_code == 200, answer.text
    job: dict[str, Any] = answer.json()
    return job


def until(condition: Callable[[], object], seconds: float = 60) -> None:
    """Wait for something that happens in the background."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
