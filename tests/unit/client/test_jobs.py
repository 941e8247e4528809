"""Launching jobs once, waiting for them, and reading results that are not there."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest

from avatars import _http
from avatars.client import ApiClient
from avatars.errors import InvalidInput, JobFailed
from avatars.models import (
    AvatarizationJobCreate,
    AvatarizationParameters,
    ImputationParameters,
    JobStatus,
    PrivacyMetricsJobCreate,
    PrivacyMetricsParameters,
    SignalMetricsJobCreate,
    SignalMetricsParameters,
)
from avatars.resources import AvatarizationJob, PrivacyMetricsJob

NewClient = Callable[[Callable[[httpx2.Request], httpx2.Response]], ApiClient]

DATASET = uuid4()
CREATE = AvatarizationJobCreate(parameters=AvatarizationParameters(k=20, dataset_id=DATASET))


def job(status: str, **fields: Any) -> dict[str, Any]:
    return {
        "id": "00000000-0000-0000-0000-000000000001",
        "created_at": "2026-01-01T00:00:00Z",
        "status": status,
        "parameters": {"k": 20, "dataset_id": str(DATASET)},
        **fields,
    }


def failed() -> AvatarizationJob:
    return AvatarizationJob.model_validate(job("failure", error_message="k is too large: use less than 4."))


def test_a_lost_answer_is_asked_for_again_with_the_same_key(
    new_client: NewClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_http, "FIRST_BACKOFF", 0.0)
    keys = []

    def platform(request: httpx2.Request) -> httpx2.Response:
        keys.append(request.headers["Idempotency-Key"])
        if len(keys) in (1, 2):
            raise httpx2.RemoteProtocolError("disconnected without an answer")
        return httpx2.Response(200, json=job("pending"))

    client = new_client(platform)
    assert client.jobs.create_avatarization_job(CREATE).status is JobStatus.pending
    client.jobs.create_avatarization_job(request=CREATE)
    first, second, third, of_another_job = map(UUID, keys)
    assert first == second == third != of_another_job


def test_what_is_not_set_is_not_sent(new_client: NewClient) -> None:
    bodies = []

    def platform(request: httpx2.Request) -> httpx2.Response:
        bodies.append(json.loads(request.content))
        return httpx2.Response(200, json=job("pending"))

    jobs = new_client(platform).jobs
    jobs.create_avatarization_job(CREATE)
    imputation = ImputationParameters(k=3)
    parameters = AvatarizationParameters(k=5, dataset_id=DATASET, ncp=7, seed=42, imputation=imputation)
    jobs.create_avatarization_job(AvatarizationJobCreate(parameters=parameters))
    assert bodies[0] == {"kind": "avatarization", "parameters": {"k": 20, "dataset_id": str(DATASET)}}
    assert bodies[1]["parameters"] == {
        "k": 5, "dataset_id": str(DATASET), "ncp": 7, "seed": 42, "imputation": {"k": 3},
    }  # fmt: skip


def test_every_way_of_the_tutorial_to_ask_for_a_job(new_client: NewClient) -> None:
    seen = []

    def platform(request: httpx2.Request) -> httpx2.Response:
        seen.append((request.url.path, request.extensions["timeout"]["read"]))
        return httpx2.Response(200, json=job("failure"))

    jobs = new_client(platform).jobs
    id = uuid4()
    for got in (
        jobs.get_avatarization_job(id),
        jobs.get_avatarization_job(str(id)),
        jobs.get_avatarization_job(id=id),
        jobs.get_avatarization_job(id=id, timeout=10),
        jobs.get_avatarization_job(id=id, per_request_timeout=2, timeout=10),
    ):
        assert str(got.status) == "JobStatus.failure"
    assert {path for path, _ in seen} == {f"/jobs/avatarization/{id}"}
    assert [round(limit, 1) for _, limit in seen] == [10, 10, 10, 10, 2]
    with pytest.raises(InvalidInput, match="id"):
        jobs.get_avatarization_job("12")


def test_the_result_of_a_failed_job_raises_in_the_platforms_words() -> None:
    with pytest.raises(JobFailed, match=r"^k is too large: use less than 4\.$") as caught:
        _ = failed().result
    assert caught.value.job_id == UUID("00000000-0000-0000-0000-000000000001")


def test_the_result_of_a_job_that_was_cancelled_says_so() -> None:
    with pytest.raises(JobFailed, match="was cancelled"):
        _ = PrivacyMetricsJob.model_validate(
            job("killed") | {"parameters": {"original_id": str(DATASET), "unshuffled_avatars_id": str(DATASET)}}
        ).result


def test_a_job_without_a_dataset_is_refused_before_anything_is_sent(new_client: NewClient) -> None:
    client = new_client(lambda request: httpx2.Response(500))
    with pytest.raises(InvalidInput, match=r"dataset_id=dataset\.id"):
        client.jobs.create_avatarization_job(AvatarizationJobCreate(parameters=AvatarizationParameters(k=5)))


def test_each_kind_of_job_is_launched_with_a_key_and_waited_for_at_the_platform(new_client: NewClient) -> None:
    seen = []
    of_metrics = {"original_id": str(DATASET), "unshuffled_avatars_id": str(DATASET), "avatars_id": str(DATASET)}

    def platform(request: httpx2.Request) -> httpx2.Response:
        seen.append((request.method, request.url.path, "Idempotency-Key" in request.headers, request.url.params))
        return httpx2.Response(200, json=job("success") | {"parameters": of_metrics})

    jobs = new_client(platform).jobs
    privacy = PrivacyMetricsParameters(original_id=DATASET, unshuffled_avatars_id=DATASET)
    signal = SignalMetricsParameters(original_id=DATASET, avatars_id=DATASET)
    launched = jobs.create_privacy_metrics_job(PrivacyMetricsJobCreate(parameters=privacy))
    jobs.get_privacy_metrics(launched.id)
    jobs.create_signal_metrics_job(SignalMetricsJobCreate(parameters=signal))
    jobs.get_signal_metrics(launched.id, timeout=0)
    assert [call[:3] for call in seen] == [
        ("POST", "/jobs/metrics/privacy", True),
        ("GET", f"/jobs/{launched.id}/metrics/privacy", False),
        ("POST", "/jobs/metrics/signal", True),
        ("GET", f"/jobs/{launched.id}/metrics/signal", False),
    ]
    assert float(seen[1][3]["wait"]) > 0
    assert "wait" not in seen[3][3]


@pytest.mark.parametrize("status", ["pending", "started"])
def test_the_result_of_an_unfinished_job_is_none(status: str) -> None:
    assert AvatarizationJob.model_validate(job(status)).result is None


def test_a_failed_job_can_be_looked_at_in_every_other_way() -> None:
    job = failed()
    assert job.error_message == "k is too large: use less than 4."
    assert "error_message='k is too large" in repr(job)
    assert job.model_dump()["result"] is None
    assert AvatarizationJob.model_validate_json(job.model_dump_json()) == job
    assert copy.deepcopy(job) == job
    assert pickle.loads(pickle.dumps(job)) == job
