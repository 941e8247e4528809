"""How long the attacks of an assessment will take, known before anything starts.

Seconds of two cores of 2.5 GHz, as the engine's estimate has them: half of the processor time that was measured on AIDS
and on made-up censuses of 1,000 to 100,000 rows with 9 and 36 columns. Within a factor of 2 there; a guide, no more.
"""

from __future__ import annotations

from dataclasses import replace

from avatars.engine.estimate import START, Estimate
from avatars.evaluation import floor
from avatars.evaluation.assessment import Thoroughness
from avatars.evaluation.attacks import regeneration, shadow
from avatars.evaluation.attacks.attack import INFERRED, QUICK, THOROUGH
from avatars.evaluation.attacks.membership import LEAST_PEOPLE
from avatars.evaluation.attacks.rehearsal import MOST_PEOPLE
from avatars.evaluation.split import MOST_ROWS

# A comparison of two rows, and of two of their cells; the same cell where each column is inferred from the others.
_PAIR, _PAIR_OF_CELLS, _INFERRED_CELL = 15e-9, 3e-9, 3e-9
# A pair of columns, looked at for the utility floor.
_PAIR_OF_COLUMNS = 0.6e-3
# A rehearsal, and a cell of one.
_REHEARSAL, _REHEARSED_CELL = 0.02, 8e-6
_RELEASES = 1 + regeneration.RUNS + shadow.RUNS + shadow.TESTS


def with_assessment(expected: Estimate, thoroughness: Thoroughness | None) -> Estimate:
    """Return the estimate of a run with the seconds that its assessment adds; as it is where there is none."""
    half, columns = min(expected.rows, MOST_ROWS) // 2, expected.columns
    if thoroughness is None or half < LEAST_PEOPLE:
        return expected
    targets = min((QUICK if thoroughness == "quick" else THOROUGH).targets, half)
    seconds = (expected.seconds - START) * half / expected.rows
    seconds += 2 * targets * half * (_PAIR + columns * _PAIR_OF_CELLS)
    seconds += min(columns, floor.COLUMNS) ** 2 / 2 * _PAIR_OF_COLUMNS
    if thoroughness == "thorough":
        seconds += 2 * min(INFERRED, half) * half * columns * _INFERRED_CELL
        seconds += _RELEASES * (_REHEARSAL + min(half, MOST_PEOPLE // 2) * columns * _REHEARSED_CELL)
    return replace(expected, assessment=seconds)
