"""The report as a value: what was done, every metric, and the numbers behind the figures; no row of anybody.

``describe`` makes it; it writes itself as HTML, PDF or JSON. What is said of people rests on five of them or more
(``small_counts.py``).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from platform import python_version
from typing import TYPE_CHECKING, Any, Literal

from avatars.engine.batches import single_threaded_blas
from avatars.engine.errors import InvalidParameter
from avatars.engine.parameters import Parameters
from avatars.evaluation.catalogue import DEFINITIONS
from avatars.evaluation.metric import Metric
from avatars.evaluation.pair import Pair
from avatars.report.components import Components, describe_components
from avatars.report.distances import Distances, describe_distances
from avatars.report.links import Links, describe_links
from avatars.report.planes import Planes, describe_planes
from avatars.report.small_counts import FEWEST
from avatars.report.variables import Variable, describe_variables
from avatars.report.words import DEFAULT_LANGUAGE, words_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Format = Literal["html", "pdf", "json"]
FORMATS: tuple[Format, ...] = ("html", "pdf", "json")


@dataclass(frozen=True)
class About:
    """What the figures cannot say of themselves.

    Attributes
    ----------
    made_on
        The day of the run, or of the comparison.
    parameters
        Of the run; None where avatars were made elsewhere.
    seed_was_given
        Whether the user chose the seed; None where avatars were made elsewhere. The seed itself never comes here.
    left_out
        Columns that only one of the tables has.
    replaced
        Columns that identify people: the avatars have new numbers in them, and no metric looks at these.
    marks
        By what they are of ("avatars_sha256", "original_id" ...): hashes and ids to recognise data by. Never a hash of
        the originals: who knows all of a table but one record could try that one out.
    """

    made_on: date
    parameters: Parameters | None = None
    seed_was_given: bool | None = None
    left_out: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()
    marks: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Report:
    """Everything that a report says, in numbers; ``html``, ``pdf`` and ``json`` say it.

    Attributes
    ----------
    people
        Rows of the originals; None where they are fewer than five.
    avatars, columns
        Rows of the avatars, and columns of both that were compared.
    held_out
        People who were kept apart, to compare with.
    is_linked
        Whether metrics were taken that need row i of the avatars to belong to record i.
    settings
        The parameters of the run that are not at their defaults, besides k and method.
    remarks
        What the figures themselves say against the comparison.
    versions
        Of the software, by name.
    variables
        The most moved first.
    planes, links, distances
        None where there are too few people, or columns.
    assessment
        What attacks found, as ``Assessment.to_dict`` has it; None where none was asked for.
    choice
        How k was chosen, as ``Choice.to_dict`` has it; None where it was given.
    """

    made_on: date
    people: int | None
    avatars: int
    columns: int
    held_out: int | None
    is_linked: bool
    settings: Mapping[str, Any] | None
    seed_was_given: bool | None
    left_out: tuple[str, ...]
    replaced: tuple[str, ...]
    marks: Mapping[str, str]
    versions: Mapping[str, str]
    metrics: tuple[Metric, ...]
    remarks: tuple[str, ...]
    variables: tuple[Variable, ...]
    planes: Planes | None
    links: Links | None
    components: Components | None
    distances: Distances | None
    assessment: Mapping[str, Any] | None = None
    choice: Mapping[str, Any] | None = None

    def html(self, language: str = DEFAULT_LANGUAGE) -> str:
        """Return the report as one page that needs nothing else; raises ``InvalidParameter`` for another language."""
        from avatars.report.gallery import Gallery
        from avatars.report.html import write_html

        return write_html(Gallery(self, words_of(language)))

    def pdf(self, language: str = DEFAULT_LANGUAGE) -> bytes:
        """Return the report as PDF/A and PDF/UA, the same bytes each time; raises as ``html`` does."""
        from avatars.report.gallery import Gallery
        from avatars.report.pdf import write_pdf

        return write_pdf(Gallery(self, words_of(language)))

    def json(self) -> str:
        """Return all that the report knows, for programs; no language but that of the reasons and notes."""
        return json.dumps(_plain(self), ensure_ascii=False, indent=1)

    def figure_data(self, name: str) -> dict[str, Any]:
        """Return the numbers of one of the figures as JSON values; raises as ``figure`` does."""
        from avatars.report.gallery import data_of

        return data_of(self, name)

    def figures(self) -> list[str]:
        """Return the names of the figures that there are."""
        from avatars.report.gallery import names_of

        return names_of(self)

    def figure(self, name: str, language: str = DEFAULT_LANGUAGE) -> Figure:
        """Return one of the figures; raises ``InvalidParameter`` for a name or a language that there is not."""
        from avatars.report.gallery import draw

        return draw(self, name, words_of(language))

    def save(self, path: str | Path, language: str = DEFAULT_LANGUAGE) -> None:
        """Write the report to a file whose name ends in .html, .pdf or .json; raises ``InvalidParameter``."""
        path, format = Path(path), format_of(path)
        content = {"html": lambda: self.html(language).encode(), "pdf": lambda: self.pdf(language)}
        path.write_bytes(content.get(format, lambda: self.json().encode())())


def format_of(path: str | Path) -> Format:
    """Return the format that the end of a file's name asks for; raises ``InvalidParameter``."""
    ending = Path(path).suffix.lower().removeprefix(".")
    for format in FORMATS:
        if ending in (format, "htm" if format == "html" else format):
            return format
    raise InvalidParameter(
        f"A report cannot be written as {Path(path).name!r}: give it a name that ends in .html, .pdf or .json.",
        code="unknown_format",
    )


