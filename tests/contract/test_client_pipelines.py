"""Pipelines against a real platform: what comes out, that nothing is done twice, and where they stop."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import httpx2
import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from avatars.client import ApiClient
from avatars.errors import ConnectionFailed, InvalidInput, JobFailed, PipelineFailed
from avatars.models import (
    AvatarizationJobCreate,
    AvatarizationParameters,
    AvatarizationPipelineCreate,
    Processor,
)
from avatars.processors.proportions import ProportionProcessor

if TYPE_CHECKING:
    from tests.conftest import Platform

ROWS = 40


class Wire(httpx2.HTTPTransport):
    """The real way to the platform, counted; one request of it can be lost."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: Counter[str] = Counter()
        self.lose: str | None = None
        self.lose_answer: str | None = None

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        parts = ["ID" if len(part) == 36 else part for part in request.url.path.split("/")]
        call = f"{request.method} {'/'.join(parts)}"
        if call == self.lose:
            # No passing failure: those are sent again.
            raise httpx2.DecodingError("garbled", request=request)
        self.sent[call] += 1
        response = super().handle_request(request)
        if call == self.lose_answer:
            response.close()
            raise httpx2.DecodingError("garbled", request=request)
        return response


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def client(platform: Platform, wire: Wire) -> Iterator[ApiClient]:
    with ApiClient(platform.base_url, transport=wire) as client:
        client.authenticate("username", "strong_password")
        wire.sent.clear()
        yield client


def originals() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    parts = rng.dirichlet([3, 2, 1], ROWS) * 100
    frame = pd.DataFrame(parts, columns=["a", "b", "c"])
    frame.insert(0, "total", 100.0)
    frame["sex"] = rng.choice(["f", "m"], ROWS)
    # Neither numbered nor unique, and it names people.
    frame.index = pd.Index([f"patient {i // 2}" for i in range(ROWS)], name="patient")
    return frame


def request_for(df: pd.DataFrame, *processors: Processor, **parameters: Any) -> AvatarizationPipelineCreate:
    return AvatarizationPipelineCreate(
        avatarization_job_create=AvatarizationJobCreate(parameters=AvatarizationParameters(**{"k": 5} | parameters)),
        processors=processors,
        df=df,
    )


def proportions() -> ProportionProcessor:
    return ProportionProcessor(variable_names=["a", "b", "c"], reference="total", sum_to_one=True)


def test_avatars_come_back_in_the_terms_of_the_originals(client: ApiClient, wire: Wire) -> None:
    df = originals()
    before = df.copy()
    request = request_for(df, proportions(), seed=1)
    result = client.pipelines.avatarization_pipeline_with_processors(request)

    avatars = result.post_processed_avatars
    assert list(avatars.columns) == list(df.columns)
    assert avatars.index.tolist() == list(range(ROWS))
    np.testing.assert_allclose(avatars[["a", "b", "c"]].sum(axis=1), avatars["total"])
    assert 0 <= result.privacy_metrics.hidden_rate <= 100
    assert result.signal_metrics.hellinger_mean >= 0
    for id in (result.avatarization_job_id, result.privacy_job_id, result.signal_job_id):
        assert id in {job.id for job in client.jobs.find_all_jobs_by_user()}

    # What is the caller's is as it was.
    assert_frame_equal(df, before)
    assert request.avatarization_job_create.parameters.dataset_id is None
    assert {call: number for call, number in wire.sent.items() if call.startswith("POST")} == {
        "POST /datasets": 3,
        "POST /jobs/avatarization": 1,
        "POST /jobs/metrics/privacy": 1,
        "POST /jobs/metrics/signal": 1,
    }


def test_the_order_of_the_avatars_is_another_each_time_whatever_the_seed(client: ApiClient) -> None:
    request = request_for(originals(), proportions(), seed=1)
    first, second = (
        client.pipelines.avatarization_pipeline_with_processors(request).post_processed_avatars for _ in range(2)
    )
    assert not first.equals(second)
    by = ["a", "b", "c", "sex"]
    assert_frame_equal(first.sort_values(by).reset_index(drop=True), second.sort_values(by).reset_index(drop=True))


