"""The utility floor: who passes every attack by destroying everything is seen."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from tests.unit.evaluation.attacks.people import known_bad, parted, tables

from avatars.evaluation.attacks.figure import Figure, Verdict
from avatars.evaluation.floor import utility_floor


def floor_of(members: pd.DataFrame, others: pd.DataFrame, release: pd.DataFrame) -> dict[str, Figure]:
    return {figure.name: figure for figure in utility_floor(tables(members, others, release), 0)}


def shuffled(frame: pd.DataFrame) -> pd.DataFrame:
    random = np.random.default_rng(0)
    return pd.DataFrame({name: random.permutation(frame[name].to_numpy()) for name in frame})


def verdicts(found: dict[str, Figure]) -> set[Verdict | None]:
    return {figure.verdict for figure in found.values()}


@pytest.mark.parametrize("rows", [60, 400])
def test_fresh_people_and_copies_are_above_it(rows: int) -> None:
    members, others, fresh = parted(rows, 1, 3)
    for release in (fresh, members, known_bad("noise", members, 0)):
        found = floor_of(members, others, release)
        assert set(found) == {"bivariate_accuracy", "association_difference"}
        assert verdicts(found) == {Verdict.PASS}, found


def test_columns_without_their_relations_are_below_it() -> None:
    members, others = parted(400, 2, 2)
    found = floor_of(members, others, shuffled(members))
    assert found["association_difference"].verdict is Verdict.REVIEW
    value, null = found["association_difference"].value, found["association_difference"].null
    assert value is not None
    assert null is not None
    assert value > null + 1


def test_columns_that_are_squeezed_are_below_it() -> None:
    members, others = parted(400, 3, 2)
    squeezed = members.assign(
        **{name: (0.5 * members[name] + 0.5 * members[name].mean()).round(3) for name in ("age", "weight", "dose")}
    )
    assert floor_of(members, others, squeezed)["bivariate_accuracy"].verdict is Verdict.REVIEW


def test_columns_that_never_had_relations_are_not_asked_for_any() -> None:
    random = np.random.default_rng(4)
    members, others, release = (pd.DataFrame(random.integers(0, 4, (300, 5)), columns=list("abcde")) for _ in range(3))
    assert verdicts(floor_of(members, others, release)) == {Verdict.PASS}


def test_few_synthetic_rows_are_compared_with_as_few_people() -> None:
    members, others, fresh = parted(600, 5, 3)
    found = floor_of(members, others, fresh[:80])
    assert verdicts(found) == {Verdict.PASS}
    assert {figure.people for figure in found.values()} == {80}


def test_of_one_column_or_few_people_nothing_is_said() -> None:
    members, others, fresh = parted(60, 6, 3)
    assert floor_of(members[["age"]], others[["age"]], fresh[["age"]]) == {}
    assert floor_of(members, others[:40], fresh) == {}


def test_of_wide_tables_some_columns_are_compared() -> None:
    random = np.random.default_rng(7)
    wide = [pd.DataFrame(random.normal(size=(60, 300))).rename(columns="c{}".format) for _ in range(3)]
    assert verdicts(floor_of(*wide)) == {Verdict.PASS}
