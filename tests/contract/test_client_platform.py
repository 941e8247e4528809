"""The calls beyond the quickstart, against a real platform: statistics, projections, metrics jobs, lists, accounts."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from avatars.client import ApiClient
from avatars.errors import NotAuthenticated, NotFound, PermissionDenied
from avatars.models import (
    AnalysisStatus,
    AvatarizationJobCreate,
    AvatarizationParameters,
    CompatibilityStatus,
    CreateUser,
    Dataset,
    FileType,
    JobKind,
    JobStatus,
    PrivacyMetricsJobCreate,
    PrivacyMetricsParameters,
    SignalMetricsJobCreate,
    SignalMetricsParameters,
)
from avatars.resources import AvatarizationJob

if TYPE_CHECKING:
    from tests.conftest import Platform

IRIS = Path(__file__).parents[2] / "fixtures" / "iris.csv"
ROWS, NUMBERS = 150, ["sepal.length", "sepal.width", "petal.length", "petal.width"]


@pytest.fixture(scope="module")
def client(_running_platform: Platform) -> Iterator[ApiClient]:
    with ApiClient(_running_platform.base_url) as client:
        client.authenticate(username="username", password="strong_password")
        yield client


@pytest.fixture(scope="module")
def iris(client: ApiClient) -> Dataset:
    return client.datasets.create_dataset(IRIS, name="iris")


@pytest.fixture(scope="module")
def job(client: ApiClient, iris: Dataset) -> AvatarizationJob:
    create = AvatarizationJobCreate(parameters=AvatarizationParameters(k=10, dataset_id=iris.id, ncp=3, seed=1))
    return client.jobs.get_avatarization_job(client.jobs.create_avatarization_job(create).id)


def test_an_analysis_describes_every_column(client: ApiClient, iris: Dataset) -> None:
    analysed = client.datasets.analyze_dataset(iris.id)
    assert analysed.analysis_status is AnalysisStatus.done
    assert analysed.summary is not None
    frame = pd.read_csv(IRIS)
    assert [stats.label for stats in analysed.summary.stats] == list(frame.columns)
    length = analysed.summary.stats[0]
    assert length.mean == pytest.approx(frame["sepal.length"].mean())
    assert (length.missing_number, length.unique_number) == (0, frame["sepal.length"].nunique())


def test_correlations_are_those_of_pandas(client: ApiClient, iris: Dataset) -> None:
    told = pd.DataFrame(client.datasets.get_dataset_correlations(iris.id).data).loc[NUMBERS, NUMBERS]
    np.testing.assert_allclose(told.astype(float), pd.read_csv(IRIS)[NUMBERS].corr())


def test_the_projection_of_a_job(client: ApiClient, iris: Dataset, job: AvatarizationJob) -> None:
    points = client.metrics.get_job_projections(job.id)
    assert (len(points.records), len(points.avatars)) == (ROWS, ROWS)
    variance = client.metrics.get_explained_variance(job.id)
    assert variance.raw == sorted(variance.raw, reverse=True)
    assert 0 < sum(variance.ratio) <= 1 + 1e-9
    contributions = client.metrics.get_variable_contributions(job.id, iris.id).data
    assert contributions
    for of_a_component in contributions.values():
        assert all(value >= 0 for value in of_a_component.values())


def test_metrics_of_one_s_own_avatars_are_those_of_the_job(
    client: ApiClient, iris: Dataset, job: AvatarizationJob
) -> None:
    assert job.result is not None
    unshuffled = job.result.sensitive_unshuffled_avatars_datasets.id
    privacy = client.jobs.create_privacy_metrics_job(
        PrivacyMetricsJobCreate(
            parameters=PrivacyMetricsParameters(original_id=iris.id, unshuffled_avatars_id=unshuffled, ncp=3, seed=1)
        )
    )
    signal = client.jobs.create_signal_metrics_job(
        SignalMetricsJobCreate(parameters=SignalMetricsParameters(original_id=iris.id, avatars_id=unshuffled))
    )
    measured = client.jobs.get_privacy_metrics(privacy.id).result
    assert measured is not None
    assert measured.hidden_rate == pytest.approx(job.result.privacy_metrics.hidden_rate)
    assert client.jobs.get_signal_metrics(signal.id).result == job.result.signal_metrics


def test_lists_have_the_newest_first(client: ApiClient, iris: Dataset, job: AvatarizationJob) -> None:
    jobs = client.jobs.find_all_jobs_by_user(nb_days=1)
    assert job.id in {one.id for one in jobs}
    assert [one.created_at for one in jobs] == sorted((one.created_at for one in jobs), reverse=True)
    assert {one.kind for one in jobs} <= set(JobKind)
    listed = client.datasets.find_all_datasets_by_user()
    assert "iris" in {dataset.name for dataset in listed}


def test_a_job_can_be_cancelled_and_what_is_deleted_is_gone(client: ApiClient) -> None:
    rng = np.random.default_rng(0)
    many = pd.DataFrame(rng.random((200_000, 8)))
    dataset = client.pandas_integration.upload_dataframe(many)
    create = AvatarizationJobCreate(parameters=AvatarizationParameters(k=30, dataset_id=dataset.id))
    launched = client.jobs.create_avatarization_job(create)
    assert client.jobs.cancel_job(launched.id).id == launched.id
    ended = client.jobs.get_avatarization_job(launched.id, timeout=60)
    assert ended.status is JobStatus.killed
    client.jobs.delete_job(launched.id)
    with pytest.raises(NotFound):
        client.jobs.get_avatarization_job(launched.id)
    client.datasets.delete_dataset(dataset.id)
    with pytest.raises(NotFound):
        client.datasets.get_dataset(dataset.id)


def test_an_arrow_table_there_and_back_to_a_file(client: ApiClient, tmp_path: Path) -> None:
    table = pa.table({"age": [30, 40, None], "city": ["Nantes", "Lyon", None]})
    dataset = client.datasets.create_dataset(table)
    assert dataset.nb_lines == 3
    client.datasets.download_dataset(dataset.id, destination=tmp_path / "t.parquet", filetype=FileType.parquet)
    assert pd.read_parquet(tmp_path / "t.parquet")["city"].tolist()[:2] == ["Nantes", "Lyon"]
    text = io.BytesIO()
    client.datasets.download_dataset(dataset.id, destination=text)
    assert text.getvalue().splitlines()[0] == b"age,city"


def test_who_one_is_and_what_only_admins_may(client: ApiClient) -> None:
    me = client.users.get_me()
    assert me.username == "username"
    with pytest.raises(PermissionDenied):
        client.users.create_user(CreateUser(username=f"new-{uuid4().hex[:8]}", password="strong_password"))


def test_the_platform_speaks_with_this_client_and_says_how_busy_it_is(client: ApiClient) -> None:
    assert client.compatibility.is_client_compatible().status is CompatibilityStatus.compatible
    stats = client.stats.get_cluster_stats()
    assert stats.available_concurrency is not None
    assert stats.available_concurrency >= 1


def test_after_logging_out_the_token_is_worth_nothing(platform: Platform) -> None:
    with ApiClient(platform.base_url) as client:
        client.authenticate("username", "strong_password")
        token = client._http.token
        client.auth.logout()
        client._http.token = token
        with pytest.raises(NotAuthenticated, match="the login has ended"):
            client.users.get_me()
