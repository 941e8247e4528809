"""Reports and figures as a client has them, against a real platform."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from avatars.client import ApiClient
from avatars.errors import InvalidInput, NotFound
from avatars.models import AvatarizationJobCreate, AvatarizationParameters, ReportCreate
from avatars.resources import AvatarizationJob

if TYPE_CHECKING:
    from tests.conftest import Platform


@pytest.fixture(scope="module")
def client(_running_platform: Platform) -> Iterator[ApiClient]:
    with ApiClient(_running_platform.base_url) as client:
        client.authenticate(username="username", password="strong_password")
        yield client


@pytest.fixture(scope="module")
def job(client: ApiClient) -> AvatarizationJob:
    # A small table: its figures are few.
    random = np.random.default_rng(1)
    frame = pd.DataFrame({"age": random.normal(50, 9, 60), "group": random.choice(["a", "b"], 60)})
    dataset = client.pandas_integration.upload_dataframe(frame)
    create = AvatarizationJobCreate(parameters=AvatarizationParameters(k=10, dataset_id=dataset.id, seed=1))
    return client.jobs.get_avatarization_job(client.jobs.create_avatarization_job(create).id)


def test_a_result_writes_its_report(job: AvatarizationJob, tmp_path: Path) -> None:
    assert job.result is not None
    page = tmp_path / "report.html"
    job.result.report(page, language="fr")
    text = page.read_text(encoding="utf-8")
    assert '<html lang="fr"' in text
    # What attacks found is waited for.
    assert "Aucune attaque n'a été tentée" not in text


def test_a_result_writes_no_report_that_there_is_not(job: AvatarizationJob, tmp_path: Path) -> None:
    assert job.result is not None
    with pytest.raises(InvalidInput, match="one of pdf, html, json"):
        job.result.report(tmp_path / "report.docx")
    with pytest.raises(InvalidInput, match="language must be one of"):
        job.result.report(language="de")


def test_a_report_is_asked_for_and_downloaded(client: ApiClient, job: AvatarizationJob) -> None:
    report = client.reports.create_report(ReportCreate(job_id=job.id))
    assert client.reports.get_report(job.id).job_id == job.id
    assert client.reports.download_report(report.id).startswith(b"%PDF")
    with io.BytesIO() as file:
        client.reports.download_report(report.id, destination=file, format="json")
        assert json.loads(file.getvalue())["people"] == 60
    with pytest.raises(InvalidInput, match="job"):
        client.reports.create_report(ReportCreate())


def test_figures_as_pictures_and_numbers(client: ApiClient, job: AvatarizationJob) -> None:
    names = [figure.name for figure in client.metrics.get_job_figures(job.id)]
    assert {"links", "distribution-1"} <= set(names)
    assert "<svg" in client.metrics.get_job_figure(job.id, "links")
    assert client.metrics.get_job_figure(job.id, "links", format="png").startswith(b"\x89PNG")
    assert client.metrics.get_job_figure(job.id, "links", format="json")["names"]
    with pytest.raises(NotFound, match="no figure of this name"):
        client.metrics.get_job_figure(job.id, "none")
    wrong: Any = "gif"
    with pytest.raises(InvalidInput, match="svg, png, json"):
        client.metrics.get_job_figure(job.id, "links", format=wrong)


def test_a_job_shows_its_metrics_in_a_notebook(job: AvatarizationJob) -> None:
    shown = job._repr_html_()
    assert shown is not None
    assert "60 avatars" in shown
    assert "hidden_rate" in shown
