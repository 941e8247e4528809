"""One figure as somebody wants it."""

from __future__ import annotations


def png(svg: str, width: float) -> bytes:
    """Return a drawing as PNG; a worker does it."""
    from avatars.report.gallery import Drawing, png_of

    return png_of(Drawing(svg, width))
