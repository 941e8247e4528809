"""One function a figure: the numbers of a report as matplotlib draws them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, Normalize, PowerNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from avatars.engine.features import Floats
from avatars.report import style
from avatars.report.components import Components
from avatars.report.dates import date_edges
from avatars.report.distances import Distances
from avatars.report.links import Links
from avatars.report.planes import Plane, Planes
from avatars.report.variables import Distribution, Variable
from avatars.report.words import Words, printable

_NAME = 22
"""Letters of a name that have room beside a figure."""
_MOMENTS = 5
"""Marks on an axis of dates, and one more."""


def plane(planes: Planes, of: Plane, variance: Sequence[float], words: Words) -> Figure:
    """Draw the cells of the originals and the points of the avatars in one plane."""
    figure = style.blank(5.0, 4.3)
    axes = style.add_axes(figure, 0.55, 0.5, 0.1, 0.35)
    x, y = (np.array(planes.edges[component - 1]) for component in (of.x, of.y))
    cells = np.full((len(y) - 1, len(x) - 1), np.nan)
    for cell in of.cells:
        cells[cell.y, cell.x] = cell.share
    most = np.nanmax(cells) if of.cells else 1.0
    axes.imshow(
        cells,
        cmap=style.DENSITY,
        norm=PowerNorm(0.6, 0, most),
        extent=(x[0], x[-1], y[0], y[-1]),
        origin="lower",
        aspect="auto",
        interpolation="nearest",
    )
    points = np.array(planes.avatars)
    axes.plot(
        points[:, of.x - 1],
        points[:, of.y - 1],
        "o",
        color=style.VERMILION,
        markersize=3.0 if len(points) <= 400 else 2.0,
        markeredgewidth=0,
        alpha=0.75 if len(points) <= 400 else 0.55,
    )
    style.label(axes, *(_component(number, variance, words) for number in (of.x, of.y)))
    # Wide enough for both, which an image alone would decide.
    for place, edges, limits in ((of.x - 1, x, axes.set_xlim), (of.y - 1, y, axes.set_ylim)):
        low, high = min(edges[0], points[:, place].min()), max(edges[-1], points[:, place].max())
        limits(low - 0.02 * (high - low), high + 0.02 * (high - low))
    for axis in (axes.xaxis, axes.yaxis):
        style.ticks(axis, 6, words.number)
    style.legend(figure, [_area(words("variables.originals"), style.DENSITY(0.6)), _point(words("variables.avatars"))])
    return figure


def distribution(variable: Variable, words: Words) -> Figure:
    """Draw one variable's distribution, which it must have."""
    assert variable.distribution is not None
    if variable.distribution.levels or variable.distribution.has_rest:
        return _levels(variable.distribution, words)
    return _bins(variable.distribution, variable.kind, words)


def _bins(shown: Distribution, kind: str, words: Words) -> Figure:
    figure = style.blank(3.3, 1.75)
    axes = style.add_axes(figure, 0.45, 0.3, 0.12, 0.12)
    edges = np.array(shown.edges)
    wide = np.diff(edges)
    # Height times width is the share: bins that were joined are as high as their parts were on average.
    usual = float(np.median(wide))
    originals, avatars = (np.array(shares) / wide * usual for shares in (shown.originals, shown.avatars))
    axes.bar(edges[:-1], originals, wide, align="edge", color=style.PALE_BLUE, edgecolor="white", linewidth=0.4)
    axes.stairs(avatars, edges, color=style.VERMILION, linewidth=1.5, baseline=0)
    axes.set_ylim(0, 1.08 * max(originals.max(), avatars.max()))
    style.ticks(axes.yaxis, 3, words.share)
    if len(edges) == 2:
        axes.set_xticks([])
    elif kind == "datetime":
        axes.set_xticks(*_moments(edges))
    else:
        style.ticks(axes.xaxis, 5, words.number, whole=kind == "int")
    return figure


def _levels(shown: Distribution, words: Words) -> Figure:
    names = [*shown.levels, *([words("variables.rest")] if shown.has_rest else [])]
    figure = style.blank(3.3, 0.42 + 0.2 * len(names))
    axes = style.add_axes(figure, _room(names), 0.3, 0.15, 0.05)
    places = np.arange(len(names))
    axes.barh(places, shown.originals, height=0.72, color=style.PALE_BLUE)
    axes.plot(shown.avatars, places, "D", color=style.VERMILION, markersize=4.2, markeredgewidth=0, clip_on=False)
    axes.set_yticks(places, [_short(name) for name in names])
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_xlim(0, 1.05 * max(*shown.originals, *shown.avatars, 0.01))
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    style.ticks(axes.xaxis, 4, words.share)
    return figure


