"""Every attack on one release."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from avatars.engine.batches import single_threaded_blas
from avatars.engine.progress import Part, Progress, advance
from avatars.evaluation.attacks.copies import copies
from avatars.evaluation.attacks.figure import Figure, not_run
from avatars.evaluation.attacks.inference import inference
from avatars.evaluation.attacks.linkage import linkage
from avatars.evaluation.attacks.membership import Exposure, membership
from avatars.evaluation.attacks.regeneration import regeneration
from avatars.evaluation.attacks.rehearsal import Rehearsal
from avatars.evaluation.attacks.shadow import shadow
from avatars.evaluation.attacks.singling_out import singling_out
from avatars.evaluation.attacks.tables import Attacked
from avatars.evaluation.wording import said

STEP = "attacking the avatars"


@dataclass(frozen=True)
class Effort:
    """How much an attacker is given.

    Attributes
    ----------
    targets
        People of each side, and avatars, that are measured.
    every_attack
        Also inference and singling out, and rehearsals where there is a maker.
    """

    targets: int
    every_attack: bool


QUICK, THOROUGH = Effort(1200, every_attack=False), Effort(5000, every_attack=True)
INFERRED = 2000
"""People a side whose cells are inferred: each column is a search of its own."""
_NO_MAKER = said("the attacker needs what made the release, to make more: say make")


def attack_release(
    tables: Attacked,
    effort: Effort,
    seed: int,
    progress: Progress,
    *,
    linked: bool,
    rehearsal: Rehearsal | None = None,
) -> tuple[list[Figure], Exposure | None]:
    """Return the figures of every attack, and who is exposed.

    ``linked``: row i of the release belongs to member i. Attacks that make releases need a ``rehearsal``.
    """
    randoms = [np.random.default_rng([seed % 2**64, purpose]) for purpose in range(2, 6)]
    with single_threaded_blas():
        figures, exposure = membership(tables, effort.targets, randoms[0])
        if exposure is None:
            return figures, None
        advance(progress, STEP, 0.1, 1)
        figures += copies(tables)
        figures += linkage(tables, effort.targets, randoms[1], linked=linked)
        advance(progress, STEP, 0.15, 1)
        if effort.every_attack:
            figures += inference(tables, INFERRED, randoms[2])
            figures += singling_out(tables, effort.targets, randoms[3])
            advance(progress, STEP, 0.25, 1)
            if rehearsal is None:
                figures += [not_run(name, _NO_MAKER) for name in ("linkage_regenerated", "shadow_auc", "shadow_tpr")]
            else:
                figures.append(regeneration(rehearsal, Part(progress, 0.25, 0.5), STEP))
                figures += shadow(rehearsal, Part(progress, 0.5, 1), STEP)
    advance(progress, STEP, 1, 1)
    return figures, exposure
