"""Linkage: which avatar belongs to whom, by the nearest record.

Threat model: the attacker holds the release and all of the originals, and assigns each avatar to the record nearest to
it. The figure is the share that is right, which takes the true assignment: row i of the release is the avatar of
member i. By chance one in n is.

What is measured on the way, the distance to the closest record (DCR), is shown beside that of held-out people and
decides nothing: it says how far a typical avatar is from people, not what the worst one gives away.
"""

from __future__ import annotations

import numpy as np

from avatars.evaluation.attacks.figure import Figure, not_run, rate_figure
from avatars.evaluation.attacks.membership import some
from avatars.evaluation.attacks.tables import Attacked
from avatars.evaluation.wording import said


def linkage(tables: Attacked, targets: int, random: np.random.Generator, *, linked: bool) -> list[Figure]:
    """Return the share of nearest records that are right, where row i belongs to member i, and the ratio of distances.

    At most ``targets`` avatars and others are measured. Cost: O(targets x members) time.
    """
    space, n = tables.space, len(tables.members.codes)
    members = space.place(tables.members)
    rows = some(len(tables.release.codes), targets, random)
    index, far = space.nearest(space.place(tables.release.take(rows)), members)
    fresh = space.place(tables.others.take(some(len(tables.others.codes), targets, random)))
    _, far_fresh = space.nearest(fresh, members)
    figures = []
    if linked:
        figures.append(rate_figure("linkage_nearest", int((index[:, 0] == rows).sum()), len(rows), null=1 / n))
    typical, typical_fresh = float(np.median(far)), float(np.median(far_fresh))
    if typical_fresh == 0:
        return [*figures, not_run("distance_ratio", said("most fresh people have the record of a member"))]
    ratio = float(np.sqrt(typical / typical_fresh))
    return [*figures, Figure("distance_ratio", ratio, null=1.0, people=len(rows), others=len(far_fresh))]
