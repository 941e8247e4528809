"""The curve that k was chosen from: what attacks find and what statistics keep, over k."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import NullLocator

from avatars.evaluation.gate import LIMITS
from avatars.report import style
from avatars.report.choice import measured
from avatars.report.words import Words

_CHANCE = 0.5
_AGAIN, _BESIDE = "D", 1.05
"""The mark of what was found with the people parted anew, and how many times k it stands beside the first."""
_Points = Sequence[Mapping[str, Any]]
_LEAST_SPAN = 0.05
"""Of accuracies: what differs by less is not to look as if it mattered."""


def choice(shown: Mapping[str, Any], words: Words) -> Figure:
    """Draw two curves, one above the other; there must be a point of them."""
    points = measured(shown)
    figure = style.blank(5.65, 3.55)
    again = measured(shown, "again")
    _attacks(style.add_axes(figure, 0.45, 1.85, 1.15, 0.5), points, again, words)
    _accuracies(style.add_axes(figure, 0.45, 0.45, 1.15, 2.2), points, again, shown["fresh_people"], words)
    every = [point["k"] for point in points]
    ends = [*every, shown["k"]]
    for axes in figure.axes:
        axes.axvline(shown["k"], color=style.RULE, linewidth=9, zorder=0)
        axes.set_xscale("log")
        axes.set_xlim(min(ends) / 1.15, max(ends) * 1.15)
        axes.set_xticks(every, map(str, every))
        axes.xaxis.set_minor_locator(NullLocator())
    style.label(figure.axes[1], words("facts.k"))
    passed, missed = (_mark(passes, words(f"choice.{key}")) for passes, key in ((True, "passed"), (False, "missed")))
    anew = [_mark(True, words("choice.again"), _AGAIN)] if again else []
    taken = Patch(color=style.RULE, label=words("choice.taken", k=shown["k"]))
    style.legend(figure, [passed, missed, *anew, taken])
    return figure


def _attacks(axes: Axes, points: _Points, again: _Points, words: Words) -> None:
    limit = LIMITS["nearest_auc"].passes
    low, high = ([point[end] for point in (*points, *again)] for end in ("low", "high"))
    places = [*(point["k"] for point in points), *(point["k"] * _BESIDE for point in again)]
    axes.vlines(places, low, high, color=style.VERMILION, linewidth=1.0)
    _curve(axes, points, again, "nearest_auc")
    _line(axes, _CHANCE, words("choice.chance"), "dotted")
    _line(axes, limit, words("choice.limit"), "solid")
    axes.set_ylim(min(_CHANCE, *low) - 0.01, max(limit, *high) + 0.01)
    style.ticks(axes.yaxis, 4, words.number)
    _head(axes, words("choice.nearest_auc"))


def _accuracies(axes: Axes, points: _Points, again: _Points, fresh: float | None, words: Words) -> None:
    _curve(axes, points, again, "bivariate_accuracy")
    every = [point["bivariate_accuracy"] for point in (*points, *again)]
    if fresh is not None:
        _line(axes, fresh, words("choice.fresh"), "dashed")
        every.append(fresh)
    more = max(0.0, _LEAST_SPAN - (max(every) - min(every))) / 2
    axes.set_ylim(min(every) - more - 0.005, max(every) + more + 0.005)
    style.ticks(axes.yaxis, 4, words.number)
    _head(axes, words("choice.bivariate_accuracy"))


def _curve(axes: Axes, points: _Points, again: _Points, name: str) -> None:
    axes.plot([point["k"] for point in points], [point[name] for point in points], color=style.VERMILION, linewidth=1.2)
    for some, beside, form in ((points, 1.0, "o"), (again, _BESIDE, _AGAIN)):
        for point in some:
            mark = _mark(point["verdict"] == "PASS", form=form)
            mark.set_data([point["k"] * beside], [point[name]])
            axes.add_line(mark)


def _mark(passes: bool, name: str = "", form: str = "o") -> Line2D:
    inside = style.VERMILION if passes else "white"
    look = {"linestyle": "", "marker": form, "markersize": 5, "markeredgewidth": 1.2, "zorder": 3}
    return Line2D([], [], color=style.VERMILION, markerfacecolor=inside, label=name, **look)  # type: ignore[arg-type]


def _line(axes: Axes, height: float, name: str, how: str) -> None:
    """Draw something to compare with, and name it beside the axes."""
    axes.axhline(height, color=style.INK, linewidth=0.8, linestyle=how, zorder=1)
    beside = axes.get_yaxis_transform()
    axes.text(1.015, height, name, transform=beside, va="center", fontsize=style.SIZE, color=style.INK)


def _head(axes: Axes, text: str) -> None:
    axes.set_title(text, loc="left", fontsize=style.SIZE, color=style.INK, pad=5)
