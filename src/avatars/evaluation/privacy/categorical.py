"""How well categorical columns alone hide the link. The definition is ours.

The attacker holds the categorical columns of the original records and the avatars, and takes one of the avatars that
have a record's combination for its own. Speaks to linkability. Needs the unshuffled avatars.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from avatars.engine.columns import Encoded
from avatars.evaluation.rows import label_rows


def categorical_hidden_rate(original: Encoded, unshuffled: Encoded, names: Sequence[str]) -> float:
    """Return 100 (1 - mean success): 1 / how many avatars have the record's combination if its own has it, else 0.

    Missing is a modality. Cost: O(n) time a column.
    """
    records, avatars = label_rows((original, unshuffled), names)
    alike = np.bincount(avatars, minlength=int(records.max()) + 1)[records]
    success = np.where(records == avatars, 1.0 / np.maximum(alike, 1), 0.0)
    return 100.0 * (1.0 - float(success.mean()))
