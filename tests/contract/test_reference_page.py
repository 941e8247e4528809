"""docs/reference.md is about every parameter, of the platform's models and of the function, and about no other.

Names, defaults, bounds and words are compared with the code; what they mean is the page's own.
"""

from __future__ import annotations

import inspect
import re
import typing
from dataclasses import MISSING, fields
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo

import avatars
from avatars.engine import parameters as engine
from avatars.models import (
    AvatarizationParameters,
    ExcludeCategoricalParameters,
    ExcludeVariablesParameters,
    ImputationParameters,
)

PAGE = Path(__file__).parents[2] / "docs" / "reference.md"
IN_BOTH = "On a platform and in your own process"

MODELS: dict[str, type[BaseModel]] = {
    IN_BOTH: AvatarizationParameters,
    "On a platform only": AvatarizationParameters,
    "imputation": ImputationParameters,
    "exclude_variables": ExcludeVariablesParameters,
    "exclude_categorical": ExcludeCategoricalParameters,
}
GROUPS = {
    "imputation": engine.Imputation,
    "exclude_variables": engine.ExcludeVariables,
    "exclude_categorical": engine.ExcludeCategorical,
}
ARGUMENTS = inspect.signature(avatars.anonymize).parameters
ON_THE_WIRE = {"rare_occurrence_threshold": "rare_occurence_threshold"}


def tables() -> dict[str, dict[str, tuple[str, str]]]:
    """Return what the page says of each parameter, its values and its default, by heading."""
    found: dict[str, dict[str, tuple[str, str]]] = {}
    for section in re.split(r"^##+ ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        heading, _, text = section.partition("\n")
        rows = re.findall(r"^\| `(\w+)` \| (.+?) \| (.+?) \| .+ \|$", text, re.MULTILINE)
        found[heading] = {name: (values, default) for name, values, default in rows}
        assert len(found[heading]) == len(rows)
    return found


TABLES = tables()


def fields_of_models() -> list[Any]:
    return [
        pytest.param(heading, name, id=f"{heading}-{name}")
        for heading, model in MODELS.items()
        for name in model.model_fields
        if name in TABLES[heading]
    ]


def defaults() -> dict[tuple[str, str], Any]:
    """Return the default that the code has for each row, by heading and name; MISSING where there is none."""
    found: dict[tuple[str, str], Any] = {
        (heading, name): MISSING if argument.default is argument.empty else argument.default
        for heading in (IN_BOTH, "In your own process only")
        for name, argument in ARGUMENTS.items()
        if name in TABLES[heading]
    }
    found[IN_BOTH, "ncp"] = engine.DEFAULT_NCP
    for heading, group in GROUPS.items():
        for field in fields(group):
            found[heading, ON_THE_WIRE.get(field.name, field.name)] = field.default
    return found


def test_every_parameter_of_the_platform_is_there_and_no_other() -> None:
    assert {*TABLES[IN_BOTH], *TABLES["On a platform only"]} == set(AvatarizationParameters.model_fields)


def test_every_argument_of_anonymize_is_there_and_no_other() -> None:
    assert {*TABLES[IN_BOTH], *TABLES["In your own process only"]} == set(ARGUMENTS)


@pytest.mark.parametrize("group", GROUPS)
def test_every_parameter_of_a_group_is_there_and_no_other(group: str) -> None:
    assert set(TABLES[group]) == set(MODELS[group].model_fields)
    assert set(TABLES[group]) == {ON_THE_WIRE.get(field.name, field.name) for field in fields(GROUPS[group])}


def test_every_parameter_is_in_one_table_only() -> None:
    top = [name for heading in (IN_BOTH, "On a platform only", "In your own process only") for name in TABLES[heading]]
    assert len(top) == len(set(top))


@pytest.mark.parametrize(("heading", "name"), [pytest.param(*key, id="-".join(key)) for key in defaults()])
def test_defaults_are_those_of_the_code(heading: str, name: str) -> None:
    default, said = defaults()[heading, name], TABLES[heading][name][1]
    if default is MISSING:
        assert said == "required"
    elif default in (None, ()):
        assert said in (
            "none",
            "fresh",
            "all",
            "1 each",
            "see there",
            "detected",
            "a fifth of the rows, from 10 to 100",
        )
    else:
        assert said == f"`{default}`"


@pytest.mark.parametrize(("heading", "name"), fields_of_models())
def test_bounds_and_words_are_those_of_the_models(heading: str, name: str) -> None:
    field, said = MODELS[heading].model_fields[name], TABLES[heading][name][0]
    for bound in bounds(field):
        assert bound in said
    if words := words_of(field):
        assert set(re.findall(r"`(\w+)`", said)) == words


def bounds(field: FieldInfo) -> list[str]:
    """Return a field's bounds as the page writes them; those of 64 bits are written otherwise."""
    signs = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
    found = ((sign, getattr(rule, name, None)) for rule in field.metadata for name, sign in signs.items())
    return [f"{sign} {bound}" for sign, bound in found if bound is not None and abs(bound) < 2**60]


def words_of(field: FieldInfo) -> set[str]:
    kinds = [kind for kind in (field.annotation, *typing.get_args(field.annotation)) if isinstance(kind, type)]
    return {member.value for kind in kinds if issubclass(kind, Enum) for member in kind}
