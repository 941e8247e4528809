"""What can be read off the avatars about people of whom a few variables are known.

The attacker holds the known variables of everyone and the avatars, and takes the target of the avatar that is nearest
on the known variables. Speaks to inference, in any order of the avatars. How often the same attack is right with people
who are NOT in the table is what any useful statistics gives away; so the figure stands beside the same attack trained
on held-out people, or, without them, beside one who always says the avatars' most frequent level or median.

Ours: nearest is meant in the projection of the originals' known columns, in up to 10 components; where several avatars
are equally near, they answer together, by their mean or majority, so that nothing depends on their order.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from avatars.engine import projection
from avatars.engine.features import Features, Floats
from avatars.engine.missing import Donors
from avatars.engine.progress import Silent

COMPONENTS = 10


@dataclass(frozen=True, eq=False)
class Known:
    """What the attack uses of a table: its known columns, complete, and the target's cells, NaN where missing."""

    features: Features
    target: Floats

    def with_target(self) -> Known:
        """Return the rows whose target is there."""
        there = np.flatnonzero(~np.isnan(self.target))
        return Known(self.features.take(there), self.target[there])


def known_columns(complete: Features, names: set[str], target: Floats) -> Known:
    """Return the attack's part of a table's complete columns."""
    q = complete.numeric.shape[1]
    wanted = [place for place, name in enumerate(complete.names) if name in names]
    numbers, others = [place for place in wanted if place < q], [place - q for place in wanted if place >= q]
    features = replace(
        complete,
        numeric=np.ascontiguousarray(complete.numeric[:, numbers]),
        codes=np.ascontiguousarray(complete.codes[:, others]),
        sizes=tuple(complete.sizes[place] for place in others),
        names=tuple(complete.names[place] for place in wanted),
    )
    return Known(features, target)


def attack(people: Known, source: Known, *, is_number: bool) -> float:
    """Return how wrong the attacker is about people whose target there is: ``error`` of what the source tells.

    The projection is that of the people. Both must have rows with a target. Cost: O(n log n) time, O(n) memory.
    """
    space = projection.fit(people.features, {}, COMPONENTS, Silent(), quiet=True)
    people, source = people.with_target(), source.with_target()
    donors = Donors.at(space.transform(source.features, Silent()), source.target, 1, is_number)
    guesses = donors.lend(space.transform(people.features, Silent()))
    return error(guesses, people.target, is_number=is_number)


def constant_guess(people: Known, source: Known, *, is_number: bool) -> float:
    """Return how wrong he is who always says the source's median or most frequent level."""
    people, source = people.with_target(), source.with_target()
    if is_number:
        guess = float(np.median(source.target))
    else:
        guess = float(np.bincount(source.target.astype(np.int64)).argmax())
    return error(np.full(len(people.target), guess), people.target, is_number=is_number)


def error(guesses: Floats, truth: Floats, *, is_number: bool) -> float:
    """Return the mean of 200 |y' - y| / (|y'| + |y|), 0 where both are 0; or the percent of levels that are wrong."""
    if not is_number:
        return 100.0 * float((guesses != truth).mean())
    size = np.abs(guesses) + np.abs(truth)
    return 200.0 * float(np.divide(np.abs(guesses - truth), size, out=np.zeros_like(size), where=size > 0).mean())
