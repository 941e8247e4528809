"""The parameters of jobs, from the wire's words to the engine's."""

from __future__ import annotations

from typing import Any

from avatars.engine.parameters import ExcludeCategorical, ExcludeVariables, Imputation, Parameters
from avatars.models import (
    AvatarizationParameters,
    ExcludeCategoricalParameters,
    ExcludeVariablesParameters,
    ImputationParameters,
    ImputeMethod,
)

REQUESTED = (
    "known_variables",
    "target",
    "closest_rate_percentage_threshold",
    "closest_rate_ratio_threshold",
    "categorical_hidden_rate_variables",
    "thorough",
)
"""What the parameters of a metrics job may say of the evaluation; named as there."""


def engine_parameters(wire: AvatarizationParameters) -> Parameters:
    """Translate from the wire; what is not said there keeps the engine's default."""
    said = {
        "ncp": wire.ncp,
        "seed": wire.seed,
        "column_weights": wire.column_weights,
        "imputation": None if wire.imputation is None else _imputation(wire.imputation),
        "exclude_variables": None if wire.exclude_variables is None else _exclude_variables(wire.exclude_variables),
        "exclude_categorical": (
            None if wire.exclude_categorical is None else _exclude_categorical(wire.exclude_categorical)
        ),
        "use_categorical_reduction": wire.use_categorical_reduction,
        "return_data_imputed": wire.return_data_imputed,
        "method": wire.method and wire.method.value,
        "groups": wire.groups,
        "identifiers": wire.identifiers and wire.identifiers.value,
    }
    return Parameters(k=wire.k, **_given(said))


def metrics_parameters(wire: dict[str, Any]) -> Parameters:
    """Translate the parameters of a metrics job; no neighbours are drawn from, so k is any."""
    said = {name: wire.get(name) for name in ("ncp", "seed")}
    imputation = wire.get("imputation")
    if imputation is not None:
        said["imputation"] = _imputation(ImputationParameters.model_validate(imputation))
    return Parameters(k=2, **_given(said))


def _imputation(wire: ImputationParameters) -> Imputation:
    # The tutorial promises knn to whoever asks for an imputation without naming a method.
    method = wire.method or ImputeMethod.knn
    return Imputation(**_given({"method": method.value, "k": wire.k, "training_fraction": wire.training_fraction}))


def _exclude_variables(wire: ExcludeVariablesParameters) -> ExcludeVariables:
    return ExcludeVariables(tuple(wire.variable_names), wire.replacement_strategy.value)


def _exclude_categorical(wire: ExcludeCategoricalParameters) -> ExcludeCategorical:
    said = {
        "exclude_cardinality_threshold": wire.exclude_cardinality_threshold,
        "exclude_replacement_strategy": wire.exclude_replacement_strategy.value,
        "rare_occurrence_threshold": wire.rare_occurence_threshold,
        "rare_replacement_strategy": wire.rare_replacement_strategy and wire.rare_replacement_strategy.value,
        "number_reference_records": wire.number_reference_records,
    }
    return ExcludeCategorical(**_given(said))


def _given(said: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in said.items() if value is not None}
