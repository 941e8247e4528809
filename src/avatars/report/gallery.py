"""The figures of a report by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from typing import Any

from matplotlib.figure import Figure

from avatars.engine.errors import InvalidParameter
from avatars.report import charts, choice_chart, style
from avatars.report.choice import measured
from avatars.report.components import Components
from avatars.report.distances import Distances
from avatars.report.links import Links
from avatars.report.planes import Plane
from avatars.report.report import Report
from avatars.report.setting import set_with_typst
from avatars.report.variables import Variable
from avatars.report.words import Words


@dataclass(frozen=True)
class Drawing:
    """A figure as SVG, and how wide it is meant to be, in inches."""

    svg: str
    width: float


class Gallery:
    """The figures of one report in one language, each drawn once, when it is first asked for."""

    def __init__(self, report: Report, words: Words) -> None:
        self.report = report
        self.words = words
        self._drawn: dict[str, Drawing] = {}

    def __getitem__(self, name: str) -> Drawing:
        """Return a figure; ``key`` is the one that explains the small ones."""
        if name not in self._drawn:
            figure = charts.key(self.words) if name == "key" else draw(self.report, name, self.words)
            self._drawn[name] = Drawing(style.to_svg(figure), figure.get_figwidth())
        return self._drawn[name]


def names_of(report: Report) -> list[str]:
    """Return the names of all figures of a report.

    ``plane-1-2`` is that of components 1 and 2, ``distribution-3`` that of the table's third column.
    """
    return list(_figures(report))


def draw(report: Report, name: str, words: Words) -> Figure:
    """Draw a figure; raises ``InvalidParameter`` for a name that there is not."""
    match _of(report, name):
        case Plane() as plane:
            assert report.planes is not None
            assert report.components is not None
            return charts.plane(report.planes, plane, report.components.variance, words)
        case Variable() as variable:
            return charts.distribution(variable, words)
        case Links() as links:
            return charts.links(links, words)
        case Distances() as distances:
            return charts.distances(distances, words)
        case Components() as components:
            chart = charts.variance if name == "variance" else charts.contributions
            return chart(components, words)
        case choice:
            return choice_chart.choice(choice, words)


def data_of(report: Report, name: str) -> dict[str, Any]:
    """Return the numbers of a figure as JSON values; raises as ``draw`` does."""
    shown = _of(report, name)
    data = dict(shown) if isinstance(shown, Mapping) else asdict(shown)
    if isinstance(shown, Plane):
        assert report.planes is not None
        places = (shown.x - 1, shown.y - 1)
        data["edges"] = [report.planes.edges[place] for place in places]
        data["avatars"] = [[point[place] for place in places] for point in report.planes.avatars]
    return data


def png_of(drawing: Drawing) -> bytes:
    """Return a drawing as PNG, three times as fine as a screen of old."""
    width = f"{drawing.width}in"
    source = f'#set page(width: auto, height: auto, margin: 0pt)\n#image("figure.svg", width: {width})'
    return set_with_typst({"main.typ": source.encode(), "figure.svg": drawing.svg.encode()}, format="png", ppi=200)


_Shown = Plane | Variable | Links | Components | Distances | Mapping[str, Any]


def _figures(report: Report) -> dict[str, _Shown]:
    """Return what each figure shows."""
    found: dict[str, _Shown] = {}
    if report.planes is not None:
        found |= {f"plane-{plane.x}-{plane.y}": plane for plane in report.planes.planes}
    found |= {
        f"distribution-{variable.position}": variable
        for variable in report.variables
        if variable.distribution is not None
    }
    if report.links is not None:
        found["links"] = report.links
    if report.components is not None:
        found |= {"variance": report.components, "contributions": report.components}
    if report.distances is not None:
        found["distances"] = report.distances
    if report.choice is not None and measured(report.choice):
        found["choice"] = report.choice
    return found


def _of(report: Report, name: str) -> _Shown:
    known = _figures(report)
    if name in known:
        return known[name]
    near = get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(list(known)[:6])} ..."
    raise InvalidParameter(f"There is no figure {name!r}: {hint}", code="unknown_figure")