def key(words: Words) -> Figure:
    """Draw what marks originals and what avatars, once for many small figures."""
    figure = style.blank(3.3, 0.28)
    line = Line2D([], [], color=style.VERMILION, linewidth=1.5, marker="D", markersize=4.2, markeredgewidth=0)
    line.set_label(words("variables.avatars"))
    style.legend(figure, [_area(words("variables.originals"), style.PALE_BLUE), line], "upper left")
    return figure


def links(shown: Links, words: Words) -> Figure:
    """Draw the associations of originals, of avatars, and their difference as three matrices."""
    size = len(shown.names)
    is_large = size > 12
    side, names, gap = (2.85, 1.0, 0.15) if is_large else (1.75, 1.0, 0.2)
    across = 2 if is_large else 3
    panel = side + 1.45
    figure = style.blank(names + across * (side + gap), panel * (2 if is_large else 1))
    originals, avatars = (
        np.array([[np.nan if cell is None else cell for cell in row] for row in matrix], dtype=np.float64)
        for matrix in (shown.originals, shown.avatars)
    )
    difference = avatars - originals
    reach = max(0.1, float(np.ceil(10 * np.nanmax(np.abs(difference), initial=0.0)) / 10))
    panels = (
        (originals, "links.originals", 1.0),
        (avatars, "links.avatars", 1.0),
        (difference, "links.difference", reach),
    )
    font = min(style.SIZE, 72 * side / size * 0.8)
    short = [_short(name, 14) for name in shown.names]
    width, height = figure.get_size_inches()
    for number, (matrix, title, most) in enumerate(panels):
        row, column = divmod(number, across)
        left, bottom = names + column * (side + gap), height - (row + 1) * panel + 1.17
        axes = style.add_axes(figure, left, bottom, width - left - side, height - bottom - side)
        style.without_frame(axes)
        _matrix(axes, matrix, style.CONTRAST, Normalize(-most, most), words, written=2 if size <= 6 else None)
        axes.set_title(words(title), fontsize=style.SIZE, color=style.INK, pad=4)
        axes.set_xticks(range(size), short, rotation=90, fontsize=font)
        axes.set_yticks(range(size), short if column == 0 else [""] * size, fontsize=font)
        _scale(figure, left, bottom - 1.03, side, most, words)
    return figure


def _scale(figure: Figure, left: float, bottom: float, side: float, most: float, words: Words) -> None:
    """Draw the colours of a matrix below it."""
    width, height = figure.get_size_inches()
    axes = figure.add_axes(((left + 0.15 * side) / width, bottom / height, 0.7 * side / width, 0.06 / height))
    axes.imshow(np.linspace(-1, 1, 101)[None, :], aspect="auto", cmap=style.CONTRAST, extent=(-most, most, 0, 1))
    style.without_frame(axes)
    axes.set_yticks([])
    axes.set_xticks([-most, 0, most], [words.number(-most), "0", words.number(most)], fontsize=style.SIZE - 1)
    axes.tick_params(pad=1, labelcolor=style.GREY)


def variance(shown: Components, words: Words) -> Figure:
    """Draw the share of the variance that each component explains."""
    figure = style.blank(3.3, 0.42 + 0.22 * len(shown.variance))
    axes = style.add_axes(figure, 0.35, 0.1, 0.6, 0.1)
    places = np.arange(len(shown.variance))
    axes.barh(places, shown.variance, height=0.7, color=style.PALE_BLUE)
    for place, share in enumerate(shown.variance):
        axes.text(share, place, f" {words.share(share)}", va="center", fontsize=style.SIZE, color=style.INK)
    axes.set_yticks(places, [str(place + 1) for place in places])
    axes.set_xticks([])
    axes.set_ylim(len(places) - 0.4, -0.6)
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    return figure


def contributions(shown: Components, words: Words) -> Figure:
    """Draw how much each variable brings to each component."""
    rows, columns = len(shown.names), len(shown.variance)
    room = _room(shown.names)
    figure = style.blank(room + 0.5 * columns + 0.1, 0.4 + 0.2 * rows)
    axes = style.add_axes(figure, room, 0.05, 0.1, 0.35)
    style.without_frame(axes)
    percent = np.array(shown.contributions)
    _matrix(axes, percent, style.AMOUNT, Normalize(0, max(100.0 / rows, percent.max())), words, written=1)
    axes.set_yticks(range(rows), [_short(name) for name in shown.names])
    axes.set_xticks(range(columns), [str(number + 1) for number in range(columns)])
    axes.tick_params(axis="x", top=True, labeltop=True, bottom=False, labelbottom=False)
    return figure


