"""Refusals of fields: the items of a 422 answer, and what a program that makes a model sees."""

from __future__ import annotations

import string
from typing import Any, get_args
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from pydantic_core.core_schema import ErrorType

from avatars.models import AvatarizationJobCreate, AvatarizationParameters, Login, PatchDataset
from avatars.models.base import InvalidFields
from avatars.models.wording import plain_words


def refusal(model: type, value: Any) -> list[dict[str, Any]]:
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(model).validate_python(value)
    return [plain_words(error) for error in refused.value.errors()]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({}, "field required"),
        ({"k": 1}, "must be at least 2"),
        ({"k": "many"}, "must be a whole number"),
        ({"k": 2.5}, "must be a whole number"),
    ],
    ids=str,
)
def test_messages_say_what_is_expected(parameters: dict[str, Any], message: str) -> None:
    parameters["dataset_id"] = "00000000-0000-0000-0000-000000000000"
    [error] = refusal(AvatarizationJobCreate, {"parameters": parameters})
    assert error["msg"] == message
    assert error["loc"][-1] == "k"
    assert set(error) == {"loc", "msg", "type"}


def test_allowed_values_are_named() -> None:
    [error] = refusal(PatchDataset, {"columns": [{"type": "text", "label": "age"}]})
    assert error["msg"] == "must be 'int', 'bool', 'category', 'float' or 'datetime'"


# No sentence of ours has such a word in it, by accident.
canaries = st.text(alphabet=string.ascii_uppercase + string.digits, min_size=8, max_size=20)


@given(canary=canaries, field=st.sampled_from(["k", "ncp", "seed", "dataset_id", "column_weights", "imputation"]))
def test_the_value_that_was_sent_is_never_repeated(canary: str, field: str) -> None:
    valid = {"k": 5, "dataset_id": "00000000-0000-0000-0000-000000000000"}
    for value in (canary + "?", [canary], {"method": canary, "x": canary}):
        for error in refusal(AvatarizationJobCreate, {"parameters": {**valid, field: value}}):
            assert canary not in error["msg"]
    assert canary not in str(refusal(Login, canary))


@pytest.mark.parametrize("kind", get_args(ErrorType))
def test_every_error_that_pydantic_knows_gives_a_sentence_of_ours(kind: str) -> None:
    limits = ("min_length", "max_length", "gt", "ge", "lt", "le", "expected", "error", "class")
    error = plain_words({"loc": ("body", "k"), "type": kind, "ctx": dict.fromkeys(limits, "3"), "msg": "PYDANTIC'S"})
    assert error["msg"]
    assert "PYDANTIC" not in error["msg"]
    assert "{" not in error["msg"]


def test_a_model_made_with_wrong_fields_says_so_in_one_sentence() -> None:
    with pytest.raises(InvalidFields) as refused:
        AvatarizationParameters(k=1, dataset_id=uuid4())
    assert str(refused.value) == "AvatarizationParameters: k: must be at least 2."


def test_nested_fields_are_named_by_their_path_and_values_are_not_quoted() -> None:
    with pytest.raises(InvalidFields) as refused:
        AvatarizationParameters(k=5, dataset_id=uuid4(), imputation={"method": "secret"})  # type: ignore[arg-type]
    assert "imputation.method" in str(refused.value)
    assert "secret" not in str(refused.value)


def test_validation_over_http_keeps_pydantics_own_error() -> None:
    with pytest.raises(ValidationError):
        AvatarizationJobCreate.model_validate({"parameters": {"k": 1, "dataset_id": str(uuid4())}})
