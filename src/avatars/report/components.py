"""The projection itself: how much of the variance its components explain, and which variables make them."""

from __future__ import annotations

from dataclasses import dataclass

from avatars.engine.variables import contributions
from avatars.evaluation.pair import Pair

MOST_COMPONENTS = 10
MOST_VARIABLES = 25


@dataclass(frozen=True)
class Components:
    """The first components of the originals' projection, in which distances are measured.

    Attributes
    ----------
    variance
        Share of the whole variance, by component.
    names
        Variables, those first that contribute most to these components; not all where there are many.
    of_all
        Whether these are all variables that the projection knows.
    contributions
        By variable and component, percent of the component.
    """

    variance: tuple[float, ...]
    names: tuple[str, ...]
    of_all: bool
    contributions: tuple[tuple[float, ...], ...]


def describe_components(pair: Pair) -> Components:
    """Return variance and contributions; no pass over the rows."""
    space, names = pair.space, pair.original.complete.names
    variance = space.explained_variance_ratio[:MOST_COMPONENTS]
    percent = contributions(space)[:, :MOST_COMPONENTS]
    order = sorted(range(len(names)), key=lambda place: -float(percent[place] @ variance))[:MOST_VARIABLES]
    return Components(
        tuple(round(float(share), 4) for share in variance),
        tuple(names[place] for place in order),
        len(order) == len(names),
        tuple(tuple(round(float(figure), 1) for figure in percent[place]) for place in order),
    )
