"""The ways of an unmodified 0.2.1 client, spelled out as raw HTTP.

Its rules: only status 200 is success; JSON is ``application/json`` to the letter; everything unset is an explicit null,
or an empty text in forms and queries; a job is looked at 0, 1 and 3 seconds after its creation and given up then.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2

if TYPE_CHECKING:
    from tests.conftest import Platform

IRIS = Path(__file__).parents[2] / "fixtures" / "iris.csv"


@contextmanager
def logged_in(platform: Platform) -> Iterator[httpx2.Client]:
    """The client of the tutorial's user."""
    with httpx2.Client(base_url=platform.base_url, timeout=5, headers={"User-Agent": "avatar-python"}) as client:
        form = {
            "grant_type": "",
            "username": "username",
            "password": "strong_password",
            "scope": "",
            "client_id": "",
            "client_secret": "",
        }
        client.headers["Authorization"] = f"Bearer {ok(client.post('/login', data=form))['access_token']}"
        # A platform that has just started answers before its workers are up; the client's 5 seconds are for later.
        client.post("/datasets", files={"file": ("warm-up.csv", b"a\n1\n", "text/csv")}, timeout=60)
        yield client


def ok(answer: httpx2.Response) -> Any:
    """The body of an answer that the client takes for a success."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    return answer.json()


def upload(client: httpx2.Client, csv: str, name: str = "file.csv") -> dict[str, Any]:
    """Send a table."""
    dataset: dict[str, Any] = ok(client.post("/datasets", files={"file": (name, csv.encode(), "text/csv")}))
    return dataset


def creation(dataset_id: str, k: int, **parameters: Any) -> dict[str, Any]:
    """The body that asks for an avatarization."""
    unset = dict.fromkeys(
        ["column_weights", "ncp", "seed", "imputation", "to_categorical_threshold", "exclude_categorical"]
    )
    return {"kind": "avatarization", "parameters": {"k": k, "dataset_id": dataset_id, **unset, **parameters}}


def polled(client: httpx2.Client, path: str, timeout: float = 5) -> dict[str, Any]:
    """The client's own schedule: at 0, 1, 3, 7 ... seconds, never at the deadline itself."""
    deadline, pause = time.monotonic() + timeout, 1
    while True:
        job: dict[str, Any] = ok(client.get(path))
        if job["status"] not in ("pending", "started") or time.monotonic() + pause >= deadline:
            return job
        time.sleep(pause)
        pause *= 2
