"""How k was chosen, in the words of one language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from avatars.report.sections import Picture, Section
from avatars.report.words import Words


@dataclass(frozen=True)
class Looked:
    """What was found at one k with the people parted in one way; all empty where it was not tried."""

    auc: str = ""
    range: str = ""
    accuracy: str = ""
    verdict: str = ""
    verdict_text: str = ""


@dataclass(frozen=True)
class ChoiceRow:
    """One k, at first and with the people parted anew."""

    k: str
    is_taken: bool
    first: Looked
    again: Looked


@dataclass(frozen=True)
class ChoiceSection(Section):
    """The same as a section, with a table of every k; ``fresh`` is what fresh people reach of the accuracy.

    ``partings`` are the names of what there is of each row: at first, and again where any was tried again.
    """

    rows: tuple[ChoiceRow, ...] = ()
    partings: tuple[str, ...] = ()
    fresh: str = ""


def choice_section(choice: Mapping[str, Any], words: Words) -> ChoiceSection:
    """Say why this k; ``choice`` is as ``Choice.to_dict`` has it."""
    title = words("choice.title")
    # The evaluation's own sentence comes first: it is what was found.
    text = f"{words.said(choice['reason'])} {words('choice.text')}"
    points = measured(choice)
    if not points:
        return ChoiceSection(title, text)
    figures = "; ".join(
        words(
            "choice.point",
            k=point["k"],
            auc=words.number(point["nearest_auc"]),
            accuracy=words.number(point["bivariate_accuracy"]),
        )
        for point in points
    )
    notes = []
    if once := [point["k"] for point in choice["again"] if point["verdict"] != "PASS"]:
        notes.append(words("choice.once", tried=", ".join(map(str, once))))
    if len(points) > 1:
        notes.append(words("choice.looks", some=len(points)))
    picture = Picture("choice", title, words("choice.caption"), words("choice.alt", figures=figures))
    again = {point["k"]: _looked(point, words) for point in choice["again"]}
    rows = tuple(
        ChoiceRow(
            words.whole(point["k"]),
            point["k"] == choice["k"],
            _looked(point, words),
            again.get(point["k"], Looked()),
        )
        for point in points
    )
    fresh = choice["fresh_people"]
    fresh = "" if fresh is None else words.thousandths(fresh)
    partings = ("first", "again") if again else ("first",)
    return ChoiceSection(title, text, (picture,), tuple(notes), rows=rows, partings=partings, fresh=fresh)


def measured(choice: Mapping[str, Any], which: str = "points") -> Sequence[Mapping[str, Any]]:
    """Return the points of the curve, or those ``"again"``, where there were enough people for one."""
    return [point for point in choice[which] if point["nearest_auc"] is not None]


def _looked(point: Mapping[str, Any], words: Words) -> Looked:
    auc, low, high, accuracy = (
        "" if point[name] is None else words.thousandths(point[name])
        for name in ("nearest_auc", "low", "high", "bivariate_accuracy")
    )
    verdict = str(point["verdict"])
    return Looked(auc, f"{low} – {high}" if low else "", accuracy, verdict, words(f"attacks.verdict_{verdict}"))
