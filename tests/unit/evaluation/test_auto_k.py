"""The smallest k that passes on two splits, and the curve that it was chosen from."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from avatars.engine.errors import Cancelled
from avatars.engine.parameters import Parameters, default_k
from avatars.evaluation.attacks.figure import Verdict
from avatars.evaluation.auto_k import LADDER, choose_k


def people(rows: int) -> pa.Table:
    random = np.random.default_rng(0)
    frame = pd.DataFrame(random.normal(size=(rows, 6)) @ random.normal(size=(6, 6)), columns=list("abcdef"))
    frame["ward"] = np.where(frame["a"] > 0, "north", "south")
    return pa.Table.from_pandas(frame, preserve_index=False)


def test_the_smallest_that_passes_on_two_splits_is_chosen() -> None:
    choice = choose_k(people(600), Parameters())
    passing = [point.k for point in choice.points if point.verdict is Verdict.PASS]
    assert choice.is_confirmed
    assert choice.k in passing
    # What was found the second time is kept beside the first: up to the one that passed again.
    assert [point.k for point in choice.again] == passing[: passing.index(choice.k) + 1]
    assert [point.k for point in choice.again if point.verdict is Verdict.PASS] == [choice.k]
    assert all(point not in choice.points for point in choice.again)
    assert [point.k for point in choice.points] == [k for k in LADDER if k <= 150]
    assert f"k is {choice.k}" in choice.reason
    # More neighbours keep less, and people who are not in the table keep the most.
    kept = [point.bivariate_accuracy for point in choice.points]
    assert None not in kept
    assert choice.fresh_people is not None
    assert choice == choose_k(people(600), Parameters(seed=7))


def test_where_none_passes_the_usual_k_is_taken_and_said() -> None:
    choice = choose_k(people(600), Parameters(method="avatar"))
    assert (choice.k, choice.is_confirmed) == (default_k(600), False)
    assert "none of 10, 15" in choice.reason


@pytest.mark.parametrize("rows", [4, 60])
def test_few_people_are_told_so(rows: int) -> None:
    choice = choose_k(people(rows), Parameters())
    assert (choice.k, choice.is_confirmed) == (default_k(rows), False)
    assert "too few people" in choice.reason


def test_it_can_be_stopped() -> None:
    class Impatient:
        def report(self, step: str, done: float, total: float) -> None: ...

        def should_stop(self) -> bool:
            return True

    with pytest.raises(Cancelled):
        choose_k(people(600), Parameters(), progress=Impatient())
