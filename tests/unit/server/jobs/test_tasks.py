"""From the wire's parameters to the engine's, and from the engine's progress to messages."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatars.engine.columns import Kind
from avatars.engine.parameters import ExcludeCategorical, ExcludeVariables, Imputation, Parameters
from avatars.engine.progress import STEPS
from avatars.models import AvatarizationParameters, ImputationParameters, ImputeMethod
from avatars.server.datasets.description import declared_types
from avatars.server.jobs.parameters import engine_parameters
from avatars.server.jobs.progress import JobProgress

DATASET = uuid4()


def translated(**said: Any) -> Parameters:
    return engine_parameters(AvatarizationParameters(k=20, dataset_id=DATASET, **said))


def test_what_is_not_said_keeps_the_engines_defaults() -> None:
    assert translated() == Parameters(k=20)


def test_everything_that_is_said_arrives() -> None:
    assert translated(
        ncp=7,
        seed=42,
        column_weights={"age": 2.5},
        imputation=ImputationParameters(method=ImputeMethod.median, k=3, training_fraction=0.5),
    ) == Parameters(
        k=20, ncp=7, seed=42, column_weights={"age": 2.5}, imputation=Imputation("median", k=3, training_fraction=0.5)
    )


def test_what_to_leave_alone_arrives() -> None:
    assert translated(
        exclude_variables={"variable_names": ["ward"], "replacement_strategy": "row_order"},
        exclude_categorical={
            "exclude_cardinality_threshold": 30,
            "exclude_replacement_strategy": "coordinate_similarity",
            "rare_occurence_threshold": 2,
            "rare_replacement_strategy": "missing",
            "number_reference_records": 100,
        },
        use_categorical_reduction=True,
        return_data_imputed=True,
    ) == Parameters(
        k=20,
        exclude_variables=ExcludeVariables(("ward",), "row_order"),
        exclude_categorical=ExcludeCategorical(30, "coordinate_similarity", 2, "missing", 100),
        use_categorical_reduction=True,
        return_data_imputed=True,
    )


def test_a_seed_of_zero_is_a_seed() -> None:
    assert translated(seed=0).seed == 0


def test_an_imputation_without_a_method_is_knn_as_the_tutorial_says() -> None:
    assert translated(imputation=ImputationParameters()).imputation == Imputation("knn", k=5, training_fraction=1.0)


def test_only_types_that_differ_from_what_is_detected_are_declared() -> None:
    column = {"label": "a", "type": "int", "detected": "int", "why": "integers", "missing": 0, "dimensions": 1}
    changed = {**column, "label": "b", "type": "category"}
    assert declared_types([column, changed]) == {"b": Kind.CATEGORY}  # type: ignore[list-item]


def test_progress_names_the_attempt_and_the_step() -> None:
    sent: list[dict[str, Any]] = []
    job = uuid4()
    JobProgress(job, 2, sent.append, lambda: False).report(next(iter(STEPS)), 1, 1)
    assert sent == [{"job": str(job), "attempt": 2, "step": next(iter(STEPS)), "completion": STEPS[next(iter(STEPS))]}]


@given(st.lists(st.tuples(st.sampled_from([*STEPS, "unheard of"]), st.floats(0, 1))))
def test_progress_never_falls_and_stays_between_nothing_and_everything(reports: list[tuple[str, float]]) -> None:
    sent: list[dict[str, Any]] = []
    progress = JobProgress(uuid4(), 1, sent.append, lambda: False)
    for step, done in reports:
        progress.report(step, done, 1)
    said = [message["completion"] for message in sent]
    assert said == sorted(said)
    assert all(0 <= value <= 1 for value in said)


def test_one_step_speaks_a_few_times_a_second_only(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr("avatars.server.jobs.tasks.time.monotonic", lambda: clock[0])
    sent: list[dict[str, Any]] = []
    progress = JobProgress(uuid4(), 1, sent.append, lambda: False)
    for done in range(1000):
        clock[0] = done / 1000
        progress.report("finding neighbours", done, 1000)
    assert 4 <= len(sent) <= 6
