"""What attacks found, in the words of one language: the verdict, how it came about, and a line for each figure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from avatars.evaluation.floor import UTILITY
from avatars.report.small_counts import FEWEST
from avatars.report.words import Words, clean, printable, sentence

_NAMED = 3
"""Columns that drove a figure."""


@dataclass(frozen=True)
class AttackRow:
    """One figure of an attack; ``beside`` is the figure where there is nothing to find."""

    name: str
    title: str
    says: str
    attacker: str
    value: str
    range: str
    beside: str
    verdict: str
    verdict_text: str
    more: tuple[str, ...]


@dataclass(frozen=True)
class AttackSection:
    """What attacks found.

    Attributes
    ----------
    verdict
        PASS, REVIEW, BLOCK or INCONCLUSIVE; empty where nothing was attacked.
    said
        Sentences of the gate; of an assessment that an older platform kept, in English.
    not_run
        Attacks without a figure, with the reason.
    """

    title: str
    text: str
    verdict: str = ""
    verdict_text: str = ""
    verdict_says: str = ""
    exposed: str = ""
    said: tuple[str, ...] = ()
    said_title: str = ""
    rows: tuple[AttackRow, ...] = ()
    not_run: tuple[str, ...] = ()
    caution: str = ""
    nothing: str = ""


def attacks_section(found: Mapping[str, Any] | None, words: Words) -> AttackSection:
    """Say what attacks found; ``found`` is as ``Assessment.to_dict`` has it."""
    title = words("attacks.title")
    if found is None:
        return AttackSection(title, words("attacks.text"), nothing=words("attacks.none"))
    verdict = str(found["verdict"])
    how = words(
        "attacks.how",
        members=words.count(found["members"]),
        others=words.count(found["others"]),
        effort=words(f"attacks.effort_{found['thoroughness'] or 'quick'}"),
    )
    computed = [figure for figure in found["figures"] if figure["value"] is not None]
    return AttackSection(
        title=title,
        text=f"{words('attacks.text')} {how}",
        verdict=verdict,
        verdict_text=words(f"attacks.verdict_{verdict}"),
        verdict_says=words(f"attacks.verdict_{verdict}_says"),
        exposed=_exposed(found["exposure"], words),
        said=tuple(clean(words.said(each)) for each in (*found["reasons"], *found["advice"], *found["remarks"])),
        said_title=words("attacks.said"),
        rows=tuple(_row(figure, words) for figure in computed),
        not_run=tuple(_not_run(figure, words) for figure in found["figures"] if figure["value"] is None),
        caution=words("attacks.caution"),
    )


def _row(figure: Mapping[str, Any], words: Words) -> AttackRow:
    name, verdict = str(figure["name"]), str(figure["verdict"] or "")
    low, high, null = figure["low"], figure["high"], figure["null"]
    is_attack = figure["attack"] != UTILITY
    more = []
    if figure["columns"]:
        driving = sorted(figure["columns"].items(), key=lambda item: -item[1])[:_NAMED]
        names = ", ".join(f"{printable(column)} ({words.share(share)})" for column, share in driving)
        more.append(sentence(words("attacks.driven", names=names)))
    if figure["reason"]:
        more.append(sentence(clean(words.said(figure["reason"]))))
    beside = "beside" if is_attack else "beside_utility"
    return AttackRow(
        name=name,
        title=_title(name, words),
        says=sentence(words.said(figure["says"])),
        # What decides nothing is nobody's attack, nor is what is left of the statistics.
        attacker=words.said(figure["attacker"]) if verdict and is_attack else "",
        value=words.thousandths(figure["value"]),
        range="" if low is None or high is None else f"{words.thousandths(low)} – {words.thousandths(high)}",
        beside="" if null is None else words(f"attacks.{beside}", value=words.thousandths(null)),
        verdict=verdict,
        verdict_text=words(f"attacks.verdict_{verdict}") if verdict else words("attacks.shown"),
        more=tuple(more),
    )


def _not_run(figure: Mapping[str, Any], words: Words) -> str:
    reason = clean(words.said(figure["reason"] or ""))
    return sentence(f"{_title(figure['name'], words)}{words('format.colon')} {reason}")


def _exposed(exposure: Mapping[str, Any] | None, words: Words) -> str:
    if exposure is None:
        return ""
    exposed = exposure["exposed"]
    few = words("format.few", fewest=FEWEST)
    return words(
        "attacks.exposed",
        exposed=few if exposed is None else words.count(exposed),
        measured=words.count(exposure["measured"]),
        chance=words.whole(exposure["by_chance"]),
    )


def _title(name: str, words: Words) -> str:
    key = f"attack.{name}.title"
    return words(key) if words.knows(key) else name
