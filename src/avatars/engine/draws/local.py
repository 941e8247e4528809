"""The local draw (ours): each avatar from the people near one, in numbers and levels that look like everybody's.

1. Numbers become normal scores; levels, gaps, spikes and what belongs together become composites.
2. How far beyond the k nearest others each of them is drawn from: ``reach``.
3. Scores and levels are drawn block by block, on one set of coefficients a row: ``race``, at rates that keep the
   levels' shares.
4. Scores become numbers by their ranks: ``calibration``.

What no draw gives away: values of fewer than ten people one by one, levels and combinations of fewer than five.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from avatars.engine.batches import each_block, in_order, slices
from avatars.engine.columns import Encoded
from avatars.engine.draws.composites import Composite, composites_of
from avatars.engine.draws.crowd import Crowd, Town
from avatars.engine.draws.numbers import Numbers
from avatars.engine.draws.published import STEP
from avatars.engine.draws.race import draw_levels, draw_scores
from avatars.engine.draws.rates import chosen_blocks, learn_rates
from avatars.engine.draws.reach import shares_of_strangers
from avatars.engine.draws.records import Records
from avatars.engine.draws.scores import normal_scores
from avatars.engine.draws.strata import Tellers
from avatars.engine.draws.traits import Role
from avatars.engine.features import Codes, Features, Floats
from avatars.engine.identifiers import people_needed
from avatars.engine.parameters import Parameters
from avatars.engine.progress import Part, Progress, advance
from avatars.engine.random import Purpose, RowRandom
from avatars.engine.workspace import Workspace

_ROWS = 65_536


def draw(records: Records, parameters: Parameters, progress: Progress, workspace: Workspace) -> Encoded:
    """Return the avatars of all records.

    Cost: O(n k (q + t)) time for q numbers and t composites, and some sorts a column; O(n (q + t)) memory.
    """
    assert parameters.seed is not None
    imputed, everybody = parameters.return_data_imputed, len(records.complete)
    composites = composites_of(records.table, records.complete, parameters.groups, imputed=imputed)
    counts = [_drawable(composite, everybody) for composite in composites]
    town = _town(records, composites, counts, RowRandom(parameters.seed, Purpose.DRAW), workspace)
    chosen = chosen_blocks(everybody, len(counts))
    town = town.knowing(chosen, workspace)
    strangers = np.split(shares_of_strangers(town), [town.crowd.scores.shape[1]])
    advance(progress, STEP, 0.1, 1)

    rates = learn_rates(town, chosen, strangers[1], counts, Part(progress, 0.1, 0.2), STEP)
    scores, levels = _drawn(town, strangers, rates, counts, Part(progress, 0.2, 0.9), workspace)
    del town  # what follows asks for ranks, not for people
    codes = _codes(records.complete, composites, levels, workspace)
    tellers = Tellers.among(composites, *scores.shape)
    numbers = Numbers(records.table.numeric, records.complete.numeric, composites, levels, tellers, imputed=imputed)
    numeric = workspace.empty("calibrated", scores.shape, np.float64)
    random = RowRandom(parameters.seed, Purpose.CALIBRATE)

    def calibrate(column: int) -> Floats:
        return numbers.of(column, scores[:, column], random.block(0, column))

    for column, drawn in enumerate(in_order(calibrate, range(scores.shape[1]))):
        numeric[:, column] = drawn
        advance(Part(progress, 0.9, 1), STEP, column + 1, scores.shape[1])
    return replace(records.table, numeric=numeric, codes=codes)


def _drawable(composite: Composite, everybody: int) -> NDArray[np.int64]:
    """Return the people at each level, 0 at those that too few share to be drawn; something always can be."""
    needed = min(people_needed(everybody), int(composite.counts.max()))
    return np.where(composite.counts >= needed, composite.counts, 0)


def _town(
    records: Records,
    composites: Sequence[Composite],
    counts: Sequence[NDArray[np.int64]],
    random: RowRandom,
    workspace: Workspace,
) -> Town:
    rows = records.nearby.spots.members
    n, scores = len(rows), normal_scores(records.complete.numeric, workspace)
    crowd = Crowd(
        workspace.empty("crowd-scores", scores.shape, np.float32),
        workspace.empty("crowd-levels", (n, len(composites)), np.int32),
    )

    def let_in(some: slice) -> None:
        crowd.scores[some] = scores[rows[some]]
        for place, (composite, people) in enumerate(zip(composites, counts, strict=True)):
            levels = composite.levels[rows[some]]
            crowd.levels[some, place] = np.where(people[levels] > 0, levels, -1)

    for _ in in_order(let_in, slices(n, _ROWS)):
        pass
    return Town(crowd, rows, records.nearby, random)


def _drawn(
    town: Town,
    strangers: Sequence[Floats],
    rates: Sequence[Floats],
    counts: Sequence[NDArray[np.int64]],
    progress: Progress,
    workspace: Workspace,
) -> tuple[Floats, Codes]:
    """Return (n, q) scores and (n, t) levels of the avatars, row by row of the table."""
    starts = np.cumsum([0, *(len(of_levels) for of_levels in rates)])
    slowness = 1.0 / np.concatenate([*rates, np.empty(0)])

    def draw_block(index: int, places: slice) -> tuple[Floats, Codes]:
        met = town.company(index, places)
        levels = draw_levels(town.crowd, met, strangers[1], slowness, starts)
        for place, people in enumerate(counts):
            # Nobody in company has a level that may be drawn: any of them, as often as people have it.
            (nobody,) = np.nonzero(levels[:, place] < 0)
            if len(nobody):
                shares = np.cumsum(people) / people.sum()
                levels[nobody, place] = np.searchsorted(shares, met.fallback[nobody, place], side="right")
        return draw_scores(town.crowd, met, strangers[0]), levels

    scores = workspace.empty("drawn-scores", town.crowd.scores.shape, np.float64)
    levels = workspace.empty("drawn-levels", town.crowd.levels.shape, np.int32)
    for places, block in each_block(draw_block, len(town.crowd), step=STEP, progress=progress):
        scores[town.rows[places]], levels[town.rows[places]] = block
    return scores, levels


def _codes(complete: Features, composites: Sequence[Composite], levels: Codes, workspace: Workspace) -> Codes:
    """Return the categorical columns' codes, -1 where the missing level was drawn."""
    codes = workspace.empty("drawn-codes", complete.codes.shape, np.int32)
    for place, composite in enumerate(composites):
        for trait, cells in zip(composite.traits, composite.cells.T, strict=True):
            if trait.role is Role.LEVEL:
                known = complete.sizes[trait.column]
                codes[:, trait.column] = np.where(cells < known, cells, -1)[levels[:, place]]
    return codes
