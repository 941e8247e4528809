"""Membership: who is in the table, by the distance to the nearest avatar and by how crowded the place is.

Threat model: the attacker holds the release and somebody's whole record, and asks whether that person is among those
that the release was made from. The figures compare members with held-out people, whom an attack should not tell apart.

- nearest: the score is minus the distance to the nearest avatar (Hayes et al., PoPETs 2019; Chen et al., CCS 2020).
- density: a near avatar means more where people are sparse. The score is ``log r10 - log a1``, the distance to the 10th
  nearest of a reference sample of people over that to the nearest avatar: a ratio of nearest-neighbour densities (van
  Breugel et al., AISTATS 2023, who fit density models).
- isolated: nearest, among the tenth of members and others who are farthest from their 10th nearest of both together
  (ours; that those who stand alone are the easiest to find is in Stadler et al., USENIX Security 2022).

The reference sample is one half of the others; the other half is the control of density, and of the null: the nearest
distance again with the reference sample in the release's place, where an AUC of .5 is due.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avatars.engine.features import Floats
from avatars.evaluation.attacks.figure import Figure, Z, auc, auc_error, auc_figure, found_figure, not_run, threshold
from avatars.evaluation.attacks.space import UNIT, Points, joined
from avatars.evaluation.attacks.tables import Attacked
from avatars.evaluation.wording import said

LEAST_PEOPLE = 50
"""Members, and others, without whom no attack is worth its run."""
STRICT_OTHERS = 500
"""Others from whom 1 % of false alarms can be told."""
LEAST_COUNT = 5
"""People under whom no count is given."""
LEAST_ISOLATED = 100
_ISOLATED = 240
"""The tenth is so many people at least, of both sides: then both have enough, but for bad luck."""
_CROWD = 10
_REFERENCE = 20_000
_FLOOR = 1e-9 * UNIT
"""Added to squares of distances: what is nearer is as near."""


@dataclass(frozen=True)
class Exposure:
    """How many of the members measured stand out, and by which columns; counts and shares only.

    Attributes
    ----------
    measured
        Members measured.
    exposed
        Those nearer to an avatar than 99 % of the others are (95 % where there are fewer than 500 of these); None where
        they are fewer than 5.
    by_chance
        How many would be if the release told nothing.
    columns
        The columns by which members are nearer to avatars than others are, and the share of each; empty where they are
        not nearer but by chance.
    """

    measured: int
    exposed: int | None
    by_chance: int
    columns: dict[str, float]

    def in_words(self) -> str:
        """Return the counts as a sentence."""
        found = "Fewer than 5" if self.exposed is None else f"{self.exposed:,}"
        return (
            f"{found} of {self.measured:,} people are nearer to an avatar than nearly all who are not in the table; "
            f"{self.by_chance:,} would be by chance."
        )


def membership(tables: Attacked, targets: int, random: np.random.Generator) -> tuple[list[Figure], Exposure | None]:
    """Return the figures of the attacks by distance, and who is exposed; of at most ``targets`` people of a side.

    Cost: O(targets x rows) time.
    """
    names = ["nearest_auc", "nearest_tpr", "density_auc", "isolated_auc"]
    n, m = len(tables.members.codes), len(tables.others.codes)
    if min(n, m) < LEAST_PEOPLE:
        reason = said(
            "there are {members:,} members and {others:,} others: {needed} of each are needed",
            members=n,
            others=m,
            needed=LEAST_PEOPLE,
        )
        return [not_run(name, reason) for name in names], None
    space = tables.space
    release = space.place(tables.release)
    members = space.place(tables.members.take(some(n, targets, random)))
    order = random.permutation(m)
    reference = space.place(tables.others.take(order[: min(m // 2, _REFERENCE)]))
    controls = space.place(tables.others.take(order[m // 2 :][:targets]))
    further = space.place(tables.others.take(order[: min(m // 2, targets - len(controls))]))

    index, near = space.nearest(members, release)
    index_controls, near_controls = space.nearest(controls, release)
    index_further, near_further = space.nearest(further, release)
    crowd, crowd_controls = (space.nearest(each, reference, _CROWD)[1] for each in (members, controls))

    score, score_controls = -near[:, 0], -near_controls[:, 0]
    score_others = np.concatenate([score_controls, -near_further[:, 0]])
    columns = _driving(
        space.names,
        space.parts(members, release.take(index[:, 0])),
        np.vstack(
            [
                space.parts(controls, release.take(index_controls[:, 0])),
                space.parts(further, release.take(index_further[:, 0])),
            ]
        ),
    )
    if auc(score, score_others) - Z * auc_error(len(score), len(score_others)) <= 0.5:
        columns = {}  # what chance does has no columns
    strict = len(score_others) >= STRICT_OTHERS
    share = 0.01 if strict else 0.05
    found = int((score > threshold(score_others, share)).sum())
    ratio, ratio_controls = (
        np.log(far[:, -1] + _FLOOR) - np.log(close[:, 0] + _FLOOR)
        for far, close in ((crowd, near), (crowd_controls, near_controls))
    )
    figures = [
        auc_figure("nearest_auc", score, score_others, null=auc(-crowd[:, 0], -crowd_controls[:, 0]), columns=columns),
        found_figure("nearest_tpr" if strict else "nearest_tpr5", score, score_others, share, columns=columns),
        auc_figure("density_auc", ratio, ratio_controls, null=0.5, columns=columns),
        _isolated(tables, [members, controls, further], score, score_others, random),
    ]
    exposed = found if found >= LEAST_COUNT else None
    return figures, Exposure(len(score), exposed, round(share * len(score)), columns)


def _isolated(
    tables: Attacked, targets: list[Points], score: Floats, score_others: Floats, random: np.random.Generator
) -> Figure:
    total = len(score) + len(score_others)
    if total < 5 * _ISOLATED:
        reason = said("{people:,} people were measured: {needed:,} are needed", people=total, needed=5 * _ISOLATED)
        return not_run("isolated_auc", reason)
    space = tables.space
    everybody = [
        space.place(table.take(some(len(table.codes), _REFERENCE // 2, random)))
        for table in (tables.members, tables.others)
    ]
    # The first of the eleven is the person itself, where it was not left out by chance: of both sides alike.
    far = space.nearest(joined(targets), joined(everybody), _CROWD + 1)[1][:, -1]
    alone = np.zeros(total, dtype=np.bool_)
    alone[np.argsort(-far, kind="stable")[: max(_ISOLATED, total // 10)]] = True
    members, others = score[alone[: len(score)]], score_others[alone[len(score) :]]
    fewest = min(len(members), len(others))
    if fewest < LEAST_ISOLATED:
        reason = said(
            "only {people} of the isolated are on one side: {needed} are needed", people=fewest, needed=LEAST_ISOLATED
        )
        return not_run("isolated_auc", reason)
    return auc_figure("isolated_auc", members, others, null=0.5)


def some(n: int, most: int, random: np.random.Generator) -> NDArray[np.intp]:
    """Return all of n rows, or as many as allowed, drawn without replacement."""
    return np.arange(n) if n <= most else np.sort(random.choice(n, most, replace=False))


def _driving(names: tuple[str, ...], members: Floats, others: Floats) -> dict[str, float]:
    """Return the columns in which members are nearer to their avatar than others to theirs, by their share of it."""
    # Where nearly everybody agrees in all columns there is nothing to share out.
    less = np.maximum(others.mean(axis=0) - members.mean(axis=0), 0)
    by_name: dict[str, float] = {}
    for name, amount in zip(names, less, strict=True):  # a numeric column with gaps is there twice
        by_name[name] = by_name.get(name, 0.0) + float(amount)
    total = sum(by_name.values())
    shares = {name: amount / total for name, amount in by_name.items() if total > 0 and amount / total >= 0.05}
    return dict(sorted(shares.items(), key=lambda each: -each[1]))
