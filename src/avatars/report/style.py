"""How figures look: few colours that all eyes and printers tell apart, thin axes, the same type everywhere.

Originals are pale blue areas, avatars vermilion lines and points, so that they differ in form as well as in colour.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable, Sequence
from typing import Literal

import matplotlib as mpl
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import FuncFormatter, MaxNLocator

# Okabe and Ito's, and paler ones of the same hues.
BLUE, VERMILION, INK, GREY, RULE = "#0072B2", "#D55E00", "#1B2A33", "#5F6B73", "#D9DEE2"
PALE_BLUE = "#A9CDE3"
# Nothing is white: a transparent nothing has dark edges in some viewers. The darkest is paler than a point.
DENSITY = LinearSegmentedColormap.from_list("density", ["#E6F0F7", "#C3DBEB", "#97C3DF", "#6BABD3"]).with_extremes(
    bad="white"
)
CONTRAST = LinearSegmentedColormap.from_list(
    "contrast", [BLUE, "#8FBEDC", "#FFFFFF", "#F0B184", VERMILION]
).with_extremes(bad="white")
AMOUNT = LinearSegmentedColormap.from_list("amount", ["#FFFFFF", "#BBD7EA", BLUE])
SIZE = 8.0
"""Points, of all text."""


def blank(width: float, height: float) -> Figure:
    """Return an empty figure of so many inches; nothing else refers to it."""
    return Figure(figsize=(width, height), dpi=150)


def add_axes(figure: Figure, left: float, bottom: float, right: float, top: float) -> Axes:
    """Return axes that leave so many inches free on each side."""
    width, height = figure.get_size_inches()
    box = (left / width, bottom / height, 1 - (left + right) / width, 1 - (bottom + top) / height)
    axes = figure.add_axes(box)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(GREY)
    axes.spines[["left", "bottom"]].set_linewidth(0.6)
    axes.tick_params(labelsize=SIZE, color=GREY, labelcolor=INK, width=0.6, length=3, pad=2)
    axes.set_axisbelow(True)
    return axes


def label(axes: Axes, x: str = "", y: str = "") -> None:
    """Name the axes."""
    axes.set_xlabel(x, fontsize=SIZE, color=INK, labelpad=3)
    axes.set_ylabel(y, fontsize=SIZE, color=INK, labelpad=3)


def ticks(axis: Axis, most: int, write: Callable[[float], str], *, whole: bool = False) -> None:
    """Mark an axis at so many round numbers or fewer, which ``write`` writes."""
    axis.set_major_locator(MaxNLocator(most, steps=[1, 2, 5, 10], integer=whole))
    axis.set_major_formatter(FuncFormatter(lambda value, _: write(value)))


def legend(
    figure: Figure, handles: Sequence[Artist], where: Literal["upper left", "upper right"] = "upper right"
) -> None:
    """Say in a line above the figure what its marks are."""
    figure.legend(
        handles=handles,
        loc=where,
        ncols=len(handles),
        frameon=False,
        fontsize=SIZE,
        labelcolor=INK,
        borderpad=0.2,
        borderaxespad=0.2,
        handlelength=1.4,
        columnspacing=1.2,
    )


def without_frame(axes: Axes) -> None:
    """Take lines and ticks away, for matrices."""
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)


def to_svg(figure: Figure) -> str:
    """Return a figure as SVG whose text is text; the same bytes each time."""
    stream = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "open-avatars"}):
        _save(figure, stream, "svg", {"Date": None, "Creator": None, "Format": None, "Type": None})
    drawn = stream.getvalue()
    drawn = drawn[drawn.index("<svg") :]
    return re.sub(r"<metadata>.*?</metadata>\s*", "", drawn, flags=re.DOTALL)


def to_png(figure: Figure) -> bytes:
    """Return a figure as PNG."""
    stream = io.BytesIO()
    _save(figure, stream, "png", {"Software": None})
    return stream.getvalue()


def _save(figure: Figure, stream: io.StringIO | io.BytesIO, format: str, metadata: dict[str, None]) -> None:
    for text in figure.findobj(Text):
        # A dollar in a column's name is a dollar.
        text.set_parse_math(False)
    with warnings.catch_warnings():
        # Of letters that the measuring font lacks; whoever shows the figure has them.
        warnings.simplefilter("ignore", UserWarning)
        figure.savefig(stream, format=format, metadata=metadata)


def is_dark(color: tuple[float, float, float, float]) -> bool:
    """Return whether white is easier to read on a colour than ink."""
    red, green, blue, _ = color
    return 0.299 * red + 0.587 * green + 0.114 * blue < 0.55
