"""The wire models: names and bounds of the old contract, unknown fields, passwords, pipelines without pandas."""

from __future__ import annotations

import subprocess
import sys
from typing import Any
from uuid import UUID, uuid4

import pandas as pd
import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from avatars import models
from avatars.models import (
    AvatarizationJobCreate,
    AvatarizationParameters,
    AvatarizationPipelineCreate,
    ExcludeCategoricalMethod,
    ExcludeCategoricalParameters,
    JobKind,
    JobStatus,
    PrivacyMetrics,
    Processor,
    RareCategoricalMethod,
    ResetPasswordRequest,
    SignalMetricsJobCreate,
)
from avatars.models.base import InvalidFields, Request

ID = UUID(int=1)

# wire.md 1.4, a model's required fields first.
CONTRACT: dict[str, tuple[str, str]] = {
    "Login": ("username password", "grant_type scope client_id client_secret"),
    "LoginResponse": ("access_token", "token_type"),
    "ForgottenPasswordRequest": ("email", ""),
    "ResetPasswordRequest": ("email new_password new_password_repeated token", ""),
    "CreateUser": ("", "username email role is_email_confirmed password"),
    "ColumnDetail": ("type label", ""),
    "PatchDataset": ("columns", ""),
    "Dataset": ("id hash download_url", "name columns analysis_status analysis_duration nb_lines summary"),
    "DatasetSummary": ("stats", ""),
    "ColumnStats": (
        "label dtype missing_number missing_proportion unique_number unique_proportion",
        "mean median standard_deviation mode is_skewed is_rare",
    ),
    "ImputationParameters": ("", "method k training_fraction"),
    "ExcludeCategoricalParameters": (
        "exclude_cardinality_threshold exclude_replacement_strategy rare_occurence_threshold",
        "rare_replacement_strategy number_reference_records",
    ),
    "AvatarizationParameters": (
        "k", "dataset_id column_weights ncp seed imputation to_categorical_threshold exclude_categorical",
    ),
    "AvatarizationJobCreate": ("parameters", "kind"),
    "PrivacyMetrics": ("hidden_rate local_cloaking distance_to_closest closest_distances_ratio", ""),
    "SignalMetrics": ("hellinger_mean hellinger_std", "correlation_difference_ratio"),
    "AvatarizationResult": (
        "privacy_metrics signal_metrics avatars_dataset sensitive_unshuffled_avatars_datasets", "",
    ),
    "AvatarizationJob": ("id status parameters", "error_message traceback result current_progress"),
    "PrivacyMetricsJob": ("id status parameters", "error_message traceback result current_progress"),
    "SignalMetricsJob": ("id status parameters", "error_message traceback result current_progress"),
    "JobProgress": ("completion_rate_100 created_at", "name"),
    "PrivacyMetricsParameters": ("original_id unshuffled_avatars_id", "seed job_id imputation ncp"),
    "SignalMetricsParameters": ("original_id avatars_id", "seed job_id"),
    "PrivacyMetricsJobCreate": ("parameters", "kind"),
    "SignalMetricsJobCreate": ("parameters", "kind"),
    "Projections": ("records avatars", ""),
    "ExplainedVariance": ("raw ratio", ""),
    "ReportCreate": ("", "job_id"),
    "Report": ("id user_id job_id download_url", "created_at"),
    "ClusterStats": ("", "n_active_tasks available_concurrency utilization_rate_100 status_message"),
    "HTTPValidationError": ("", "detail"),
    "ValidationError": ("loc msg type", ""),
    "AvatarizationPipelineCreate": ("avatarization_job_create df", "processors"),
    "AvatarizationPipelineResult": ("privacy_metrics signal_metrics post_processed_avatars", ""),
}  # fmt: skip

ENUMS = {
    "AnalysisStatus": "started done",
    "ColumnType": "int bool category float datetime",
    "ExcludeCategoricalMethod": "row_order coordinate_similarity",
    "ImputeMethod": "knn mode median mean fast_knn",
    "JobKind": "avatarization privacy_metrics signal_metrics",
    "JobStatus": "pending started success failure killed unknown",
    "RareCategoricalMethod": "most_similar probabilistic missing",
    "UserRole": "admin user",
}


@pytest.mark.parametrize("name", CONTRACT)
def test_each_model_of_the_old_contract_has_its_fields(name: str) -> None:
    required, optional = (set(names.split()) for names in CONTRACT[name])
    fields = getattr(models, name).model_fields
    assert required | optional <= set(fields)
    assert {field for field in required if not fields[field].is_required()} == set()
    assert {field for field in optional if fields[field].is_required()} == set()


@pytest.mark.parametrize("name", ENUMS)
def test_each_list_of_values_is_the_one_that_clients_know(name: str) -> None:
    assert [member.value for member in getattr(models, name)] == ENUMS[name].split()


def test_everything_public_is_described() -> None:
    for name in models.__all__:
        assert getattr(models, name).__doc__, name