def describe(
    metrics: tuple[Metric, ...],
    remarks: tuple[str, ...],
    pair: Pair,
    about: About,
    assessment: Mapping[str, Any] | None = None,
    choice: Mapping[str, Any] | None = None,
) -> Report:
    """Make the report about a pair of tables and the metrics that were taken of it.

    Cost: O(n log n) time for the distances, O(n) for each variable, plane, and pair of the 30 most moved variables.
    """
    with single_threaded_blas():
        return replace(_describe(metrics, remarks, pair, about), assessment=assessment, choice=choice)


def _describe(metrics: tuple[Metric, ...], remarks: tuple[str, ...], pair: Pair, about: About) -> Report:
    variables = describe_variables(pair)
    people = len(pair.original)
    return Report(
        made_on=about.made_on,
        people=people if people >= FEWEST else None,
        avatars=len(pair.avatars),
        columns=len(variables),
        held_out=None if pair.held_out is None else len(pair.held_out),
        is_linked=any(metric.value is not None and DEFINITIONS[metric.name].needs_link for metric in metrics),
        settings=None if about.parameters is None else _settings(about.parameters),
        seed_was_given=about.seed_was_given,
        left_out=about.left_out,
        replaced=about.replaced,
        marks=dict(about.marks),
        versions=_versions(),
        metrics=metrics,
        remarks=remarks,
        variables=variables,
        planes=describe_planes(pair),
        links=describe_links(pair, [variable.name for variable in variables]),
        components=describe_components(pair) if people >= FEWEST else None,
        distances=describe_distances(pair),
    )


def _settings(parameters: Parameters) -> dict[str, Any]:
    """Return k, method, and the parameters that are not at their defaults; never the seed."""
    said, usual = asdict(parameters), asdict(Parameters(k=parameters.k))
    kept = ("k", "method", "ncp")
    return {
        name: value for name, value in said.items() if name != "seed" and (name in kept or value != usual.get(name))
    }


def _versions() -> dict[str, str]:
    found = {"Python": python_version()}
    for name in ("open-avatars", "numpy", "scipy", "pyarrow"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # run from a source tree that was not installed
            found[name] = "0"
    return found


def _plain(report: Report) -> dict[str, Any]:
    """Return the report as JSON values."""
    values = asdict(report)
    values["made_on"] = report.made_on.isoformat()
    values["metrics"] = [metric.to_dict() for metric in report.metrics]
    values["remarks"] = [str(remark) for remark in report.remarks]
    return values
