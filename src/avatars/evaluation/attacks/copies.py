"""Copies: rows of the release that are somebody's record.

Threat model: the attacker holds the release alone, and takes its rows for records. In tables of few levels avatars
agree with people by chance; so do fresh people, who are the measure: the share of avatars equal to a member's record in
all columns, minus the share of held-out people equal to one. The same of members with a record of their own that is in
the release, minus that of others with a record of their own (ours).
"""

from __future__ import annotations

import numpy as np

from avatars.engine.columns import Encoded
from avatars.evaluation.attacks.figure import Figure, difference_figure, not_run
from avatars.evaluation.attacks.tables import Attacked
from avatars.evaluation.rows import Flags, label_rows, occur_among
from avatars.evaluation.wording import said

LEAST_UNIQUE = 30


def copies(tables: Attacked) -> list[Figure]:
    """Return both figures. Cost: O(n) time a column."""
    members, others, release = tables.members, tables.others, tables.release
    copied, met = occur_among(release, members), occur_among(others, members)
    figures = [difference_figure("copies", int(copied.sum()), len(copied), int(met.sum()), len(met))]
    alone, alone_others = _unique(members), _unique(others)
    if min(alone.sum(), alone_others.sum()) < LEAST_UNIQUE:
        reason = said(
            "fewer than {needed} people on one side have a record that nobody else there has", needed=LEAST_UNIQUE
        )
        return [*figures, not_run("unique_copies", reason)]
    found, found_others = occur_among(members, release)[alone], occur_among(others, release)[alone_others]
    return [
        *figures,
        difference_figure("unique_copies", int(found.sum()), len(found), int(found_others.sum()), len(found_others)),
    ]


def _unique(table: Encoded) -> Flags:
    label = label_rows([table], [column.name for column in table.columns])[0]
    return np.asarray(np.bincount(label)[label] == 1)
