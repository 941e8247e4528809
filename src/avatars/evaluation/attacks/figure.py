"""A figure of an attack, with how far chance can have moved it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

import numpy as np
from scipy.stats import rankdata

from avatars.engine.features import Floats
from avatars.evaluation.attacks.catalogue import FIGURES

Z = 1.6448536269514722
"""Of one-sided 95 % bounds."""


class Verdict(StrEnum):
    """What the gate says of a figure, or of a release; INCONCLUSIVE where people were too few to say anything."""

    PASS = "PASS"  # noqa: S105
    REVIEW = "REVIEW"
    BLOCK = "BLOCK"
    INCONCLUSIVE = "INCONCLUSIVE"


@dataclass(frozen=True)
class Figure:
    """One figure of one attack: either ``value`` or ``reason`` is there.

    Attributes
    ----------
    name
        As in ``catalogue.FIGURES``, where what it says and what the attacker is assumed to know is found.
    value
        None where the attack was not run.
    low, high
        One-sided 95 % bounds of the value.
    null
        The same figure where there is nothing to find: for a release of people who are in neither table, or by chance.
    people, others
        On how many members (or queries, or avatars) and on how many held-out people it rests.
    columns
        The columns that drove it, and the share of each; empty where nothing can be parted.
    reason
        Why there is no value, or why it decides nothing, with the number of people needed.
    verdict
        What the gate says; None for figures that are shown and decide nothing.
    """

    name: str
    value: float | None
    low: float | None = None
    high: float | None = None
    null: float | None = None
    people: int = 0
    others: int = 0
    columns: Mapping[str, float] = field(default_factory=dict)
    reason: str | None = None
    verdict: Verdict | None = None

    @property
    def attack(self) -> str:
        """The attack that it belongs to."""
        return FIGURES[self.name].attack

    @property
    def says(self) -> str:
        """What it says, in words."""
        return FIGURES[self.name].says

    @property
    def attacker(self) -> str:
        """What the attacker is assumed to know and to do."""
        return FIGURES[self.name].attacker


def auc(members: Floats, others: Floats) -> float:
    """Return the chance that a member's score is above another's, ties counting half (Mann-Whitney)."""
    ranks = rankdata(np.concatenate([members, others]))
    n = len(members)
    return float((ranks[:n].sum() - n * (n + 1) / 2) / (n * len(others)))


def auc_error(members: int, others: int) -> float:
    """Return the standard error of an AUC where scores tell nothing: ``sqrt((n1 + n2 + 1) / (12 n1 n2))``."""
    return math.sqrt((members + others + 1) / (12 * members * others))


def threshold(others: Floats, false_alarms: float) -> float:
    """Return the score that at most this share of the others exceed."""
    return float(np.sort(others)[::-1][int(false_alarms * len(others))])


def wilson(hits: float, of: int) -> tuple[float, float]:
    """Return the one-sided 95 % bounds of a rate (Wilson, JASA 22:209, 1927)."""
    rate, z2 = hits / of, Z * Z
    middle = (rate + z2 / (2 * of)) / (1 + z2 / of)
    width = Z / (1 + z2 / of) * math.sqrt(rate * (1 - rate) / of + z2 / (4 * of * of))
    # The rate itself is between them; at 0 and 1 rounding would put it outside.
    return max(0.0, min(rate, middle - width)), min(1.0, max(rate, middle + width))


def auc_figure(name: str, members: Floats, others: Floats, **more: Any) -> Figure:
    """Make the figure of an AUC."""
    value, error = auc(members, others), auc_error(len(members), len(others))
    figure = Figure(name, value, value - Z * error, value + Z * error, people=len(members), others=len(others))
    return replace(figure, **more)


def rate_figure(name: str, hits: float, of: int, **more: Any) -> Figure:
    """Make the figure of a rate."""
    low, high = wilson(hits, of)
    return replace(Figure(name, hits / of, low, high, people=of), **more)


def found_figure(name: str, members: Floats, others: Floats, false_alarms: float, **more: Any) -> Figure:
    """Make the figure of the members who score above the threshold of so many false alarms.

    The threshold is itself uncertain: where others are few, more than these may be beyond it. That is added to Wilson's
    bounds as it is for scores that tell nothing (ours).
    """
    rate = float((members > threshold(others, false_alarms)).mean())
    low, high = wilson(rate * len(members), len(members))
    doubt = Z * math.sqrt(false_alarms * (1 - false_alarms) / len(others))
    figure = Figure(
        name,
        rate,
        max(0.0, rate - math.hypot(rate - low, doubt)),
        min(1.0, rate + math.hypot(high - rate, doubt)),
        null=false_alarms,
        people=len(members),
        others=len(others),
    )
    return replace(figure, **more)


def difference_figure(name: str, hits: float, of: int, null_hits: float, null_of: int, **more: Any) -> Figure:
    """Make the figure of a rate minus the rate where there is nothing to find (Newcombe, Stat. Med. 17:873, 1998)."""
    rate, null = hits / of, null_hits / null_of
    (low, high), (null_low, null_high) = wilson(hits, of), wilson(null_hits, null_of)
    figure = Figure(
        name,
        rate - null,
        rate - null - math.hypot(rate - low, null_high - null),
        rate - null + math.hypot(high - rate, null - null_low),
        null=null,
        people=of,
        others=null_of,
    )
    return replace(figure, **more)


def not_run(name: str, reason: str) -> Figure:
    """Make a figure without a value."""
    return Figure(name, None, reason=reason)