@pytest.mark.parametrize(
    ("model", "fields", "sentence"),
    [
        (AvatarizationParameters, {"k": 5, "colum_weights": {}}, "no field 'colum_weights': did you mean 'column_weig"),
        (AvatarizationParameters, {"k": 5, "nearest": 5}, "no field 'nearest': it has column_weights, dataset_id,"),
        (AvatarizationParameters, {"k": 5, "ncp": 0}, "ncp: must be at least 1"),
        (AvatarizationJobCreate, {"parameters": {"k": 5}, "kind": "signal_metrics"}, "kind: must be 'avatarization'"),
        (
            ExcludeCategoricalParameters,
            {
                "exclude_cardinality_threshold": 0,
                "exclude_replacement_strategy": ExcludeCategoricalMethod.row_order,
                "rare_occurence_threshold": -1,
            },
            "exclude_cardinality_threshold: must be at least 1; rare_occurence_threshold: must be at least 0",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_is_said_when_a_model_is_made(
    model: type[Request], fields: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(InvalidFields, match=sentence):
        model(**fields)


def test_what_arrives_may_have_more_fields_and_nulls_for_defaults() -> None:
    parameters = {"k": 5, "dataset_id": str(ID), "ncp": None, "exclude_categorical": None, "something_newer": 1}
    create = AvatarizationJobCreate.model_validate({"kind": None, "parameters": parameters})
    assert create == AvatarizationJobCreate(parameters=AvatarizationParameters(k=5, dataset_id=ID))
    assert (
        SignalMetricsJobCreate.model_validate(
            {"kind": "signal_metrics", "parameters": {"original_id": str(ID), "avatars_id": str(ID)}}
        ).kind
        is JobKind.signal_metrics
    )


PASSWORD = "long enough now"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"new_password": "short", "new_password_repeated": "short"}, "new_password: must have at least 12 characters"),
        ({"new_password": "x" * 129, "new_password_repeated": "x" * 129}, "at most 128 characters"),
        ({"new_password_repeated": f"{PASSWORD}!"}, "the new password was not repeated as it is"),
        ({"token": "token-received-by-mail"}, r"token: must be an id \(UUID\)"),
    ],
)
def test_a_new_password_is_checked_and_never_repeated(change: dict[str, str], sentence: str) -> None:
    fields: dict[str, Any] = {
        "email": "ada@example.org", "new_password": PASSWORD, "new_password_repeated": PASSWORD, "token": uuid4(),
    }  # fmt: skip
    ResetPasswordRequest(**fields)
    with pytest.raises(InvalidFields, match=sentence) as caught:
        ResetPasswordRequest(**fields | change)
    assert PASSWORD not in str(caught.value)


def test_metrics_beyond_the_four_are_null_where_they_were_not_computed() -> None:
    four = {"hidden_rate": 90.0, "local_cloaking": 5.0, "distance_to_closest": 0.2, "closest_distances_ratio": 0.3}
    metrics = PrivacyMetrics.model_validate(four)
    others = set(PrivacyMetrics.model_fields) - set(four) - {"targets", "details", "remarks"}
    assert {getattr(metrics, name) for name in others} == {None}
    # Each has its target, which later clients ask for.
    assert set(metrics.targets.model_dump()) == set(four) | others


def test_final_states() -> None:
    assert {status.value for status in JobStatus if not status.is_over} == {"pending", "started"}
    assert str(JobStatus.success) == "JobStatus.success"
    assert RareCategoricalMethod("missing") is RareCategoricalMethod.missing


class Own:
    def preprocess(self, df: pd.DataFrame) -> pd.DataFrame:
        return df

    def postprocess(self, source: pd.DataFrame, dest: pd.DataFrame) -> pd.DataFrame:
        return dest


def test_a_pipeline_takes_any_object_with_the_two_methods_and_the_very_frame() -> None:
    frame, own = pd.DataFrame({"a": [1]}), Own()
    create = AvatarizationJobCreate(parameters=AvatarizationParameters(k=3))
    request = AvatarizationPipelineCreate(avatarization_job_create=create, processors=[own], df=frame)
    assert request.df is frame
    assert request.avatarization_job_create is create
    assert list(request.processors) == [own]
    assert isinstance(own, Processor)
    with pytest.raises(InvalidFields, match=r"processors\.0: must be a Processor"):
        AvatarizationPipelineCreate(avatarization_job_create=create, processors=[frame], df=frame)  # type: ignore[list-item]


def test_importing_the_models_brings_pydantic_and_nothing_else() -> None:
    code = "import sys, avatars.models; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"pandas", "pyarrow", "numpy", "httpx2", "rich"} & set(loaded)


def test_every_model_can_be_built() -> None:
    """They are built when they are first used; a name that only type checkers know would be found out then."""
    for name in models.__all__:
        model = getattr(models, name)
        if isinstance(model, type) and issubclass(model, BaseModel):
            with pytest.raises(ValidationError):
                TypeAdapter(model).validate_python(3)
