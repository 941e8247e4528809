"""The figure of originals and avatars: what is drawn, in which colours and under which labels."""

from __future__ import annotations

import io

import numpy as np
import pytest
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from numpy.typing import NDArray

from avatars.report.figures import BLUE, FEW_POINTS, VERMILLION, projection_figure

Floats = NDArray[np.float64]

RATIO = [0.625, 0.25, 0.125]


def clouds(n: int, components: int = 3) -> tuple[Floats, Floats]:
    random = np.random.default_rng(1)
    return random.normal(size=(n, components)), random.normal(size=(n, components))


def drawn(figure: Figure) -> list[PathCollection]:
    return [part for part in figure.axes[0].collections if isinstance(part, PathCollection)]


def test_each_row_is_one_point_at_its_first_two_coordinates() -> None:
    originals, avatars = clouds(40)
    first, second = drawn(projection_figure(originals, avatars, RATIO))
    np.testing.assert_array_equal(np.asarray(first.get_offsets()), originals[:, :2])
    np.testing.assert_array_equal(np.asarray(second.get_offsets()), avatars[:, :2])


@pytest.mark.parametrize("n", [40, FEW_POINTS + 1])
def test_clouds_differ_in_colour_and_are_named_with_their_sizes(n: int) -> None:
    figure = projection_figure(*clouds(n), RATIO)
    first, second = drawn(figure)
    outline = np.asarray(first.get_edgecolor() if n <= FEW_POINTS else first.get_facecolor())
    assert to_hex(outline[0]) == BLUE.lower()
    assert to_hex(np.asarray(second.get_facecolor())[0]) == VERMILLION.lower()
    legend = figure.axes[0].get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == [f"originals ({n:,})", f"avatars ({n:,})"]


def test_axes_say_how_much_variance_they_explain() -> None:
    axes = projection_figure(*clouds(10), RATIO).axes[0]
    assert axes.get_xlabel() == "Component 1 (62.5 % of the variance)"
    assert axes.get_ylabel() == "Component 2 (25.0 % of the variance)"


def test_a_single_component_is_drawn_on_a_line() -> None:
    originals, avatars = clouds(10, components=1)
    figure = projection_figure(originals, avatars, [1.0])
    assert not np.asarray(drawn(figure)[0].get_offsets())[:, 1].any()
    assert figure.axes[0].get_ylabel() == ""


def test_it_is_written_as_png_without_a_display() -> None:
    file = io.BytesIO()
    projection_figure(*clouds(10), RATIO).savefig(file, format="png")
    assert file.getvalue().startswith(b"\x89PNG")


def test_clouds_of_different_projections_are_refused() -> None:
    originals, avatars = clouds(10)
    with pytest.raises(ValueError, match="same projection"):
        projection_figure(originals, avatars[:, :2], RATIO)
