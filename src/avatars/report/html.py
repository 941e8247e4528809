"""A report as one HTML page that needs nothing else: no script, font or picture from anywhere.

Its own script sorts tables and chooses planes; without it the page is complete. Everything is escaped.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import re
from importlib.resources import files

from jinja2 import Environment, FunctionLoader, StrictUndefined

from avatars.report.gallery import Gallery
from avatars.report.page import write_page

# The figures' own font is for measuring; a page has its reader's.
_FONTS = re.compile(r"'DejaVu Sans'[^;\"]*")
# So that their text is about as large as the page's small print.
_REM_PER_INCH = 7.4
_PAGE_FONTS = "system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"


def write_html(gallery: Gallery) -> str:
    """Return the page. Cost: about 50 ms a figure that is not drawn yet."""
    page = write_page(gallery.report, gallery.words)

    def figure(name: str) -> dict[str, object]:
        drawn = gallery[name]
        return {"url": _data_url(drawn.svg), "rem": round(_REM_PER_INCH * drawn.width, 2)}

    script = _text("report.js")
    return (
        _environment()
        .get_template("report.html")
        .render(
            page=page,
            words=gallery.words,
            figure=figure,
            style=_text("report.css"),
            script=script,
            script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        )
    )


def _data_url(svg: str) -> str:
    content = base64.b64encode(_FONTS.sub(_PAGE_FONTS, svg).encode()).decode()
    return f"data:image/svg+xml;base64,{content}"


@functools.cache
def _environment() -> Environment:
    return Environment(
        loader=FunctionLoader(_text), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )


def _text(name: str) -> str:
    return (files("avatars.report") / "templates" / name).read_text(encoding="utf-8")
