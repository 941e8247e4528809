"""The figures of a report in the words of one language: a title, a text, captions, and what is said in their place."""

from __future__ import annotations

from dataclasses import dataclass

from avatars.report.links import Links, Matrix
from avatars.report.report import Report
from avatars.report.small_counts import FEWEST
from avatars.report.variables import Both, Variable
from avatars.report.words import Words, printable

MOST_ROWS = 200
"""Of the table of variables."""
MOST_FIGURES = 36
"""Of single variables."""


@dataclass(frozen=True)
class Picture:
    """A figure with its words; ``alt`` is for those who do not see it."""

    name: str
    title: str
    caption: str
    alt: str


@dataclass(frozen=True)
class Section:
    """Figures on one subject; ``nothing`` says why there are none."""

    title: str
    text: str
    pictures: tuple[Picture, ...] = ()
    notes: tuple[str, ...] = ()
    nothing: str = ""


@dataclass(frozen=True)
class VariableRow:
    """One line of the table of variables; figures of originals and avatars, empty where there are none."""

    name: str
    kind: str
    distance: str
    sort_value: float
    mean: tuple[str, str]
    sd: tuple[str, str]
    missing: tuple[str, str]


def planes_section(report: Report, words: Words) -> Section:
    """Say what the planes of the projection show."""
    title, text = words("planes.title"), words("planes.text", fewest=FEWEST)
    if report.planes is None:
        return Section(title, text, nothing=words("planes.none"))
    pictures = tuple(
        Picture(
            f"plane-{plane.x}-{plane.y}",
            words("planes.pair", x=plane.x, y=plane.y),
            words("planes.caption", x=plane.x, y=plane.y, shown=words.share(plane.shown)),
            words("planes.alt", x=plane.x, y=plane.y),
        )
        for plane in report.planes.planes
    )
    drawn = len(report.planes.avatars)
    notes = (words("planes.sample", some=words.whole(drawn), all=words.whole(report.avatars)),)
    return Section(title, text, pictures, notes if drawn < report.avatars else ())


def variables_section(report: Report, words: Words) -> Section:
    """Say what the figures of single variables show, the most moved first."""
    drawn = [variable for variable in report.variables if variable.distribution is not None]
    pictures = tuple(
        Picture(
            f"distribution-{variable.position}",
            printable(variable.name),
            "",
            words("variables.alt", name=printable(variable.name), distance=words.number(variable.hellinger)),
        )
        for variable in drawn[:MOST_FIGURES]
    )
    notes = []
    if len(drawn) > MOST_FIGURES:
        notes.append(words("variables.some", some=MOST_FIGURES, all=words.whole(len(drawn))))
    if len(report.variables) > MOST_ROWS:
        notes.append(words("variables.some_rows", some=MOST_ROWS, all=words.whole(len(report.variables))))
    return Section(words("variables.title"), words("variables.text"), pictures, tuple(notes))


def variable_row(variable: Variable, words: Words) -> VariableRow:
    """Return a line of the table of variables."""
    few = words("format.few", fewest=FEWEST)

    def both(figures: Both | None, write: str) -> tuple[str, str]:
        if figures is None:
            return "", ""
        one, other = (words.number(each, padded=True) if write == "number" else words.share(each) for each in figures)
        return one, other

    return VariableRow(
        printable(variable.name),
        words("variables.kind_duration", unit=variable.unit)
        if variable.unit
        else words(f"variables.kind_{variable.kind}"),
        words.thousandths(variable.hellinger),
        variable.hellinger,
        both(variable.mean, "number"),
        both(variable.sd, "number"),
        (few, "") if variable.missing is None else both(variable.missing, "share"),
    )


def links_section(report: Report, words: Words) -> Section:
    """Say what the matrices of associations show."""
    title, text, shown = words("links.title"), words("links.text"), report.links
    if shown is None:
        return Section(title, text, nothing=words("links.none"))
    largest = _largest_difference(shown)
    if largest is None:
        return Section(title, text, nothing=words("links.none"))
    gap, one, other = largest
    said = {"largest": words.number(round(gap, 2)), "one": printable(one), "other": printable(other)}
    picture = Picture("links", title, words("links.largest", **said), words("links.alt", **said))
    notes = () if shown.of_all else (words("links.some", some=len(shown.names), all=words.whole(report.columns)),)
    return Section(title, text, (picture,), notes)


def _largest_difference(shown: Links) -> tuple[float, str, str] | None:
    def cells(matrix: Matrix) -> list[float | None]:
        return [cell for row in matrix for cell in row]

    pairs = [(one, other) for one in shown.names for other in shown.names]
    gaps = [
        (there - here, *pair)
        for here, there, pair in zip(cells(shown.originals), cells(shown.avatars), pairs, strict=True)
        if here is not None and there is not None
    ]
    return max(gaps, key=lambda gap: abs(gap[0]), default=None)


def components_section(report: Report, words: Words) -> Section:
    """Say what the projection is made of."""
    title, text, shown = words("components.title"), words("components.text"), report.components
    if shown is None:
        return Section(title, text, nothing=words("planes.none"))
    variance = Picture(
        "variance",
        words("components.variance"),
        "",
        words("components.variance_alt", shares=", ".join(map(words.share, shown.variance))),
    )
    first = max(zip(shown.contributions, shown.names, strict=True), key=lambda pair: pair[0][0])[1]
    contributions = Picture(
        "contributions",
        words("components.contributions"),
        "" if shown.of_all else words("components.some", some=len(shown.names)),
        words("components.contributions_alt", name=printable(first)),
    )
    return Section(title, text, (variance, contributions))


def distances_section(report: Report, words: Words) -> Section:
    """Say how close avatars come to people."""
    title, text, shown = words("distances.title"), words("distances.text"), report.distances
    if shown is None:
        return Section(title, text, nothing=words("distances.none"))
    avatars, held_out, people = (None if median is None else words.number(median) for median in shown.medians)
    if held_out is None:
        medians = words("distances.medians", avatars=avatars, people=people)
    else:
        medians = words("distances.medians_held_out", avatars=avatars, held_out=held_out, people=people)
    picture = Picture("distances", title, medians, words("distances.alt", medians=medians))
    notes = [] if held_out is not None else [words("distances.no_held_out")]
    if report.people is not None and shown.measured_people < report.people:
        notes.append(words("distances.sample", some=words.whole(shown.measured_people)))
    return Section(title, text, (picture,), tuple(notes))
