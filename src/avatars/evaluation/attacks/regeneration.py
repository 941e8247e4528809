"""Linkage by making everybody's avatar again.

Threat model: the attacker holds the release, all of its originals, the software and its parameters, but not the seed
and not the order. The avatars of the same people are made many times; each person's lie about somewhere, and an avatar
of the release is assigned to the person whose own lie densest around it. The figure is the share that is right; by
chance one in n is.

Ours; the density is a Gaussian kernel's over a person's avatars, as wide as the release is dense.
"""

from __future__ import annotations

import numpy as np

from avatars.engine.errors import EngineError
from avatars.engine.features import Floats
from avatars.engine.progress import Progress, advance
from avatars.evaluation.attacks.figure import Figure, not_run, rate_figure
from avatars.evaluation.attacks.rehearsal import Rehearsal
from avatars.evaluation.attacks.space import UNIT, Space
from avatars.evaluation.wording import said

RUNS = 32
LEAST_PEOPLE = 100
_WIDTH = 0.2
_FLOOR = 1e-4 * UNIT
_NAME = "linkage_regenerated"


def regeneration(rehearsal: Rehearsal, progress: Progress, step: str) -> Figure:
    """Return the share of avatars that are assigned to their person; of up to 1100 members.

    Cost: 33 releases, and O(people^2) time for each; 2 x people^2 x 8 bytes of memory.
    """
    n = rehearsal.members
    if n < LEAST_PEOPLE:
        return not_run(_NAME, said("there are {members} members: {needed} are needed", members=n, needed=LEAST_PEOPLE))
    members = np.arange(n)
    try:
        release = rehearsal.release(members, 1000)
        space = Space.of(release, rehearsal.encoded())
        there, width = space.place(release), None
        density: Floats | None = None
        for number in range(RUNS):
            again = space.place(rehearsal.release(members, 1001 + number))
            squares = space.squares(there, again)
            if width is None:
                width = _WIDTH * float(np.median(squares.min(axis=1))) + _FLOOR
            logs = squares / (-2 * width)
            # log(exp(a) + exp(b)), run by run.
            density = logs if density is None else np.logaddexp(density, logs)
            advance(progress, step, number + 1, RUNS)
    except EngineError as error:
        return not_run(_NAME, said("the avatars could not be made again: {reason}", reason=str(error).rstrip(".")))
    assert density is not None
    right = int((density.argmax(axis=1) == members).sum())
    return rate_figure(_NAME, right, n, null=1 / n)