def test_originals_that_are_on_the_platform_are_not_sent_again(client: ApiClient, wire: Wire) -> None:
    dataset = client.pandas_integration.upload_dataframe(originals())
    client.pipelines.avatarization_pipeline_with_processors(request_for(originals(), dataset_id=dataset.id))
    assert wire.sent["POST /datasets"] == 1


STEPS = {
    "POST /datasets": ("sending the originals", set()),
    "POST /jobs/avatarization": ("launching", {"original_dataset", "preprocessed_dataset"}),
    "GET /jobs/avatarization/ID": ("avatarizing", {"avatarization_job"}),
    "GET /datasets/ID/download": ("fetching the avatars", {"avatarization_job"}),
    "POST /jobs/metrics/privacy": ("launching the privacy metrics", {"sensitive_unshuffled_avatars_dataset"}),
    "GET /jobs/ID/metrics/signal": ("measuring utility", {"privacy_job", "signal_job"}),
    "GET /jobs/ID/metrics/privacy": ("measuring privacy", {"privacy_job", "signal_job"}),
}


@pytest.mark.parametrize("lost", STEPS)
def test_a_failure_names_its_step_and_the_second_call_goes_on_from_there(
    client: ApiClient, wire: Wire, lost: str
) -> None:
    step, ids = STEPS[lost]
    request = request_for(originals(), proportions())
    wire.lose = lost
    with pytest.raises(PipelineFailed, match=f"stopped at '{step}'.*call it again with the same request") as caught:
        client.pipelines.avatarization_pipeline_with_processors(request)
    assert caught.value.step == step
    assert ids <= set(caught.value.ids)
    assert caught.value.__cause__ is not None

    wire.lose = None
    assert client.pipelines.avatarization_pipeline_with_processors(request) is not None
    once = {call: number for call, number in wire.sent.items() if call.startswith("POST")}
    assert once == {
        "POST /datasets": 3,
        "POST /jobs/avatarization": 1,
        "POST /jobs/metrics/privacy": 1,
        "POST /jobs/metrics/signal": 1,
    }


@pytest.mark.parametrize("lost", ["/jobs/avatarization", "/jobs/metrics/privacy", "/jobs/metrics/signal"])
def test_a_launch_whose_answer_was_lost_makes_no_second_job(client: ApiClient, wire: Wire, lost: str) -> None:
    before = len(client.jobs.find_all_jobs_by_user())
    request = request_for(originals(), proportions())
    wire.lose_answer = f"POST {lost}"
    with pytest.raises(PipelineFailed, match="launching"):
        client.pipelines.avatarization_pipeline_with_processors(request)
    wire.lose_answer = None
    client.pipelines.avatarization_pipeline_with_processors(request)
    assert wire.sent[f"POST {lost}"] == 2
    assert len(client.jobs.find_all_jobs_by_user()) == before + 3


def test_a_job_that_failed_is_launched_anew_with_what_has_been_changed(client: ApiClient, wire: Wire) -> None:
    request = request_for(originals(), proportions(), k=ROWS)
    with pytest.raises(PipelineFailed, match=r"stopped at 'avatarizing': .*\bk\b") as caught:
        client.pipelines.avatarization_pipeline_with_processors(request)
    assert isinstance(caught.value.__cause__, JobFailed)
    request.avatarization_job_create.parameters.k = 5
    client.pipelines.avatarization_pipeline_with_processors(request)
    assert wire.sent["POST /datasets"] == 3
    assert wire.sent["POST /jobs/avatarization"] == 2


