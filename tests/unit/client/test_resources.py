"""The thin calls: what goes along beside the path, and what is refused before anything is sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest

from avatars.client import ApiClient
from avatars.errors import InvalidInput, RequestTimeout, UnexpectedAnswer
from avatars.models import AnalysisStatus
from avatars.resources import datasets

NewClient = Callable[[Callable[[httpx2.Request], httpx2.Response]], ApiClient]

ID = UUID(int=1)
USER = {"id": str(ID), "organization_id": str(ID), "username": "ada"}


def dataset(**fields: Any) -> dict[str, Any]:
    return {"id": str(ID), "hash": "", "download_url": "", **fields}


def test_what_is_looked_for_goes_along_and_nothing_else(new_client: NewClient) -> None:
    queries = []

    def platform(request: httpx2.Request) -> httpx2.Response:
        queries.append(str(request.url.query, "ascii"))
        return httpx2.Response(200, json=[USER] if request.url.path == "/users" else [])

    client = new_client(platform)
    assert client.users.find_users()[0].username == "ada"
    client.users.find_users("ada@example.org", "")
    client.users.find_users(username="ada & co")
    client.jobs.find_all_jobs_by_user()
    client.jobs.find_all_jobs_by_user(nb_days=0)
    assert queries == ["", "email=ada%40example.org", "username=ada+%26+co", "", "nb_days=0"]


@pytest.mark.parametrize(("name", "path"), [("ada", "/users/ada"), ("a/../b?c", "/users/a%2F..%2Fb%3Fc")])
def test_a_name_stays_one_part_of_the_address(new_client: NewClient, name: str, path: str) -> None:
    paths = []

    def platform(request: httpx2.Request) -> httpx2.Response:
        paths.append(request.url.raw_path.decode())
        return httpx2.Response(200, json=USER)

    new_client(platform).users.get_user(name)
    assert paths == [path]


@pytest.mark.parametrize("name", ["", ".", "..", "me"])
def test_a_name_that_is_another_address_is_refused(new_client: NewClient, name: str) -> None:
    with pytest.raises(InvalidInput, match="username"):
        new_client(lambda request: httpx2.Response(500)).users.get_user(name)


def test_an_analysis_is_waited_for_unless_it_is_not_wanted(
    new_client: NewClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(datasets, "ANALYSIS_PAUSE", 0.0)
    calls: list[str] = []

    def platform(request: httpx2.Request) -> httpx2.Response:
        calls.append(request.method)
        status = "done" if len(calls) == 3 else "started"
        return httpx2.Response(200, json=dataset(analysis_status=status))

    client = new_client(platform)
    assert client.datasets.analyze_dataset(ID).analysis_status is AnalysisStatus.done
    assert calls == ["POST", "GET", "GET"]
    assert client.datasets.analyze_dataset(ID, wait=False).analysis_status is AnalysisStatus.started
    assert calls == ["POST", "GET", "GET", "POST"]
    monkeypatch.setattr(datasets, "ANALYSIS_TIMEOUT", 0.0)
    with pytest.raises(RequestTimeout, match="look again with get_dataset"):
        client.datasets.analyze_dataset(ID)


def test_a_deletion_is_sent_again_where_its_answer_was_lost(new_client: NewClient) -> None:
    methods: list[str] = []

    def platform(request: httpx2.Request) -> httpx2.Response:
        methods.append(request.method)
        if len(methods) == 1:
            raise httpx2.RemoteProtocolError("disconnected without an answer")
        return httpx2.Response(200, json={"message": "gone"})

    new_client(platform).datasets.delete_dataset(ID)
    assert methods == ["DELETE", "DELETE"]


def test_a_report_must_be_a_pdf(new_client: NewClient) -> None:
    answers = [httpx2.Response(200, content=b"%PDF-1.7 ..."), httpx2.Response(200, text="<html>")]
    client = new_client(lambda request: answers.pop(0))
    assert client.reports.download_report(uuid4()) == b"%PDF-1.7 ..."
    with pytest.raises(UnexpectedAnswer, match="PDF"):
        client.reports.download_report(uuid4())


def test_a_list_must_be_one(new_client: NewClient) -> None:
    client = new_client(lambda request: httpx2.Response(200, json={"detail": "s3cret"}))
    with pytest.raises(UnexpectedAnswer, match="not a list of Dataset") as caught:
        client.datasets.find_all_datasets_by_user()
    assert "s3cret" not in str(caught.value)


IDS: dict[str, Callable[[ApiClient, Any], object]] = {
    "datasets.get_dataset": lambda client, id: client.datasets.get_dataset(id),
    "datasets.analyze_dataset": lambda client, id: client.datasets.analyze_dataset(id),
    "datasets.download_dataset": lambda client, id: client.datasets.download_dataset(id),
    "datasets.delete_dataset": lambda client, id: client.datasets.delete_dataset(id),
    "pandas_integration.download_dataframe": lambda client, id: client.pandas_integration.download_dataframe(id),
    "jobs.get_avatarization_job": lambda client, id: client.jobs.get_avatarization_job(id),
    "jobs.get_privacy_metrics": lambda client, id: client.jobs.get_privacy_metrics(id),
    "jobs.get_signal_metrics": lambda client, id: client.jobs.get_signal_metrics(id),
    "jobs.cancel_job": lambda client, id: client.jobs.cancel_job(id),
    "metrics.get_job_projections": lambda client, id: client.metrics.get_job_projections(id),
    "metrics.get_variable_contributions": lambda client, id: client.metrics.get_variable_contributions(ID, id),
    "reports.download_report": lambda client, id: client.reports.download_report(id),
}


@pytest.mark.parametrize("call", IDS)
@pytest.mark.parametrize("id", ["12", "../users", None, 3], ids=str)
def test_an_id_that_is_none_is_said_before_anything_is_sent(new_client: NewClient, call: str, id: Any) -> None:
    asked = []

    def platform(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        return httpx2.Response(500)

    with pytest.raises(InvalidInput, match="The id is not one"):
        IDS[call](new_client(platform), id)
    assert not asked
