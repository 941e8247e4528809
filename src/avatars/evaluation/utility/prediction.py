"""Does what is learnt from avatars hold for people? Trained on avatars, tested on originals.

A model of one column, the target, from the bins of all others: ridge regression for a number, scored by R2 (1 is
perfect, 0 what the mean does, below 0 worse than that); for a category, logistic regression of each level against the
others, scored by the area under the curve, weighted by the level's share (1 is perfect, 0.5 guessing). Ours.

The originals that it is tested on are the people whom the avatars were drawn around, so avatars that are close to them
may do better than fresh people.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from avatars.engine.features import Features
from avatars.evaluation.metric import Columns
from avatars.evaluation.utility.learner import area_under_curve, design, learn_number, learn_odds, scores_of


def prediction_score(people: Features, source: Features) -> dict[Columns, float]:
    """Return how well a model learnt from the source does with people; nothing where it cannot be said.

    Both are bins of the other columns, with the target as the only number, or as the last code where there is none.
    Rows without a target (NaN, or bin 0) are left out. Cost: one regression, or one a level.
    """
    people, source = _with_target(people), _with_target(source)
    if not len(people) or not len(source):
        return {}
    score = _score_of_number(people, source) if people.numeric.shape[1] else _score_of_level(people, source)
    return {} if score is None else {(): score}


def _with_target(table: Features) -> Features:
    there = ~np.isnan(table.numeric[:, 0]) if table.numeric.shape[1] else table.codes[:, -1] > 0
    return table.take(np.flatnonzero(there))


def _score_of_number(people: Features, source: Features) -> float | None:
    truth = people.numeric[:, 0]
    spread = float(((truth - truth.mean()) ** 2).sum())
    if spread <= 1e-24 * float((truth**2).sum()):
        return None
    empty = np.empty((len(source), 0))
    weights = learn_number(design(replace(source, numeric=empty)), source.numeric[:, 0])
    guesses = scores_of(design(replace(people, numeric=np.empty((len(people), 0)))), weights)
    return 1.0 - float(((truth - guesses) ** 2).sum()) / spread


def _score_of_level(people: Features, source: Features) -> float | None:
    (learnt, levels), (judged, truth) = (
        (design(replace(table, codes=table.codes[:, :-1], sizes=table.sizes[:-1])), table.codes[:, -1])
        for table in (source, people)
    )
    counts = np.bincount(truth)
    seen = [level for level in range(len(counts)) if 0 < counts[level] < len(truth)]
    if not seen:
        return None
    areas = [area_under_curve(scores_of(judged, learn_odds(learnt, levels == level)), truth == level) for level in seen]
    return float(np.average(areas, weights=counts[seen]))
