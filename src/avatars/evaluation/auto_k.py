"""The smallest k that passes: what attacks find, and what statistics lose, over k.

A curve is made on one split of the table; the k that it recommends has to pass on a second one, whose people are parted
anew: the smallest of many that happened to pass is likely to have been lucky. What was looked at is kept with the
choice, for each look makes a verdict worth a little less.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import pyarrow as pa

from avatars.engine.columns import Kind
from avatars.engine.parameters import Parameters, default_k
from avatars.engine.progress import Progress, Silent, advance
from avatars.engine.workspace import IN_MEMORY, Workspace
from avatars.evaluation.assess import assess
from avatars.evaluation.attacks.figure import Verdict
from avatars.evaluation.attacks.tables import Attacked
from avatars.evaluation.floor import bivariate_accuracies
from avatars.evaluation.wording import said

STEP = "choosing k"

LADDER = (10, 15, 20, 30, 50, 75, 100, 150, 200)
"""What is tried, each about half as much again as the one before: figures do not tell finer steps apart."""


@dataclass(frozen=True)
class Point:
    """One k: what attacks find in avatars of half of the table, and how well these keep it.

    Attributes
    ----------
    nearest_auc, low, high
        How well the distance to the nearest avatar tells members from others, with its one-sided 95 % bounds; .5 is
        chance. None where people are too few.
    bivariate_accuracy
        1 minus the mean total variation distance of pairs of columns, members and avatars.
    verdict
        Of a quick assessment.
    """

    k: int
    nearest_auc: float | None
    low: float | None
    high: float | None
    bivariate_accuracy: float | None
    verdict: Verdict


@dataclass(frozen=True)
class Choice:
    """The curve over k, and what was chosen.

    Attributes
    ----------
    k
        The smallest that passed twice; where none did, what would be taken without a choice.
    is_confirmed
        Whether it passed on both splits.
    points
        The curve, by k.
    fresh_people
        The bivariate accuracy of the people who were held out: what another sample of the same people reaches.
    reason
        Why this k, in a sentence.
    again
        What was found with the people parted anew, of those that passed and were tried a second time, by k.
    """

    k: int
    is_confirmed: bool
    points: tuple[Point, ...]
    fresh_people: float | None
    reason: str
    again: tuple[Point, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the same as plain values, for JSON."""
        return asdict(self)


def choose_k(
    table: pa.Table,
    parameters: Parameters,
    *,
    types: Mapping[str, Kind] | None = None,
    to_categorical_threshold: int | None = None,
    split_seed: int = 0,
    progress: Progress | None = None,
    workspace: Workspace = IN_MEMORY,
) -> Choice:
    """Return the smallest k of ``LADDER`` whose avatars pass a quick assessment on two splits; definition ours.

    Cost: a run and its attacks on half of the table for each k that has four times as many rows, and for each that is
    confirmed or not. Raises ``Cancelled``.
    """
    progress = progress or Silent()
    ladder = [k for k in LADDER if 4 * k <= table.num_rows]
    points: list[Point] = []
    fresh: list[float] = []

    def judge(k: int, seed: int) -> Point:
        kept: list[float] = []

        def look(attacked: Attacked) -> None:
            found = bivariate_accuracies(attacked.members, attacked.release, attacked.others)
            kept.append(found[0])
            fresh.append(found[1])

        found = assess(
            table,
            replace(parameters, k=k),
            types=types,
            to_categorical_threshold=to_categorical_threshold,
            split_seed=seed,
            progress=_Quietly(progress),
            workspace=workspace,
            look=look,
        )
        nearest = found["nearest_auc"]
        return Point(k, nearest.value, nearest.low, nearest.high, kept[0] if kept else None, found.verdict)

    for place, k in enumerate(ladder):
        points.append(judge(k, split_seed))
        advance(progress, STEP, place + 1, len(ladder) + 1)
    again: list[Point] = []
    chosen = None
    for k in [point.k for point in points if point.verdict is Verdict.PASS]:
        again.append(judge(k, split_seed + 1))
        if again[-1].verdict is Verdict.PASS:
            chosen = k
            break
    advance(progress, STEP, 1, 1)
    usual = default_k(table.num_rows)
    return Choice(
        usual if chosen is None else chosen,
        chosen is not None,
        tuple(points),
        fresh[0] if fresh else None,
        _reason(points, chosen, usual),
        tuple(again),
    )


class _Quietly:
    """One assessment among many: it says nothing, and stops when the whole should."""

    def __init__(self, whole: Progress) -> None:
        self._whole = whole

    def report(self, step: str, done: float, total: float) -> None:
        """Say nothing."""

    def should_stop(self) -> bool:
        """Ask for the whole."""
        return self._whole.should_stop()


def _reason(points: list[Point], chosen: int | None, usual: int) -> str:
    if chosen is not None:
        return said("k is {k}: the smallest that passed on one split of the table, and on another.", k=chosen)
    if not points or all(point.verdict is Verdict.INCONCLUSIVE for point in points):
        return said("k is {k}, as without a choice: the table has too few people for attacks to tell.", k=usual)
    return said(
        "k is {k}, as without a choice: none of {tried} passed on two splits of the table. See the assessment for what "
        "stands against it.",
        k=usual,
        tried=[point.k for point in points],
    )
