"""The assessment: a table is parted, avatars of the one half are made and attacked, the other half is the measure.

The verdict is about the method on this table at these parameters. The split and the avatars of the half follow from
``split_seed`` alone: to ask again is to hear the same, and no second chance.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import get_args

import pyarrow as pa

from avatars.engine.columns import Column, Kind, detect
from avatars.engine.errors import AvatarsWarning, EngineError
from avatars.engine.identifiers import identifiers_among
from avatars.engine.parameters import Parameters, one_of, settled
from avatars.engine.progress import Part, Progress, Silent, completion
from avatars.engine.run import run
from avatars.engine.workspace import IN_MEMORY, Workspace
from avatars.evaluation.assessment import Assessment, Thoroughness
from avatars.evaluation.attacks.attack import QUICK, STEP, THOROUGH, attack_release
from avatars.evaluation.attacks.figure import Figure, not_run
from avatars.evaluation.attacks.membership import LEAST_PEOPLE, Exposure
from avatars.evaluation.attacks.rehearsal import Make, Rehearsal
from avatars.evaluation.attacks.tables import Attacked, read_tables, refuse_overlap
from avatars.evaluation.floor import utility_floor
from avatars.evaluation.gate import gate
from avatars.evaluation.split import split
from avatars.evaluation.wording import said


def assess(
    table: pa.Table,
    parameters: Parameters,
    thoroughness: Thoroughness = "quick",
    *,
    types: Mapping[str, Kind] | None = None,
    to_categorical_threshold: int | None = None,
    make: Make | None = None,
    split_seed: int = 0,
    progress: Progress | None = None,
    workspace: Workspace = IN_MEMORY,
    look: Callable[[Attacked], None] | None = None,
) -> Assessment:
    """Return what attacks find in avatars of one half of the table, made with the same parameters.

    Parameters
    ----------
    table
        The originals.
    parameters
        As for ``run``; the seed does not count. ``k`` is clamped to what the half allows.
    thoroughness
        ``"quick"``: membership by distance, copies and linkage to the nearest record, in about the time of the run;
        ``"thorough"``: every attack.
    make
        What makes releases, instead of the engine with the parameters.
    split_seed
        Says who is a member.
    look
        Is shown the tables that are attacked, SENSITIVE: they are people.

    Raises ``InvalidParameter`` for an unknown thoroughness, and ``Cancelled``. What the engine refuses of the half is
    an INCONCLUSIVE assessment with its sentence.
    """
    one_of("thoroughness", thoroughness, get_args(Thoroughness))
    progress, rows = progress or Silent(), table.num_rows
    members, others = split(table, split_seed)
    about = (
        f"avatars of {members.num_rows:,} of the table's {rows:,} people were made with these parameters and attacked, "
        f"the {others.num_rows:,} others being the measure"
    )
    figures: list[Figure] = []
    exposure: Exposure | None = None
    remarks: list[str] = []
    raise_k = said("Take a method that draws each row from many people.")
    if others.num_rows < LEAST_PEOPLE:
        needed = said(
            "the table has {rows:,} rows: attacks need {needed}, and a verdict more", rows=rows, needed=2 * LEAST_PEOPLE
        )
        figures = [not_run("nearest_auc", needed)]
        about = "nothing was attacked"
    else:
        try:
            if make is None:
                columns = detect(table, types, to_categorical_threshold)
                make, dropped, parameters = _engine(members, columns, parameters, remarks, progress, workspace)
                types = {column.name: column.kind for column in columns if column.name not in dropped}
                members, others = members.drop_columns(dropped), others.drop_columns(dropped)
                raise_k = said("Raise k (it is {k}).", k=parameters.k)
            tables = read_tables(members, others, make(members, split_seed), types)
            if look is not None:
                look(tables)
            figures, exposure = attack_release(
                tables,
                QUICK if thoroughness == "quick" else THOROUGH,
                split_seed,
                Part(progress, 0.5 if thoroughness == "quick" else 0.05, 1),
                linked=len(tables.release.codes) == members.num_rows,
                rehearsal=Rehearsal.of(members, others, tables.columns, make, split_seed),
            )
            figures += utility_floor(tables, split_seed)
        except EngineError as error:
            failed = said("half of the table could not be avatarized: {reason}", reason=str(error).rstrip("."))
            figures = [not_run("nearest_auc", failed)]
    if rows > (drawn := members.num_rows + others.num_rows):
        remarks.append(said("{drawn:,} rows were drawn from the {rows:,} for the attacks.", drawn=drawn, rows=rows))
    return gate(
        figures,
        exposure,
        about=about,
        rows=rows,
        members=members.num_rows,
        others=others.num_rows,
        thoroughness=thoroughness,
        raise_k=raise_k,
        remarks=remarks,
    )


def attack(
    original: pa.Table,
    synthetic: pa.Table,
    holdout: pa.Table,
    thoroughness: Thoroughness = "thorough",
    *,
    types: Mapping[str, Kind] | None = None,
    to_categorical_threshold: int | None = None,
    linked: bool = False,
    make: Make | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Assessment:
    """Return what attacks find in any release, made by anyone.

    Parameters
    ----------
    original
        The people that it was made from.
    synthetic
        The release; any number of rows. ``linked``: row i belongs to row i of the originals.
    holdout
        People like the originals, none of whom is among them.
    make
        What makes such releases, unshuffled; attacks that rehearse need it.

    Raises ``InvalidTable`` where tables do not fit, or the held-out people are among the originals
    (``overlapping_people``); ``InvalidParameter``; ``Cancelled``.
    """
    one_of("thoroughness", thoroughness, get_args(Thoroughness))
    tables = read_tables(original, holdout, synthetic, types, to_categorical_threshold)
    refuse_overlap(tables)
    effort = QUICK if thoroughness == "quick" else THOROUGH
    rehearsal = None if make is None else Rehearsal.of(original, holdout, tables.columns, make, seed)
    figures, exposure = attack_release(tables, effort, seed, progress or Silent(), linked=linked, rehearsal=rehearsal)
    return gate(
        [*figures, *utility_floor(tables, seed)],
        exposure,
        about=(
            f"{synthetic.num_rows:,} synthetic rows made of {original.num_rows:,} people were attacked, "
            f"{holdout.num_rows:,} others being the measure"
        ),
        rows=original.num_rows + holdout.num_rows,
        members=original.num_rows,
        others=holdout.num_rows,
        thoroughness=thoroughness,
        raise_k=said("Draw each row from more people (a larger k)."),
    )


def _engine(
    members: pa.Table,
    columns: tuple[Column, ...],
    parameters: Parameters,
    remarks: list[str],
    progress: Progress,
    workspace: Workspace,
) -> tuple[Make, list[str], Parameters]:
    """Return the engine as a maker of the members' avatars, the columns it replaces, and the parameters it is given."""
    # What identifies people is no part of the release: its new numbers say nothing.
    dropped = identifiers_among(members, columns, replace(parameters, identifiers="replace"))
    k = settled(parameters, 2 * members.num_rows).k
    assert k is not None
    if k >= members.num_rows:
        k = members.num_rows - 1
        remarks.append(said("k was lowered to {k}: there are no more neighbours in half of the table.", k=k))
    parameters = replace(parameters, k=k, identifiers="replace")
    types = {column.name: column.kind for column in columns if column.name not in dropped}
    told = _Within(progress)

    def make(table: pa.Table, seed: int) -> pa.Table:
        with warnings.catch_warnings():
            # What there is to be said of the parameters was said of the table itself.
            warnings.simplefilter("ignore", AvatarsWarning)
            # A rehearsal's table may be a row smaller than the half.
            fewer = replace(parameters, seed=seed, k=min(k, table.num_rows - 1))
            made = run(table, fewer, types=types, progress=told, workspace=workspace)
        return made.sensitive_unshuffled_avatars

    return make, dropped, parameters


class _Within:
    """The first run's progress as the first half of a quick attack's; the runs of rehearsals only ask."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._share = 0.0

    def report(self, step: str, done: float, total: float) -> None:
        """Say how far the run is, as long as it goes forward."""
        share = 0.5 * completion(step, done, total)
        if share > self._share:
            self._share = share
            self._progress.report(STEP, share, 1.0)

    def should_stop(self) -> bool:
        """Stop when the whole should."""
        return self._progress.should_stop()
