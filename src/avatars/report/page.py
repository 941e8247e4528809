"""What a report says, in the words of one language and in the order in which it is read; HTML and PDF both show this.

A new section is a field of `Page`, a function here, and a part of each template.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from avatars.evaluation.catalogue import PRIVACY
from avatars.evaluation.metric import Metric
from avatars.report.attacks import AttackSection, attacks_section
from avatars.report.choice import ChoiceSection, choice_section
from avatars.report.report import Report
from avatars.report.sections import (
    MOST_ROWS,
    Section,
    VariableRow,
    components_section,
    distances_section,
    links_section,
    planes_section,
    variable_row,
    variables_section,
)
from avatars.report.small_counts import FEWEST, FEWEST_FOR_MOMENTS
from avatars.report.words import Words, printable, sentence

Status = Literal["reached", "missed", "no_target"]

_WORST_NAMED = 3


@dataclass(frozen=True)
class Item:
    """A term and what it is."""

    term: str
    text: str


@dataclass(frozen=True)
class Row:
    """One metric of the table; ``sort_value`` is its figure for whoever sorts by it."""

    name: str
    title: str
    value: str
    sort_value: float
    target: str
    status: Status
    status_text: str
    beside: tuple[str, ...]
    says: str
    more: tuple[str, ...]


@dataclass(frozen=True)
class Lack:
    """Metrics, by title and name, that were not computed for one reason."""

    reason: str
    metrics: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Group:
    """Metrics of one family."""

    title: str
    text: str
    rows: tuple[Row, ...]
    not_computed: tuple[Lack, ...]


@dataclass(frozen=True)
class Explanation:
    """What a metric assumes, and where it ends."""

    title: str
    name: str
    criterion: str
    attacker: str
    limits: str


@dataclass(frozen=True)
class Page:
    """The whole report; ``choice`` is None where k was given."""

    language: str
    title: str
    made: str
    lead: str
    tallies: tuple[str, ...]
    missed: str
    caution: str
    doubts: tuple[str, ...]
    facts: tuple[Item, ...]
    groups: tuple[Group, ...]
    attacks: AttackSection
    choice: ChoiceSection | None
    planes: Section
    variables: Section
    variable_rows: tuple[VariableRow, ...]
    links: Section
    components: Section
    distances: Section
    explanations: tuple[Explanation, ...]
    making: tuple[Item, ...]

    @property
    def sections(self) -> tuple[Section, ...]:
        """Those with figures, in the order of reading."""
        chosen = () if self.choice is None else (self.choice,)
        return (*chosen, self.planes, self.variables, self.links, self.components, self.distances)


def write_page(report: Report, words: Words) -> Page:
    """Put a report into words."""
    made = "page.compared" if report.settings is None else "page.made"
    families = [
        [metric for metric in report.metrics if (metric.name in PRIVACY) == is_privacy] for is_privacy in (True, False)
    ]
    missed = [words.metric(metric.name, "title") for metric in report.metrics if metric.reaches_target is False]
    return Page(
        language=words.language,
        title=words("page.title"),
        made=words(made, date=words.day(report.made_on)),
        lead=words("page.lead"),
        tallies=tuple(_tallies(families, words)),
        missed=words("tally.missed", names=" · ".join(missed)) if missed else "",
        caution=words("page.caution"),
        doubts=tuple(words.said(remark) for remark in report.remarks),
        facts=tuple(_facts(report, words)),
        groups=tuple(
            _group(name, family, words) for name, family in zip(("privacy", "utility"), families, strict=True) if family
        ),
        attacks=attacks_section(report.assessment, words),
        choice=None if report.choice is None else choice_section(report.choice, words),
        planes=planes_section(report, words),
        variables=variables_section(report, words),
        variable_rows=tuple(variable_row(variable, words) for variable in report.variables[:MOST_ROWS]),
        links=links_section(report, words),
        components=components_section(report, words),
        distances=distances_section(report, words),
        explanations=tuple(_explanation(metric, words) for metric in report.metrics),
        making=tuple(_making(report, words)),
    )


def _tallies(families: Sequence[Sequence[Metric]], words: Words) -> Iterable[str]:
    for name, family in zip(("privacy", "utility"), families, strict=True):
        judged = [metric.reaches_target for metric in family if metric.reaches_target is not None]
        if judged:
            yield words(f"tally.{name}", reached=sum(judged), all=len(judged))


def _facts(report: Report, words: Words) -> Iterable[Item]:
    def fact(name: str, text: str) -> Item:
        return Item(words(f"facts.{name}"), text)

    yield fact("people", words.count(report.people))
    yield fact("avatars", words.count(report.avatars))
    yield fact("columns", words.whole(report.columns))
    if report.held_out is not None:
        yield fact("held_out", words.count(report.held_out))
    if report.settings is None:
        yield fact("method", words("facts.elsewhere"))
    else:
        said = dict(report.settings)
        method = str(said.pop("method"))
        yield fact("method", words(f"facts.method_{method}") if words.knows(f"facts.method_{method}") else method)
        yield fact("k", words.whole(said.pop("k")))
        ncp = said.pop("ncp")
        yield fact("ncp", words("facts.ncp_default") if ncp is None else words.whole(ncp))
        if said:
            yield fact(
                "setting",
                "; ".join(f"{name}{words('format.colon')} {_value(value, words)}" for name, value in said.items()),
            )
    yield fact("link", words("facts.linked" if report.is_linked else "facts.shuffled"))
    if report.replaced:
        yield fact("replaced", words.named(report.replaced, 20))
    if report.left_out:
        yield fact("left_out", words.named(report.left_out, 20))


def _value(value: object, words: Words) -> str:
    if isinstance(value, dict):
        inner = ", ".join(f"{printable(str(name))} = {_value(each, words)}" for name, each in value.items())
        return f"({inner})"
    if isinstance(value, list | tuple):
        return words.named(map(str, value), 20)
    if isinstance(value, float):
        return words.number(value)
    return printable(str(value))


def _group(name: str, family: Sequence[Metric], words: Words) -> Group:
    reasons: dict[str, list[tuple[str, str]]] = {}
    for metric in family:
        if metric.reason is not None:
            named = (words.metric(metric.name, "title"), metric.name)
            reasons.setdefault(words.said(metric.reason), []).append(named)
    return Group(
        words(f"metrics.{name}"),
        words(f"metrics.{name}_text"),
        tuple(_row(metric, metric.value, words) for metric in family if metric.value is not None),
        tuple(Lack(reason, tuple(metrics)) for reason, metrics in reasons.items()),
    )


def _row(metric: Metric, value: float, words: Words) -> Row:
    status: Status = "no_target"
    if metric.reaches_target is not None:
        status = "reached" if metric.reaches_target else "missed"
    written = words.value(metric.name, value)
    return Row(
        name=metric.name,
        title=words.metric(metric.name, "title"),
        value=written,
        sort_value=value,
        target=_target(metric, words),
        status=status,
        status_text=words(f"metrics.{status}"),
        beside=tuple(_beside(metric, words)),
        says=words.metric(metric.name, "says", value=written),
        more=tuple(_more(metric, words)),
    )


def _target(metric: Metric, words: Words) -> str:
    if metric.target is None:
        return "–"
    sign, limit = metric.target.split()
    return f"{sign}\N{NO-BREAK SPACE}{words.value(metric.name, float(limit))}"


def _beside(metric: Metric, words: Words) -> Iterable[str]:
    if metric.baseline is None:
        return
    # Like a target, it has the metric's own unit.
    value = words.value(metric.name, metric.baseline.value)
    yield f"{words.said(metric.baseline.what)}{words('format.colon')} {value}"
    if metric.baseline.same_rows is not None:
        yield words("metrics.same_rows", value=words.value(metric.name, metric.baseline.same_rows))


def _more(metric: Metric, words: Words) -> Iterable[str]:
    together = max(map(len, metric.parts), default=1)
    worst = list(metric.parts)[: max(1, _WORST_NAMED // together)] if metric.parts else []
    if worst:
        yield words("metrics.worst", names=", ".join(" × ".join(map(printable, columns)) for columns in worst))
    if metric.note is not None:
        yield sentence(words.said(metric.note))


def _explanation(metric: Metric, words: Words) -> Explanation:
    return Explanation(
        title=words.metric(metric.name, "title"),
        name=metric.name,
        criterion=words(f"criteria.{metric.criterion}"),
        attacker=sentence(words.metric(metric.name, "attacker")),
        limits=words.metric(metric.name, "limits"),
    )


def _making(report: Report, words: Words) -> Iterable[Item]:
    yield Item(words("making.small"), words("making.small_text", fewest=FEWEST, moments=FEWEST_FOR_MOMENTS))
    seed = {None: "seed_unknown", True: "seed_given", False: "seed_fresh"}[report.seed_was_given]
    yield Item(words("making.seed"), words(f"making.{seed}"))
    for name, mark in report.marks.items():
        yield Item(words(f"making.{name}"), mark)
    yield Item(words("making.hashes"), words("making.no_hash"))
    yield Item(words("making.versions"), ", ".join(f"{name} {version}" for name, version in report.versions.items()))
    yield Item(words("metrics.target"), words("making.target_text"))
