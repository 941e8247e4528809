"""A report as PDF: tagged (PDF/UA-1), for archives (PDF/A-2a), the same bytes each time.

It is set from a fixed template, which reads the words as data: whatever stands in a column's name is text and never
markup.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime, time
from importlib.resources import files

from avatars.report.gallery import Gallery
from avatars.report.page import Page, write_page
from avatars.report.sections import Picture
from avatars.report.setting import set_with_typst

_PLANES = 3
"""Of components 1 to 3; the page for screens has all."""


def write_pdf(gallery: Gallery) -> bytes:
    """Return the PDF. Cost: about 50 ms a figure that is not drawn yet, and some tenths of a second for setting it."""
    report, words = gallery.report, gallery.words
    page = write_page(report, words)
    shown = {name: gallery[name] for name in ("key", *(picture.name for picture in _pictures(page)))}
    widths = {name: drawing.width for name, drawing in shown.items()}
    data = {"page": asdict(page), "words": words.catalogue, "widths": widths, "day": report.made_on.isoformat()}
    given = {
        "main.typ": (files("avatars.report") / "templates" / "report.typ").read_bytes(),
        "report.json": json.dumps(data).encode(),
        **{f"{name}.svg": drawing.svg.encode() for name, drawing in shown.items()},
    }
    made_at = datetime.combine(report.made_on, time(), UTC)
    return set_with_typst(given, pdf_standards=["a-2a", "ua-1"], timestamp=made_at)


def _pictures(page: Page) -> Iterable[Picture]:
    for section in page.sections:
        yield from section.pictures[: _PLANES if section is page.planes else None]
