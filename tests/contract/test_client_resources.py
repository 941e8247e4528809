"""Each call of the client against a real platform: what goes, what comes, what is refused with which words."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from avatars.client import ApiClient
from avatars.errors import (
    APIError,
    ConnectionFailed,
    InvalidRequest,
    JobFailed,
    NotAuthenticated,
    NotFound,
)
from avatars.models import (
    AvatarizationJobCreate,
    AvatarizationParameters,
    ColumnDetail,
    ColumnType,
    Dataset,
    JobStatus,
    PatchDataset,
)
from avatars.resources import AvatarizationJob

if TYPE_CHECKING:
    from tests.conftest import Platform

IRIS = Path(__file__).parents[2] / "fixtures" / "iris.csv"


@pytest.fixture
def client(platform: Platform) -> Iterator[ApiClient]:
    with ApiClient(platform.base_url) as client:
        client.authenticate(username="username", password="strong_password")
        yield client


@pytest.fixture
def iris(client: ApiClient) -> Dataset:
    with IRIS.open("r", encoding="utf-8") as file:
        return client.datasets.create_dataset(file)


def avatarize(client: ApiClient, dataset: Dataset, **parameters: Any) -> AvatarizationJob:
    create = AvatarizationJobCreate(parameters=AvatarizationParameters(dataset_id=dataset.id, **parameters))
    return client.jobs.get_avatarization_job(client.jobs.create_avatarization_job(create).id)


def test_health_needs_no_login(platform: Platform) -> None:
    with ApiClient(platform.base_url) as client:
        for answer in (client.health.get_root(), client.health.get_health(), client.health.get_health_db()):
            assert isinstance(answer, dict)


def test_a_wrong_password_gives_one_sentence(platform: Platform) -> None:
    with ApiClient(platform.base_url) as client:
        with pytest.raises(NotAuthenticated) as caught:
            client.authenticate("username", "wrong")
        assert "password" in str(caught.value)
        assert "wrong" not in str(caught.value).split()
        # Nothing was gained.
        with pytest.raises(NotAuthenticated, match=r"client\.authenticate"):
            client.datasets.get_dataset(uuid4())


def test_a_token_that_the_platform_does_not_know_is_not_authenticated(client: ApiClient, iris: Dataset) -> None:
    client._http.token = "made-up"
    with pytest.raises(NotAuthenticated, match="not authenticated") as caught:
        client.datasets.get_dataset(iris.id)
    assert caught.value.code == "not_authenticated"
    assert caught.value.request_id


def test_a_dataset_there_and_back(client: ApiClient, iris: Dataset) -> None:
    assert iris.nb_lines == 150
    assert iris.columns is not None
    assert [column.label for column in iris.columns][-1] == "variety"
    assert client.datasets.get_dataset(str(iris.id)) == iris
    assert client.datasets.download_dataset(id=iris.id).splitlines() == IRIS.read_text().splitlines()


def test_every_way_to_pass_a_file_gives_the_same_dataset(client: ApiClient) -> None:
    hashes = {
        client.datasets.create_dataset(source).hash for source in (IRIS, str(IRIS), io.StringIO(IRIS.read_text()))
    }
    with IRIS.open("rb") as file:
        hashes.add(client.datasets.create_dataset(file).hash)
    assert len(hashes) == 1


def test_a_name_is_kept(client: ApiClient) -> None:
    assert client.datasets.create_dataset(IRIS, name='visits, "März"').name == 'visits, "März"'
    assert client.datasets.create_dataset(IRIS).name is None


def test_a_declared_type_is_kept(client: ApiClient) -> None:
    dataset = client.datasets.create_dataset(io.StringIO("sex,age\n1,30\n2,40\n1,50\n"))
    patch = PatchDataset(columns=[ColumnDetail(type=ColumnType.category, label="sex")])
    described = client.datasets.patch_dataset(patch, dataset.id)
    assert described.columns is not None
    assert {column.label: column.type for column in described.columns} == {
        "sex": ColumnType.category,
        "age": ColumnType.int,
    }


def test_a_job_from_the_request_to_its_avatars(client: ApiClient, iris: Dataset) -> None:
    parameters = AvatarizationParameters(k=20, dataset_id=iris.id, seed=1)
    created = client.jobs.create_avatarization_job(AvatarizationJobCreate(parameters=parameters))
    job = client.jobs.get_avatarization_job(created.id)
    assert str(job.status) == "JobStatus.success"
    assert job.id == created.id
    assert job.result is not None
    for metric in ("hidden_rate", "local_cloaking", "distance_to_closest", "closest_distances_ratio"):
        assert math.isfinite(getattr(job.result.privacy_metrics, metric))
    shuffled = client.datasets.download_dataset(job.result.avatars_dataset.id).splitlines()
    unshuffled = client.datasets.download_dataset(job.result.sensitive_unshuffled_avatars_datasets.id).splitlines()
    assert len(shuffled) == len(unshuffled) == 151
    assert shuffled != unshuffled
    assert sorted(shuffled) == sorted(unshuffled)


def test_a_timeout_returns_the_job_as_it_stands(client: ApiClient, iris: Dataset) -> None:
    parameters = AvatarizationParameters(k=20, dataset_id=iris.id)
    created = client.jobs.create_avatarization_job(AvatarizationJobCreate(parameters=parameters))
    seen = client.jobs.get_avatarization_job(created.id, timeout=0)
    assert seen.status in (JobStatus.pending, JobStatus.started, JobStatus.success)
    assert client.jobs.get_avatarization_job(created.id).status is JobStatus.success


def test_as_many_neighbours_as_records_fail_the_job_with_a_message(client: ApiClient, iris: Dataset) -> None:
    job = avatarize(client, iris, k=150)
    assert job.status is JobStatus.failure
    with pytest.raises(JobFailed, match=r"\bk\b"):
        _ = job.result


def test_one_neighbour_is_refused_at_once(client: ApiClient, iris: Dataset) -> None:
    with pytest.raises(ValueError, match="k"):
        AvatarizationParameters(k=1, dataset_id=iris.id)
    parameters = AvatarizationParameters.model_construct(k=1, dataset_id=iris.id)
    with pytest.raises(InvalidRequest, match=r": k$"):
        client.jobs.create_avatarization_job(AvatarizationJobCreate.model_construct(parameters=parameters))


def test_an_unknown_column_is_named(client: ApiClient, iris: Dataset) -> None:
    with pytest.raises((APIError, JobFailed), match="petal_length"):
        _ = avatarize(client, iris, k=5, column_weights={"petal_length": 2.0}).result


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ("\n", "empty"),
        ("a,b\n", "row"),
        ("\x00\x01\x02\x03", "CSV"),
        ("a,b\n1,inf\n2,3\n", "'b'"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_with_its_reason(client: ApiClient, table: str, sentence: str) -> None:
    with pytest.raises(APIError, match=sentence) as caught:
        client.datasets.create_dataset(io.StringIO(table))
    assert caught.value.code
    assert caught.value.request_id


def test_headers_that_are_there_twice_are_told_apart(client: ApiClient) -> None:
    dataset = client.datasets.create_dataset(io.StringIO("a,a\n1,2\n3,4\n"))
    assert dataset.columns is not None
    labels = [column.label for column in dataset.columns]
    assert labels[0] == "a"
    assert len(set(labels)) == 2


CALLS: dict[str, Callable[[ApiClient, Any], object]] = {
    "get_dataset": lambda client, id: client.datasets.get_dataset(id),
    "download_dataset": lambda client, id: client.datasets.download_dataset(id),
    "download_dataframe": lambda client, id: client.pandas_integration.download_dataframe(id),
    "patch_dataset": lambda client, id: client.datasets.patch_dataset(PatchDataset(columns=[]), id),
    "create_avatarization_job": lambda client, id: client.jobs.create_avatarization_job(
        AvatarizationJobCreate(parameters=AvatarizationParameters(k=5, dataset_id=id))
    ),
    "get_avatarization_job": lambda client, id: client.jobs.get_avatarization_job(id),
}


@pytest.mark.parametrize("call", CALLS)
def test_what_belongs_to_somebody_else_does_not_exist(
    platform: Platform, client: ApiClient, iris: Dataset, call: str
) -> None:
    id = iris.id
    if call == "get_avatarization_job":
        parameters = AvatarizationParameters(k=5, dataset_id=iris.id)
        id = client.jobs.create_avatarization_job(AvatarizationJobCreate(parameters=parameters)).id
    with ApiClient(platform.base_url) as other:
        other.authenticate("other", "another_password")
        said = []
        for unknown in (id, uuid4()):
            with pytest.raises(NotFound) as caught:
                CALLS[call](other, unknown)
            said.append(caught.value.message.replace(str(unknown), "ID"))
        assert said[0] == said[1]


def test_a_platform_that_is_down_comes_back_while_a_job_is_waited_for(
    new_platform: Callable[..., Platform],
) -> None:
    platform = new_platform()
    platform.add_user("username", "strong_password")
    platform.start()
    with ApiClient(platform.base_url) as client:
        client.authenticate("username", "strong_password")
        parameters = AvatarizationParameters(k=20, dataset_id=client.datasets.create_dataset(IRIS).id)
        job = client.jobs.create_avatarization_job(AvatarizationJobCreate(parameters=parameters))
        platform.kill()
        with pytest.raises(ConnectionFailed, match=platform.base_url):
            client.jobs.get_avatarization_job(job.id, timeout=1)
        platform.start()
        assert client.jobs.get_avatarization_job(job.id).status is JobStatus.success