def test_what_was_deleted_meanwhile_is_made_anew(client: ApiClient, wire: Wire) -> None:
    request = request_for(originals())
    wire.lose = "GET /datasets/ID/download"
    with pytest.raises(PipelineFailed) as caught:
        client.pipelines.avatarization_pipeline_with_processors(request)
    wire.lose = None
    client.jobs.delete_job(caught.value.ids["avatarization_job"])
    with pytest.raises(PipelineFailed, match="fetching the avatars"):
        client.pipelines.avatarization_pipeline_with_processors(request)
    client.pipelines.avatarization_pipeline_with_processors(request)
    assert wire.sent["POST /jobs/avatarization"] == 2


class Grumpy:
    """A processor of one's own that does not work at once."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.broken = True

    def preprocess(self, df: pd.DataFrame) -> pd.DataFrame:
        self.calls.append("preprocess")
        df["spoiled"] = 1  # it should not, but it is not the caller's frame
        return df.drop(columns="spoiled")

    def postprocess(self, source: pd.DataFrame, dest: pd.DataFrame) -> pd.DataFrame:
        self.calls.append("postprocess")
        if self.broken:
            raise LookupError("the code book is not there")
        return dest


def test_a_processor_that_fails_can_be_mended_and_the_rest_is_kept(client: ApiClient, wire: Wire) -> None:
    processor = Grumpy()
    request = request_for(originals(), processor)
    with pytest.raises(PipelineFailed, match="stopped at 'postprocessing': LookupError: the code book"):
        client.pipelines.avatarization_pipeline_with_processors(request)
    processor.broken = False
    client.pipelines.avatarization_pipeline_with_processors(request)
    assert processor.calls == ["preprocess", "postprocess", "postprocess"]
    assert wire.sent["POST /jobs/avatarization"] == 1
    assert "spoiled" not in request.df


class Halving(Grumpy):
    def preprocess(self, df: pd.DataFrame) -> pd.DataFrame:
        return df.iloc[::2]


def test_a_processor_that_loses_rows_is_named(client: ApiClient, wire: Wire) -> None:
    with pytest.raises(PipelineFailed, match=r"Halving\.preprocess must return a row for each of the 40 rows, not 20"):
        client.pipelines.avatarization_pipeline_with_processors(request_for(originals(), Halving()))
    assert wire.sent["POST /jobs/avatarization"] == 0


def test_a_job_that_is_not_over_in_time_goes_on_and_is_come_back_to(client: ApiClient, wire: Wire) -> None:
    request = request_for(originals())
    with pytest.raises(PipelineFailed, match="not over within `timeout` seconds"):
        client.pipelines.avatarization_pipeline_with_processors(request, timeout=0)
    client.pipelines.avatarization_pipeline_with_processors(request)
    assert wire.sent["POST /jobs/avatarization"] == 1


def test_nothing_is_kept_of_a_request_that_is_gone(client: ApiClient, wire: Wire) -> None:
    request = request_for(originals())
    wire.lose = "POST /jobs/metrics/signal"
    with pytest.raises(PipelineFailed) as caught:
        client.pipelines.avatarization_pipeline_with_processors(request)
    assert isinstance(caught.value.__cause__, Exception)
    assert client.pipelines._unfinished
    del request, caught
    gc.collect()
    assert not client.pipelines._unfinished


def test_what_is_no_frame_is_refused_before_anything_is_sent(client: ApiClient, wire: Wire) -> None:
    with pytest.raises(InvalidInput, match=r"pandas\.DataFrame"):
        client.pipelines.avatarization_pipeline_with_processors(request_for([[1, 2]]))  # type: ignore[arg-type]
    assert not wire.sent


def test_a_platform_that_is_gone_stops_it_with_the_usual_words(platform: Platform) -> None:
    with ApiClient("http://127.0.0.1:1") as client:
        client._http.token = "token"
        with pytest.raises(PipelineFailed, match="No platform answers") as caught:
            client.pipelines.avatarization_pipeline_with_processors(request_for(originals()))
        assert isinstance(caught.value.__cause__, ConnectionFailed)
