"""Inference: what the release tells of a column of somebody whose other columns are known.

Threat model: the attacker holds the release and all but one column of somebody, and takes the missing one from the
avatar that is nearest in the others. The guess is right where the level is, or the number within a tenth of a standard
deviation. What any useful statistics tells is told of everybody, so the figure is how much oftener it is right for
members than for held-out people (Stadler et al., USENIX Security 2022; Giomi et al., PoPETs 2023): for each column as
the secret, the mean of the columns and the worst.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from avatars.engine.batches import in_order, slices
from avatars.engine.columns import Encoded
from avatars.engine.features import Floats
from avatars.evaluation.attacks.figure import Figure, Z, difference_figure, not_run
from avatars.evaluation.attacks.membership import some
from avatars.evaluation.attacks.space import MISMATCH, Points, Space
from avatars.evaluation.attacks.tables import Attacked
from avatars.evaluation.rows import Flags, cells
from avatars.evaluation.wording import said

LEAST_PEOPLE = 200
MOST_AVATARS = 20_000
_CLOSE = 0.1
_HERE = 64


def inference(tables: Attacked, targets: int, random: np.random.Generator) -> list[Figure]:
    """Return the mean and the worst advantage; of at most ``targets`` people a side, among 20,000 avatars.

    Cost: O(columns x targets x avatars) time.
    """
    n, m = len(tables.members.codes), len(tables.others.codes)
    names = ("inference_mean", "inference_worst")
    if min(n, m) < LEAST_PEOPLE:
        reason = said(
            "there are {members:,} members and {others:,} others: {needed} of each are needed",
            members=n,
            others=m,
            needed=LEAST_PEOPLE,
        )
        return [not_run(name, reason) for name in names]
    if len(tables.columns) < 2:
        alone = said("there is one column: nothing is known to infer it from")
        return [not_run(name, alone) for name in names]
    release = tables.release.take(some(len(tables.release.codes), MOST_AVATARS, random))
    members = tables.members.take(some(n, targets, random))
    others = tables.others.take(some(m, targets, random))
    right, right_others = (_right(tables.space, people, release) for people in (members, others))
    advantage = right.mean(axis=0) - right_others.mean(axis=0)
    # A person's columns go together: the spread is that of people, not of cells.
    error = float(np.hypot(*(each.mean(axis=1).std(ddof=1) / len(each) ** 0.5 for each in (right, right_others))))
    value, worst = float(advantage.mean()), int(advantage.argmax())
    shares = np.maximum(advantage, 0) / max(float(np.maximum(advantage, 0).sum()), 1e-12)
    order = [int(place) for place in np.argsort(-shares) if shares[place] >= 0.05]
    columns = [column.name for column in tables.columns]
    hits, hits_others = int(right[:, worst].sum()), int(right_others[:, worst].sum())
    return [
        Figure(
            "inference_mean",
            value,
            value - Z * error,
            value + Z * error,
            null=float(right_others.mean()),
            people=len(right),
            others=len(right_others),
            columns={columns[place]: float(shares[place]) for place in order},
        ),
        difference_figure(
            "inference_worst", hits, len(right), hits_others, len(right_others), columns={columns[worst]: 1.0}
        ),
    ]


def _right(space: Space, people: Encoded, release: Encoded) -> Flags:
    """Return (n, columns) whether the guess of each column is right."""
    guesses = _nearest_without(space, [column.name for column in people.columns], people, release)
    right = np.empty(guesses.shape, dtype=np.bool_)
    for place, column in enumerate(people.columns):
        truth, guess = cells(people, column.name), cells(release, column.name)[guesses[:, place]]
        if column.is_numeric:
            known = truth[~np.isnan(truth)]
            close = np.abs(truth - guess) <= _CLOSE * (known.std() if len(known) else 0.0)
            right[:, place] = close | (np.isnan(truth) & np.isnan(guess))
        else:
            right[:, place] = truth == guess
    return right


def _nearest_without(space: Space, names: list[str], people: Encoded, release: Encoded) -> NDArray[np.intp]:
    """Return (n, columns) the nearest avatar of each person in all columns but one."""
    here, there = space.place(people), space.place(release)
    numbers, levels = there.numbers.T.copy(), there.levels.T.copy()
    own = [[place for place, name in enumerate(space.names) if name == column] for column in names]
    q = here.numbers.shape[1]

    def part(points: Points, place: int) -> Floats:
        """Return (n, avatars) what one column adds to the squares."""
        if place < q:
            return np.asarray((points.numbers[:, [place]] - numbers[place]) ** 2)
        return np.where(points.levels[:, [place - q]] != levels[place - q], float(MISMATCH), 0.0)

    def search(rows: slice) -> NDArray[np.intp]:
        points = here.take(rows)
        squares = space.squares(points, there)
        found = np.empty((len(points), len(names)), dtype=np.intp)
        for column, places in enumerate(own):
            rest = squares
            for place in places:
                rest = rest - part(points, place)
            found[:, column] = rest.argmin(axis=1)
        return found

    return np.concatenate(list(in_order(search, slices(len(here), _HERE))))
