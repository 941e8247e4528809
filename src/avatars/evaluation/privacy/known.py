"""How seldom a few known variables lead to one's own avatar and no other. The definition is ours.

The attacker holds the known variables of the original records and the avatars, and links a record where exactly one
avatar fits it. Speaks to linkability. Needs the unshuffled avatars. (An early public code multiplies by the hidden rate
instead; here a link counts if it is right.)
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.spatial import cKDTree

from avatars.engine.batches import default_threads
from avatars.engine.columns import Encoded
from avatars.engine.features import Floats
from avatars.engine.tree import Counts
from avatars.evaluation.rows import cells, label_rows, refined

TOLERANCE = 0.05
"""Numbers fit within this share of the column's standard deviation."""
_ROUNDING = 1e-9


def correlation_protection_rate(original: Encoded, unshuffled: Encoded, names: Sequence[str]) -> float:
    """Return 100 - percent of ALL records that are unique in the known columns and whose ONLY fitting avatar is theirs.

    An avatar fits where modalities are equal and numbers differ by at most 5 % of the column's (population) standard
    deviation; missing fits missing. Cost: O(n log n) time in few columns, O(n) memory.
    """
    (labels,) = label_rows((original,), names)
    unique = np.bincount(labels)[labels] == 1
    records, avatars = _places(original, unshuffled, names)
    fits = np.abs(records - avatars).max(axis=1) <= 1 + _ROUNDING
    linked = np.flatnonzero(unique & fits)
    if not len(linked):
        return 100.0
    # Avatars at the same place come together: many of them would make a tree compare all with all.
    place_of = np.zeros(len(avatars), dtype=np.int64)
    for coordinate in avatars.T:
        place_of = refined(place_of, coordinate)
    counts: Counts = np.bincount(place_of)
    places = avatars[np.unique(place_of, return_index=True)[1]]
    linked = linked[counts[place_of[linked]] == 1]
    if len(linked) and len(places) > 1:
        reach = 1 + 2 * _ROUNDING
        tree = cKDTree(places)
        # The own avatar is one of the two nearest that fit, if there are two.
        _, found = tree.query(records[linked], 2, p=np.inf, distance_upper_bound=reach, workers=default_threads())
        other = np.asarray(found)[:, 1] < len(places)
        linked = linked[~other]
    return 100.0 - 100.0 * len(linked) / len(original.codes)


def _places(original: Encoded, unshuffled: Encoded, names: Sequence[str]) -> tuple[Floats, Floats]:
    """Return both tables as (n, d) points that fit where no coordinate differs by more than 1."""
    n = len(original.codes)
    numeric = {column.name for column in original.numeric_columns}
    groups = np.zeros(n + len(unshuffled.codes), dtype=np.int64)
    coordinates = []
    for name in names:
        values = np.concatenate([cells(original, name), cells(unshuffled, name)])
        known = values[:n][~np.isnan(values[:n])]
        tolerance = TOLERANCE * float(known.std()) if name in numeric and len(known) else 0.0
        if tolerance > 0:
            missing = np.isnan(values)
            groups = refined(groups, missing)
            coordinates.append(np.where(missing, 0.0, (values - known.mean()) / tolerance))
        else:
            # What does not vary has no tolerance: equal or not.
            groups = refined(groups, values)
    points = np.column_stack([4.0 * groups, *coordinates])
    return points[:n], points[n:]
