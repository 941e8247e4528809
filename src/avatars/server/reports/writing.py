"""What a worker does for a report: the tables once more for their figures, the metrics as they were computed."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date

from avatars.engine.columns import Kind, detect
from avatars.engine.identifiers import identifiers_among
from avatars.engine.parameters import Parameters
from avatars.engine.progress import Progress, advance
from avatars.evaluation.evaluate import compare
from avatars.evaluation.request import Request
from avatars.models import ReportFormat
from avatars.report import About, Report, describe
from avatars.server.datasets import normal_form
from avatars.server.jobs.comparison import columns_of_one, comparable, held_out_people, types_of
from avatars.server.jobs.measured import recall, recall_assessment
from avatars.server.jobs.orders import Done, Order
from avatars.server.reports import files
from avatars.server.reports.wish import Wish
from avatars.server.storage import Storage

STEP = "writing the report"


def write(
    storage: Storage,
    order: Order,
    parameters: Parameters,
    types: dict[str, Kind],
    to_categorical_threshold: int | None,
    progress: Progress,
) -> Done:
    """Write all forms of a report; raises the engine's errors."""
    assert order.compared_dataset_id is not None
    wish = Wish(**order.parameters)
    originals = normal_form.read(storage, order.dataset_id).table
    avatars = normal_form.read(storage, order.compared_dataset_id).table
    left_out = columns_of_one(originals, avatars)
    originals, avatars = comparable(originals, avatars)
    replaced: list[str] = []
    if wish.run is not None and parameters.identifiers == "replace":
        # The avatars' own numbers say nothing of people: no figure is about them.
        columns = detect(originals, types_of(originals, types), to_categorical_threshold)
        replaced = identifiers_among(originals, columns, parameters)
        originals, avatars = originals.drop_columns(replaced), avatars.drop_columns(replaced)
    pair = compare(
        originals,
        avatars,
        parameters,
        types=types_of(originals, types),
        to_categorical_threshold=to_categorical_threshold,
        held_out=held_out_people(storage, wish.space, originals),
        # No figure takes the link.
        request=Request(shuffled=True),
        progress=progress,
    )
    families = [recall(wish.privacy), recall(wish.signal)]
    about = About(
        date.fromisoformat(wish.made_on),
        None if wish.run is None else parameters,
        wish.seed_was_given,
        tuple(left_out),
        tuple(replaced),
        wish.marks,
    )
    report = describe(
        tuple(metric for metrics, _ in families for metric in metrics),
        tuple(dict.fromkeys(remark for _, remarks in families for remark in remarks)),
        pair,
        about,
        recall_assessment(wish.assessment),
    )
    # One folder for each attempt: a late one never writes over another's files.
    files.write(storage, order.outputs.avatars, *_forms(report, wish.language, progress))
    return Done(details={"files": str(order.outputs.avatars), "language": wish.language})


def _forms(report: Report, language: str, progress: Progress) -> tuple[dict[ReportFormat, bytes], files.Figures]:
    # Their libraries take a second to load, which no other job should wait for.
    from avatars.report.gallery import Gallery
    from avatars.report.html import write_html
    from avatars.report.page import write_page
    from avatars.report.pdf import write_pdf
    from avatars.report.words import words_of

    gallery = Gallery(report, words_of(language))
    page = write_page(report, gallery.words)
    pictures = {picture.name: picture for section in page.sections for picture in section.pictures}
    figures: files.Figures = {}
    for name, picture in pictures.items():
        advance(progress, STEP, len(figures), len(pictures))
        figures[name] = {
            "title": picture.title,
            "description": picture.alt,
            "data": report.figure_data(name),
            **asdict(gallery[name]),
        }
    forms = {
        ReportFormat.html: write_html(gallery).encode(),
        ReportFormat.pdf: write_pdf(gallery),
        ReportFormat.json: report.json().encode(),
    }
    return forms, figures
