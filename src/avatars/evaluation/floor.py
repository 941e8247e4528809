"""The utility floor: what is left of the statistics, beside what fresh people keep.

Whoever destroys everything passes every attack. So two figures of ``utility`` are read beside those of the people who
were held out, on as few rows, and a release that falls below its floor is for somebody to look at. It is never blocked
for that: a useless table harms nobody who knows that it is one. Definitions and margins are ours.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from avatars.engine.columns import Encoded
from avatars.engine.excluded import without
from avatars.evaluation.attacks.figure import Figure, Verdict
from avatars.evaluation.attacks.membership import LEAST_PEOPLE, some
from avatars.evaluation.attacks.tables import Attacked
from avatars.evaluation.utility.accuracy import accuracies, combinations
from avatars.evaluation.utility.association import association_differences
from avatars.evaluation.utility.bins import Bins
from avatars.evaluation.utility.ceiling import mean
from avatars.evaluation.wording import Said, said

UTILITY = "utility"
"""What catalogue and gate call these figures, where others have their attack."""
ROWS = 10_000
"""Of each table; means over pairs of columns need no more."""
COLUMNS = 32
"""Of more, so many are drawn at random: about five hundred pairs."""
MARGIN = 0.02
"""By which the bivariate accuracy may be below that of fresh people."""
LEAST_LOSS = 1.0
"""Points of associations that may be lost even where there are next to none."""

KEEP_MORE = said("Too little is left of the statistics: draw each row from fewer people, or declare groups of columns.")
KEEP_MORE_AND_TELL_LESS = said(
    "Too little is left of the statistics and attacks find too much, so that another k helps the one at the price of "
    "the other: declare groups of columns that belong together, and remove or coarsen columns that nobody needs."
)


def utility_floor(tables: Attacked, seed: int) -> list[Figure]:
    """Return both figures with their verdicts; none where columns or people are too few.

    The bivariate accuracy may be ``MARGIN`` below that of fresh people. The mean difference of associations may be
    halfway from that of fresh people to that of a table whose columns were shuffled one by one, where no relation is
    left: a table of columns that have little to do with each other must not pass for that.

    Cost: O(rows) time a pair of columns, for at most 10,000 rows.
    """
    if len(tables.columns) < 2 or len(tables.others.codes) < LEAST_PEOPLE:
        return []
    random = np.random.default_rng([seed % 2**64, 8])
    rows = min(len(tables.others.codes), len(tables.release.codes), ROWS)
    members = tables.members.take(some(len(tables.members.codes), ROWS, random))
    release, others = (table.take(some(len(table.codes), rows, random)) for table in (tables.release, tables.others))
    if (spare := len(tables.columns) - COLUMNS) > 0:
        dropped = [tables.columns[place].name for place in random.permutation(len(tables.columns))[:spare]]
        members, release, others = (without(table, dropped) for table in (members, release, others))
    kept, fresh = bivariate_accuracies(members, release, others)
    moved, chance, lost = (
        mean(association_differences(members, table)) for table in (release, others, _shuffled(members, random))
    )
    return [
        _figure("bivariate_accuracy", kept, fresh, rows, is_kept=kept >= fresh - MARGIN),
        _figure(
            "association_difference",
            moved,
            chance,
            rows,
            is_kept=moved <= chance + max(LEAST_LOSS, (lost - chance) / 2),
        ),
    ]


def below_floor(figure: Figure) -> Said:
    """Return what to say of a figure of utility that is for somebody to look at."""
    return said(
        "{verdict}, utility: {name} is {value:.3f}, where fresh people reach {null:.3f}: {says}. What tells nothing "
        "passes every attack.",
        verdict=figure.verdict,
        name=figure.name,
        value=figure.value,
        null=figure.null,
        says=figure.says,
    )


def bivariate_accuracies(members: Encoded, *tables: Encoded) -> list[float]:
    """Return the mean accuracy of pairs of columns, of each table; of columns where there is but one."""
    bins = Bins.of(members)
    wanted = combinations(len(bins.names), min(2, len(bins.names)))
    original = bins.bin(members)
    return [mean(accuracies(original, bins.bin(table), wanted)) for table in tables]


def _figure(name: str, value: float, null: float, rows: int, *, is_kept: bool) -> Figure:
    verdict = Verdict.PASS if is_kept else Verdict.REVIEW
    return Figure(name, value, null=null, people=rows, others=rows, verdict=verdict)


def _shuffled(table: Encoded, random: np.random.Generator) -> Encoded:
    """Return the same columns without any relation between them."""
    return replace(table, numeric=random.permuted(table.numeric, axis=0), codes=random.permuted(table.codes, axis=0))
