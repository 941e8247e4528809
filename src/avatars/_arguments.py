"""Arguments about frames in the engine's terms: labels by the names of columns, mappings by their types."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import MISSING, fields
from typing import TYPE_CHECKING, Any

from avatars.engine.columns import Kind
from avatars.engine.errors import InvalidParameter
from avatars.engine.frames import FrameManifest
from avatars.engine.parameters import ExcludeCategorical, ExcludeVariables, Imputation, one_of

if TYPE_CHECKING:
    from _typeshed import DataclassInstance
    from pydantic import BaseModel

    from avatars.models import ExcludeCategoricalParameters, ExcludeVariablesParameters, ImputationParameters


def by_name(given: Mapping[Hashable, Any] | None, manifest: FrameManifest) -> dict[str, Any]:
    """Return what is said by label under the names of columns."""
    return {manifest.name_of(label): value for label, value in (given or {}).items()}


def names(what: str, labels: Sequence[Hashable], manifest: FrameManifest) -> tuple[str, ...]:
    """Return the names of labels."""
    if isinstance(labels, str):
        raise InvalidParameter(f"{what} must be a list of columns.", code="invalid_parameter")
    return tuple(manifest.name_of(label) for label in labels)


def group(labels: Sequence[Hashable], manifest: FrameManifest) -> Sequence[str]:
    """Return the names of one declared group."""
    return labels if isinstance(labels, str) else tuple(manifest.name_of(label) for label in labels)


def kinds(types: Mapping[str, str]) -> dict[str, Kind]:
    """Return declared types; raises ``InvalidParameter`` for one that there is not."""
    for kind in types.values():
        one_of("type of a column", kind, [kind.value for kind in Kind])
    return {name: Kind(kind) for name, kind in types.items()}


def imputation(given: Mapping[str, Any] | ImputationParameters | None) -> Imputation:
    """Return how missing cells are filled in."""
    return Imputation(**_said("imputation", given, Imputation)) if given is not None else Imputation()


def exclude_variables(
    given: Mapping[str, Any] | ExcludeVariablesParameters | None, manifest: FrameManifest
) -> ExcludeVariables | None:
    """Return which columns the method leaves alone."""
    if given is None:
        return None
    said = _said("exclude_variables", given, ExcludeVariables)
    labels = said["variable_names"]
    names = labels if isinstance(labels, str) else tuple(manifest.name_of(label) for label in labels)
    return ExcludeVariables(**{**said, "variable_names": names})


def exclude_categorical(given: Mapping[str, Any] | ExcludeCategoricalParameters | None) -> ExcludeCategorical | None:
    """Return the rule by which columns of many levels are left alone."""
    return ExcludeCategorical(**_said("exclude_categorical", given, ExcludeCategorical)) if given is not None else None


def _said(what: str, given: Mapping[str, Any] | BaseModel, kind: type[DataclassInstance]) -> dict[str, Any]:
    """Return the fields of ``kind`` that a mapping or a model names, or refuse it."""
    said = dict(given) if isinstance(given, Mapping) else given.model_dump(mode="json")
    if "rare_occurence_threshold" in said:  # as the wire spells it
        said["rare_occurrence_threshold"] = said.pop("rare_occurence_threshold")
    known = [field.name for field in fields(kind)]
    unknown = sorted(set(said) - set(known))
    if unknown:
        raise InvalidParameter(
            f"{what} has no parameter {unknown[0]!r}: it knows {', '.join(known[:-1])} and {known[-1]}.",
            code="unknown_parameter",
        )
    said = {name: value for name, value in said.items() if value is not None}
    for field in fields(kind):
        if field.default is MISSING and field.name not in said:
            raise InvalidParameter(f"{what} needs {field.name}.", code="missing_parameter")
    return said