def distances(shown: Distances, words: Words) -> Figure:
    """Draw the distances to the closest original as outlines."""
    figure = style.blank(5.0, 2.5)
    axes = style.add_axes(figure, 0.55, 0.45, 0.15, 0.35)
    edges = np.array(shown.edges)
    wide = np.diff(edges)
    usual = float(np.median(wide))
    series = [(shown.people, "distances.people", {"fill": True, "color": style.PALE_BLUE})]
    if shown.held_out is not None:
        dashed = {"color": style.INK, "linewidth": 1.2, "linestyle": (0, (4, 2))}
        series.append((shown.held_out, "distances.held_out", dashed))
    series.append((shown.avatars, "distances.avatars", {"color": style.VERMILION, "linewidth": 1.6}))
    for shares, name, look in series:
        axes.stairs(np.array(shares) / wide * usual, edges, label=words(name), **look)  # type: ignore[arg-type]
    axes.set_xlim(0, edges[-1])
    axes.set_ylim(bottom=0)
    style.ticks(axes.yaxis, 4, words.share)
    style.ticks(axes.xaxis, 6, words.number)
    style.label(axes, words("distances.axis"))
    handles, _ = axes.get_legend_handles_labels()
    style.legend(figure, handles[::-1])
    return figure


def _matrix(
    axes: Axes, matrix: Floats, colours: Colormap, norm: Normalize, words: Words, *, written: int | None
) -> None:
    """Draw a matrix; with so many decimals in its cells, or none."""
    rows, columns = matrix.shape
    x, y = np.arange(columns + 1) - 0.5, np.arange(rows + 1) - 0.5
    if matrix.size > 150:
        # An image is a tenth of so many areas.
        axes.imshow(matrix, cmap=colours, norm=norm, aspect="auto", interpolation="nearest")
    else:
        axes.pcolormesh(x, y, np.ma.masked_invalid(matrix), cmap=colours, norm=norm, edgecolor="white", lw=0.4)
    axes.set_xlim(-0.5, columns - 0.5)
    axes.set_ylim(rows - 0.5, -0.5)
    if written is None:
        # In grey, and to some eyes, both ends of the colours are alike.
        rows_below, columns_below = np.nonzero(matrix < 0.1 * float(norm.vmin or 0))
        look = {"linestyle": "", "marker": "_", "color": style.INK, "markersize": 2.5, "markeredgewidth": 0.6}
        axes.plot(columns_below, rows_below, **look)  # type: ignore[arg-type]
        return
    for row, cells in enumerate(matrix):
        for column, cell in enumerate(cells):
            if not np.isnan(cell):
                text = f"{cell:.{written}f}".replace(".", words("format.decimal")).replace("-", "−")
                ink = "white" if style.is_dark(colours(norm(cell))) else style.INK
                axes.text(column, row, text, ha="center", va="center", fontsize=style.SIZE - 1, color=ink)


def _area(name: str, colour: str | tuple[float, float, float, float]) -> Patch:
    return Patch(color=colour, label=name)


def _point(name: str) -> Line2D:
    return Line2D([], [], linestyle="", marker="o", markersize=4, markeredgewidth=0, color=style.VERMILION, label=name)


def _component(number: int, variance: Sequence[float], words: Words) -> str:
    return words("components.component_share", number=number, share=words.share(variance[number - 1]))


def _short(name: str, letters: int = _NAME) -> str:
    shown = printable(name)
    return shown if len(shown) <= letters else f"{shown[: letters - 1]}…"


def _room(names: Sequence[str]) -> float:
    """Return the inches that names beside a figure need."""
    return 0.12 + 0.062 * max(len(_short(name)) for name in names)


def _moments(edges: Floats) -> tuple[Floats, list[str]]:
    """Return places on an axis of seconds where a calendar has them, and their names, no finer than these ask for."""
    moments = (edges * 1e6).astype(np.int64).astype("datetime64[us]")
    places = date_edges(moments, _MOMENTS).astype("datetime64[us]")
    # Those at the right end would have no room for their names.
    places = places[(places >= moments[0]) & (places < moments[-1] - 0.07 * np.ptp(moments))]
    coarser = (places.astype(f"datetime64[{unit}]") for unit in ("Y", "M", "D", "m", "us"))
    named = next(each for each in coarser if (each == places).all())
    names = [str(name).replace("T", " ") for name in named]
    # The year of an hour is known.
    return places.astype(np.int64) / 1e6, [name[5:] if ":" in name else name for name in names]
