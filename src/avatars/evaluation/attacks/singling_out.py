"""Singling out: statements read off the release that are true of exactly one person.

Threat model: the attacker holds the release alone, and looks for statements that are true of one avatar and hopes that
they are true of one person: a value that one avatar has, a column's extreme, or a combination of 2 to 8 cells of one
avatar, numbers being said as "at least" or "at most" on their side of the median. He succeeds where exactly one member
fits. So do some statements among people whom the release has never seen: as many others are the measure.

Giomi et al., PoPETs 2023, after Cohen and Nissim, PNAS 117:8344, 2020.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from avatars.engine.columns import Encoded
from avatars.evaluation.attacks.figure import Figure, difference_figure, not_run
from avatars.evaluation.attacks.membership import some
from avatars.evaluation.attacks.tables import Attacked
from avatars.evaluation.rows import Cells, Flags, cells
from avatars.evaluation.wording import said

LEAST_PEOPLE = 100
LEAST_STATEMENTS = 100
STATEMENTS = 1000
_TRIES = 4 * STATEMENTS
_CELLS = 8


@dataclass(frozen=True)
class Condition:
    """A cell of a statement: ``sign`` is "=", "<=" or ">="; NaN and -1 are missing cells."""

    column: str
    sign: str
    value: float

    def holds(self, values: Cells) -> Flags:
        """Return (n,) of which cells it is true."""
        if np.isnan(self.value):
            return np.asarray(np.isnan(values))
        if self.sign == "=":
            return np.asarray(values == self.value)
        return np.asarray(values <= self.value if self.sign == "<=" else values >= self.value)


def singling_out(tables: Attacked, targets: int, random: np.random.Generator) -> list[Figure]:
    """Return both figures: of single values, and of combinations; on as many members, others and avatars.

    Cost: O(people) time for each of a few thousand statements.
    """
    names = ("singling_out_values", "singling_out")
    size = min(len(tables.members.codes), len(tables.others.codes), targets)
    if size < LEAST_PEOPLE:
        reason = said("there are {people} people on one side: {needed} are needed", people=size, needed=LEAST_PEOPLE)
        return [not_run(name, reason) for name in names]
    members, others, release = (
        table.take(some(len(table.codes), size, random)) for table in (tables.members, tables.others, tables.release)
    )
    return [
        _figure(name, statements, members, others)
        for name, statements in zip(names, (_values(release, random), _combinations(release, random)), strict=True)
    ]


def fits(statement: Sequence[Condition], table: Encoded) -> int:
    """Return of how many rows a statement is true."""
    true = np.ones(len(table.codes), dtype=np.bool_)
    for condition in statement:
        true &= condition.holds(cells(table, condition.column))
    return int(true.sum())


def _figure(name: str, statements: list[list[Condition]], members: Encoded, others: Encoded) -> Figure:
    if len(statements) < LEAST_STATEMENTS:
        reason = said(
            "{statements} statements fit one avatar alone: {needed} are needed",
            statements=len(statements),
            needed=LEAST_STATEMENTS,
        )
        return not_run(name, reason)
    hits, hits_others = (sum(fits(each, table) == 1 for each in statements) for table in (members, others))
    return difference_figure(name, hits, len(statements), hits_others, len(statements))


def _values(release: Encoded, random: np.random.Generator) -> list[list[Condition]]:
    """Return statements of one cell: values that one avatar has, and extremes."""
    found = []
    for column in release.columns:
        values = cells(release, column.name)
        known = values[~np.isnan(values)] if column.is_numeric else values[values >= 0]
        different, counts = np.unique(known, return_counts=True)
        found += [Condition(column.name, "=", float(value)) for value in different[counts == 1]]
        if column.is_numeric and len(different):
            found += [Condition(column.name, "<=", float(different[0]))] * int(counts[0] == 1)
            found += [Condition(column.name, ">=", float(different[-1]))] * int(counts[-1] == 1)
    return [[found[place]] for place in some(len(found), STATEMENTS, random)]


def _combinations(release: Encoded, random: np.random.Generator) -> list[list[Condition]]:
    """Return statements about one avatar, cell after cell until they are true of no other, 2 to 8 of them."""
    columns = release.columns
    if len(columns) < 2:
        return []
    middles = {
        column.name: float(np.nanmedian(each)) if not np.isnan(each := cells(release, column.name)).all() else 0.0
        for column in release.numeric_columns
    }
    table = {column.name: cells(release, column.name) for column in columns}
    found: list[list[Condition]] = []
    for _ in range(_TRIES):
        row = int(random.integers(len(release.codes)))
        left, statement = np.arange(len(release.codes)), []
        for place in random.permutation(len(columns))[:_CELLS]:
            name = columns[place].name
            value = float(table[name][row])
            sign = "=" if name not in middles else ">=" if value >= middles[name] else "<="
            statement.append(Condition(name, sign, value))
            left = left[statement[-1].holds(table[name][left])]
            if len(left) == 1:
                break
        if len(left) == 1 and len(statement) > 1:
            found.append(statement)
            if len(found) == STATEMENTS:
                break
    return found
