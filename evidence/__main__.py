"""`make evidence`: attack, measure, and write docs/evidence.md; some minutes a cohort."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np
from rich.console import Console

from evidence import survival
from evidence.cohorts import Cohort, cohorts
from evidence.measures import ATTACKS, UTILITY, Row, fresh_people, measure
from evidence.releases import Way, ways

PAGE = Path(__file__).parents[1] / "docs" / "evidence.md"
SEED = 0
SURVIVAL_SEEDS = 10

console = Console(highlight=False)

_INTRODUCTION = """# Evidence

What attacks find in avatars, in what simpler methods make, and in what nobody should publish; and how much of the
statistics is left. Made by `make evidence`; nothing in the tables below is written by hand. [What the attacks
are](attacks.md), [what the metrics are](method.md).

Read it with its limits: one split of each table (seed {seed}), so differences of a few hundredths are chance (95 % of
an AUC of 1,000 people against 1,000 is ± .025); attacks are the ones we know; the tables are small, but for the
census that is made up. Each release is made of one half of the table, the other half being the measure. *Fresh
people* are people in the release's place, who are in neither half that is compared: what there is to find where
nothing is to be found. An empty cell: the attack needs more people, or a maker.
"""


def main() -> None:
    pages = [_INTRODUCTION.format(seed=SEED), _circumstances()]
    for cohort in cohorts():
        pages.append(_chapter(cohort))
        PAGE.write_text("\n".join(pages), encoding="utf-8")
    console.print(f"{PAGE} is written.")


def _chapter(cohort: Cohort) -> str:
    console.print(cohort.name)
    rows: list[Row] = []
    for way in ways(cohort):
        console.print(f"  {way.name} ...")
        rows.append(measure(cohort, way, SEED))
        if way.must_block and rows[-1].assessment.verdict != "BLOCK":
            console.print(f"  The gate lets {way.name!r} through.", style="bold red")
    rows.append(fresh_people(cohort, SEED))
    size = f"{cohort.table.num_rows:,} people, {cohort.table.num_columns} columns"
    parts = [
        f"## {cohort.name}\n\n{size}; the model predicts `{cohort.target}`.\n",
        "### Attacks\n",
        _table(["", "verdict", *ATTACKS], (_attacked(row) for row in rows)),
        "### Statistics\n",
        _table(["", *UTILITY], (_kept(row) for row in rows)),
    ]
    if cohort.group:
        parts += ["### The effect of the arms on survival\n", _survival(cohort)]
    return "\n".join(parts)


def _attacked(row: Row) -> Iterable[str]:
    yield row.way
    yield str(row.assessment.verdict)
    figures = {figure.name: figure for figure in row.assessment.figures}
    for name in ATTACKS:
        figure = figures.get(name)
        yield "" if figure is None or figure.value is None else f"{figure.value:.3f}"


def _kept(row: Row) -> Iterable[str]:
    yield row.way
    for name in UTILITY:
        value = row.evaluation[name].value
        yield "" if value is None else f"{value:.3f}"


def _survival(cohort: Cohort) -> str:
    def line(way: Way) -> Iterable[str]:
        found = survival.bias(cohort, way.make, SURVIVAL_SEEDS)
        yield way.name
        yield f"{found.mean():+.3f}"
        yield ", ".join(f"{value:+.3f}" for value in found.mean(axis=0))
        yield f"{np.abs(found.mean(axis=0)).max():.3f}"

    truth = ", ".join(f"{value:+.2f}" for value in survival.log_hazard_ratios(cohort.table, *cohort.group))
    avatars = [way for way in ways(cohort) if way.name.startswith(("local", "avatar"))]
    return (
        f"Cox's log hazard ratios of `{cohort.group[2]}` against its first level are {truth} in the whole table. By "
        f"how much they are off in avatars of it, mean of {SURVIVAL_SEEDS} seeds:\n\n"
        + _table(["", "mean", "by arm", "the worst arm"], map(line, avatars))
    )


def _table(head: Sequence[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines) + "\n"


def _circumstances() -> str:
    packages = ("open-avatars", "numpy", "scipy", "pyarrow", "pandas", "scikit-learn")
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    now = datetime.now(UTC)
    return f"Made on {now:%Y-%m-%d} with {versions}, Python {platform.python_version()} on {sys.platform}.\n"


if __name__ == "__main__":
    main()
