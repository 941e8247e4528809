"""Metrics, and what attacks found, as the database keeps them, and back: with how their sentences were made."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from avatars.evaluation.catalogue import DEFINITIONS, PRIVACY, UTILITY
from avatars.evaluation.metric import Baseline, Metric, not_computed
from avatars.evaluation.wording import said, said_again, sentences_in

if TYPE_CHECKING:
    # The platform keeps metrics, and never loads what computes them.
    from avatars.evaluation.assessment import Assessment
    from avatars.evaluation.evaluate import Evaluation

Kept = dict[str, Any]
"""The wire's model of the same, and ``said``: for reports in other languages, its sentences as they were made."""

_OLD = said("it was computed by an older version of the platform, which kept no more")


def keep_privacy(evaluation: Evaluation) -> Kept:
    """Return the privacy metrics of an evaluation as JSON values."""
    return _plain({**asdict(evaluation.privacy_metrics), **_keep(evaluation, PRIVACY)})


def keep_signal(evaluation: Evaluation) -> Kept:
    """Return the utility metrics of an evaluation as JSON values."""
    return _plain({**asdict(evaluation.signal_metrics), **_keep(evaluation, UTILITY)})


def keep_assessment(assessment: Assessment) -> Kept:
    """Return what attacks found as JSON values."""
    return _plain(_with_sentences(assessment.to_dict()))


def recall_assessment(kept: Kept | None) -> Kept | None:
    """Return what attacks found as ``Assessment.to_dict`` has it; what an older platform kept, in English only."""
    return None if kept is None else _recalled(kept)


def recall(kept: Kept | None) -> tuple[tuple[Metric, ...], tuple[str, ...]]:
    """Return kept metrics and remarks; of those that an older platform kept, the values alone."""
    if kept is None:
        return (), ()
    if not kept.get("details"):
        names = [name for name in DEFINITIONS if name in kept]
        values = {name: kept[name] for name in names}
        return tuple(
            not_computed(name, _OLD) if value is None else Metric(name, value) for name, value in values.items()
        ), ()
    found = _recalled(kept)
    return tuple(map(_metric, found["details"])), tuple(found["remarks"])


def _keep(evaluation: Evaluation, names: Iterable[str]) -> Kept:
    return _with_sentences(
        {"details": [evaluation[name].to_dict() for name in names], "remarks": list(evaluation.remarks)}
    )


def _with_sentences(values: dict[str, Any]) -> Kept:
    return {**values, "said": sentences_in(values)}


def _plain(values: Kept) -> Kept:
    """Return the same of JSON's own types alone.

    One word of a type of ours, and the platform that is sent these would load all that computes them.
    """
    plain: Kept = json.loads(json.dumps(values))
    return plain


def _recalled(kept: Kept) -> dict[str, Any]:
    values = {name: each for name, each in kept.items() if name != "said"}
    again: dict[str, Any] = said_again(values, kept.get("said", {}))
    return again


def _metric(kept: dict[str, Any]) -> Metric:
    baseline = kept["baseline"]
    return Metric(
        kept["name"],
        kept["value"],
        kept["reason"],
        None if baseline is None else Baseline(**baseline),
        {tuple(part["columns"]): part["value"] for part in kept["worst"]},
        kept["note"],
    )
