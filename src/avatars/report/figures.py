"""Figures, drawn with matplotlib's object interface: no display, no global state.

The colours are Okabe and Ito's, told apart with every kind of colour vision; the two clouds differ in their
marks too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Coordinates = NDArray[np.float64]

BLUE, VERMILLION = "#0072B2", "#D55E00"
# Up to this many points each one is a mark with an outline; beyond, small translucent dots show the density.
FEW_POINTS = 2000


def projection_figure(
    originals: Coordinates, avatars: Coordinates, explained_variance_ratio: Sequence[float] | Coordinates
) -> Figure:
    """Draw originals and avatars in the first two components of one projection.

    Parameters
    ----------
    originals
        (n, d) coordinates of the originals; the first two columns are drawn, or the one that there is.
    avatars
        (m, d) coordinates of the avatars in the SAME projection, the one fitted on the originals.
    explained_variance_ratio
        (d,) share of the variance that each component explains; it labels the axes.

    Returns
    -------
    A figure that nothing else refers to: ``figure.savefig(path)`` writes it.

    Raises
    ------
    ValueError
        The two clouds do not have the same number of components, or there is none.

    Notes
    -----
    SENSITIVE with respect to the originals: every original is a point of the figure.
    """
    # Whoever wants no figure need not wait for it.
    from matplotlib.figure import Figure

    if originals.ndim != 2 or originals.shape[1] < 1 or avatars.shape[1:] != originals.shape[1:]:
        raise ValueError("originals and avatars must be (rows, components) arrays of the same projection")
    figure = Figure(figsize=(7.0, 5.5), dpi=150, layout="constrained")
    axes = figure.add_subplot()
    few = max(len(originals), len(avatars)) <= FEW_POINTS
    size, alpha = (26.0, 0.9) if few else (5.0, 0.35)
    axes.scatter(
        *_first_two(originals),
        s=size,
        marker="o",
        facecolors="none" if few else BLUE,
        edgecolors=BLUE if few else "none",
        linewidths=1.1,
        alpha=alpha,
        rasterized=not few,
        label=f"originals ({len(originals):,})",
    )
    axes.scatter(
        *_first_two(avatars),
        s=size,
        marker="^",
        facecolors=VERMILLION,
        edgecolors="none",
        alpha=0.7 if few else alpha,
        rasterized=not few,
        label=f"avatars ({len(avatars):,})",
    )
    axes.set_xlabel(_label(1, explained_variance_ratio))
    axes.set_ylabel(_label(2, explained_variance_ratio) if originals.shape[1] > 1 else "")
    axes.set_title("Originals and avatars in the projection of the originals", fontsize="medium", loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="0.92", linewidth=0.8)
    axes.set_axisbelow(True)
    legend = axes.legend(frameon=False, loc="best")
    for handle in legend.legend_handles:
        if handle is not None:
            handle.set_alpha(1.0)
    return figure


def _first_two(coordinates: Coordinates) -> tuple[Coordinates, Coordinates]:
    first = coordinates[:, 0]
    return first, coordinates[:, 1] if coordinates.shape[1] > 1 else np.zeros_like(first)


def _label(component: int, ratio: Sequence[float] | Coordinates) -> str:
    return f"Component {component} ({100 * float(ratio[component - 1]):.1f} % of the variance)"
