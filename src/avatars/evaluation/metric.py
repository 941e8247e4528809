"""What a metric is: a value, or why there is none, with what it takes to read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Any

from avatars.evaluation.catalogue import DEFINITIONS, Criterion

Columns = tuple[str, ...]
"""Names of the columns that a figure is about."""


@dataclass(frozen=True)
class Baseline:
    """A figure without which a metric's value says little.

    Attributes
    ----------
    what
        Whose figure it is, in a few words.
    value
        The same metric of those.
    same_rows
        The avatars' own figure, measured on as few rows as the baseline was; None where that makes no difference. Small
        tables differ by chance, so it is this one that compares with ``value``.
    """

    what: str
    value: float
    same_rows: float | None = None


@dataclass(frozen=True)
class Metric:
    """One metric of one pair of tables: either ``value`` or ``reason`` is there.

    Attributes
    ----------
    name
        As in ``catalogue.DEFINITIONS``.
    value
        Finite; None where the metric was not computed.
    reason
        Why it was not computed, for people; None where it was.
    baseline
        What the value is to be read beside, where there is such a thing.
    parts
        The values by column, pair or triple of columns that ``value`` sums up, the worst first; empty where there is
        nothing to part.
    note
        What else is to be known, such as on how many of the triples the value rests.
    """

    name: str
    value: float | None
    reason: str | None = None
    baseline: Baseline | None = None
    parts: Mapping[Columns, float] = field(default_factory=dict)
    note: str | None = None

    @property
    def criterion(self) -> Criterion:
        """What the metric speaks to."""
        return DEFINITIONS[self.name].criterion

    @property
    def target(self) -> str | None:
        """What the value is usually asked to reach, such as "> 90"; None where only the baseline can say."""
        return DEFINITIONS[self.name].target

    @property
    def attacker(self) -> str | None:
        """What the attacker is assumed to hold and to do; None for utility."""
        return DEFINITIONS[self.name].attacker

    @property
    def reaches_target(self) -> bool | None:
        """Whether the value does; None without a target or a value. A target is a convention, no verdict."""
        if self.target is None or self.value is None:
            return None
        sign, limit = self.target.split()
        return self.value > float(limit) if sign == ">" else self.value < float(limit)

    def to_dict(self, worst: int = 10) -> dict[str, Any]:
        """Return all there is to know of it as JSON values, with so many of its parts."""
        return {
            "name": self.name,
            "criterion": self.criterion,
            "value": self.value,
            "reason": self.reason,
            "target": self.target,
            "reaches_target": self.reaches_target,
            "attacker": self.attacker,
            "baseline": None if self.baseline is None else asdict(self.baseline),
            "note": self.note,
            "worst": [
                {"columns": list(columns), "value": value} for columns, value in islice(self.parts.items(), worst)
            ],
        }

    def __str__(self) -> str:
        """Return the metric in words."""
        if self.value is None:
            return f"{self.name}: not computed: {self.reason}"
        target = f" (target {self.target})" if self.target else ""
        beside = f", {self.baseline.what}: {self.baseline.value:.3f}" if self.baseline else ""
        return f"{self.name}: {self.value:.3f}{target}{beside}"


def not_computed(name: str, reason: str) -> Metric:
    """Make a metric that has no value."""
    return Metric(name, None, reason)
